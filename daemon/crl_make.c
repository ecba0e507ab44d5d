/* crl_make.c - see crl_make.h. */
#include "daemon/crl_make.h"

#include <openssl/evp.h>

#include "lib/base/text.h"
#include "lib/ca/revocation.h"
#include "lib/pki/crl_build.h"
#include "lib/pki/sign_protocol.h"

void crl_made_free(struct crl_made *made)
{
  buf_free(&made->before);
  buf_free(&made->tbs);
  buf_free(&made->behind);
}

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free)

bool crl_sha256(const struct bytes *pieces, size_t n, uint8_t ret_sha256[32], struct fault *f)
{
  AUTO(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
  uint8_t digest[32];
  bool done = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
  for (size_t i = 0; i < n && done; i++)
    done = EVP_DigestUpdate(ctx, pieces[i].data, pieces[i].len) == 1;
  if (!done || EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
    return fault_set(f, INTERNAL, "a digest cannot be computed");
  memcpy(ret_sha256, digest, sizeof digest);
  return true;
}

/* --- what it says besides its entries --- */

/* The texts that a head borrows. */
struct urls {
  struct buf point, freshest;
};

static void urls_free(struct urls *urls)
{
  buf_free(&urls->point);
  buf_free(&urls->freshest);
}

AUTO_VALUE(urls, struct urls, urls_free)

/* A delta is of the same certificates as its base, and so has the same point (RFC 5280, 5.2.4). */
static bool make_urls(const struct crl_wanted *wanted, const struct conf *conf,
                      struct urls *ret_urls, struct fault *f)
{
  struct crl_name name = {.authority = wanted->authority->name, .shard = wanted->shard};
  if (conf->public_url == NULL)
    return wanted->shard == 0 ||
           fault_set(f, INTERNAL, "a list of a shard needs public_url, which certificates name");
  if (wanted->shard > 0)
    crl_name_url(&name, conf->public_url, &ret_urls->point);
  name.is_delta = true;
  if (wanted->base == NULL && conf->crl.delta_every_s > 0)
    crl_name_url(&name, conf->public_url, &ret_urls->freshest);
  buf_text(&ret_urls->point);
  buf_text(&ret_urls->freshest);
  return (buf_ok(&ret_urls->point) && buf_ok(&ret_urls->freshest)) || fault_no_memory(f);
}

static const char *text_or_null(struct buf *text)
{
  return text->len > 0 ? buf_text(text) : NULL;
}

/* A delta that holds until the second next one is due: whoever keeps a list as long as it holds is
 * to ask again soon. */
static int64_t validity_of(const struct crl_wanted *wanted, const struct conf_crl *crl)
{
  bool is_short = wanted->base != NULL && 2 * crl->delta_every_s < crl->validity_s;
  return is_short ? 2 * crl->delta_every_s : crl->validity_s;
}

static struct crl_head head_of(const struct crl_wanted *wanted, const struct conf *conf,
                               struct urls *urls)
{
  const struct cert *issuer = &wanted->authority->certificate;
  return (struct crl_head){.alg = wanted->authority->alg,
                           .issuer = issuer->subject,
                           .this_update = wanted->now,
                           .next_update = wanted->now + validity_of(wanted, &conf->crl),
                           .authority_key_id = issuer->subject_key_id,
                           .number = wanted->number,
                           .base_number = wanted->base != NULL ? wanted->base->number : 0,
                           .point_url = text_or_null(&urls->point),
                           .freshest_url = text_or_null(&urls->freshest)};
}

/* --- its entries --- */

static bool refuse_length(const struct crl_builder *builder, struct fault *f)
{
  return fault_set(
      f, SIGNER_REFUSED,
      "with %zu entries the list is longer than the key holder signs (%d MiB): divide "
      "it (shards in section crl of mintmark.conf), and let profiles be valid for less "
      "long",
      builder->n, SIGN_CRL_MAX >> 20);
}

static bool add_entry(const struct revocation *revocation, void *context, struct fault *f)
{
  struct crl_builder *builder = context;
  crl_add(builder, revocation->serial_number, revocation->at, (unsigned)revocation->reason);
  return builder->out->len <= SIGN_CRL_MAX || refuse_length(builder, f);
}

/* An entry stays for longer than any list that was made before its end holds, so that it is on one
 * that was made behind it (RFC 5280, 3.3). */
static struct revocation_query query_of(const struct crl_wanted *wanted, const struct conf_crl *crl)
{
  return (struct revocation_query){.authority = wanted->authority->name,
                                   .shard = wanted->shard,
                                   .is_delta = wanted->base != NULL,
                                   .since_id =
                                       wanted->base != NULL ? wanted->base->revocation_id : 0,
                                   .expired_before = wanted->now - 2 * crl->validity_s};
}

static bool build(const struct crl_wanted *wanted, const struct conf *conf, struct ledger *ledger,
                  struct crl_made *made, struct fault *f)
{
  AUTO(urls) urls = {0};
  struct crl_builder builder;
  if (!make_urls(wanted, conf, &urls, f))
    return false;
  const struct crl_head head = head_of(wanted, conf, &urls);
  const struct revocation_query query = query_of(wanted, &conf->crl);
  int64_t last_id;
  if (!crl_begin(&head, &made->tbs, &builder, f) ||
      !ledger_each_revocation(ledger, &query, add_entry, &builder, &last_id, f) ||
      !crl_end(&builder, f))
    return false;
  if (made->tbs.len > SIGN_CRL_MAX)
    return refuse_length(&builder, f);
  made->record = (struct crl_record){.shard = wanted->shard,
                                     .number = head.number,
                                     .base_number = head.base_number,
                                     .this_update = head.this_update,
                                     .next_update = head.next_update,
                                     .revocation_id = last_id,
                                     .entries = (int64_t)builder.n};
  return TEXT_COPY(made->record.authority, bytes_of_text(wanted->authority->name)) ||
         fault_set(f, INTERNAL, "the authority's name is too long");
}

/* --- its signature --- */

static void item_free(struct signer_item *item)
{
  buf_free(&item->signature);
  fault_free(&item->fault);
}

AUTO_VALUE(signer_item, struct signer_item, item_free)

static bool sign(const struct authority *authority, struct signer *signer, struct crl_made *made,
                 struct fault *f)
{
  AUTO(signer_item) item = {.kind = SIGN_CRL, .tbs = buf_bytes(&made->tbs)};
  if (!signer_sign(signer, authority->key_sha256, &item, 1, f))
    return false;
  if (item.fault.code != FAULT_NONE) {
    fault_move(f, &item.fault);
    return false;
  }
  return crl_frame(made->tbs.len, authority->alg, buf_bytes(&item.signature), &made->before,
                   &made->behind, f);
}

bool crl_make(const struct crl_wanted *wanted, const struct conf *conf, struct ledger *ledger,
              struct signer *signer, struct crl_made *ret_made, struct fault *f)
{
  if (!build(wanted, conf, ledger, ret_made, f) || !sign(wanted->authority, signer, ret_made, f))
    return false;
  const struct bytes pieces[] = {buf_bytes(&ret_made->before), buf_bytes(&ret_made->tbs),
                                 buf_bytes(&ret_made->behind)};
  for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
    ret_made->record.octets += (int64_t)pieces[i].len;
  return crl_sha256(pieces, ARRAY_LEN(pieces), ret_made->record.sha256, f);
}
