/* authority.c - see authority.h. */
#include "lib/ca/authority.h"

#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/conf.h"
#include "lib/ca/pem_file.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"

enum { FILE_MAX = CHAIN_MAX * CERT_MAX * 2 };

static bool read_pem(const char *path, struct buf *ret_ders, size_t max, size_t *ret_n,
                     struct fault *f)
{
  return pem_file_read(path, "CERTIFICATE", "certificate", FILE_MAX, ret_ders, max, ret_n, f);
}

static bool read_one(const char *path, struct buf *ret_der, struct cert *ret_cert, struct fault *f)
{
  size_t n;
  return read_pem(path, ret_der, 1, &n, f) &&
         (cert_read(buf_bytes(ret_der), true, ret_cert, f) || fault_prefix(f, "%s", path));
}

static bool check_ca(const struct cert *cert, const char *path, struct fault *f)
{
  if (!cert->has_basic_constraints || !cert->is_ca)
    return fault_set(f, BAD_FILE, "%s is not a CA's certificate", path);
  if (!cert->has_key_usage || (cert->key_usage & KU_KEY_CERT_SIGN) == 0)
    return fault_set(f, BAD_FILE, "%s may not sign certificates (keyCertSign is missing)", path);
  return true;
}

/* pathLenConstraint (RFC 5280, 4.2.1.9): `below` CAs stand between this one and a leaf. */
static bool check_link(const struct cert *lower, const struct cert *upper, size_t below,
                       const char *path, struct fault *f)
{
  if (!cert_is_signed_by(lower, upper))
    return fault_set(f, BAD_FILE, "%s: certificate %zu is not signed by the next one", path, below);
  if (upper->path_len >= 0 && (size_t)upper->path_len < below)
    return fault_set(f, BAD_FILE, "%s: the issuer of certificate %zu allows fewer CAs below it",
                     path, below);
  return true;
}

/* From the issuing CA upwards, the root standing behind the last. */
static bool check_chain(const struct authority *a, const char *chain_path, const char *root_path,
                        struct fault *f)
{
  struct cert certs[CHAIN_MAX] = {0};
  bool good =
      bytes_equal(buf_bytes(&a->chain_der[0]), buf_bytes(&a->certificate_der)) ||
      fault_set(f, BAD_FILE, "%s does not begin with the issuing CA's certificate", chain_path);
  for (size_t i = 0; good && i < a->n_chain; i++)
    good = cert_read(buf_bytes(&a->chain_der[i]), true, &certs[i], f)
               ? check_ca(&certs[i], chain_path, f)
               : fault_prefix(f, "%s", chain_path);
  for (size_t i = 0; good && i + 1 < a->n_chain; i++)
    good = check_link(&certs[i], &certs[i + 1], i + 1, chain_path, f);
  good = good && check_ca(&a->root, root_path, f) &&
         (cert_is_signed_by(&a->root, &a->root) ||
          fault_set(f, BAD_FILE, "%s is not a root: it is not signed by itself", root_path)) &&
         check_link(&certs[a->n_chain - 1], &a->root, a->n_chain, chain_path, f);
  for (size_t i = 0; i < a->n_chain; i++)
    cert_free(&certs[i]);
  return good;
}

/* A file of a chain may end with the root, which a server does not send; an authority may be its
 * own root. */
static void drop_root(struct authority *a)
{
  if (a->n_chain > 1 &&
      bytes_equal(buf_bytes(&a->chain_der[a->n_chain - 1]), buf_bytes(&a->root_der)))
    buf_free(&a->chain_der[--a->n_chain]);
}

/* The algorithm that the CA's key signs with (see private_key_alg). */
static enum sig_alg alg_of(enum key_type type)
{
  static const enum sig_alg algs[KEY_TYPE_COUNT] = {[KEY_EC_P256] = SIG_ECDSA_SHA256,
                                                    [KEY_EC_P384] = SIG_ECDSA_SHA384,
                                                    [KEY_EC_P521] = SIG_ECDSA_SHA512,
                                                    [KEY_RSA] = SIG_RSA_SHA256,
                                                    [KEY_ED25519] = SIG_ED25519};
  return algs[type];
}

