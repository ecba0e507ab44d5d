/* batch_watch.c - see batch_watch.h. */
#include "cli/batch_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/json_out.h"

struct batch_watch {
  struct client *client;
  char path[64];
  _Atomic int64_t lines;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t stopped;
  bool stop;
};

/* A batch that has not begun yet, or a daemon that is too busy to say, is no news. */
static void ask(struct batch_watch *watch)
{
  AUTO(fault) ignored = {0};
  AUTO(json) reply = NULL;
  const struct call call = {.path = watch->path, .once = true};
  if (client_call(watch->client, &call, NULL, &reply, &ignored))
    watch->lines = json_integer_value(json_object_get(reply, "lines"));
}

static void *run(void *context)
{
  struct batch_watch *watch = context;
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  pthread_mutex_lock(&watch->lock);
  while (!watch->stop) {
    at.tv_sec++;
    while (!watch->stop && pthread_cond_timedwait(&watch->stopped, &watch->lock, &at) == 0)
      continue;
    bool stop = watch->stop;
    pthread_mutex_unlock(&watch->lock);
    if (!stop)
      ask(watch);
    pthread_mutex_lock(&watch->lock);
  }
  pthread_mutex_unlock(&watch->lock);
  return NULL;
}

static void init_lock(struct batch_watch *watch)
{
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&watch->stopped, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&watch->lock, NULL);
}

static void watch_free(struct batch_watch *watch)
{
  pthread_cond_destroy(&watch->stopped);
  pthread_mutex_destroy(&watch->lock);
  free(watch);
}

struct batch_watch *batch_watch_start(struct client *client, const char *id)
{
  struct batch_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return NULL;
  watch->client = client;
  snprintf(watch->path, sizeof watch->path, "/v1/batches/%s", id);
  init_lock(watch);
  if (pthread_create(&watch->thread, NULL, run, watch) == 0)
    return watch;
  watch_free(watch);
  return NULL;
}

int64_t batch_watch_lines(const struct batch_watch *watch)
{
  return watch != NULL ? watch->lines : 0;
}

void batch_watch_stop(struct batch_watch *watch)
{
  if (watch == NULL)
    return;
  pthread_mutex_lock(&watch->lock);
  watch->stop = true;
  pthread_cond_signal(&watch->stopped);
  pthread_mutex_unlock(&watch->lock);
  pthread_join(watch->thread, NULL);
  watch_free(watch);
}
