/* run.h - the daemon put together from its parts, changed while it runs, and taken apart again.
 * Threads: the main thread alone. */
#pragma once
#include <stdbool.h>

#include "daemon/listen.h"
#include "lib/base/fault.h"
#include "lib/ca/conf.h"

struct run;

/* Looks at everything that can be looked at without starting: the authority's files, the daemon's
 * own certificate and key, where it listens, and the key holder's program or socket's path. */
bool run_check(const struct conf *conf, struct fault *f);

/* Starts all parts and answers when it returns. Takes the configuration and the listeners' sockets
 * over in any case. */
bool run_start(struct conf *conf, const struct listeners *listeners, struct run **ret_run,
               struct fault *f);

/* Reads the configuration again. When it is not valid, or its TLS pair is not, everything goes on
 * as it was. Warnings in the log name the settings that want a restart. */
bool run_reload(struct run *run, struct fault *f);

/* Sees whether the clock was set since the last time, and has looked at anew what goes by it:
 * certificates that are due, and those whose end is near. A few times a minute at least. */
void run_look_at_clock(struct run *run);

/* False when the way through the ledger is stuck: then nothing but a restart helps. */
bool run_is_alive(struct run *run);

/* Answers what is under way, then ends: no answer is lost unless it takes longer than the
 * configuration's time for work and replies. */
void run_stop(struct run *run);
