/* background.h - work that takes longer than a request's thread may wait: each piece on a thread of
 * its own, a few at a time. Threads: any. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "lib/base/fault.h"

enum { BACKGROUND_MAX = 4 };

struct background;

bool background_new(struct background **ret_background, struct fault *f);
/* Calls work(context, stop) on a thread of its own. Once *stop is set it must come to its end soon.
 * BUSY when too many are at work, STOPPING: work is not called, and the context stays the caller's.
 */
bool background_run(struct background *background,
                    void (*work)(void *context, const atomic_bool *stop), void *context,
                    struct fault *f);
/* From now on nothing begins, and what is at work is told to end. Does not wait. Accepts NULL. */
void background_quit(struct background *background);
/* The same, and waits for the last one. Accepts NULL. */
void background_free(struct background *background);
