/* service.h - an authority for the systemd units: which of its files belongs to which of the two
 * users, and where the ledger and the key holder's socket are then. Threads: one. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Are we root, and are both users there? BAD_USAGE says what to do first. */
bool service_check(struct fault *f);
/* Sets the ledger's path, the folder of revocation lists and the key holder's socket in the
 * daemon's configuration. */
bool service_fill_conf(struct buf *conf, struct fault *f);
/* Where a file of this name goes: the daemon renews its own certificate, so that one and its key
 * are in its state folder. The other ones go into `dir`. */
const char *service_folder_of(const char *name, const char *dir);
/* Gives the files below `dir` to the daemon's and the key holder's user. */
bool service_give_files(const char *dir, struct fault *f);
/* The commands that start it. */
void service_print_next(const char *dir);
