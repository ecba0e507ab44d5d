/* facts.c - see facts.h. */
#include "cli/facts.h"

#include <openssl/sha.h>

#include "cli/screen.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/name.h"

enum { URL_MAX = 2048 };

static struct fact *add(struct facts *facts, const char *label, const char *name)
{
  struct fact *fact = &facts->rows[facts->n++]; /* FACTS_MAX is more than any item has */
  *fact = (struct fact){.label = label, .name = name};
  return fact;
}

static void add_hex(struct facts *facts, const char *label, const char *name, struct bytes octets)
{
  if (octets.len > 0)
    text_add_hex(&add(facts, label, name)->text, octets);
}

static void add_name(struct facts *facts, const char *label, const char *name, struct bytes dn)
{
  struct fact *fact = add(facts, label, name);
  name_text(dn, &fact->text);
  if (fact->text.len == 0)
    buf_add_text(&fact->text, "(empty)");
}

static void add_when(struct facts *facts, const char *label, const char *name, int64_t instant,
                     int64_t now)
{
  char text[WHEN_TEXT_SIZE];
  struct fact *fact = add(facts, label, name);
  when_text(text, instant);
  screen_when(&fact->text, instant, now);
  buf_add_text(&fact->value, text);
}

static void add_sans(struct facts *facts, const struct sans *sans)
{
  static const char *const kinds[SAN_KIND_END] = {
      [SAN_IP] = "IP ", [SAN_DNS] = "DNS ", [SAN_URI] = "URI "};
  struct fact *fact = add(facts, "names", "names");
  fact->is_list = true;
  for (size_t i = 0; i < sans->n; i++) {
    struct san san = sans_get(sans, i);
    buf_addf(&fact->text, "%s%s", i > 0 ? "\n" : "", kinds[san.kind]);
    san_text(san, &fact->text);
    buf_add_text(&fact->value, i > 0 ? "\n" : "");
    san_text(san, &fact->value);
  }
  if (sans->n == 0)
    buf_add_text(&fact->text, "(none)");
}

static void add_bits(struct facts *facts, const char *label, const char *name, uint32_t bits,
                     const char *(*name_of)(unsigned bit), bool more)
{
  struct fact *fact = add(facts, label, name);
  fact->is_list = true;
  for (unsigned i = 0; name_of(i) != NULL; i++)
    if ((bits >> i & 1) != 0) {
      buf_addf(&fact->text, "%s%s", fact->text.len > 0 ? ", " : "", name_of(i));
      buf_addf(&fact->value, "%s%s", fact->value.len > 0 ? "\n" : "", name_of(i));
    }
  if (more)
    buf_addf(&fact->text, "%sothers", fact->text.len > 0 ? ", " : "");
}

static void add_key(struct facts *facts, const struct pubkey *key)
{
  struct fact *fact = add(facts, "key", "key");
  item_key_text(key, &fact->text);
}

static void add_ca(struct facts *facts, const struct cert *cert)
{
  struct fact *fact = add(facts, "CA", "ca");
  buf_add_text(&fact->text, cert->is_ca ? "yes" : "no");
  if (cert->is_ca && cert->path_len == 0)
    buf_add_text(&fact->text, ", for certificates of devices only (path length 0)");
  else if (cert->is_ca && cert->path_len > 0)
    buf_addf(&fact->text, ", path length %d", cert->path_len);
  buf_add_text(&fact->value, cert->is_ca ? "yes" : "no");
}

static void add_sha256(struct facts *facts, struct bytes der)
{
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(der.data, der.len, digest);
  add_hex(facts, "SHA-256", "sha256", bytes_of(digest, sizeof digest));
}

