/* rest_ca.c - GET /v1/ca and what is under it: the CA's public certificates. */
#include <openssl/sha.h>

#include "daemon/cert_json.h"
#include "daemon/conditional.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/service.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"

static enum handled answer(struct exchange *x, const char *content_type, const char *cache_control)
{
  AUTO(fault) f = {0};
  if (!buf_ok(&x->reply.body)) {
    buf_free(&x->reply.body);
    fault_no_memory(&f);
    return exchange_fail(x, &f);
  }
  x->reply.status = 200;
  x->reply.content_type = content_type;
  x->reply.cache_control = cache_control;
  return HANDLED;
}

static void add_subject(struct buf *out, struct bytes subject)
{
  AUTO(buf) text = {0};
  name_text(subject, &text);
  json_add_member(out, "subject", buf_bytes(&text));
  out->failed |= text.failed;
}

static void add_when(struct buf *out, const char *name, int64_t instant)
{
  char text[WHEN_TEXT_SIZE];
  when_text(text, instant);
  json_add_member(out, name, bytes_of_text(text));
}

static void add_fingerprint(struct buf *out, const char *name, struct bytes der)
{
  uint8_t digest[SHA256_DIGEST_LENGTH];
  char hex[2 * SHA256_DIGEST_LENGTH + 1];
  if (SHA256(der.data, der.len, digest) == NULL) {
    out->failed = true;
    return;
  }
  text_hex(hex, digest, sizeof digest);
  json_add_member(out, name, bytes_of_text(hex));
}

static void add_chain(struct buf *out, const struct authority *authority)
{
  json_add_name(out, "ca_chain");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < authority->n_chain; i++) {
    json_add_comma(out);
    cert_json_add_pem(out, buf_bytes(&authority->chain_der[i]));
  }
  buf_add_u8(out, ']');
}

/* One authority's members, in an object that is open. */
static void add_authority(struct buf *out, const struct authority *authority)
{
  struct bytes issuing = buf_bytes(&authority->certificate_der);
  struct bytes root = buf_bytes(&authority->root_der);
  json_add_member(out, "name", bytes_of_text(authority->name));
  add_subject(out, authority->certificate.subject);
  add_when(out, "not_before", authority->certificate.not_before);
  add_when(out, "not_after", authority->certificate.not_after);
  add_fingerprint(out, "sha256_fingerprint", issuing);
  json_add_name(out, "certificate");
  cert_json_add_pem(out, issuing);
  add_chain(out, authority);
  json_add_name(out, "root");
  cert_json_add_pem(out, root);
  add_fingerprint(out, "root_sha256_fingerprint", root);
}

/* Those that issue no more, too: what they issued is still about. */
static void add_all(struct buf *out, const struct authorities *authorities)
{
  json_add_name(out, "authorities");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < authorities_n(authorities); i++) {
    enum authority_state state = authorities_state(authorities, i);
    json_add_comma(out);
    buf_add_u8(out, '{');
    json_add_member(out, "state", bytes_of_text(authority_state_name(state)));
    add_authority(out, authorities_at(authorities, i));
    buf_add_u8(out, '}');
  }
  buf_add_u8(out, ']');
}

enum handled rest_ca(struct exchange *x)
{
  const struct authorities *authorities = x->service->authorities;
  struct buf *out = &x->reply.body;
  buf_add_u8(out, '{');
  add_authority(out, authorities_active(authorities));
  add_all(out, authorities);
  buf_add_u8(out, '}');
  return answer(x, "application/json", "public, max-age=300");
}

/* The one that the path names, or else the one that issues; NULL when there is none of this name.
 */
static const struct authority *find(const struct exchange *x)
{
  const struct authorities *authorities = x->service->authorities;
  return x->path_value[0] != '\0' ? authorities_named(authorities, x->path_value)
                                  : authorities_active(authorities);
}

static enum handled refuse_unknown(struct exchange *x)
{
  AUTO(fault) f = {0};
  fault_set(&f, UNKNOWN_AUTHORITY, "there is no authority of this name; GET /v1/ca lists all");
  return exchange_fail(x, &f);
}

enum handled rest_ca_chain(struct exchange *x)
{
  const struct authority *authority = find(x);
  if (authority == NULL)
    return refuse_unknown(x);
  buf_add_bytes(&x->reply.body, buf_bytes(&authority->chain_pem));
  return answer(x, "application/pem-certificate-chain", "public, max-age=300");
}

enum handled rest_ca_root(struct exchange *x)
{
  const struct authority *authority = find(x);
  if (authority == NULL)
    return refuse_unknown(x);
  buf_add_bytes(&x->reply.body, buf_bytes(&authority->root_der));
  return answer(x, "application/x-x509-ca-cert", "public, max-age=86400");
}

/* --- for verifiers: see the manual's PLAIN HTTP --- */

/* Like `answer`, or 304. A certificate is as old as its notBefore. */
static enum handled answer_file(struct exchange *x, const struct cert *cert, const char *type)
{
  char etag[2 * SHA256_DIGEST_LENGTH + 3] = "\"";
  uint8_t digest[SHA256_DIGEST_LENGTH];
  struct bytes body = buf_bytes(&x->reply.body);
  if (!buf_ok(&x->reply.body) || SHA256(body.data, body.len, digest) == NULL)
    return answer(x, type, NULL);
  text_hex(etag + 1, digest, sizeof digest);
  strcat(etag, "\"");
  enum handled handled = answer(x, type, "public, max-age=86400");
  conditional_is_current(x, etag, cert->not_before);
  return handled;
}

/* What a certificate's caIssuers leads to: one certificate in DER (RFC 5280, 4.2.2.1). */
enum handled rest_ca_certificate(struct exchange *x)
{
  const struct authority *authority = find(x);
  if (authority == NULL)
    return refuse_unknown(x);
  buf_add_bytes(&x->reply.body, buf_bytes(&authority->certificate_der));
  return answer_file(x, &authority->certificate, "application/pkix-cert");
}

enum handled rest_ca_certificate_pem(struct exchange *x)
{
  const struct authority *authority = find(x);
  if (authority == NULL)
    return refuse_unknown(x);
  pem_add(&x->reply.body, "CERTIFICATE", buf_bytes(&authority->certificate_der));
  return answer_file(x, &authority->certificate, "application/pem-certificate-chain");
}

/* Authorities often share one. */
static bool root_was_added(const struct authorities *authorities, size_t n, struct bytes root)
{
  for (size_t i = 0; i < n; i++)
    if (bytes_equal(buf_bytes(&authorities_at(authorities, i)->root_der), root))
      return true;
  return false;
}

enum handled rest_ca_roots(struct exchange *x)
{
  const struct authorities *authorities = x->service->authorities;
  for (size_t i = 0; i < authorities_n(authorities); i++) {
    const struct authority *authority = authorities_at(authorities, i);
    if (!root_was_added(authorities, i, buf_bytes(&authority->root_der)))
      buf_add_bytes(&x->reply.body, buf_bytes(&authority->root_pem));
  }
  return answer(x, "application/pem-certificate-chain", "public, max-age=300");
}
