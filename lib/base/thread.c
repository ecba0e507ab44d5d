/* thread.c - see thread.h. */
#include "lib/base/thread.h"

#include <signal.h>

/* The mask is inherited: so no signal can come in between. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *context), void *context)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(ret_thread, NULL, run, context) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}
