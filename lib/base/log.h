/* log.h - one line for each thing that happened, for a person (plain) or a program (JSON).
 * Each line goes out in one write(2), alone or with others, so lines of several threads never mix.
 * Never give it a token, a passphrase or key material. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/fault.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_PLAIN, LOG_FORMAT_JSON };

struct log_field {
  const char *name;
  const char *text; /* a field whose text is NULL and which is no number is left out */
  int64_t number;
  bool is_number;
};

#define LOG_TEXT(name_, text_) ((struct log_field){.name = (name_), .text = (text_)})
#define LOG_NUMBER(name_, number_)                                                                 \
  ((struct log_field){.name = (name_), .number = (number_), .is_number = true})

/* Not thread-safe: call it before the threads start, or from one thread only. Lines go to fd, and
 * those that wait to where they were to go. */
void log_setup(enum log_format format, enum log_level least, int fd);
bool log_format_named(const char *name, enum log_format *ret_format); /* "plain", "json" */
bool log_level_named(const char *name, enum log_level *ret_level);    /* "debug", "info", ... */

/* log_say(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", a), LOG_NUMBER("port", p)) */
#define log_say(level, message, ...)                                                               \
  log_write((level), (message), (const struct log_field[]){__VA_ARGS__},                           \
            sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n);

/* From now on a line below "warning" waits for others, 20 ms at the most and 4 KiB, and they go out
 * in one write(2). A warning or an error goes out before log_write() returns, and with it what
 * waits. Starts a thread; INTERNAL. Whoever gathers MUST call log_gather_end() before the process
 * ends, and log_save() when it is ended by a signal. SIGKILL loses what waits. One thread
 * calls the first two. */
bool log_gather(struct fault *f);
/* Writes what waits; lines go out one by one again. Does nothing when they do already. */
void log_gather_end(void);
/* Writes what waits, and takes no lock: for a signal's handler. */
void log_save(void);
