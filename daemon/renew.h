/* renew.h - the daemon's own TLS certificate, renewed before it expires.
 *
 * A thread looks at it at the start and every hour, or when it is due. With less than a third of
 * its lifetime left it makes a new key, asks the issue pipeline for a certificate of the profile
 * "server" with the same names (so that it is checked and on the record like any other, but made
 * shorter when it would outlive its issuer), writes both files, and new handshakes get it; open
 * connections go on. One that no authority of ours
 * issued is left alone. What fails is logged and tried again. */
#pragma once
#include <stdbool.h>

#include "lib/base/fault.h"
#include "lib/ca/authorities.h"
#include "lib/ca/conf.h"
#include "lib/ca/issue.h"
#include "lib/ca/recorder.h"

struct renewer;

/* Borrows authorities, issuer and recorder; holds a reference to conf. */
bool renewer_start(struct conf *conf, const struct authorities *authorities, struct issuer *issuer,
                   struct recorder *recorder, struct renewer **ret_renewer, struct fault *f);
/* From now on the files of this configuration, which are looked at at once. Any thread. */
void renewer_reload(struct renewer *renewer, struct conf *conf);
/* Before the pipeline is stopped. Accepts NULL. */
void renewer_stop(struct renewer *renewer);
