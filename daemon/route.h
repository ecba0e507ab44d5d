/* route.h - which handler answers, who may ask it, and what it takes: rows of a table.
 * Closed by default: a row without a role is nobody's. Pure. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/exchange.h"

#define MAY(role)   (UINT32_C(1) << ROLE_##role)
#define OPEN_TO_ALL MAY(NONE)
/* Open to all, and what verifiers fetch: it is served by plain HTTP, too. */
#define ON_PLAIN_TOO (UINT32_C(1) << 31)
#define PUBLIC       (OPEN_TO_ALL | ON_PLAIN_TOO)
/* Beside roles: for the holder of a certificate, who shows it to renew it, and for nobody else. */
#define AS_HOLDER (UINT32_C(1) << 30)

/* Beside roles: the body is taken while it comes in. The handler is called when the head was
 * taken, and makes x->sink; or it refuses, and fills the reply. */
#define AS_IT_COMES (UINT32_C(1) << 29)

struct route {
  enum method method;
  const char *pattern; /* "/v1/orders/:name/close": one part may be, or begin with, ':' and a name
                          of letters and '_', which takes 1 to 128 of A-Z a-z 0-9 - _ . (but not "."
                          or ".."); what follows the name stands for itself: "/ca/:name.crt". Or the
                          pattern ends in "*name", which takes the rest of the path as it came. */
  uint32_t roles;      /* a set of MAY(); or PUBLIC */
  size_t limit_octets; /* of the body; 0: it takes none */
  const char *const *content_types; /* ends with NULL; NULL: it takes no body */
  handler *handler;
};

/* The rows that a listener serves. */
struct route_table {
  const struct route *rows;
  size_t n;
  bool public_only; /* as if there were no others than those for plain HTTP */
};

struct route_match {
  const struct route *route;
  enum method method;
  char value[PATH_VALUE_SIZE]; /* what stood in the place of ":name"; "" when it has none */
  const char *rest; /* of "*name": a view into the path, 1 to PATH_REST_MAX octets of which nothing
                       is decoded; "" when it has none */
};

/* The row for this method and raw path (without the query, nothing decoded). HEAD finds GET's row.
 * NOT_FOUND, or METHOD_NOT_ALLOWED with *ret_allow (static) set. */
bool route_find(const struct route_table *table, const char *method, const char *path,
                struct route_match *ret_match, const char **ret_allow, struct fault *f);

/* May this row take a body of this type and length? BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE. */
bool route_check_body(const struct route *route, uint64_t length, const char *content_type,
                      struct fault *f);

const char *method_name(enum method method); /* "GET" */

/* The daemon's own table. */
extern const struct route routes[];
extern const size_t n_routes;
