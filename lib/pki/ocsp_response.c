/* ocsp_response.c - see ocsp_response.h. */
#include "lib/pki/ocsp_response.h"

#include <openssl/sha.h>

#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/oid.h"

/* --- SingleResponse (RFC 6960, 4.2.1) --- */

/* RevokedInfo ::= SEQUENCE { revocationTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL } */
static void put_revoked(const struct ocsp_single *single, struct buf *out)
{
  size_t info = der_begin(out, DER_CONTEXT_CONSTRUCTED(1));
  der_put_generalized_time(out, single->revoked_at);
  if (single->reason != 0) {
    size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
    der_put(out, DER_ENUMERATED, bytes_of((uint8_t[]){(uint8_t)single->reason}, 1));
    der_end(out, tagged);
  }
  der_end(out, info);
}

/* CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL } */
static void put_status(const struct ocsp_single *single, struct buf *out)
{
  if (single->status == OCSP_REVOKED)
    put_revoked(single, out);
  else
    der_put(out, DER_CONTEXT(single->status == OCSP_GOOD ? 0 : 2), (struct bytes){0});
}

static void put_single(const struct ocsp_answer *answer, const struct ocsp_single *single,
                       struct buf *out)
{
  size_t sequence = der_begin(out, DER_SEQUENCE);
  buf_add_bytes(out, single->cert_id);
  put_status(single, out);
  der_put_generalized_time(out, answer->this_update);
  size_t next_update = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  der_put_generalized_time(out, answer->next_update);
  der_end(out, next_update);
  der_end(out, sequence);
}

/* --- ResponseData --- */

/* KeyHash: SHA-1 over the content of the key's BIT STRING, without the unused bits (RFC 6960,
 * 4.2.1). It names the key, and protects nothing. */
static bool put_responder_id(const struct private_key *key, struct buf *out, struct fault *f)
{
  AUTO(buf) spki = {0};
  struct pubkey public_half;
  uint8_t digest[SHA_DIGEST_LENGTH];
  if (!private_key_spki(key, &spki, f) || !pubkey_read(buf_bytes(&spki), &public_half, f))
    return false;
  SHA1(public_half.key.data, public_half.key.len, digest);
  size_t by_key = der_begin(out, DER_CONTEXT_CONSTRUCTED(2));
  der_put(out, DER_OCTET_STRING, bytes_of(digest, sizeof digest));
  der_end(out, by_key);
  return true;
}

static void put_nonce(struct bytes nonce, struct buf *out)
{
  if (nonce.len == 0)
    return;
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(1));
  size_t extensions = der_begin(out, DER_SEQUENCE);
  struct extension_mark mark = extension_begin(out, OID_OCSP_NONCE, false);
  der_put(out, DER_OCTET_STRING, nonce);
  extension_end(out, mark);
  der_end(out, extensions);
  der_end(out, tagged);
}

static bool put_data(const struct ocsp_answer *answer, struct buf *out, struct fault *f)
{
  size_t data = der_begin(out, DER_SEQUENCE);
  if (!put_responder_id(answer->key, out, f))
    return false;
  der_put_generalized_time(out, answer->this_update);
  size_t singles = der_begin(out, DER_SEQUENCE);
  for (size_t i = 0; i < answer->n; i++)
    put_single(answer, &answer->singles[i], out);
  der_end(out, singles);
  put_nonce(answer->nonce, out);
  der_end(out, data);
  return buf_ok(out) || fault_no_memory(f);
}

/* --- the whole --- */

bool ocsp_response_sign(const struct ocsp_answer *answer, struct buf *ret_data,
                        struct buf *ret_signature, struct fault *f)
{
  size_t start = ret_data->len;
  return put_data(answer, ret_data, f) &&
         private_key_sign(answer->key, bytes_of(ret_data->data + start, ret_data->len - start),
                          ret_signature, f);
}

/* What goes around a signed ResponseData. */
struct wrapping {
  struct bytes data;
  enum sig_alg alg;
  struct bytes signature, certificate;
};

/* BasicOCSPResponse ::= SEQUENCE { data, alg, signature, certs [0] EXPLICIT OPTIONAL } */
static void put_basic(const struct wrapping *w, struct buf *out)
{
  size_t basic = der_begin(out, DER_SEQUENCE);
  buf_add_bytes(out, w->data);
  sig_alg_write(w->alg, out);
  der_put_bit_octets(out, w->signature);
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t certificates = der_begin(out, DER_SEQUENCE);
  buf_add_bytes(out, w->certificate);
  der_end(out, certificates);
  der_end(out, tagged);
  der_end(out, basic);
}

static void put_status_octet(unsigned status, struct buf *out)
{
  der_put(out, DER_ENUMERATED, bytes_of((uint8_t[]){(uint8_t)status}, 1));
}

/* OCSPResponse ::= SEQUENCE { status, responseBytes [0] EXPLICIT { type, response } } */
static void put_response(const struct wrapping *w, struct buf *out)
{
  enum { SUCCESSFUL = 0 };
  size_t response = der_begin(out, DER_SEQUENCE);
  put_status_octet(SUCCESSFUL, out);
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t octets = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, OID_OCSP_BASIC);
  size_t string = der_begin(out, DER_OCTET_STRING);
  put_basic(w, out);
  der_end(out, string);
  der_end(out, octets);
  der_end(out, tagged);
  der_end(out, response);
}

bool ocsp_response_wrap(struct bytes data, enum sig_alg alg, struct bytes signature,
                        struct bytes certificate, struct buf *ret_der, struct fault *f)
{
  enum { USUAL_REST = 128 };
  const struct wrapping w = {data, alg, signature, certificate};
  size_t start = ret_der->len;
  buf_reserve(ret_der, USUAL_REST + data.len + signature.len + certificate.len);
  put_response(&w, ret_der);
  if (buf_ok(ret_der))
    return true;
  ret_der->len = start;
  return fault_no_memory(f);
}

bool ocsp_response_build(const struct ocsp_answer *answer, struct buf *ret_der, struct fault *f)
{
  AUTO(buf) data = {0};
  AUTO(buf) signature = {0};
  return ocsp_response_sign(answer, &data, &signature, f) &&
         ocsp_response_wrap(buf_bytes(&data), private_key_alg(answer->key), buf_bytes(&signature),
                            answer->certificate, ret_der, f);
}

void ocsp_response_error(enum ocsp_error error, struct buf *ret_der)
{
  size_t response = der_begin(ret_der, DER_SEQUENCE);
  put_status_octet(error, ret_der);
  der_end(ret_der, response);
}
