/* load_thread.c - a thread's loop: hands out requests that are due, waits for sockets. */
#include <sys/epoll.h>
#include <time.h>

#include "tests/bench/load_thread.h"

enum { EVENTS_MAX = 256 };
static const int64_t pause_look_ns = 1000000;

void load_thread_idle(struct load_thread *t, struct connection *c)
{
  c->next_idle = t->idle;
  t->idle = c;
  t->n_busy--;
  t->load->busy--;
}

/* When the next request is due; closed loop: at once. */
static int64_t next_due(const struct load_thread *t, int64_t now_ns)
{
  const struct load *load = t->load;
  if (load->rate <= 0)
    return now_ns;
  double number = (double)t->n_due * (double)load->threads + (double)t->index;
  return load->begin_ns + (int64_t)(number * 1e9 / load->rate);
}

/* Gives idle connections what is due; returns when to look again (0: nothing more to send). */
static int64_t hand_out(struct load_thread *t)
{
  struct load *load = t->load;
  int64_t now_ns = load_now_ns();
  /* One that fails at once is idle again: so each gets one at the most. */
  for (size_t tries = t->n; t->idle != NULL && tries > 0; tries--) {
    int64_t due_ns = next_due(t, now_ns);
    if (load->sent_all || (load->end_ns != 0 && now_ns >= load->end_ns))
      return 0;
    if (load->paused)
      return now_ns + pause_look_ns;
    if (due_ns > now_ns)
      return due_ns;
    size_t n = atomic_fetch_add_explicit(&load->next, 1, memory_order_relaxed);
    if (n >= load->requests->n) {
      load->sent_all = true;
      return 0;
    }
    struct connection *c = t->idle;
    t->idle = c->next_idle;
    t->n_busy++;
    load->busy++;
    t->n_due++;
    connection_take(c, requests_get(load->requests, n), due_ns);
  }
  return now_ns + INT64_C(1000000000);
}

static void wait_for_sockets(struct load_thread *t, int64_t until_ns)
{
  struct epoll_event events[EVENTS_MAX];
  int64_t left_ns = until_ns - load_now_ns();
  if (left_ns < 0)
    left_ns = 0;
  struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
  int n = epoll_pwait2(t->epoll, events, EVENTS_MAX, &left, NULL);
  for (int i = 0; i < n; i++) {
    struct connection *c = events[i].data.ptr;
    if (c->state == IDLE)
      connection_close(c); /* the daemon closed it, between two requests */
    else
      connection_go_on(c);
  }
}

void *load_thread_run(void *context)
{
  struct load_thread *t = context;
  struct load *load = t->load;
  int64_t give_up_ns = 0;
  for (;;) {
    int64_t look_ns = hand_out(t), now_ns = load_now_ns();
    if (look_ns == 0 && give_up_ns == 0)
      give_up_ns = now_ns + INT64_C(1000000) * DRAIN_MS;
    if (look_ns == 0 && (t->n_busy == 0 || now_ns > give_up_ns))
      break;
    wait_for_sockets(t, look_ns != 0 ? look_ns : give_up_ns);
  }
  if (t->n_busy > 0 && load->end_ns == 0)
    tally_code(&t->tally, "no answer", t->n_busy);
  load->running--;
  return NULL;
}
