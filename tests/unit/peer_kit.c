/* peer_kit.c - see peer_kit.h. */
#include "tests/unit/unit.h"

#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"
#include "tests/unit/peer_kit.h"

static void check(bool done, const struct fault *f)
{
  if (!done)
    fail_msg("%s", f->detail);
}

static int64_t or_usual(int64_t given, int64_t usual)
{
  return given != 0 ? given : usual;
}

static void put_name(const struct recipe *recipe, struct buf *out)
{
  AUTO(fault) f = {0};
  struct name_part part = {recipe->attribute, bytes_of_text(recipe->name)};
  check(name_write(&part, 1, out, &f), &f);
}

static void sign(const struct private_key *key, struct buf *tbs, struct buf *ret_der)
{
  AUTO(fault) f = {0};
  AUTO(buf) signature = {0};
  check(private_key_sign(key, buf_bytes(tbs), &signature, &f), &f);
  check(cert_assemble(buf_bytes(tbs), private_key_alg(key), buf_bytes(&signature), ret_der, &f),
        &f);
}

void made_cert(const struct recipe *recipe, struct made *ret_made)
{
  static const uint8_t usual_serial[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  AUTO(fault) f = {0};
  AUTO(buf) subject = {0};
  AUTO(buf) spki = {0};
  AUTO(buf) tbs = {0};
  struct pubkey key;
  uint8_t id[PUBKEY_ID_LEN], issuer_id[PUBKEY_ID_LEN];
  struct made *made = ret_made;
  *made = (struct made){0};
  check(private_key_generate("ec-p256", &made->key, &f), &f);
  check(private_key_spki(made->key, &spki, &f), &f);
  check(pubkey_read(buf_bytes(&spki), &key, &f), &f);
  pubkey_id(&key, id);
  pubkey_id(recipe->issuer != NULL ? &recipe->issuer->cert.key : &key, issuer_id);
  put_name(recipe, &subject);
  const struct made *issuer = recipe->issuer != NULL ? recipe->issuer : made;
  struct cert_spec spec = {
      .serial_number = recipe->serial_number.len > 0 ? recipe->serial_number
                                                     : bytes_of(usual_serial, sizeof usual_serial),
      .alg = private_key_alg(issuer->key),
      .issuer = recipe->issuer != NULL ? issuer->cert.subject : buf_bytes(&subject),
      .subject = buf_bytes(&subject),
      .not_before = or_usual(recipe->not_before, PEER_NOW - PEER_DAY),
      .not_after = or_usual(recipe->not_after, PEER_NOW + PEER_DAY),
      .spki = buf_bytes(&spki),
      .subject_key_id = bytes_of(id, sizeof id),
      .authority_key_id = bytes_of(issuer_id, recipe->issuer != NULL ? sizeof issuer_id : 0),
      .key_usage = recipe->is_ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE,
      .ext_key_usage = recipe->is_ca                ? 0
                       : recipe->ext_key_usage != 0 ? recipe->ext_key_usage
                                                    : EKU_CLIENT_AUTH,
      .names = recipe->names,
      .is_ca = recipe->is_ca,
      .path_len = recipe->path_len - 1};
  check(cert_build(&spec, &tbs, &f), &f);
  sign(issuer->key, &tbs, &made->der);
  check(cert_read(buf_bytes(&made->der), true, &made->cert, &f), &f);
}

void made_free(struct made *made)
{
  private_key_free(made->key);
  cert_free(&made->cert);
  buf_free(&made->der);
}

static void put_extensions(const struct list_recipe *recipe, struct buf *out)
{
  uint8_t id[PUBKEY_ID_LEN];
  pubkey_id(&recipe->issuer->cert.key, id);
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t all = der_begin(out, DER_SEQUENCE);
  struct extension_mark mark = extension_begin(out, OID_AUTHORITY_KEY_ID, false);
  size_t key_id = der_begin(out, DER_SEQUENCE);
  der_put(out, DER_CONTEXT(0), bytes_of(id, sizeof id));
  der_end(out, key_id);
  extension_end(out, mark);
  mark = extension_begin(out, OID_CRL_NUMBER, false);
  der_put_number(out, 7);
  extension_end(out, mark);
  if (recipe->is_partial) {
    mark = extension_begin(out, OID_ISSUING_DIST_POINT, true);
    size_t point = der_begin(out, DER_SEQUENCE);
    der_put(out, DER_CONTEXT(1), bytes_of("\xff", 1));
    der_end(out, point);
    extension_end(out, mark);
  }
  der_end(out, all);
  der_end(out, tagged);
}

void made_list(const struct list_recipe *recipe, struct buf *ret_der)
{
  AUTO(buf) tbs = {0};
  const struct private_key *key = (recipe->signer != NULL ? recipe->signer : recipe->issuer)->key;
  size_t list = der_begin(&tbs, DER_SEQUENCE);
  der_put_number(&tbs, 1);
  sig_alg_write(private_key_alg(key), &tbs);
  buf_add_bytes(&tbs, recipe->issuer->cert.subject);
  der_put_time(&tbs, or_usual(recipe->this_update, PEER_NOW - 60));
  der_put_time(&tbs, or_usual(recipe->next_update, PEER_NOW + 60));
  if (recipe->revoked.len > 0) {
    size_t entries = der_begin(&tbs, DER_SEQUENCE), entry = der_begin(&tbs, DER_SEQUENCE);
    der_put_unsigned(&tbs, recipe->revoked);
    der_put_time(&tbs, PEER_NOW - 60);
    der_end(&tbs, entry);
    der_end(&tbs, entries);
  }
  put_extensions(recipe, &tbs);
  der_end(&tbs, list);
  sign(key, &tbs, ret_der);
}
