/* load.c - see load.h. */
#include "tests/bench/load.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load_thread.h"

int64_t load_now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool find_address(struct load *load, struct fault *f)
{
  const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  struct addrinfo *found;
  char host[80];
  snprintf(host, sizeof host, "%s", load->host[0] == '[' ? load->host + 1 : load->host);
  char *colon = strrchr(host, ':');
  if (colon == NULL)
    return fault_set(f, BAD_CONFIG, "%s is not ADDRESS:PORT", load->host);
  *colon = '\0';
  if (colon > host && colon[-1] == ']')
    colon[-1] = '\0';
  if (getaddrinfo(host, colon + 1, &want, &found) != 0)
    return fault_set(f, BAD_CONFIG, "%s is not ADDRESS:PORT", load->host);
  memcpy(&load->address, found->ai_addr, found->ai_addrlen);
  load->address_len = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

/* The daemon is checked up to the root, as any station does: a token goes its way. */
static bool set_up_tls(struct load *load, struct fault *f)
{
  load->tls = SSL_CTX_new(TLS_client_method());
  if (load->tls == NULL || SSL_CTX_load_verify_file(load->tls, load->root_file) != 1)
    return fault_set(f, BAD_FILE, "%s: no root certificate", load->root_file);
  SSL_CTX_set_verify(load->tls, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_read_ahead(load->tls, 1); /* several records by one read */
  SSL_CTX_set_session_cache_mode(load->tls, SSL_SESS_CACHE_OFF);
  return true;
}

/* --- threads --- */

static void thread_free(struct load_thread *t)
{
  if (t == NULL)
    return;
  for (size_t i = 0; t->connections != NULL && i < t->n; i++)
    connection_close(&t->connections[i]);
  free(t->connections);
  if (t->epoll >= 0)
    close(t->epoll);
  free(t);
}

AUTO_POINTER(load_thread, struct load_thread, thread_free)

static bool thread_new(struct load *load, size_t index, struct load_thread **ret_thread,
                       struct fault *f)
{
  AUTO(load_thread) t = calloc(1, sizeof *t);
  if (t == NULL)
    return fault_no_memory(f);
  t->load = load;
  t->index = index;
  t->epoll = epoll_create1(EPOLL_CLOEXEC);
  t->n =
      load->connections * (index + 1) / load->threads - load->connections * index / load->threads;
  t->connections = calloc(t->n, sizeof *t->connections);
  if (t->connections == NULL || t->epoll < 0)
    return fault_no_memory(f);
  for (size_t i = 0; i < t->n; i++) {
    t->connections[i].thread = t;
    t->connections[i].next_idle = t->idle;
    t->idle = &t->connections[i];
  }
  *ret_thread = TAKE(t);
  return true;
}

bool loads_start(struct load *load, struct loads *ret_loads, struct fault *f)
{
  struct loads *loads = ret_loads;
  *loads = (struct loads){.load = load};
  loads->threads = calloc(load->threads, sizeof *loads->threads);
  if (loads->threads == NULL)
    return fault_no_memory(f);
  if (!find_address(load, f) || !set_up_tls(load, f))
    return false;
  for (; loads->n < load->threads; loads->n++) {
    struct load_thread *t = NULL;
    if (!thread_new(load, loads->n, &t, f))
      return false;
    load->running++;
    if (pthread_create(&t->thread, NULL, load_thread_run, t) != 0) {
      load->running--;
      load->sent_all = true; /* those that run come to their end */
      thread_free(t);
      return fault_set(f, INTERNAL, "cannot start a thread");
    }
    loads->threads[loads->n] = t;
  }
  return true;
}

bool loads_wait(struct loads *loads, int64_t until_ns)
{
  while (loads->load->running > 0) {
    int64_t left_ns = until_ns - load_now_ns();
    if (left_ns <= 0)
      return false;
    if (left_ns > 1000000)
      left_ns = 1000000;
    nanosleep(&(struct timespec){.tv_nsec = left_ns}, NULL);
  }
  return true;
}

bool loads_pause(struct loads *loads)
{
  struct load *load = loads->load;
  int64_t give_up_ns = load_now_ns() + INT64_C(1000000) * DRAIN_MS;
  load->paused = true;
  do /* once in any case: a thread may be about to send */
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
  while (load->busy > 0 && load->running > 0 && load_now_ns() < give_up_ns);
  return load->busy == 0;
}

void loads_go_on(struct loads *loads)
{
  loads->load->paused = false;
}

void loads_end(struct loads *loads, struct tally *ret_tally)
{
  for (size_t i = 0; i < loads->n; i++) {
    pthread_join(loads->threads[i]->thread, NULL);
    tally_merge(ret_tally, &loads->threads[i]->tally);
    thread_free(loads->threads[i]);
  }
  free(loads->threads);
  SSL_CTX_free(loads->load->tls);
  loads->load->tls = NULL;
}
