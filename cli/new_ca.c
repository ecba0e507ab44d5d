/* new_ca.c - see new_ca.h. */
#include "cli/new_ca.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/when.h"
#include "lib/pki/name.h"
#include "lib/pki/pubkey.h"

enum {
  DAY_S = 86400,
  BACKDATE_S = 3600, /* for clients whose clock is a little behind */
  SERVER_DAYS = 825, /* the most that Apple's TLS accepts */
  INSTANCE = 1,
};

/* 1 octet instance, 6 octets of milliseconds, 9 octets of randomness: as the daemon's own. */
static bool make_serial_number(uint8_t ret_serial[SERIAL_NUMBER_LEN], struct fault *f)
{
  uint64_t now_ms = (uint64_t)when_now_ms();
  ret_serial[0] = INSTANCE;
  for (int i = 0; i < 6; i++)
    ret_serial[1 + i] = (uint8_t)(now_ms >> (40 - 8 * i));
  if (getentropy(ret_serial + 7, SERIAL_NUMBER_LEN - 7) != 0)
    return fault_set(f, INTERNAL, "the system gives no randomness: %m");
  return true;
}

bool new_cert_make_key(struct new_cert *cert, const char *organization, const char *common_name,
                       const char *key_type, struct fault *f)
{
  const struct name_part parts[] = {
      {ATTR_ORGANIZATION, bytes_of_text(organization)},
      {ATTR_COMMON_NAME, bytes_of_text(common_name)},
  };
  struct pubkey key;
  if (!name_write(parts, ARRAY_LEN(parts), &cert->subject, f) ||
      !private_key_generate(key_type, &cert->key, f) ||
      !private_key_spki(cert->key, &cert->spki, f) || !pubkey_read(buf_bytes(&cert->spki), &key, f))
    return false;
  pubkey_id(&key, cert->key_id);
  return true;
}

bool new_cert_sign(const struct new_cert *cert, const struct new_cert *issuer,
                   struct cert_spec spec, struct buf *ret_der, struct fault *f)
{
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  AUTO(buf) tbs = {0};
  AUTO(buf) signature = {0};
  if (!make_serial_number(serial_number, f))
    return false;
  spec.serial_number = bytes_of(serial_number, sizeof serial_number);
  spec.alg = private_key_alg(issuer->key);
  spec.issuer = buf_bytes(&issuer->subject);
  spec.subject = buf_bytes(&cert->subject);
  spec.not_before = cert->not_before;
  spec.not_after = cert->not_after;
  spec.spki = buf_bytes(&cert->spki);
  spec.subject_key_id = bytes_of(cert->key_id, sizeof cert->key_id);
  if (issuer != cert)
    spec.authority_key_id = bytes_of(issuer->key_id, sizeof issuer->key_id);
  return cert_build(&spec, &tbs, f) &&
         private_key_sign(issuer->key, buf_bytes(&tbs), &signature, f) &&
         cert_assemble(buf_bytes(&tbs), spec.alg, buf_bytes(&signature), ret_der, f);
}

void new_cert_set_validity(struct new_cert *cert, int64_t now, int64_t seconds, int64_t at_most)
{
  cert->not_before = now - BACKDATE_S;
  cert->not_after = cert->not_before + seconds - 1; /* the last second counts (RFC 5280, 4.1.2.5) */
  if (cert->not_after > at_most)
    cert->not_after = at_most;
}

struct cert_spec new_cert_root_spec(void)
{
  return (struct cert_spec){
      .is_ca = true, .path_len = -1, .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN};
}

struct cert_spec new_cert_issuing_spec(void)
{
  return (struct cert_spec){
      .is_ca = true, .path_len = 0, .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN};
}

static bool make_root(const struct new_ca_plan *plan, struct new_cert *root, struct fault *f)
{
  char cn[4 * CA_NAME_MAX + 16];
  snprintf(cn, sizeof cn, "%s Root CA", plan->name);
  new_cert_set_validity(root, plan->now, plan->root_validity_s, WHEN_NEVER);
  return new_cert_make_key(root, plan->name, cn, plan->key_type, f) &&
         new_cert_sign(root, root, new_cert_root_spec(), &root->der, f);
}

static bool make_issuing(const struct new_ca_plan *plan, struct new_cert *issuing,
                         const struct new_cert *root, struct fault *f)
{
  char cn[4 * CA_NAME_MAX + 16];
  snprintf(cn, sizeof cn, "%s Issuing CA", plan->name);
  new_cert_set_validity(issuing, plan->now, plan->issuing_validity_s, root->not_after);
  return new_cert_make_key(issuing, plan->name, cn, plan->key_type, f) &&
         new_cert_sign(issuing, root, new_cert_issuing_spec(), &issuing->der, f);
}

static bool make_server(const struct new_ca_plan *plan, struct new_cert *server,
                        const struct new_cert *issuing, struct fault *f)
{
  new_cert_set_validity(server, plan->now, INT64_C(1) * SERVER_DAYS * DAY_S, issuing->not_after);
  if (!new_cert_make_key(server, plan->name, plan->server_name, plan->key_type, f))
    return false;
  /* Only RSA can be encrypted to (RFC 5480, section 3; RFC 4055, section 1.2). */
  uint32_t usage = KU_DIGITAL_SIGNATURE;
  if (private_key_type(server->key) == KEY_RSA)
    usage |= KU_KEY_ENCIPHERMENT;
  return new_cert_sign(server, issuing,
                       (struct cert_spec){.key_usage = usage,
                                          .ext_key_usage = EKU_SERVER_AUTH,
                                          .names = plan->server_names,
                                          .path_len = -1},
                       &server->der, f);
}

bool new_ca_make(const struct new_ca_plan *plan, struct new_ca *ret_ca, struct fault *f)
{
  return make_root(plan, &ret_ca->root, f) &&
         make_issuing(plan, &ret_ca->issuing, &ret_ca->root, f) &&
         make_server(plan, &ret_ca->server, &ret_ca->issuing, f);
}

void new_cert_free(struct new_cert *cert)
{
  private_key_free(cert->key);
  buf_free(&cert->subject);
  buf_free(&cert->spki);
  buf_free(&cert->der);
}

void new_ca_free(struct new_ca *ca)
{
  new_cert_free(&ca->root);
  new_cert_free(&ca->issuing);
  new_cert_free(&ca->server);
  *ca = (struct new_ca){0};
}
