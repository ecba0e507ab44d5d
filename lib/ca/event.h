/* event.h - what happened: who, from where, what, with which outcome; rows that are only added.
 *
 * An event is plain data without secrets: never put a token, an enrolment secret or a peer's free
 * text into one. Threads: as ledger.h says. */
#pragma once
#include "lib/ca/ledger.h"

/* What is kept of a kind is its name, so that the rows may stand in any order. */
/*         kind                    name                                                          */
/* clang-format off */
#define EVENT_KINDS(X)                                                                             \
  /* every request for a certificate ends in one of these */                                       \
  X(ISSUED,                 "issued")                                                              \
  X(REPLAYED,               "replayed")             /* answered before: the same certificate */    \
  X(REPLACED,               "replaced")             /* issued in the place of another */     \
  X(REFUSED,                "refused")                                                             \
  X(RENEWED,                "renewed")              /* its holder asked for another in its place */\
  /* about a certificate: see certificate and device_serial */                                     \
  X(REVOKED,                "revoked")              /* about: the reason */                        \
  X(HOLD_LIFTED,            "hold-lifted")                                                         \
  X(EXPIRING,               "expiring")             /* not_after is near */                        \
  /* 401, 403, 429: not let in */                                                                  \
  X(DENIED,                 "denied")                                                              \
  /* about: the principal's name */                                                                \
  X(PRINCIPAL_ADDED,        "principal-added")                                                     \
  X(PRINCIPAL_DISABLED,     "principal-disabled")                                                  \
  X(PRINCIPAL_ENABLED,      "principal-enabled")                                                   \
  X(PRINCIPAL_ROTATED,      "principal-rotated")                                                   \
  /* order */                                                                                      \
  X(ORDER_CREATED,          "order-created")                                                       \
  X(ORDER_EXTENDED,         "order-extended")                                                      \
  X(ORDER_CLOSED,           "order-closed")                                                        \
  /* count: how many; device_serial when it is one */                                              \
  X(DEVICES_IMPORTED,       "devices-imported")                                                    \
  X(DEVICE_LOCKED,          "device-locked")                                                       \
  X(DEVICE_RESET,           "device-reset")                                                        \
  /* about: the authority's name */                                                                \
  X(AUTHORITY_ADDED,        "authority-added")                                                     \
  X(AUTHORITY_ACTIVATED,    "authority-activated")                                                 \
  X(AUTHORITY_RETIRED,      "authority-retired")                                                   \
  X(AUTHORITY_EXPIRING,     "authority-expiring")                                                  \
  X(CRL_PUBLISHED,          "crl-published")        /* count: how many are on it */                \
  /* the daemon itself */                                                                          \
  X(STARTED,                "started")                                                             \
  X(STOPPED,                "stopped")                                                             \
  X(RELOADED,               "configuration-reloaded")                                              \
  X(KEY_HOLDER_LOST,        "key-holder-lost")                                                     \
  X(KEY_HOLDER_BACK,        "key-holder-back")                                                     \
  X(SERVER_RENEWED,         "server-certificate-renewed")                                          \
  X(BACKED_UP,              "backed-up")                                                           \
  X(LEDGER_BEHIND,          "ledger-behind")        /* count: certificates that are missing */     \
  X(LEDGER_ACCEPTED,        "ledger-accepted")      /* count: likewise */                          \
  X(LOST,                   "events-lost")          /* count: so many could not be recorded */
/* clang-format on */

enum event_kind {
  EVENT_NONE,
#define X(kind, name) EVENT_##kind,
  EVENT_KINDS(X)
#undef X
      EVENT_KIND_COUNT
};
const char *event_kind_name(enum event_kind kind); /* "" for EVENT_NONE */
/* A set of kinds is 64 bits. */
_Static_assert(EVENT_KIND_COUNT <= 64, "a kind of event has no bit");
static inline uint64_t event_bit(enum event_kind kind)
{
  return UINT64_C(1) << kind;
}
/* Not let in, or not let do it: such a fault is an EVENT_DENIED, any other an EVENT_REFUSED. */
static inline bool event_is_denial(enum fault_code code)
{
  return code == FAULT_UNAUTHENTICATED || code == FAULT_FORBIDDEN ||
         code == FAULT_TOO_MANY_REQUESTS;
}
bool event_kind_named(struct bytes name, enum event_kind *ret_kind);

enum { EVENT_NAME_SIZE = 40, REQUEST_ID_SIZE = 65 };

/* Empty text, 0: not known, or not meant. */
struct event {
  int64_t id;    /* position, from 1, without gaps; set by the ledger */
  int64_t at_ms; /* 0: the ledger takes the time when it adds the event */
  enum event_kind kind;
  enum fault_code code;       /* why it was refused or denied */
  char principal[LABEL_SIZE]; /* who asked for it */
  char source[IP_TEXT_SIZE];  /* from which address */
  char request_id[REQUEST_ID_SIZE];
  char device_serial[LABEL_SIZE], profile[LABEL_SIZE], order[LABEL_SIZE];
  char about[LABEL_SIZE]; /* whatever else has a name: another principal, a route */
  int64_t certificate;    /* its id in the ledger; device_serial is then the certificate's */
  int64_t count;          /* it stands for so many; 0 and 1: for itself alone */

  /* Read back by the ledger, in the place of kind and code: as they were kept, those of a newer
   * program included. */
  char kind_name[EVENT_NAME_SIZE], code_name[EVENT_NAME_SIZE];
  bool has_serial_number; /* of `certificate` */
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  int64_t not_after; /* likewise; 0: there is no certificate */
};

/* Adds one event within the open batch, and counts it when it is the end of a request for a
 * certificate (see ledger_each_tally). LEDGER, NO_MEMORY: the batch takes no more. */
bool ledger_add_event(struct ledger_batch *batch, const struct event *event, struct fault *f);

/* The id of the newest event that is on disk; 0: there is none. Any thread; costs nothing. */
int64_t ledger_last_event(const struct ledger *ledger);

/* NULL, EVENT_NONE, FAULT_NONE, 0 or empty: no filter. A request_id finds what was refused or
 * denied under it. "after" and "before" exclude the instant itself. */
struct event_query {
  const char *principal, *device_serial, *order, *request_id;
  enum event_kind kind;
  enum fault_code code;
  const struct ip *source;
  struct bytes serial_number; /* of the certificate that it is about: SERIAL_NUMBER_LEN octets */
  int64_t after_ms, before_ms;
  int64_t before_id; /* keyset: only events with a smaller id; 0: from the newest */
  unsigned limit;    /* 1 to 1000 */
};
struct event_page {
  struct event *rows; /* newest first; owned */
  size_t n;
  bool more; /* there are events behind the last one */
};
bool ledger_search_events(struct ledger *ledger, const struct event_query *query,
                          struct event_page *ret_page, struct fault *f);
void event_page_free(struct event_page *page);
AUTO_VALUE(event_page, struct event_page, event_page_free)

/* How often requests of one station and order ended in one way within one hour. */
struct tally {
  char station[LABEL_SIZE];
  int64_t hour;                  /* its begin, in seconds since 1970 */
  char outcome[EVENT_NAME_SIZE]; /* "issued", "replayed", "replaced", "renewed", or the code of a
                                    refusal */
  int64_t n;
};
/* Calls `each` for every tally of an order ("": of requests without one), in the order of stations
 * and hours. Any thread. */
bool ledger_each_tally(struct ledger *ledger, const char *order,
                       void (*each)(const struct tally *tally, void *context), void *context,
                       struct fault *f);
