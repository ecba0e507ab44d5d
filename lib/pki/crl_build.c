/* crl_build.c - see crl_build.h. */
#include "lib/pki/crl_build.h"

#include "lib/base/when.h"
#include "lib/pki/cert.h"
#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"

/* 1950-01-01T00:00:00Z: before it, RFC 5280 has no form for a time. */
#define FIRST_TIME INT64_C(-631152000)

/* --- is there a correct list for it? --- */

static bool issuer_is_there(const struct crl_head *head)
{
  return head->issuer.len > 0 && !name_is_empty(head->issuer) && head->authority_key_id.len > 0;
}

static bool updates_are_a_span(const struct crl_head *head)
{
  return head->this_update >= FIRST_TIME && head->this_update < head->next_update &&
         head->next_update <= WHEN_NEVER;
}

static bool numbers_go_up(const struct crl_head *head)
{
  return head->number > 0 && head->base_number < head->number;
}

static bool is_url(const char *url)
{
  if (url == NULL)
    return true;
  for (const char *c = url; *c != '\0'; c++)
    if (*c <= ' ' || *c > '~')
      return false;
  return url[0] != '\0';
}

/* RFC 5280, 5.2.6: a delta list does not tell of a delta list. */
static bool urls_are_in_place(const struct crl_head *head)
{
  return is_url(head->point_url) && is_url(head->freshest_url) &&
         (head->freshest_url == NULL || head->base_number == 0);
}

static bool check_head(const struct crl_head *head, struct fault *f)
{
  static const struct {
    bool (*holds)(const struct crl_head *head);
    const char *why;
  } rules[] = {
      {issuer_is_there, "the issuer or its key identifier is missing"},
      {updates_are_a_span, "nextUpdate is not behind thisUpdate, within 1950 to 9999"},
      {numbers_go_up, "its number is 0, or not above the one it goes on from"},
      {urls_are_in_place, "a URL is not printable ASCII, or a delta list has a delta list"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rules); i++)
    if (!rules[i].holds(head))
      return fault_set(f, INTERNAL, "no list can be built: %s", rules[i].why);
  return true;
}

/* --- entries --- */

static bool entry_is_correct(const struct crl_head *head, struct bytes n, int64_t revoked_at,
                             unsigned reason)
{
  while (n.len > 0 && n.data[0] == 0)
    n = bytes_of(n.data + 1, n.len - 1);
  return n.len > 0 && n.len + (n.data[0] >> 7) <= SERIAL_NUMBER_MAX && revoked_at >= FIRST_TIME &&
         revoked_at <= WHEN_NEVER && reason <= CRL_ENTRY_MAX && reason != CRL_ENTRY_UNUSED &&
         (reason != CRL_ENTRY_REMOVE || head->base_number > 0);
}

static void put_reason(struct buf *out, unsigned reason)
{
  uint8_t octet = (uint8_t)reason;
  size_t extensions = der_begin(out, DER_SEQUENCE);
  struct extension_mark mark = extension_begin(out, OID_REASON_CODE, false);
  der_put(out, DER_ENUMERATED, bytes_of(&octet, 1));
  extension_end(out, mark);
  der_end(out, extensions);
}

void crl_add(struct crl_builder *builder, struct bytes serial_number, int64_t revoked_at,
             unsigned reason)
{
  struct buf *out = builder->out;
  if (builder->bad || !entry_is_correct(builder->head, serial_number, revoked_at, reason)) {
    builder->bad = true;
    return;
  }
  /* RFC 5280, 5.1.2.6: absent when there are none. */
  if (builder->n++ == 0)
    builder->entries = der_begin(out, DER_SEQUENCE);
  size_t entry = der_begin(out, DER_SEQUENCE);
  der_put_unsigned(out, serial_number);
  der_put_time(out, revoked_at);
  if (reason != CRL_ENTRY_UNSPECIFIED)
    put_reason(out, reason);
  der_end(out, entry);
}

/* --- extensions, in the order in which they are written --- */

static void put_authority_key_id(const struct crl_head *head, struct buf *out)
{
  struct extension_mark mark = extension_begin(out, OID_AUTHORITY_KEY_ID, false);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  der_put(out, DER_CONTEXT(0), head->authority_key_id);
  der_end(out, sequence);
  extension_end(out, mark);
}

