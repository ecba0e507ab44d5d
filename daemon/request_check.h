/* request_check.h - the head of a request (RFC 9110, RFC 9112), held to the letter.
 *
 * libmicrohttpd takes much that two readers of one stream may understand differently: that is how
 * requests are smuggled past a proxy. Here each such form is refused. Pure. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/exchange.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum { HEADERS_MAX = 64, ACCEPT_SIZE = 257, CONTENT_TYPE_SIZE = 129 };

struct header {
  struct bytes name, value; /* borrowed */
};

/* What the front goes by. Views of the headers; data is NULL when the header is not there. */
struct head {
  struct bytes authorization, request_id;
  char accept[ACCEPT_SIZE]; /* several are joined by ", " (RFC 9110, 5.3) */
  char content_type[CONTENT_TYPE_SIZE];
  /* Entity tags, several headers joined likewise; one that is longer than there is room for says
   * nothing: the whole reply is always an answer. */
  char if_none_match[IF_NONE_MATCH_SIZE];
  char if_modified_since[HTTP_DATE_SIZE]; /* likewise */
  uint64_t length;                        /* 0 when there is no Content-Length */
  bool chunked;
};

/* Is a body on its way? */
static inline bool head_has_body(const struct head *head)
{
  return head->chunked || head->length > 0;
}

/* The request target: origin-form, visible ASCII, no fragment (RFC 9112, 3.2.1). */
bool request_check_target(struct bytes target, struct fault *f);

/* Each name a token and each value free of controls; no header twice that may be there once; Host;
 * Content-Length or Transfer-Encoding: chunked, not both; Expect only 100-continue. */
bool request_check_headers(const char *version, const struct header *headers, size_t n,
                           struct head *ret_head, struct fault *f);

/* Where the parts of a request line stand in memory. */
struct request_line {
  const char *method, *version;
  size_t target_len;
};

/* libmicrohttpd 0.9 hands out strings that lie in the request's own octets, in which it has put
 * NULs in place of the delimiters. So what it stepped over can be seen between them: `raw` (from
 * the first octet of the method to the empty line) must be method SP target SP version CRLF, then
 * name
 * ":" OWS value CRLF for each header in turn, then CRLF, without an octet more or less. A bare LF,
 * a folded line and a NUL within a line are found here. */
bool request_check_layout(struct bytes raw, const struct request_line *line,
                          const struct header *headers, size_t n, struct fault *f);
