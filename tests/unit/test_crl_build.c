/* test_crl_build.c - the lists that are built are read by our own strict reader and by OpenSSL,
 * which both see in them what went in. */
#include "tests/unit/unit.h"

#include <openssl/x509v3.h>

#include "lib/base/when.h"
#include "lib/pki/crl.h"
#include "lib/pki/crl_build.h"
#include "lib/pki/name.h"
#include "lib/pki/private_key.h"

enum { NOW = 1795420800, DAY_S = 86400, SERIAL_NUMBER_MAX = 20 };

static const uint8_t key_id[PUBKEY_ID_LEN] = {0x80, 1, 2, 3};
static const char point[] = "http://ca.widgets.example/crl/issuing/7.crl";
static const char freshest[] = "http://ca.widgets.example/crl/issuing/7-delta.crl";

static struct buf issuer;

static int make_issuer(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  const struct name_part parts[] = {{ATTR_COMMON_NAME, bytes_of_text("Issuing")},
                                    {ATTR_ORGANIZATION, bytes_of_text("Widgets")}};
  return name_write(parts, ARRAY_LEN(parts), &issuer, &f) ? 0 : -1;
}

static int free_issuer(void **state)
{
  (void)state;
  buf_free(&issuer);
  return 0;
}

static struct crl_head head_of(uint64_t number)
{
  return (struct crl_head){.alg = SIG_ECDSA_SHA256,
                           .issuer = buf_bytes(&issuer),
                           .this_update = NOW,
                           .next_update = NOW + 7 * DAY_S,
                           .authority_key_id = bytes_of(key_id, sizeof key_id),
                           .number = number};
}

/* Serial numbers of every length, with and without the highest bit. */
static struct bytes serial_number_of(unsigned n, uint8_t octets[SERIAL_NUMBER_MAX])
{
  size_t len = 1 + n % SERIAL_NUMBER_MAX;
  memset(octets, 0xe1, SERIAL_NUMBER_MAX);
  octets[0] = (uint8_t)(len == SERIAL_NUMBER_MAX ? 0x7f : 0x81 ^ n << 7);
  octets[len - 1] = (uint8_t)(n / SERIAL_NUMBER_MAX % 100 + 1);
  return bytes_of(octets, len);
}

static unsigned reason_of(unsigned n)
{
  static const unsigned reasons[] = {0, 1, 2, 3, 4, 5, 6, 9, 10};
  return reasons[n % ARRAY_LEN(reasons)];
}

static int64_t revoked_at_of(unsigned n)
{
  return n % 97 == 5 ? INT64_C(2524608000) : NOW - (int64_t)n; /* in 2050, and by then */
}

static void build(const struct crl_head *head, unsigned n, struct buf *ret_tbs)
{
  AUTO(fault) f = {0};
  struct crl_builder builder;
  uint8_t octets[SERIAL_NUMBER_MAX];
  assert_true(crl_begin(head, ret_tbs, &builder, &f));
  for (unsigned i = 0; i < n; i++)
    crl_add(&builder, serial_number_of(i, octets), revoked_at_of(i), reason_of(i));
  if (!crl_end(&builder, &f))
    fail_msg("%s", f.detail);
}

static void sign(const struct private_key *key, struct bytes tbs, struct buf *ret_der)
{
  AUTO(fault) f = {0};
  AUTO(buf) signature = {0};
  assert_true(private_key_sign(key, tbs, &signature, &f));
  assert_true(crl_assemble(tbs, private_key_alg(key), buf_bytes(&signature), ret_der, &f));
}

/* --- as OpenSSL sees it --- */

static int64_t instant_of(const ASN1_TIME *time)
{
  struct tm tm;
  assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
  struct when_civil civil = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                             tm.tm_hour,        tm.tm_min,     tm.tm_sec};
  int64_t instant;
  assert_true(when_from_civil(&civil, &instant));
  return instant;
}

static void assert_serial_number(const ASN1_INTEGER *number, struct bytes magnitude)
{
  BIGNUM *bn = ASN1_INTEGER_to_BN(number, NULL);
  uint8_t octets[SERIAL_NUMBER_MAX];
  int len = BN_bn2bin(bn, octets);
  assert_true(bytes_equal(bytes_of(octets, (size_t)len), magnitude));
  BN_free(bn);
}

static unsigned reason_in(const X509_REVOKED *entry)
{
  int critical;
  ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, &critical, NULL);
  unsigned reason = code != NULL ? (unsigned)ASN1_ENUMERATED_get(code) : 0;
  assert_true(code == NULL ? critical == -1 : critical == 0 && reason > 0);
  ASN1_ENUMERATED_free(code);
  return reason;
}

