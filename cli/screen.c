/* screen.c - see screen.h. */
#include "cli/screen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/base/when.h"

enum { WIDTH_PLAIN = 80, WIDTH_LEAST = 40, DAY_S = 86400 };

size_t screen_width(FILE *to)
{
  struct winsize size;
  if (!isatty(fileno(to)) || ioctl(fileno(to), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return WIDTH_PLAIN;
  return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

/* Each character has one octet that does not continue another. */
static size_t width_of(const char *text, size_t len)
{
  size_t width = 0;
  for (size_t i = 0; i < len; i++)
    width += ((unsigned char)text[i] & 0xc0) != 0x80;
  return width;
}

size_t screen_text_width(const char *text)
{
  return width_of(text, strlen(text));
}

void screen_wrap(FILE *to, const char *text, size_t at, size_t indent, size_t width)
{
  bool first = true;
  while (*text != '\0') {
    size_t len = strcspn(text, " \n");
    size_t columns = width_of(text, len);
    if (!first && at + 1 + columns > width) {
      fprintf(to, "\n%*s", (int)indent, "");
      at = indent;
      first = true;
    }
    at += (size_t)fprintf(to, "%s", first ? "" : " ") + columns;
    fwrite(text, 1, len, to);
    first = false;
    text += len;
    if (*text == '\n') {
      fprintf(to, "\n%*s", (int)indent, "");
      at = indent;
      first = true;
    }
    text += *text != '\0';
  }
  fputc('\n', to);
}

void screen_row(FILE *to, const char *label, size_t label_width, const char *text)
{
  size_t width = screen_text_width(label);
  size_t at = 2 + (width > label_width ? width : label_width) + 1;
  fprintf(to, "  %s%*s ", label, (int)(at - 3 - width), "");
  screen_wrap(to, text, at, at, screen_width(to));
}

static void add_distance(struct buf *out, int64_t seconds)
{
  int64_t far = seconds < 0 ? -seconds : seconds;
  if (far == 0) {
    buf_add_text(out, " (just now)");
    return;
  }
  static const struct {
    int64_t unit;
    const char *name;
  } units[] = {{DAY_S, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
  size_t i = 0;
  while (i + 1 < ARRAY_LEN(units) && far < 2 * units[i].unit)
    i++;
  int64_t n = (far + units[i].unit / 2) / units[i].unit;
  buf_addf(out, " (%s%lld %s%s%s)", seconds < 0 ? "" : "in ", (long long)n, units[i].name,
           n == 1 ? "" : "s", seconds < 0 ? " ago" : "");
}

void screen_when(struct buf *out, int64_t instant, int64_t now)
{
  if (instant == WHEN_NEVER) {
    buf_add_text(out, "no end (9999-12-31 23:59:59 UTC)");
    return;
  }
  struct when_civil c = when_to_civil(instant);
  buf_addf(out, "%04d-%02d-%02d %02d:%02d:%02d UTC", c.year, c.month, c.day, c.hour, c.minute,
           c.second);
  add_distance(out, instant - now);
}

void screen_bar(struct buf *out, int64_t done, int64_t of, size_t width)
{
  size_t full = of > 0 && done > 0 ? (size_t)((double)done / (double)of * (double)width) : 0;
  if (done >= of)
    full = width;
  else if (full >= width)
    full = width - 1;
  else if (full == 0 && done > 0)
    full = 1;
  for (size_t i = 0; i < width; i++)
    buf_add_text(out, i < full ? "█" : "░");
}

/* The sign of life: a thread that says what goes on, unless it is done in a moment, and then writes
 * a dot now and then. */
static struct {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t stopped;
  const char *what;
  bool running, stop, said;
} busy = {.lock = PTHREAD_MUTEX_INITIALIZER, .stopped = PTHREAD_COND_INITIALIZER};

enum { DOT_NS = 400 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };

static void *write_dots(void *unused)
{
  (void)unused;
  pthread_mutex_lock(&busy.lock);
  while (!busy.stop) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += DOT_NS;
    until.tv_sec += until.tv_nsec / SECOND_NS;
    until.tv_nsec %= SECOND_NS;
    if (pthread_cond_timedwait(&busy.stopped, &busy.lock, &until) == 0)
      continue;
    fputs(busy.said ? "." : busy.what, stderr);
    busy.said = true;
  }
  pthread_mutex_unlock(&busy.lock);
  return NULL;
}

void screen_done(void)
{
  if (!busy.running)
    return;
  pthread_mutex_lock(&busy.lock);
  busy.stop = true;
  pthread_cond_signal(&busy.stopped);
  pthread_mutex_unlock(&busy.lock);
  pthread_join(busy.thread, NULL);
  busy.running = false;
  if (busy.said)
    fputs("\r\033[K", stderr); /* the line has served */
}

void screen_busy(const char *what)
{
  screen_done();
  if (!isatty(STDERR_FILENO))
    return;
  busy.what = what;
  busy.stop = busy.said = false;
  busy.running = pthread_create(&busy.thread, NULL, write_dots, NULL) == 0;
}
