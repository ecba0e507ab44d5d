/* background.c - see background.h. */
#include "daemon/background.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct background {
  pthread_mutex_t lock;
  pthread_cond_t idle;
  unsigned n; /* at work */
  atomic_bool stop;
};

struct task {
  struct background *background;
  void (*work)(void *context, const atomic_bool *stop);
  void *context;
};

bool background_new(struct background **ret_background, struct fault *f)
{
  struct background *background = calloc(1, sizeof *background);
  if (background == NULL)
    return fault_no_memory(f);
  pthread_mutex_init(&background->lock, NULL);
  pthread_cond_init(&background->idle, NULL);
  *ret_background = background;
  return true;
}

static bool enter(struct background *background, struct fault *f)
{
  bool may;
  pthread_mutex_lock(&background->lock);
  if (atomic_load(&background->stop))
    may = fault_set(f, STOPPING, "the daemon is stopping: ask again in a moment");
  else
    may = background->n < BACKGROUND_MAX ||
          fault_set(f, BUSY, "%d such requests are at work already", BACKGROUND_MAX);
  background->n += may;
  pthread_mutex_unlock(&background->lock);
  return may;
}

static void leave(struct background *background)
{
  pthread_mutex_lock(&background->lock);
  if (--background->n == 0)
    pthread_cond_broadcast(&background->idle);
  pthread_mutex_unlock(&background->lock);
}

static void *run(void *context)
{
  struct task task = *(struct task *)context;
  free(context);
  task.work(task.context, &task.background->stop);
  leave(task.background);
  return NULL;
}

/* Signals are for the daemon's own thread: these have all of them blocked. */
static bool start(struct task *task)
{
  pthread_attr_t detached;
  pthread_t thread;
  sigset_t all, before;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(&thread, &detached, run, task) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&detached);
  return started;
}

bool background_run(struct background *background,
                    void (*work)(void *context, const atomic_bool *stop), void *context,
                    struct fault *f)
{
  struct task *task = malloc(sizeof *task);
  if (task == NULL)
    return fault_no_memory(f);
  *task = (struct task){background, work, context};
  if (!enter(background, f)) {
    free(task);
    return false;
  }
  if (start(task))
    return true;
  free(task);
  leave(background);
  return fault_set(f, INTERNAL, "cannot start a thread for this request");
}

void background_quit(struct background *background)
{
  if (background == NULL)
    return;
  pthread_mutex_lock(&background->lock);
  atomic_store(&background->stop, true);
  pthread_mutex_unlock(&background->lock);
}

void background_free(struct background *background)
{
  if (background == NULL)
    return;
  background_quit(background);
  pthread_mutex_lock(&background->lock);
  while (background->n > 0)
    pthread_cond_wait(&background->idle, &background->lock);
  pthread_mutex_unlock(&background->lock);
  pthread_cond_destroy(&background->idle);
  pthread_mutex_destroy(&background->lock);
  free(background);
}