static void assert_entries(X509_CRL *list, unsigned n)
{
  const STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(list);
  uint8_t octets[SERIAL_NUMBER_MAX];
  if (n == 0)
    assert_null(entries);
  else
    assert_int_equal(sk_X509_REVOKED_num(entries), n);
  for (unsigned i = 0; i < n; i++) {
    const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, (int)i);
    assert_serial_number(X509_REVOKED_get0_serialNumber(entry), serial_number_of(i, octets));
    assert_int_equal(instant_of(X509_REVOKED_get0_revocationDate(entry)), revoked_at_of(i));
    assert_int_equal(reason_in(entry), reason_of(i));
  }
}

static X509_CRL *openssl_reads(struct bytes der)
{
  const uint8_t *p = der.data;
  X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)der.len);
  assert_non_null(list);
  assert_ptr_equal(p, der.data + der.len);
  return list;
}

static void every_length_is_read_back_and_verified(void **state)
{
  (void)state;
  static const char *const kinds[] = {"ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"};
  static const unsigned sizes[] = {0, 1, 2, 3, 9, 1000, 5000};
  for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
    AUTO(fault) f = {0};
    AUTO(private_key) key = NULL;
    assert_true(private_key_generate(kinds[k], &key, &f));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
      AUTO(buf) tbs = {0}, der = {0};
      struct crl crl;
      struct crl_head head = head_of(UINT64_C(0x8000000000000000) + i);
      head.alg = private_key_alg(key);
      build(&head, sizes[i], &tbs);
      sign(key, buf_bytes(&tbs), &der);
      if (!crl_read(buf_bytes(&der), &crl, &f))
        fail_msg("%u entries: %s", sizes[i], f.detail);
      assert_int_equal(crl.n_revoked, sizes[i]);
      assert_true(crl.this_update == head.this_update && crl.next_update == head.next_update);
      assert_true(bytes_equal(crl.issuer, head.issuer));
      assert_true(bytes_equal(crl.tbs, buf_bytes(&tbs)));
      assert_false(crl.is_delta || crl.is_partial);
      X509_CRL *list = openssl_reads(buf_bytes(&der));
      assert_int_equal(X509_CRL_verify(list, private_key_evp(key)), 1);
      assert_int_equal(X509_CRL_get_version(list), 1);
      assert_entries(list, sizes[i]);
      X509_CRL_free(list);
    }
  }
}

/* --- extensions --- */

static uint64_t number_in(X509_CRL *list, int nid, int is_critical)
{
  int critical;
  uint64_t value;
  ASN1_INTEGER *number = X509_CRL_get_ext_d2i(list, nid, &critical, NULL);
  if (number == NULL)
    return 0;
  assert_int_equal(critical, is_critical);
  assert_int_equal(ASN1_INTEGER_get_uint64(&value, number), 1);
  ASN1_INTEGER_free(number);
  return value;
}

static void assert_full_name(const DIST_POINT_NAME *name, const char *url)
{
  assert_non_null(name);
  assert_int_equal(name->type, 0);
  assert_int_equal(sk_GENERAL_NAME_num(name->name.fullname), 1);
  const GENERAL_NAME *only = sk_GENERAL_NAME_value(name->name.fullname, 0);
  assert_int_equal(only->type, GEN_URI);
  const ASN1_IA5STRING *text = only->d.uniformResourceIdentifier;
  assert_true(bytes_equal(bytes_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)),
                          bytes_of_text(url)));
}

static void assert_point(X509_CRL *list, const char *url)
{
  int critical;
  ISSUING_DIST_POINT *idp =
      X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, &critical, NULL);
  assert_true((idp != NULL) == (url != NULL));
  if (url == NULL)
    return;
  assert_int_equal(critical, 1);
  assert_full_name(idp->distpoint, url);
  assert_true(idp->onlyuser == 0 && idp->onlyCA == 0 && idp->onlyattr == 0 &&
              idp->indirectCRL == 0 && idp->onlysomereasons == NULL);
  ISSUING_DIST_POINT_free(idp);
}

static void assert_freshest(X509_CRL *list, const char *url)
{
  int critical;
  CRL_DIST_POINTS *points = X509_CRL_get_ext_d2i(list, NID_freshest_crl, &critical, NULL);
  assert_true((points != NULL) == (url != NULL));
  if (url == NULL)
    return;
  assert_int_equal(critical, 0);
  assert_int_equal(sk_DIST_POINT_num(points), 1);
  assert_full_name(sk_DIST_POINT_value(points, 0)->distpoint, url);
  CRL_DIST_POINTS_free(points);
}

