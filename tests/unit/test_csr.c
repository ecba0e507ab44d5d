/* test_csr.c - the CSR reader, over all folders of tests/cases/csr: what it says of each input, and
 * what OpenSSL's own parser says of the same octets. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/pki/csr.h"

enum { INPUT_MAX = 2 << 20 };

AUTO_POINTER(X509_REQ, X509_REQ, X509_REQ_free)

static int failures;

/* One line for each thing that is not as expected; the test fails at its end. */
#define EXPECT(case_name, condition, ...)                                                          \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      print_error("%s: ", (case_name));                                                            \
      print_error(__VA_ARGS__);                                                                    \
      print_error("\n");                                                                           \
      failures++;                                                                                  \
    }                                                                                              \
  } while (0)

/* --- the folders --- */

static void path_of(const char *name, const char *file, char out[1024])
{
  const char *root = getenv("MINTMARK_SRCDIR");
  snprintf(out, 1024, "%s/tests/cases/csr/%s%s", root != NULL ? root : ".", name, file);
}

static void load(const char *name, const char *file, struct buf *out)
{
  AUTO(fault) f = {0};
  char path[1024];
  path_of(name, file, path);
  if (!file_read(path, INPUT_MAX, out, &f))
    fail_msg("%s", f.detail);
}

static int each_case(void (*check)(const char *name))
{
  char path[1024];
  int n = 0;
  path_of("", "", path);
  DIR *folder = opendir(path);
  assert_non_null(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
      continue;
    check(entry->d_name);
    n++;
  }
  closedir(folder);
  return n;
}

/* The value behind "key: " in expect, or "". */
static const char *expected(struct buf *expect, const char *key, char out[4096])
{
  char start[32];
  out[0] = '\0';
  snprintf(start, sizeof start, "%s: ", key);
  for (const char *line = buf_text(expect); line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, start, strlen(start)) == 0) {
      line += strlen(start);
      snprintf(out, 4096, "%.*s", (int)strcspn(line, "\n"), line);
      break;
    }
  }
  return out;
}

/* --- what OpenSSL says --- */

static X509_REQ *openssl_read(struct bytes der)
{
  const uint8_t *p = der.data;
  X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
  if (req != NULL && p != der.data + der.len) {
    X509_REQ_free(req);
    req = NULL;
  }
  ERR_clear_error();
  return req;
}

static bool openssl_verifies(X509_REQ *req)
{
  EVP_PKEY *key = X509_REQ_get0_pubkey(req);
  bool good = key != NULL && X509_REQ_verify(req, key) == 1;
  ERR_clear_error();
  return good;
}

/* Kind and octets in normal form, as OpenSSL has them. */
static struct san san_of(const GENERAL_NAME *name, uint8_t space[SAN_URI_MAX])
{
  static const struct {
    int type;
    enum san_kind kind;
  } kinds[] = {{GEN_DNS, SAN_DNS}, {GEN_IPADD, SAN_IP}, {GEN_URI, SAN_URI}};
  int type;
  const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
  struct san san = {.kind = 0};
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    if (kinds[i].type == type)
      san.kind = kinds[i].kind;
  assert_true(san.kind != 0 && ASN1_STRING_length(value) <= SAN_URI_MAX);
  san.value = bytes_of(space, (size_t)ASN1_STRING_length(value));
  memcpy(space, ASN1_STRING_get0_data(value), san.value.len);
  for (size_t i = 0; i < san.value.len && san.kind == SAN_DNS; i++)
    space[i] = space[i] >= 'A' && space[i] <= 'Z' ? (uint8_t)(space[i] + 32) : space[i];
  return san;
}

static bool names_agree(X509_REQ *req, const struct sans *names)
{
  uint8_t space[SAN_URI_MAX];
  STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
  GENERAL_NAMES *theirs = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
  bool agree = true;
  for (int i = 0; i < sk_GENERAL_NAME_num(theirs); i++)
    agree &= sans_has(names, san_of(sk_GENERAL_NAME_value(theirs, i), space));
  for (size_t i = 0; i < names->n; i++) {
    struct san ours = sans_get(names, i);
    bool found = false;
    for (int k = 0; k < sk_GENERAL_NAME_num(theirs) && !found; k++) {
      struct san san = san_of(sk_GENERAL_NAME_value(theirs, k), space);
      found = san.kind == ours.kind && bytes_equal(san.value, ours.value);
    }
    agree &= found;
  }
  GENERAL_NAMES_free(theirs);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  ERR_clear_error();
  return agree;
}

