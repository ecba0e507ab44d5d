/* client.h - the daemon, as the command line talks to it: HTTPS by libcurl, the token, problem
 * documents turned back into faults, and patience. Threads: one. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/args.h"
#include "cli/progress.h"
#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"

struct client;

/* Finds the daemon by connection_options: an option, or what --dir leads to, or the environment.
 * patience_s is how long to keep trying when --timeout is not given; 0: one try. BAD_USAGE when
 * URL or token are not to be found. */
bool client_open(const struct args *args, unsigned patience_s, struct client **ret_client,
                 struct fault *f);
/* The same with this certificate and key, in PEM, and nothing else that says who asks. */
bool client_open_for(const struct args *args, unsigned patience_s, const char *cert,
                     const char *key, struct client **ret_client, struct fault *f);
void client_free(struct client *client);
AUTO_POINTER(client, struct client, client_free)
const char *client_url(const struct client *client);

/* A query string, piece by piece: "?name=value&...". Nothing is added for a value of NULL. */
void query_add(struct buf *query, const char *name, const char *value);

/* How the octets of a long answer come in: a bar in the place of screen_busy(), as soon as there
 * are any. */
struct arrival {
  const char *what;         /* "receiving" */
  struct progress progress; /* of it */
  uint64_t octets;          /* so many came */
  char repr_digest[64];     /* Repr-Digest (RFC 9530); "": none */
};

/* A body that is read from a file while it is sent. */
struct upload {
  FILE *file; /* from its beginning */
  int64_t octets;
  void (*tick)(void *context); /* now and then until the call is over; NULL: nothing */
  void *context;
  int64_t sent; /* set by the call: so many of them may have reached the daemon */
};

struct call {
  const char *path;        /* "/v1/certificates" */
  const char *query;       /* "" or from query_add */
  const json_t *body;      /* NULL: GET, unless `post`; otherwise POST */
  bool post;               /* POST, although there is no body */
  struct bytes octets;     /* a body that is no JSON object, instead */
  struct upload *upload;   /* or one that is too long for that; once it goes out there is no second
                              try */
  const char *octets_type; /* the media type of either */
  bool once;               /* one try, whatever the patience */
  bool not_again;          /* a lost reply must not lead to a second request */
  const char *accept;      /* NULL: application/json */
  FILE *to; /* a good answer's octets go here as they come; NULL: it is read as JSON */
  struct arrival *arrival; /* with `to`; may be NULL */
  unsigned silence_s;      /* how long nothing at all may come; 0: as long as for any call */
};

/* Asks, and asks again while the daemon cannot be reached or says 429 or 503, for as long as
 * patience lasts; Retry-After is kept to. *ret_reply (when it is not NULL) is the JSON object of
 * the answer. UNREACHABLE; or the fault that the daemon's problem document tells of, with its
 * items. */
bool client_call(struct client *client, const struct call *call, int *ret_status,
                 json_t **ret_reply, struct fault *f);
