/* item.c - see item.h. */
#include "cli/item.h"

#include <stdlib.h>

#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/pki/der.h"
#include "lib/pki/pem.h"

enum { ITEM_FILE_MAX = 16 * 1024 * 1024, ITEMS_MAX = 1000 };

static void item_free(struct item *item)
{
  cert_free(&item->cert);
  csr_free(&item->csr);
  private_key_free(item->key);
  buf_free(&item->der);
}

void items_free(struct items *items)
{
  for (size_t i = 0; i < items->n; i++)
    item_free(&items->items[i]);
  free(items->items);
  *items = (struct items){0};
}

typedef bool reader(struct item *item, struct bytes passphrase, struct fault *f);

static bool read_cert(struct item *item, struct bytes passphrase, struct fault *f)
{
  (void)passphrase;
  item->kind = ITEM_CERT;
  return cert_read(buf_bytes(&item->der), true, &item->cert, f);
}

static bool read_csr(struct item *item, struct bytes passphrase, struct fault *f)
{
  AUTO(fault) ignored = {0};
  (void)passphrase;
  item->kind = ITEM_CSR;
  if (!csr_read(buf_bytes(&item->der), &item->csr, f))
    return false;
  item->csr_is_proven = csr_verify(&item->csr, &ignored);
  return true;
}

/* CertificateList ::= SEQUENCE { tbsCertList, algorithm, signature } (RFC 5280, 5.1). */
static bool read_crl(struct item *item, struct bytes passphrase, struct fault *f)
{
  struct der outer = der_of(buf_bytes(&item->der)), list;
  struct bytes tbs, algorithm, signature;
  (void)passphrase;
  item->kind = ITEM_CRL;
  if (!der_enter(&outer, DER_SEQUENCE, &list) || !der_at_end(&outer) ||
      !der_take_whole(&list, DER_SEQUENCE, &tbs) ||
      !der_take_whole(&list, DER_SEQUENCE, &algorithm) || !der_take_bit_octets(&list, &signature) ||
      !der_at_end(&list))
    return fault_set(f, BAD_FILE, "not a CRL in DER");
  return crl_tbs_read(tbs, &item->crl, f);
}

/* The key leaves der at once: nothing of it is ever printed. */
static bool read_key(struct item *item, struct bytes passphrase, struct fault *f)
{
  AUTO(secret_buf) octets = item->der;
  item->der = (struct buf){0};
  item->kind = ITEM_KEY;
  if (key_read_any(buf_bytes(&octets), passphrase, &item->key, f))
    return true;
  return f->code == FAULT_BAD_PASSPHRASE && passphrase.len == 0; /* encrypted: that much is known */
}

static const struct {
  const char *label;
  reader *read;
  const char *name;
} labels[] = {
    {"CERTIFICATE", read_cert, "certificate"},
    {"CERTIFICATE REQUEST", read_csr, "certification request"},
    {"NEW CERTIFICATE REQUEST", read_csr, "certification request"},
    {"X509 CRL", read_crl, "revocation list"},
    {"PRIVATE KEY", read_key, "private key"},
    {"ENCRYPTED PRIVATE KEY", read_key, "private key"},
    {"EC PRIVATE KEY", read_key, "private key"},
    {"RSA PRIVATE KEY", read_key, "private key"},
};

/* Moves the item into the set, or frees it. */
static bool add_item(struct items *items, struct item *item, struct fault *f)
{
  struct item *more = NULL;
  if (items->n < ITEMS_MAX)
    more = realloc(items->items, (items->n + 1) * sizeof *more);
  if (more == NULL) {
    item_free(item);
    return items->n == ITEMS_MAX ? fault_set(f, BAD_FILE, "more than %d objects", ITEMS_MAX)
                                 : fault_no_memory(f);
  }
  items->items = more;
  items->items[items->n++] = *item;
  return true;
}

static bool read_item(reader *read, struct item *item, struct bytes passphrase, struct items *items,
                      struct fault *f)
{
  if (!buf_ok(&item->der)) {
    item_free(item);
    return fault_no_memory(f);
  }
  if (read(item, passphrase, f))
    return add_item(items, item, f);
  item_free(item);
  return false;
}

