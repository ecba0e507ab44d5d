/* test_cms.c - a bag of certificates that OpenSSL opens, with each certificate in it once. */
#include "tests/unit/unit.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/pki/cms.h"
#include "tests/unit/cases.h"
#include "tests/unit/cert_case.h"

enum { BAG = 4 };

static void make_certs(struct buf certs[BAG])
{
  static const char *const names[BAG] = {"server-ip", "no-names", "issuing-path-0", "root"};
  for (size_t i = 0; i < BAG; i++) {
    AUTO(cert_case) c = {0};
    AUTO(buf) input = {0};
    case_read("cert/build", names[i], "input", &input);
    cert_case_read(buf_bytes(&input), &c);
    cert_case_make(&c, &certs[i]);
  }
}

static bool bag_has(const PKCS7 *bag, const struct buf *cert)
{
  STACK_OF(X509) *certs = bag->d.sign->cert;
  for (int i = 0; i < sk_X509_num(certs); i++) {
    uint8_t *der = NULL;
    int len = i2d_X509(sk_X509_value(certs, i), &der);
    bool same = bytes_equal(bytes_of(der, (size_t)len), buf_bytes(cert));
    OPENSSL_free(der);
    if (same)
      return true;
  }
  return false;
}

static void a_bag_opens_with_openssl_and_holds_every_certificate(void **state)
{
  (void)state;
  struct buf certs[BAG] = {{0}};
  make_certs(certs);
  for (size_t n = 1; n <= BAG; n++) {
    struct bytes spans[BAG];
    AUTO(buf) der = {0};
    for (size_t i = 0; i < n; i++)
      spans[i] = buf_bytes(&certs[i]);
    cms_certs_only(spans, n, &der);
    const uint8_t *p = der.data;
    PKCS7 *bag = d2i_PKCS7(NULL, &p, (long)der.len);
    assert_non_null(bag);
    assert_ptr_equal(p, der.data + der.len);
    assert_true(PKCS7_type_is_signed(bag));
    assert_int_equal(ASN1_INTEGER_get(bag->d.sign->version), 1);
    assert_int_equal(sk_X509_num(bag->d.sign->cert), n);
    for (size_t i = 0; i < n; i++)
      assert_true(bag_has(bag, &certs[i]));
    /* OpenSSL sorts a SET OF when it writes one: ours is in that order already. */
    uint8_t *again = NULL;
    int len = i2d_PKCS7(bag, &again);
    assert_true(bytes_equal(bytes_of(again, (size_t)len), buf_bytes(&der)));
    OPENSSL_free(again);
    PKCS7_free(bag);
  }
  for (size_t i = 0; i < BAG; i++)
    buf_free(&certs[i]);
}

static void the_order_they_are_given_in_does_not_matter(void **state)
{
  (void)state;
  struct buf certs[BAG] = {{0}};
  make_certs(certs);
  AUTO(buf) forward = {0};
  AUTO(buf) backward = {0};
  struct bytes spans[BAG], reversed[BAG];
  for (size_t i = 0; i < BAG; i++) {
    spans[i] = buf_bytes(&certs[i]);
    reversed[BAG - 1 - i] = spans[i];
  }
  cms_certs_only(spans, BAG, &forward);
  cms_certs_only(reversed, BAG, &backward);
  assert_true(bytes_equal(buf_bytes(&forward), buf_bytes(&backward)));
  for (size_t i = 0; i < BAG; i++)
    buf_free(&certs[i]);
}

static void the_openssl_program_prints_the_bag(void **state)
{
  (void)state;
  struct buf certs[BAG] = {{0}};
  struct bytes spans[BAG];
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  char path[] = "/tmp/mintmark-test-cms-XXXXXX", command[128], line[256];
  int fd = mkstemp(path), n_subjects = 0;
  assert_true(fd >= 0);
  make_certs(certs);
  for (size_t i = 0; i < BAG; i++)
    spans[i] = buf_bytes(&certs[i]);
  cms_certs_only(spans, BAG, &der);
  assert_true(file_write(path, buf_bytes(&der), 0600, true, &f));
  snprintf(command, sizeof command, "openssl pkcs7 -inform DER -print_certs -noout -in %s", path);
  FILE *out = popen(command, "re");
  assert_non_null(out);
  while (fgets(line, sizeof line, out) != NULL)
    n_subjects += strncmp(line, "subject=", 8) == 0;
  assert_int_equal(pclose(out), 0);
  assert_int_equal(n_subjects, BAG);
  remove(path);
  close(fd);
  for (size_t i = 0; i < BAG; i++)
    buf_free(&certs[i]);
}

static int free_keys(void **state)
{
  (void)state;
  cert_case_free_keys();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bag_opens_with_openssl_and_holds_every_certificate),
      cmocka_unit_test(the_order_they_are_given_in_does_not_matter),
      cmocka_unit_test(the_openssl_program_prints_the_bag),
  };
  return cmocka_run_group_tests(tests, NULL, free_keys);
}
