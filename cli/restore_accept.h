/* restore_accept.h - mintmark restore --accept: the running daemon goes on with a ledger that is an
 * older copy, once somebody has seen what it lacks. Threads: one. */
#pragma once
#include "cli/args.h"

/* Shows what is missing, gives the daemon the lists of --crl, asks on the terminal unless --yes,
 * and accepts. */
bool restore_accept(const struct args *args, struct fault *f);