static void cert_facts(const struct cert *cert, int64_t now, struct facts *facts)
{
  add_name(facts, "subject", "subject", cert->subject);
  add_name(facts, "issuer", "issuer", cert->issuer);
  add_hex(facts, "serial number", "serial_number", cert->serial_number);
  add_when(facts, "valid from", "not_before", cert->not_before, now);
  add_when(facts, "valid until", "not_after", cert->not_after, now);
  if (!cert->is_ca || cert->has_names)
    add_sans(facts, &cert->names);
  if (cert->hardware_serial.len > 0)
    add_hex(facts, "hardware", "hardware_serial", cert->hardware_serial);
  add_key(facts, &cert->key);
  if (cert->has_key_usage)
    add_bits(facts, "key usage", "key_usage", cert->key_usage, key_usage_name, false);
  if (cert->has_ext_key_usage)
    add_bits(facts, "purpose", "ext_key_usage", cert->ext_key_usage, ext_key_usage_name,
             cert->has_unknown_eku);
  add_ca(facts, cert);
  add_hex(facts, "key id", "subject_key_id", cert->subject_key_id);
  add_hex(facts, "issuer key id", "authority_key_id", cert->authority_key_id);
  buf_add_text(&add(facts, "signature", "signature")->text, sig_alg_name(cert->alg));
  add_sha256(facts, cert->der);
}

static void csr_facts(const struct item *item, struct facts *facts)
{
  const struct csr *csr = &item->csr;
  add_name(facts, "subject", "subject", csr->subject);
  add_sans(facts, &csr->names);
  add_key(facts, &csr->key);
  struct fact *signature = add(facts, "signature", "signature");
  buf_addf(&signature->text, "%s, %s", sig_alg_name(csr->alg),
           item->csr_is_proven ? "by the key itself" : "NOT by the key itself");
  buf_add_text(&signature->value, sig_alg_name(csr->alg));
  buf_add_text(&add(facts, "proven", "proof_of_possession")->text,
               item->csr_is_proven ? "yes" : "no");
}

/* A list of some certificates only: of those that name this URL, or whatever else it says. */
static void add_point(struct facts *facts, const struct crl *crl)
{
  if (!crl->is_partial)
    return;
  bool is_url = text_is_token(crl->point_url, URL_MAX, "-._~:/?#[]@!$&'()*+,;=%");
  buf_add_bytes(&add(facts, "list of", "distribution_point")->text,
                is_url ? crl->point_url : bytes_of_text("some certificates"));
}

static void crl_facts(const struct crl *crl, int64_t now, struct facts *facts)
{
  add_name(facts, "issuer", "issuer", crl->issuer);
  add_hex(facts, "number", "crl_number", crl->crl_number);
  if (crl->is_delta)
    add_hex(facts, "delta to", "base_crl_number", crl->base_number);
  add_point(facts, crl);
  add_when(facts, "made", "this_update", crl->this_update, now);
  add_when(facts, "next", "next_update", crl->next_update, now);
  buf_addf(&add(facts, "revoked", "revoked")->text, "%zu", crl->n_revoked);
  add_hex(facts, "issuer key id", "authority_key_id", crl->authority_key_id);
  buf_add_text(&add(facts, "signature", "signature")->text, sig_alg_name(crl->alg));
}

static void key_facts(const struct private_key *key, struct facts *facts)
{
  AUTO(buf) spki = {0};
  AUTO(fault) ignored = {0};
  struct pubkey public;
  uint8_t id[PUBKEY_ID_LEN];
  if (key == NULL) {
    buf_add_text(&add(facts, "key", "key")->text, "encrypted (--passphrase-file opens it)");
    return;
  }
  if (!private_key_spki(key, &spki, &ignored) || !pubkey_read(buf_bytes(&spki), &public, &ignored))
    return;
  add_key(facts, &public);
  pubkey_id(&public, id);
  add_hex(facts, "key id", "subject_key_id", bytes_of(id, sizeof id));
}

void facts_of(const struct item *item, int64_t now, struct facts *ret_facts)
{
  switch (item->kind) {
  case ITEM_CERT:
    cert_facts(&item->cert, now, ret_facts);
    break;
  case ITEM_CSR:
    csr_facts(item, ret_facts);
    break;
  case ITEM_CRL:
    crl_facts(&item->crl, now, ret_facts);
    break;
  case ITEM_KEY:
    key_facts(item->key, ret_facts);
    break;
  }
}

void facts_free(struct facts *facts)
{
  for (size_t i = 0; i < facts->n; i++) {
    buf_free(&facts->rows[i].text);
    buf_free(&facts->rows[i].value);
  }
  *facts = (struct facts){0};
}