static bool is_der_of(uint8_t *der, int len, struct bytes ours)
{
  bool same = len > 0 && bytes_equal(bytes_of(der, (size_t)len), ours);
  OPENSSL_free(der);
  return same;
}

static void compare(const char *name, X509_REQ *req, const struct csr *csr, bool names_too)
{
  uint8_t *der = NULL;
  int len = i2d_X509_NAME(X509_REQ_get_subject_name(req), &der);
  EXPECT(name, is_der_of(der, len, csr->subject), "OpenSSL reads another subject");
  der = NULL;
  len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(req), &der);
  EXPECT(name, is_der_of(der, len, csr->key.spki), "OpenSSL reads another key");
  if (names_too)
    EXPECT(name, names_agree(req, &csr->names), "OpenSSL reads other names");
}

/* --- each case --- */

static void check_names(const char *name, const struct sans *names, struct buf *expect)
{
  static const char *const kinds[SAN_KIND_END] = {
      [SAN_IP] = "ip ", [SAN_DNS] = "dns ", [SAN_URI] = "uri "};
  char wanted[4096];
  AUTO(buf) text = {0};
  if (expected(expect, "count", wanted)[0] != '\0') {
    EXPECT(name, names->n == strtoul(wanted, NULL, 10), "%zu names", names->n);
    return;
  }
  for (size_t i = 0; i < names->n; i++) {
    buf_add_text(&text, i > 0 ? "; " : "");
    buf_add_text(&text, kinds[sans_get(names, i).kind]);
    san_text(sans_get(names, i), &text);
  }
  expected(expect, "names", wanted);
  EXPECT(name, strcmp(buf_text(&text), wanted) == 0, "names are %s", buf_text(&text));
}

static const char *code_of(bool good, const struct fault *f)
{
  return good ? "ok" : fault_problem_code(f->code);
}

static void check_openssl(const char *name, struct bytes der, const struct csr *csr, bool taken,
                          struct buf *expect)
{
  char wanted[4096], why[4096];
  AUTO(X509_REQ) req = openssl_read(der);
  bool accepts = req != NULL && openssl_verifies(req);
  bool differs = strcmp(expected(expect, "openssl", wanted), "differs") == 0;
  EXPECT(name, strcmp(wanted, accepts ? "accepts" : "refuses") == 0 || (differs && accepts),
         "OpenSSL %s", accepts ? "accepts" : "refuses");
  EXPECT(name, accepts || !taken, "taken here, but not by OpenSSL");
  EXPECT(name, accepts == taken || expected(expect, "why", why)[0] != '\0',
         "no reason for the difference");
  if (taken && accepts)
    compare(name, req, csr, !differs);
}

static void check_case(const char *name)
{
  AUTO(buf) input = {0}, expect = {0}, der = {0};
  AUTO(csr) csr = {0};
  AUTO(fault) f = {0}, weak = {0};
  char wanted[4096];
  load(name, "/input", &input);
  load(name, "/expect", &expect);
  bool decoded = csr_decode(buf_bytes(&input), &der, &f);
  bool read = decoded && csr_read(buf_bytes(&der), &csr, &f), verified = false;
  EXPECT(name, strcmp(expected(&expect, "read", wanted), code_of(read, &f)) == 0,
         "read: %s (%s), not %s", code_of(read, &f), f.detail, wanted);
  EXPECT(name, read || f.detail[0] != '\0', "refused without a word");
  if (read) {
    verified = csr_verify(&csr, &f);
    EXPECT(name, strcmp(expected(&expect, "verify", wanted), code_of(verified, &f)) == 0,
           "verify: %s, not %s", code_of(verified, &f), wanted);
    bool strong = pubkey_check_strength(&csr.key, &weak);
    EXPECT(name, strcmp(expected(&expect, "strength", wanted), code_of(strong, &weak)) == 0,
           "strength: %s (%s), not %s", code_of(strong, &weak), weak.detail, wanted);
    check_names(name, &csr.names, &expect);
  }
  if (decoded)
    check_openssl(name, buf_bytes(&der), &csr, verified, &expect);
  else
    EXPECT(name, strcmp(expected(&expect, "openssl", wanted), "nothing") == 0,
           "nothing for OpenSSL to read");
}