/* What it is, is not written on it: each kind in turn. */
static bool read_der(struct bytes der, const char *path, struct bytes passphrase,
                     struct items *items, struct fault *f)
{
  static reader *const readers[] = {read_cert, read_csr, read_crl, read_key};
  for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
    struct item item = {.path = path};
    buf_add_bytes(&item.der, der);
    if (read_item(readers[i], &item, passphrase, items, f))
      return true;
    if (f->code == FAULT_BAD_PASSPHRASE || f->code == FAULT_NO_MEMORY)
      return false;
  }
  return fault_set(f, BAD_FILE, "neither a certificate nor a CSR, CRL or private key");
}

static bool read_labelled(struct bytes label, struct item *item, struct bytes passphrase,
                          struct items *items, struct fault *f)
{
  for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
    if (!bytes_equal(label, bytes_of_text(labels[i].label)))
      continue;
    if (labels[i].read == read_key) { /* the label tells which form the key has */
      struct buf der = item->der;
      item->der = (struct buf){0};
      pem_add(&item->der, labels[i].label, buf_bytes(&der));
      buf_wipe(&der);
    }
    return read_item(labels[i].read, item, passphrase, items, f) ||
           fault_prefix(f, "a %s that is broken", labels[i].name);
  }
  item_free(item);
  return fault_set(f, BAD_FILE,
                   "it holds a \"%.*s\", which is none of certificate, CSR, CRL and "
                   "private key",
                   (int)label.len, (const char *)label.data);
}

/* Keys in OpenSSL's old encrypted form have lines that only the key reader knows. */
static bool read_old_key(struct bytes text, const char *path, struct bytes passphrase,
                         struct items *items, struct fault *f)
{
  struct item item = {.path = path};
  buf_add_bytes(&item.der, text);
  if (read_item(read_key, &item, passphrase, items, f))
    return true;
  return f->code == FAULT_BAD_PASSPHRASE ? false : fault_set(f, BAD_FILE, "its PEM is broken");
}

static bool read_pem(struct bytes text, const char *path, struct bytes passphrase,
                     struct items *items, struct fault *f)
{
  size_t before = items->n;
  for (struct bytes rest = text;;) {
    struct item item = {.path = path};
    struct bytes label;
    bool broken = false;
    if (pem_next(&rest, &label, &item.der, &broken)) {
      if (!read_labelled(label, &item, passphrase, items, f))
        return false;
      continue;
    }
    item_free(&item);
    if (broken)
      return read_old_key(text, path, passphrase, items, f);
    return items->n > before ||
           fault_set(f, BAD_FILE, "neither a certificate nor a CSR, CRL or private key");
  }
}

bool items_read(const char *path, struct bytes passphrase, struct items *items, struct fault *f)
{
  AUTO(secret_buf) content = {0};
  struct items found = {0};
  if (!file_read(path, ITEM_FILE_MAX, &content, f))
    return false;
  bool is_der = content.len > 0 && content.data[0] == DER_SEQUENCE;
  bool good = (is_der ? read_der : read_pem)(buf_bytes(&content), path, passphrase, &found, f);
  for (size_t i = 0; good && i < found.n; i++) {
    found.items[i].position = (unsigned)i + 1;
    found.items[i].of = (unsigned)found.n;
    good = add_item(items, &found.items[i], f);
    found.items[i] = (struct item){0};
  }
  items_free(&found);
  return good || fault_prefix(f, "%s", path);
}

void item_place(const struct item *item, struct buf *out)
{
  buf_add_text(out, strcmp(item->path, "-") == 0 ? "standard input" : item->path);
  if (item->of > 1)
    buf_addf(out, ", %u of %u", item->position, item->of);
}

const char *item_kind_name(enum item_kind kind)
{
  static const char *const names[] = {"certificate", "certification request", "revocation list",
                                      "private key"};
  return names[kind];
}

void item_key_text(const struct pubkey *key, struct buf *out)
{
  static const char *const names[KEY_TYPE_COUNT] = {"EC P-256", "EC P-384", "EC P-521", "RSA",
                                                    "Ed25519"};
  buf_add_text(out, names[key->type]);
  if (key->type == KEY_RSA)
    buf_addf(out, ", %u bits", key->bits);
}
