/* route.h - which handler answers, who may ask it, and what it takes: rows of a table.
 * Closed by default: a row without a role is nobody's. Pure. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/exchange.h"

#define MAY(role)   (UINT32_C(1) << ROLE_##role)
#define OPEN_TO_ALL MAY(NONE)

struct route {
  enum method method;
  const char *pattern; /* "/v1/orders/:name/close": one part may begin with ':', and takes 1 to 128
                          of A-Z a-z 0-9 - _ */
  uint32_t roles;      /* a set of MAY() */
  size_t limit_octets; /* of the body; 0: it takes none */
  const char *const *content_types; /* ends with NULL; NULL: it takes no body */
  handler *handler;
};

/* The row for this method and raw path (without the query, nothing decoded). HEAD finds GET's row.
 * Sets *ret_method, and path_value to what stood in the place of ":name". NOT_FOUND, or
 * METHOD_NOT_ALLOWED with *ret_allow (static) set. */
bool route_find(const struct route *routes, size_t n, const char *method, const char *path,
                const struct route **ret_route, enum method *ret_method, char ret_path_value[129],
                const char **ret_allow, struct fault *f);

/* May this row take a body of this type and length? BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE. */
bool route_check_body(const struct route *route, uint64_t length, const char *content_type,
                      struct fault *f);

/* The daemon's own table. */
extern const struct route routes[];
extern const size_t n_routes;