static void put_number(const struct crl_head *head, struct buf *out)
{
  struct extension_mark mark = extension_begin(out, OID_CRL_NUMBER, false);
  der_put_number(out, head->number);
  extension_end(out, mark);
}

static void put_base_number(const struct crl_head *head, struct buf *out)
{
  if (head->base_number == 0)
    return;
  struct extension_mark mark = extension_begin(out, OID_DELTA_CRL, true);
  der_put_number(out, head->base_number);
  extension_end(out, mark);
}

/* DistributionPointName in its [0]: { fullName [0] { uniformResourceIdentifier [6] } } */
static void put_point_name(const char *url, struct buf *out)
{
  size_t name = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t full_name = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  der_put(out, DER_CONTEXT(6), bytes_of_text(url));
  der_end(out, full_name);
  der_end(out, name);
}

static void put_point(const struct crl_head *head, struct buf *out)
{
  if (head->point_url == NULL)
    return;
  struct extension_mark mark = extension_begin(out, OID_ISSUING_DIST_POINT, true);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  put_point_name(head->point_url, out);
  der_end(out, sequence);
  extension_end(out, mark);
}

static void put_freshest(const struct crl_head *head, struct buf *out)
{
  if (head->freshest_url == NULL)
    return;
  struct extension_mark mark = extension_begin(out, OID_FRESHEST_CRL, false);
  size_t points = der_begin(out, DER_SEQUENCE);
  size_t point = der_begin(out, DER_SEQUENCE);
  put_point_name(head->freshest_url, out);
  der_end(out, point);
  der_end(out, points);
  extension_end(out, mark);
}

static void put_extensions(const struct crl_head *head, struct buf *out)
{
  static void (*const writers[])(const struct crl_head *head, struct buf *out) = {
      put_authority_key_id, put_number, put_base_number, put_point, put_freshest,
  };
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t sequence = der_begin(out, DER_SEQUENCE);
  for (size_t i = 0; i < ARRAY_LEN(writers); i++)
    writers[i](head, out);
  der_end(out, sequence);
  der_end(out, tagged);
}

/* --- the whole --- */

bool crl_begin(const struct crl_head *head, struct buf *out, struct crl_builder *ret_builder,
               struct fault *f)
{
  struct crl_builder builder = {.head = head, .out = out, .start = out->len};
  if (!check_head(head, f))
    return false;
  builder.tbs = der_begin(out, DER_SEQUENCE);
  der_put_number(out, 1); /* v2 */
  sig_alg_write(head->alg, out);
  buf_add_bytes(out, head->issuer);
  der_put_time(out, head->this_update);
  der_put_time(out, head->next_update);
  *ret_builder = builder;
  return true;
}

bool crl_end(struct crl_builder *builder, struct fault *f)
{
  struct buf *out = builder->out;
  if (builder->n > 0)
    der_end(out, builder->entries);
  put_extensions(builder->head, out);
  der_end(out, builder->tbs);
  if (buf_ok(out) && !builder->bad)
    return true;
  out->len = builder->start;
  return builder->bad
             ? fault_set(f, INTERNAL, "no list can be built: entry %zu is not one", builder->n + 1)
             : fault_no_memory(f);
}

bool crl_frame(size_t tbs_len, enum sig_alg alg, struct bytes signature, struct buf *ret_before,
               struct buf *ret_behind, struct fault *f)
{
  size_t before = ret_before->len, behind = ret_behind->len;
  sig_alg_write(alg, ret_behind);
  der_put_bit_octets(ret_behind, signature);
  der_put_header(ret_before, DER_SEQUENCE, tbs_len + ret_behind->len - behind);
  if (buf_ok(ret_before) && buf_ok(ret_behind))
    return true;
  ret_before->len = before, ret_behind->len = behind;
  return fault_no_memory(f);
}

bool crl_assemble(struct bytes tbs, enum sig_alg alg, struct bytes signature, struct buf *ret_der,
                  struct fault *f)
{
  AUTO(buf) behind = {0};
  size_t start = ret_der->len;
  if (!crl_frame(tbs.len, alg, signature, ret_der, &behind, f))
    return false;
  buf_add_bytes(ret_der, tbs);
  buf_add_bytes(ret_der, buf_bytes(&behind));
  if (buf_ok(ret_der))
    return true;
  ret_der->len = start;
  return fault_no_memory(f);
}
