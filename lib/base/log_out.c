/* log_out.c - see log_out.h. */
#include "lib/base/log_out.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 20 };

/* What goes into a pipe in one piece, so that another program's lines (the key holder's, say) do
 * not get into the middle of ours. */
enum { GATHERED_MAX = PIPE_BUF };

static struct {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  bool gathers, idle, ending;
  _Atomic int fd;
  atomic_size_t len; /* moved on when a line is whole: see log_out_save() */
  uint8_t octets[GATHERED_MAX];
} out = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .fd = STDERR_FILENO};

/* A log that cannot be written must not stop the work; there is nowhere to say it. */
static void write_all(const uint8_t *octets, size_t len)
{
  while (len > 0) {
    ssize_t n = write(out.fd, octets, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    octets += n;
    len -= (size_t)n;
  }
}

/* With the lock held. */
static void write_gathered(void)
{
  write_all(out.octets, out.len);
  out.len = 0;
}

/* With the lock held. */
static void gather(struct bytes line)
{
  memcpy(out.octets + out.len, line.data, line.len);
  out.len += line.len;
  if (!out.idle)
    return;
  out.idle = false;
  pthread_cond_signal(&out.wake);
}

void log_out_line(struct bytes line, bool now)
{
  pthread_mutex_lock(&out.lock);
  if (line.len > sizeof out.octets - out.len)
    write_gathered();
  if (out.gathers && line.len <= sizeof out.octets)
    gather(line);
  else
    write_all(line.data, line.len);
  if (now)
    write_gathered();
  pthread_mutex_unlock(&out.lock);
}

void log_out_to(int fd)
{
  pthread_mutex_lock(&out.lock);
  write_gathered();
  out.fd = fd;
  pthread_mutex_unlock(&out.lock);
}

/* --- the thread --- */

/* With the lock, which is free meanwhile. */
static void pause_for_more(void)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += WAIT_MS * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    until.tv_sec++;
  }
  while (!out.ending &&
         pthread_cond_clockwait(&out.wake, &out.lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
    ;
}

/* Woken by the first line that waits. */
static void *run(void *context)
{
  pthread_mutex_lock(&out.lock);
  while (!out.ending) {
    out.idle = out.len == 0;
    while (out.idle && !out.ending)
      pthread_cond_wait(&out.wake, &out.lock);
    pause_for_more();
    write_gathered();
  }
  out.idle = false;
  pthread_mutex_unlock(&out.lock);
  return context;
}

bool log_out_gather(struct fault *f)
{
  pthread_mutex_lock(&out.lock);
  out.ending = false;
  out.gathers = pthread_create(&out.thread, NULL, run, NULL) == 0;
  bool gathers = out.gathers;
  pthread_mutex_unlock(&out.lock);
  return gathers || fault_set(f, INTERNAL, "the thread that writes the log cannot be started");
}

void log_out_gather_end(void)
{
  pthread_mutex_lock(&out.lock);
  bool gathers = out.gathers;
  out.gathers = false;
  out.ending = true;
  write_gathered();
  pthread_cond_signal(&out.wake);
  pthread_mutex_unlock(&out.lock);
  if (gathers)
    pthread_join(out.thread, NULL);
}

/* The lock may be held by the thread that is at its end: a line that another thread writes just now
 * may come twice, but none gets lost. */
void log_out_save(void)
{
  write_all(out.octets, out.len);
  out.len = 0;
}
