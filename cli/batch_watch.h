/* batch_watch.h - how far a batch is, asked once a second over a connection of its own while it is
 * being sent. Threads: one starts and stops it; batch_watch_lines() from any. */
#pragma once
#include <stdint.h>

#include "cli/client.h"

struct batch_watch;

/* The client is used by the watch's thread alone until it is stopped. NULL when it cannot be
 * started: then nothing is known of how far the batch is. */
struct batch_watch *batch_watch_start(struct client *client, const char *id);
/* So many lines are done, as far as is known; NULL: 0. */
int64_t batch_watch_lines(const struct batch_watch *watch);
void batch_watch_stop(struct batch_watch *watch); /* accepts NULL */