static bool derive(struct authority *a, const char *certificate_path, struct fault *f)
{
  if (a->certificate.subject_key_id.len == 0)
    return fault_set(f, BAD_FILE, "%s has no subjectKeyIdentifier, which a CA must have",
                     certificate_path);
  if (name_is_empty(a->certificate.subject))
    return fault_set(f, BAD_FILE, "%s has an empty subject, which a CA must not have",
                     certificate_path);
  a->alg = alg_of(a->certificate.key.type);
  pubkey_sha256(a->certificate.key.spki, a->key_sha256);
  pem_add(&a->root_pem, "CERTIFICATE", buf_bytes(&a->root_der));
  for (size_t i = 0; i < a->n_chain; i++)
    pem_add(&a->chain_pem, "CERTIFICATE", buf_bytes(&a->chain_der[i]));
  return (buf_ok(&a->root_pem) && buf_ok(&a->chain_pem)) || fault_no_memory(f);
}

/* The same CA in the eyes of clients that know another root: name and key are the root's. */
static bool add_cross(struct authority *a, const char *path, struct fault *f)
{
  AUTO(cert) cross = {0};
  if (path == NULL)
    return true;
  if (a->n_chain == CHAIN_MAX)
    return fault_set(f, BAD_FILE, "%s: the chain is too long for one more", path);
  if (!read_one(path, &a->chain_der[a->n_chain], &cross, f) || !check_ca(&cross, path, f))
    return false;
  if (!bytes_equal(cross.subject, a->root.subject) ||
      !bytes_equal(cross.key.spki, a->root.key.spki) || cert_is_signed_by(&cross, &a->root))
    return fault_set(f, BAD_FILE, "%s is not the root as another one signed it", path);
  a->n_chain++;
  return true;
}

bool authority_load(const struct conf_authority *files, struct authority **ret_authority,
                    struct fault *f)
{
  AUTO(authority) a = calloc(1, sizeof *a);
  if (a == NULL)
    return fault_no_memory(f);
  if (!TEXT_COPY(a->name, bytes_of_text(files->name)))
    return fault_set(f, BAD_CONFIG, "the authority's name has more than 64 characters");
  if (!read_one(files->certificate, &a->certificate_der, &a->certificate, f) ||
      !check_ca(&a->certificate, files->certificate, f) ||
      !read_one(files->root, &a->root_der, &a->root, f) ||
      !read_pem(files->chain, a->chain_der, CHAIN_MAX, &a->n_chain, f))
    return false;
  drop_root(a);
  if (!check_chain(a, files->chain, files->root, f) || !add_cross(a, files->cross, f) ||
      !derive(a, files->certificate, f))
    return false;
  *ret_authority = TAKE(a);
  return true;
}

static bool is_valid(const struct authority *a, const char *what, const struct cert *cert,
                     int64_t now, struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  when_text(when, cert->not_before);
  if (now < cert->not_before)
    return fault_set(f, BAD_FILE,
                     "%s of authority \"%s\" is not valid before %s; is the clock right?", what,
                     a->name, when);
  when_text(when, cert->not_after);
  if (now > cert->not_after)
    return fault_set(f, BAD_FILE, "%s of authority \"%s\" expired at %s; make a new authority",
                     what, a->name, when);
  return true;
}

bool authority_is_valid(const struct authority *a, int64_t now, struct fault *f)
{
  bool valid = is_valid(a, "the certificate", &a->certificate, now, f);
  for (size_t i = 1; i < a->n_chain && valid; i++) {
    AUTO(cert) above = {0};
    valid = cert_read(buf_bytes(&a->chain_der[i]), true, &above, f) &&
            is_valid(a, "a certificate of the chain", &above, now, f);
  }
  return valid && is_valid(a, "the root", &a->root, now, f);
}

void authority_free(struct authority *authority)
{
  if (authority == NULL)
    return;
  cert_free(&authority->certificate);
  cert_free(&authority->root);
  buf_free(&authority->certificate_der);
  buf_free(&authority->root_der);
  for (size_t i = 0; i < CHAIN_MAX; i++)
    buf_free(&authority->chain_der[i]);
  buf_free(&authority->chain_pem);
  buf_free(&authority->root_pem);
  free(authority);
}
