/* exchange.h - one request and its reply, as the handlers see them: no HTTP library, no socket.
 *
 * The front fills the request, the router finds the handler, the handler fills the reply. A handler
 * either answers at once (returns HANDLED) or keeps the exchange (returns DEFERRED) and calls
 * exchange_finish() later, once, from any thread. Threads: an exchange belongs to one thread at a
 * time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/base/http_date.h"
#include "lib/base/ip.h"
#include "lib/ca/principal.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_COUNT };

enum { ETAG_SIZE = 72, IF_NONE_MATCH_SIZE = 257 };
enum { PATH_VALUE_SIZE = 129, PATH_REST_MAX = 1024 };

struct parameter {
  char *name, *value; /* decoded UTF-8 without NUL; owned by the exchange */
};

/* A body that is made while it is sent. */
struct reply_stream {
  /* Appends some octets to `out`; sets *ret_end when there is no more. False breaks the connection
   * off. */
  bool (*next)(void *state, struct buf *out, bool *ret_end);
  void (*free)(void *state);
  void *state;
};

/* A body that is a file, or its first `size` octets. */
struct reply_file {
  bool given;
  int fd; /* owned: whatever becomes of the reply, it is closed */
  uint64_t size;
};

struct reply {
  unsigned status;
  const char *content_type;     /* static */
  struct buf body;              /* owned */
  bool secret;                  /* the front wipes the body when it frees it: a token is in it */
  struct reply_stream stream;   /* instead of body, when stream.next is set */
  struct reply_file file;       /* instead of both, when file.given is set */
  char location[96];            /* "": none */
  char etag[ETAG_SIZE];         /* with its quotes; "": none */
  char repr_digest[64];         /* Repr-Digest (RFC 9530); "": none */
  int64_t modified_at;          /* Last-Modified; 0: none */
  unsigned retry_after_s;       /* 0: none */
  const char *allow;            /* static; NULL: none */
  const char *www_authenticate; /* static; NULL: none */
  const char *cache_control;    /* static; NULL: "no-store", or as max_age_s says */
  unsigned max_age_s;           /* "public, max-age=N"; 0: it says nothing */
  int64_t expires_at;           /* of an OCSP answer: Expires, and what RFC 5019, 6.2, has besides;
                                   0: none */
};

enum handled { HANDLED, DEFERRED };

/* A body that is taken while it comes in (see AS_IT_COMES), in the place of x->body. */
enum sink_state {
  SINK_GOES_ON,
  SINK_WAITS,     /* what is left is given again after exchange_go_on(), which is called once */
  SINK_BREAKS_OFF /* the connection is cut */
};
struct sink {
  /* Takes octets from the front, and leaves in *octets what it has not taken: nothing, unless it
   * waits. *ret_progress: something whole was among them, so that what follows has as much time
   * again as a request has. */
  enum sink_state (*take)(void *state, struct bytes *octets, bool *ret_progress);
  /* The whole body was taken: as the handler of any other request. */
  enum handled (*end)(void *state);
  /* The request is over, whether its body came to an end or not. */
  void (*free)(void *state);
  void *state;
};

struct peer;
struct service; /* what the handlers work with: see service.h */

struct exchange {
  const struct service *service;
  enum method method;
  char *path;
  struct parameter *query;
  size_t n_query;
  char path_value[PATH_VALUE_SIZE]; /* what stood in the place of ":name" in the route's pattern; ""
                                       when it has none */
  const char *path_rest; /* likewise of "*name": a view into `path`, at most PATH_REST_MAX octets of
                            which nothing is decoded */
  char content_type[129];                 /* without parameters, in lower case; "" when not given */
  char accept[257];                       /* "" when not given */
  char if_none_match[IF_NONE_MATCH_SIZE]; /* likewise; see conditional.h */
  char if_modified_since[HTTP_DATE_SIZE]; /* likewise */
  struct buf body;
  struct sink sink;   /* instead, when sink.take is set */
  struct peer *shown; /* the certificate that it was let in by; borrowed; NULL: none */
  char request_id[65];
  char source[IP_TEXT_SIZE];
  struct principal principal; /* role ROLE_NONE on an open route */
  int64_t started_us;

  struct reply reply;
  /* For the line of log. */
  enum fault_code code;
  char detail[sizeof(((struct fault *)0)->detail)]; /* of a fault that is ours; "" otherwise */
  char device_serial[65], serial_number[41];
  bool recorded; /* its event is in the ledger already */

  /* What is left to do when a deferred exchange is finished: makes the reply, and frees what it is
   * made of. Called once, by the front's own thread, also when nobody waits for the reply any more.
   * NULL: nothing. */
  void (*complete)(struct exchange *x);
  void *completes; /* what it works on */

  void *front; /* the front's own */
};

typedef enum handled handler(struct exchange *x);

/* The first query parameter of this name, or NULL. */
const char *exchange_query(const struct exchange *x, const char *name);

/* Fills the reply with the problem document (RFC 9457) for this fault, with Retry-After where the
 * status asks for it. Returns HANDLED. */
enum handled exchange_fail(struct exchange *x, const struct fault *f);

/* The reply of a deferred exchange is there. Any thread, once. Implemented by the front. */
void exchange_finish(struct exchange *x);

/* For sinks; implemented by the front. Any thread. */
/* A sink that waits takes more. */
void exchange_go_on(struct exchange *x);
/* The connection is cut soon, though nothing may come in. The request is not over before. */
void exchange_cut(struct exchange *x);

/* Frees what the reply, or the exchange, owns; not the object itself. */
void reply_clear(struct reply *reply);
void exchange_clear(struct exchange *x);
