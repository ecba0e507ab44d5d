/* front_head.c - from libmicrohttpd's strings to an exchange that has passed every check. */
#include "daemon/front_internal.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "daemon/admit.h"
#include "daemon/query.h"
#include "daemon/tls.h"
#include "lib/base/text.h"
#include "lib/ca/peer.h"

struct headers {
  struct header rows[HEADERS_MAX];
  size_t n;
  bool too_many;
};

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
  (void)kind;
  struct headers *headers = context;
  if (headers->n == HEADERS_MAX) {
    headers->too_many = true;
    return MHD_NO;
  }
  headers->rows[headers->n++] =
      (struct header){.name = bytes_of(name, name_len), .value = bytes_of(value, value_len)};
  return MHD_YES;
}

/* libmicrohttpd 1.0 has strict checks of its own, and a memory layout that may differ. */
static bool check_layout(struct incoming *in, const char *method, const char *version,
                         const struct headers *headers, struct fault *f)
{
#if MHD_VERSION < 0x01000000
  const union MHD_ConnectionInfo *size =
      MHD_get_connection_info(in->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  struct request_line line = {
      .method = method, .version = version, .target_len = strlen(in->target)};
  return size != NULL && request_check_layout(bytes_of(method, size->header_size), &line,
                                              headers->rows, headers->n, f);
#else
  (void)in, (void)method, (void)version, (void)headers, (void)f;
  return true;
#endif
}

static bool check_form(struct incoming *in, const char *method, const char *version,
                       struct head *ret_head, struct fault *f)
{
  struct headers headers = {0};
  MHD_get_connection_values_n(in->connection, MHD_HEADER_KIND, add_header, &headers);
  if (headers.too_many)
    return fault_set(f, BAD_REQUEST, "more than %d headers", HEADERS_MAX);
  return request_check_headers(version, headers.rows, headers.n, ret_head, f) &&
         check_layout(in, method, version, &headers, f) &&
         request_check_target(bytes_of_text(in->target), f);
}

enum { REQUEST_ID_LEN = 8, REQUEST_IDS_AHEAD = 64 };

/* To ask the generator takes far longer than what it then does for these few octets: so it is asked
 * for many at a time. They are no secret. */
static bool random_request_id(uint8_t ret_random[REQUEST_ID_LEN], struct fault *f)
{
  static _Thread_local uint8_t ahead[REQUEST_IDS_AHEAD][REQUEST_ID_LEN];
  static _Thread_local size_t left;
  if (left == 0 && RAND_bytes(ahead[0], sizeof ahead) != 1)
    return fault_set(f, INTERNAL, "no random octets");
  left = left == 0 ? REQUEST_IDS_AHEAD - 1 : left - 1;
  memcpy(ret_random, ahead[left], REQUEST_ID_LEN);
  return true;
}

/* The peer's, when it is a sane token, otherwise one of ours. */
static bool take_request_id(struct incoming *in, struct bytes given, struct fault *f)
{
  uint8_t random[REQUEST_ID_LEN];
  if (text_is_token(given, sizeof in->x.request_id - 1, "-_.:") &&
      TEXT_COPY(in->x.request_id, given))
    return true;
  if (!random_request_id(random, f))
    return false;
  text_hex(in->x.request_id, random, sizeof random);
  return true;
}

/* Takes the target apart: the path stays as it came, the query is decoded. */
static bool take_target(struct incoming *in, struct bytes *ret_query, struct fault *f)
{
  size_t path_len = strcspn(in->target, "?");
  in->x.path = strndup(in->target, path_len);
  if (in->x.path == NULL)
    return fault_no_memory(f);
  *ret_query = bytes_of_text(in->target + path_len + (in->target[path_len] == '?' ? 1 : 0));
  return true;
}

static bool take_route(struct incoming *in, const char *method, struct fault *f)
{
  struct exchange *x = &in->x;
  struct route_match match;
  const char *allow = NULL;
  if (!route_find(&in->front->table, method, x->path, &match, &allow, f)) {
    x->reply.allow = allow;
    return false;
  }
  in->route = match.route;
  x->method = match.method;
  memcpy(x->path_value, match.value, sizeof x->path_value);
  x->path_rest = match.rest;
  return true;
}

/* Whoever sends one here has sent it to everybody on the way, and should learn that at once. */
static bool check_no_secret(const struct incoming *in, struct bytes authorization, struct fault *f)
{
  if (!in->front->plain || authorization.data == NULL)
    return true;
  return fault_set(f, BAD_REQUEST,
                   "a token or secret was sent in the clear: it does not belong on plain HTTP, and "
                   "should be changed");
}

/* The certificate that the client showed in its handshake (which has proven that it has the key)
 * is read once; libmicrohttpd and GnuTLS have judged nothing about it. */
static bool take_peer(struct incoming *in, struct fault *f)
{
  const union MHD_ConnectionInfo *session =
      MHD_get_connection_info(in->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  struct bytes ders[CHAIN_MAX + 1];
  if (in->conn->peer != NULL || session == NULL)
    return true;
  size_t n = tls_client_chain(session->tls_session, ders, CHAIN_MAX + 1);
  return n == 0 || peer_read(ders, n, &in->conn->peer, f);
}

static bool admit(struct incoming *in, struct bytes authorization, struct fault *f)
{
  if (!take_peer(in, f))
    return false;
  const struct shown shown = {authorization, in->conn->peer};
  if (authorization.data == NULL)
    in->x.shown = shown.peer;
  return admit_principal(&in->x, in->route, &shown, f);
}

/* What the handlers see of it. */
static void take_fields(struct exchange *x, const struct head *head)
{
  TEXT_COPY(x->accept, bytes_of_text(head->accept));
  TEXT_COPY(x->content_type, bytes_of_text(head->content_type));
  TEXT_COPY(x->if_none_match, bytes_of_text(head->if_none_match));
  TEXT_COPY(x->if_modified_since, bytes_of_text(head->if_modified_since));
}

bool front_take_head(struct incoming *in, const char *method, const char *version, struct fault *f)
{
  struct exchange *x = &in->x;
  struct head head = {0};
  struct bytes query;
  bool well_formed = check_form(in, method, version, &head, f);
  in->has_body = head_has_body(&head);
  if (!take_request_id(in, head.request_id, f))
    return false;
  if (!well_formed) {
    in->close = true; /* where the next request begins is anybody's guess */
    return false;
  }
  take_fields(x, &head);
  if (!admit_address(x, f) || !check_no_secret(in, head.authorization, f) ||
      !take_target(in, &query, f) || !take_route(in, method, f))
    return false;
  return admit(in, head.authorization, f) &&
         route_check_body(in->route, head.length, x->content_type, f) &&
         query_read(query, &x->query, &x->n_query, f);
}
