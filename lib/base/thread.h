/* thread.h - threads beside the main one. */
#pragma once
#include <pthread.h>
#include <stdbool.h>

/* Starts one that has all signals blocked: those are for the main thread, which waits for them. It
 * is the caller's to join. False when there is no room for it. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *context), void *context);
