/* trust.c - see trust.h. */
#include "lib/ca/trust.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/ca/pem_file.h"
#include "lib/pki/pem.h"

enum { CRL_FILE_MAX = 64 * 1024 * 1024 };

/* --- anchors --- */

/* A trust anchor that is no CA would let its owner, and whoever has that leaf's key, make clients.
 */
static bool check_anchor(const struct cert *anchor, const char *path, struct fault *f)
{
  if (!anchor->has_basic_constraints || !anchor->is_ca)
    return fault_set(f, BAD_FILE, "%s: a certificate in it is not a CA's", path);
  if (anchor->has_key_usage && (anchor->key_usage & KU_KEY_CERT_SIGN) == 0)
    return fault_set(f, BAD_FILE,
                     "%s: a certificate in it may not sign certificates (keyCertSign is missing)",
                     path);
  if (anchor->has_unknown_critical)
    return fault_set(f, BAD_FILE,
                     "%s: a certificate in it has a critical extension that is not known", path);
  return pubkey_check_strength(&anchor->key, f) || fault_prefix(f, "%s", path);
}

static bool load_anchors(const char *path, struct trust_source *source, struct fault *f)
{
  if (!pem_file_read(path, "CERTIFICATE", "certificate", 2 * ANCHORS_MAX * CERT_MAX,
                     source->anchor_ders, ANCHORS_MAX, &source->n_anchors, f))
    return false;
  for (size_t i = 0; i < source->n_anchors; i++) {
    struct bytes der = buf_bytes(&source->anchor_ders[i]);
    if (!cert_read(der, true, &source->anchors[i], f))
      return fault_prefix(f, "%s", path);
    if (!check_anchor(&source->anchors[i], path, f))
      return false;
  }
  source->vouchers.anchors = source->anchors;
  source->vouchers.n_anchors = source->n_anchors;
  return true;
}

/* --- revocation lists --- */

static bool is_signed_by_one(const struct crl *crl, const struct trust_source *source)
{
  for (size_t i = 0; i < source->n_anchors; i++)
    if (crl_is_signed_by(crl, &source->anchors[i]))
      return true;
  return false;
}

static bool load_crl(struct trust_source *source, size_t i, const char *path, struct fault *f)
{
  struct crl *crl = &source->crls[i];
  if (!crl_read(buf_bytes(&source->crl_ders[i]), crl, f))
    return fault_prefix(f, "%s", path);
  /* What a partial list does not say can still be revoked. */
  if (crl->is_delta || crl->is_partial)
    return fault_set(f, BAD_FILE, "%s: it is a delta or partial list; want the complete one", path);
  return is_signed_by_one(crl, source) ||
         fault_set(f, BAD_FILE, "%s: none of the certificates of trust \"%s\" signed it", path,
                   source->name);
}

static bool load_crls(const char *path, struct trust_source *source, struct fault *f)
{
  size_t n = 0;
  if (path == NULL)
    return true;
  if (!pem_file_read(path, "X509 CRL", "revocation list", CRL_FILE_MAX, source->crl_ders, CRLS_MAX,
                     &n, f))
    return false;
  for (size_t i = 0; i < n; i++)
    if (!load_crl(source, i, path, f))
      return false;
  source->vouchers.needs_crl = true;
  source->vouchers.crls = source->crls;
  source->vouchers.n_crls = n;
  return true;
}

/* --- all of it --- */

static bool load_source(const struct conf_trust *conf, struct trust_source *source, struct fault *f)
{
  TEXT_COPY(source->name, bytes_of_text(conf->name));
  source->role = conf->role;
  source->name_from = conf->name_from;
  return load_anchors(conf->certificates, source, f) && load_crls(conf->crl, source, f);
}

/* A client's certificate may be of any of our authorities, whichever issues now. */
static void trust_ourselves(struct trust *trust, const struct authorities *authorities)
{
  size_t n = authorities != NULL ? authorities_n(authorities) : 0;
  for (size_t i = 0; i < n; i++)
    trust->own[i] = authorities_at(authorities, i)->certificate;
  trust->authorities = authorities;
  trust->ours = (struct vouchers){.anchors = trust->own, .n_anchors = n, .needs_eku = true};
}

bool trust_load(const struct conf *conf, const struct authorities *authorities,
                struct trust **ret_trust, struct fault *f)
{
  static _Atomic uint64_t generations;
  AUTO(trust) trust = calloc(1, sizeof *trust);
  if (trust == NULL)
    return fault_no_memory(f);
  trust->references = 1;
  trust->generation = ++generations;
  trust_ourselves(trust, authorities);
  trust->sources = calloc(conf->n_trusts + 1, sizeof *trust->sources);
  if (trust->sources == NULL)
    return fault_no_memory(f);
  for (; trust->n_sources < conf->n_trusts; trust->n_sources++) {
    size_t i = trust->n_sources;
    if (!load_source(&conf->trusts[i], &trust->sources[i], f)) {
      trust->n_sources++; /* so that its part is freed */
      return false;
    }
  }
  *ret_trust = TAKE(trust);
  return true;
}

struct trust *trust_hold(struct trust *trust)
{
  trust->references++;
  return trust;
}

static void source_clear(struct trust_source *source)
{
  for (size_t i = 0; i < ANCHORS_MAX; i++) {
    cert_free(&source->anchors[i]);
    buf_free(&source->anchor_ders[i]);
  }
  for (size_t i = 0; i < CRLS_MAX; i++)
    buf_free(&source->crl_ders[i]);
}

void trust_release(struct trust *trust)
{
  if (trust == NULL || --trust->references > 0)
    return;
  for (size_t i = 0; i < trust->n_sources; i++)
    source_clear(&trust->sources[i]);
  free(trust->sources);
  free(trust);
}

void trust_add_pem(const struct trust *trust, struct buf *out)
{
  for (size_t i = 0; i < trust->ours.n_anchors; i++) {
    const struct authority *authority = authorities_at(trust->authorities, i);
    buf_add_bytes(out, buf_bytes(&authority->root_pem));
    buf_add_bytes(out, buf_bytes(&authority->chain_pem));
  }
  for (size_t i = 0; i < trust->n_sources; i++)
    for (size_t k = 0; k < trust->sources[i].n_anchors; k++)
      pem_add(out, "CERTIFICATE", buf_bytes(&trust->sources[i].anchor_ders[k]));
}

/* --- the one that is in force --- */

struct trust_box {
  pthread_mutex_t lock;
  struct trust *trust;
};

bool trust_box_new(struct trust *trust, struct trust_box **ret_box, struct fault *f)
{
  struct trust_box *box = calloc(1, sizeof *box);
  if (box == NULL || pthread_mutex_init(&box->lock, NULL) != 0) {
    free(box);
    trust_release(trust);
    return fault_no_memory(f);
  }
  box->trust = trust;
  *ret_box = box;
  return true;
}

void trust_box_put(struct trust_box *box, struct trust *trust)
{
  pthread_mutex_lock(&box->lock);
  struct trust *before = box->trust;
  box->trust = trust;
  pthread_mutex_unlock(&box->lock);
  trust_release(before);
}

struct trust *trust_box_get(struct trust_box *box)
{
  pthread_mutex_lock(&box->lock);
  struct trust *trust = trust_hold(box->trust);
  pthread_mutex_unlock(&box->lock);
  return trust;
}

void trust_box_free(struct trust_box *box)
{
  if (box == NULL)
    return;
  trust_release(box->trust);
  pthread_mutex_destroy(&box->lock);
  free(box);
}
