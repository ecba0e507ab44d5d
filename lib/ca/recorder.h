/* recorder.h - records the events of those who cannot wait for the disk: a thread writes what has
 * gathered. Of denials it records so many a minute, and counts the rest (denials.h). */
#pragma once
#include "lib/ca/event.h"

struct recorder;

/* Starts the thread. Borrows the ledger. */
bool recorder_start(struct ledger *ledger, struct recorder **ret_recorder, struct fault *f);
/* Never waits. When more gather than are taken, or the ledger cannot be written, events are lost;
 * how many is an event of its own, as soon as there is room. Any thread; NULL: does nothing. */
void recorder_note(struct recorder *recorder, const struct event *event);
/* Writes what there is, ends the thread, frees. Accepts NULL. */
void recorder_stop(struct recorder *recorder);