static void each_kind_of_list_says_what_it_is(void **state)
{
  (void)state;
  static const struct {
    uint64_t number, base;
    const char *point, *freshest;
  } rows[] = {
      {1, 0, NULL, NULL},      {2, 0, NULL, freshest}, {3, 0, point, NULL},
      {4, 0, point, freshest}, {300, 255, NULL, NULL}, {UINT64_MAX, 128, point, NULL},
  };
  AUTO(fault) f = {0};
  AUTO(private_key) key = NULL;
  assert_true(private_key_generate("ec-p256", &key, &f));
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(buf) tbs = {0}, der = {0};
    struct crl crl;
    struct crl_head head = head_of(rows[i].number);
    head.base_number = rows[i].base;
    head.point_url = rows[i].point;
    head.freshest_url = rows[i].freshest;
    build(&head, 2, &tbs);
    sign(key, buf_bytes(&tbs), &der);
    assert_true(crl_read(buf_bytes(&der), &crl, &f));
    assert_int_equal(crl.is_delta, rows[i].base != 0);
    assert_int_equal(crl.is_partial, rows[i].point != NULL);
    assert_true(
        bytes_equal(crl.point_url, bytes_of_text(rows[i].point != NULL ? rows[i].point : "")));
    X509_CRL *list = openssl_reads(buf_bytes(&der));
    assert_true(number_in(list, NID_crl_number, 0) == rows[i].number);
    assert_true(number_in(list, NID_delta_crl, 1) == rows[i].base);
    assert_point(list, rows[i].point);
    assert_freshest(list, rows[i].freshest);
    X509_CRL_free(list);
  }
}

static void what_is_off_hold_is_told_by_a_delta_alone(void **state)
{
  (void)state;
  AUTO(buf) tbs = {0};
  AUTO(fault) f = {0};
  struct crl_builder builder;
  struct crl crl;
  struct crl_head head = head_of(8);
  assert_true(crl_begin(&head, &tbs, &builder, &f));
  crl_add(&builder, bytes_of("\5", 1), NOW, CRL_ENTRY_REMOVE);
  assert_false(crl_end(&builder, &f));
  assert_int_equal(f.code, FAULT_INTERNAL);
  head.base_number = 7;
  assert_true(crl_begin(&head, &tbs, &builder, &f));
  crl_add(&builder, bytes_of("\5", 1), NOW, CRL_ENTRY_REMOVE);
  assert_true(crl_end(&builder, &f));
  assert_true(crl_tbs_read(buf_bytes(&tbs), &crl, &f));
  assert_true(crl_has(&crl, bytes_of("\5", 1)));
  assert_true(bytes_equal(crl.base_number, bytes_of("\7", 1)));
}

/* --- what is refused --- */

static void no_list_follows_from_a_head_that_is_wrong(void **state)
{
  (void)state;
  enum { CASES = 10 };
  struct crl_head heads[CASES];
  for (size_t i = 0; i < CASES; i++)
    heads[i] = head_of(5);
  heads[0].issuer = (struct bytes){0};
  heads[1].issuer = bytes_of("\x30\x00", 2);
  heads[2].authority_key_id = (struct bytes){0};
  heads[3].next_update = heads[3].this_update;
  heads[4].next_update = WHEN_NEVER + 1;
  heads[5].number = 0;
  heads[6].base_number = 5;
  heads[7].point_url = "http://a b";
  heads[8].freshest_url = "";
  heads[9].base_number = 4, heads[9].freshest_url = freshest;
  for (size_t i = 0; i < CASES; i++) {
    AUTO(buf) out = {0};
    AUTO(fault) f = {0};
    struct crl_builder builder;
    if (crl_begin(&heads[i], &out, &builder, &f))
      fail_msg("head %zu is taken", i);
    assert_int_equal(f.code, FAULT_INTERNAL);
    assert_int_equal(out.len, 0);
  }
}

static void an_entry_that_is_none_spoils_the_list(void **state)
{
  (void)state;
  static const uint8_t long_one[SERIAL_NUMBER_MAX] = {0x80};
  static const struct {
    struct bytes serial_number;
    int64_t at;
    unsigned reason;
  } rows[] = {
      {{0}, NOW, 0},
      {{(const uint8_t *)"", 1}, NOW, 0},
      {{long_one, sizeof long_one}, NOW, 0},
      {{(const uint8_t *)"\1", 1}, NOW, 7},
      {{(const uint8_t *)"\1", 1}, NOW, 11},
      {{(const uint8_t *)"\1", 1}, WHEN_NEVER + 1, 0},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(buf) out = {0};
    AUTO(fault) f = {0};
    struct crl_builder builder;
    struct crl_head head = head_of(5);
    buf_add_text(&out, "before");
    assert_true(crl_begin(&head, &out, &builder, &f));
    crl_add(&builder, bytes_of("\1", 1), NOW, 0);
    crl_add(&builder, rows[i].serial_number, rows[i].at, rows[i].reason);
    crl_add(&builder, bytes_of("\2", 1), NOW, 0);
    assert_false(crl_end(&builder, &f));
    assert_int_equal(f.code, FAULT_INTERNAL);
    assert_string_equal(buf_text(&out), "before");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_length_is_read_back_and_verified),
      cmocka_unit_test(each_kind_of_list_says_what_it_is),
      cmocka_unit_test(what_is_off_hold_is_told_by_a_delta_alone),
      cmocka_unit_test(no_list_follows_from_a_head_that_is_wrong),
      cmocka_unit_test(an_entry_that_is_none_spoils_the_list),
  };
  return cmocka_run_group_tests(tests, make_issuer, free_issuer);
}