static void every_case_is_read_as_expected_and_as_openssl_reads_it(void **state)
{
  (void)state;
  failures = 0;
  int n = each_case(check_case);
  print_message("%d cases\n", n);
  assert_true(n >= 70);
  assert_int_equal(failures, 0);
}

/* --- mutants --- */

static long mutants, mutants_read;

static void try_mutant(const char *name, struct bytes der, const struct csr *original)
{
  AUTO(csr) csr = {0};
  AUTO(fault) f = {0};
  mutants++;
  if (!csr_read(der, &csr, &f))
    return;
  mutants_read++;
  bool same = bytes_equal(csr.info, original->info);
  EXPECT(name, !csr_verify(&csr, &f) || same, "another request verifies with this signature");
  AUTO(X509_REQ) req = openssl_read(der);
  EXPECT(name, req != NULL, "OpenSSL cannot read a mutant that is read here");
}

static void mutate(const char *name)
{
  AUTO(buf) input = {0}, der = {0};
  AUTO(csr) csr = {0};
  AUTO(fault) f = {0};
  load(name, "/input", &input);
  if (!csr_decode(buf_bytes(&input), &der, &f) || !csr_read(buf_bytes(&der), &csr, &f) ||
      !csr_verify(&csr, &f) || !pubkey_check_strength(&csr.key, &f))
    return;
  AUTO(buf) mutant = {0};
  buf_add_bytes(&mutant, buf_bytes(&der));
  bool thorough = strcmp(name, "good-p256") == 0 || strcmp(name, "good-ed25519") == 0;
  size_t step = der.len > 500 ? der.len / 250 : 1;
  for (size_t i = 0; i < der.len; i += step)
    for (unsigned bit = thorough ? 0 : i % 8; bit < 8; bit += thorough ? 1 : 8) {
      mutant.data[i] ^= (uint8_t)(1u << bit);
      try_mutant(name, buf_bytes(&mutant), &csr);
      mutant.data[i] = der.data[i];
    }
  for (size_t len = 0; len < der.len; len++) {
    AUTO(csr) cut = {0};
    EXPECT(name, !csr_read(bytes_of(der.data, len), &cut, &f), "read though cut to %zu", len);
  }
}

static void no_mutant_is_taken_for_the_request(void **state)
{
  (void)state;
  failures = 0;
  each_case(mutate);
  print_message("%ld mutants, %ld could be read\n", mutants, mutants_read);
  assert_true(mutants > 5000 && mutants_read > 100);
  assert_int_equal(failures, 0);
}

/* --- what a caller relies on --- */

static void a_fault_leaves_the_output_as_it_was(void **state)
{
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  (void)state;
  buf_add_text(&der, "before");
  assert_false(csr_decode(bytes_of_text("-----BEGIN CERTIFICATE-----\nMAA=\n"
                                        "-----END CERTIFICATE-----\n"),
                          &der, &f));
  assert_false(csr_decode(bytes_of_text("MAA=!"), &der, &f));
  assert_string_equal(buf_text(&der), "before");
}

static void every_rejected_name_is_said(void **state)
{
  AUTO(buf) input = {0};
  AUTO(csr) csr = {0};
  AUTO(fault) f = {0};
  (void)state;
  load("name-underscore", "/input", &input);
  assert_false(csr_read(buf_bytes(&input), &csr, &f));
  assert_int_equal(f.n_items, 1);
  assert_string_equal(f.items[0].name, "my_widget.example");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_case_is_read_as_expected_and_as_openssl_reads_it),
      cmocka_unit_test(no_mutant_is_taken_for_the_request),
      cmocka_unit_test(a_fault_leaves_the_output_as_it_was),
      cmocka_unit_test(every_rejected_name_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
