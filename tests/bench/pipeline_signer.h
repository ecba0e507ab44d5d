/* pipeline_signer.h - the key holder's work within this process: so that one count has all of it.
 * No sandbox and no sockets of its own: guard, count and signature are the real ones. */
#pragma once
#include <stdbool.h>

#include "lib/base/fault.h"

struct pipeline_signer;

/* Loads the first key below `dir`, an authority that `mintmark init` made. Listens at
 * `socket_path`; each connection has a thread. */
bool pipeline_signer_start(const char *dir, const char *socket_path,
                           struct pipeline_signer **ret_signer, struct fault *f);
/* After its connections were closed. */
void pipeline_signer_stop(struct pipeline_signer *signer);
