/* issue_queue.c - see issue_private.h. */
#include <time.h>

#include "lib/ca/issue_private.h"

void job_list_add(struct job_list *list, struct issue_job *job)
{
  job->next = NULL;
  if (list->last != NULL)
    list->last->next = job;
  else
    list->first = job;
  list->last = job;
  list->n++;
}

struct issue_job *job_list_take(struct job_list *list)
{
  struct issue_job *job = list->first;
  if (job == NULL)
    return NULL;
  list->first = job->next;
  if (list->first == NULL)
    list->last = NULL;
  list->n--;
  job->next = NULL;
  return job;
}

bool job_queue_init(struct job_queue *queue)
{
  pthread_condattr_t monotonic;
  *queue = (struct job_queue){0};
  if (pthread_mutex_init(&queue->lock, NULL) != 0)
    return false;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  bool done = pthread_cond_init(&queue->filled, &monotonic) == 0;
  pthread_condattr_destroy(&monotonic);
  if (!done)
    pthread_mutex_destroy(&queue->lock);
  return done;
}

void job_queue_free(struct job_queue *queue)
{
  pthread_cond_destroy(&queue->filled);
  pthread_mutex_destroy(&queue->lock);
}

bool job_queue_put(struct job_queue *queue, struct job_list *list)
{
  pthread_mutex_lock(&queue->lock);
  bool open = !queue->closed;
  if (open && list->n > 0) {
    if (queue->jobs.last != NULL)
      queue->jobs.last->next = list->first;
    else
      queue->jobs.first = list->first;
    queue->jobs.last = list->last;
    queue->jobs.n += list->n;
    if (queue->jobs.n >= queue->wanted)
      pthread_cond_signal(&queue->filled);
  }
  pthread_mutex_unlock(&queue->lock);
  if (open)
    *list = (struct job_list){0};
  return open;
}

/* The lock is held. */
static void wait_for_more(struct job_queue *queue, size_t wanted, unsigned gather_us)
{
  struct timespec until;
  if (queue->jobs.n >= wanted)
    return;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += (long)gather_us * 1000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  queue->wanted = wanted;
  while (queue->jobs.n < wanted && !queue->closed &&
         pthread_cond_timedwait(&queue->filled, &queue->lock, &until) == 0)
    continue;
  queue->wanted = 0;
}

static size_t least_of(size_t a, size_t b)
{
  return a < b ? a : b;
}

static size_t most_of(size_t a, size_t b)
{
  return a > b ? a : b;
}

static size_t wanted_of(const struct job_taker *taker, size_t under_way)
{
  size_t few = least_of(under_way / taker->takers, taker->few);
  return least_of(most_of(under_way / taker->share, few), taker->most);
}

/* A small load spreads over all takers, a large one comes in batches. */
static size_t part_of(const struct job_taker *taker, size_t waiting, size_t wanted)
{
  size_t fair = (waiting + taker->takers - 1) / taker->takers;
  return least_of(fair > wanted ? fair : least_of(wanted, waiting), taker->most);
}

bool job_queue_take(struct job_queue *queue, const struct job_taker *taker,
                    const atomic_uint *under_way, struct job_list *ret_list)
{
  struct job_list taken = {0};
  size_t wanted;
  pthread_mutex_lock(&queue->lock);
  do {
    while (queue->jobs.n == 0 && !queue->closed)
      pthread_cond_wait(&queue->filled, &queue->lock);
    wanted = wanted_of(taker, atomic_load(under_way));
    wait_for_more(queue, wanted, taker->gather_us);
    /* Meanwhile another one may have taken them. */
  } while (queue->jobs.n == 0 && !queue->closed);
  for (size_t n = part_of(taker, queue->jobs.n, wanted); n > 0; n--)
    job_list_add(&taken, job_list_take(&queue->jobs));
  if (queue->jobs.n > 0)
    pthread_cond_signal(&queue->filled); /* there is work for another one, too */
  pthread_mutex_unlock(&queue->lock);
  *ret_list = taken;
  return taken.n > 0;
}

void job_queue_close(struct job_queue *queue)
{
  pthread_mutex_lock(&queue->lock);
  queue->closed = true;
  pthread_cond_broadcast(&queue->filled);
  pthread_mutex_unlock(&queue->lock);
}
