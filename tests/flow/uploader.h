/* uploader.h - a batch that is sent to the daemon with a stop in the middle, where something
 * happens. */
#pragma once
#include <stdatomic.h>

#include "tests/flow/flow.h"

struct upload {
  const struct flow *flow;
  const char *token; /* NULL: the station's */
  const char *query; /* NULL: none */
  struct buf lines;  /* owned */
  size_t stop_at;    /* so many octets are sent before `then` is called, once */
  /* May set the members below, or wait. NULL: nothing happens. */
  void (*then)(struct upload *upload);
  bool abort;           /* the connection is closed */
  unsigned pause_ms;    /* between two lines, from here on */
  size_t piece;         /* or between two pieces of so many octets; 0: lines */
  atomic_size_t sent;   /* octets that libcurl has taken; may be read by any thread */
  struct answer answer; /* owned; status 0: none came */
};

/* Sends it, and reads the answer. */
void upload_run(struct upload *upload);
void upload_free(struct upload *upload);

/* Adds lines of the widgets "PREFIX-1" to "PREFIX-N" with keys of their own, to be asked for under
 * the profile "test"; each padded with spaces to `width` octets. */
void upload_add_widgets(struct upload *upload, const char *prefix, unsigned n, size_t width);

/* The answer's lines, in their order; asserts that each is an object. The caller frees the array
 * with json_decref. */
json_t *answer_lines(struct answer *answer);
/* The status that a request of its own would have had: 201 for "issued", 200 for "replayed", the
 * problem's for "refused"; 0: nothing stands there for this line. */
long line_status(const json_t *lines, long line);
/* How many of them have this status. */
size_t lines_with_status(const json_t *lines, long status);

/* Waits until the ledger has so many certificates of stations. */
void wait_for_rows(const struct flow *flow, long n);
