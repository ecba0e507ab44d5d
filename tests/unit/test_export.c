/* test_export.c - what is exported compiles everywhere, opens everywhere, and holds the same
 * octets.
 */
#include "tests/unit/unit.h"

#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/pki/export.h"
#include "lib/pki/pem.h"
#include "tests/unit/cases.h"
#include "tests/unit/cert_case.h"

/* A leaf, a CA, and the leaf's key. */
struct material {
  struct buf certs[2];
  struct bytes chain[2];
  struct export_input in;
};

static void make_material(struct material *m)
{
  static const char *const names[] = {"server-ip", "issuing-path-0"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(cert_case) c = {0};
    AUTO(buf) input = {0};
    case_read("cert/build", names[i], "input", &input);
    cert_case_read(buf_bytes(&input), &c);
    m->certs[i] = (struct buf){0};
    cert_case_make(&c, &m->certs[i]);
    m->chain[i] = buf_bytes(&m->certs[i]);
  }
  m->in = (struct export_input){m->chain, 2, cert_case_key("ec-p256")};
}

static void free_material(struct material *m)
{
  buf_free(&m->certs[0]);
  buf_free(&m->certs[1]);
}

AUTO_VALUE(material, struct material, free_material)

/* --- a folder for a compiler to work in --- */

struct folder {
  char path[64];
};

static void make_folder(struct folder *d)
{
  strcpy(d->path, "/tmp/mintmark-test-export-XXXXXX");
  assert_non_null(mkdtemp(d->path));
}

static void remove_folder(struct folder *d)
{
  char command[96];
  snprintf(command, sizeof command, "rm -rf %s", d->path);
  assert_int_equal(system(command), 0);
}

AUTO_VALUE(folder, struct folder, remove_folder)

static void put_file(const struct folder *d, const char *name, struct bytes content)
{
  char path[128];
  AUTO(fault) f = {0};
  snprintf(path, sizeof path, "%s/%s", d->path, name);
  if (!file_write(path, content, 0600, true, &f))
    fail_msg("%s", f.detail);
}

static void run(const struct folder *d, const char *command)
{
  char line[512];
  snprintf(line, sizeof line, "cd %s && %s", d->path, command);
  if (system(line) != 0)
    fail_msg("this failed: %s", line);
}

static void check_file(const struct folder *d, const char *name, struct bytes wanted)
{
  char path[128];
  AUTO(buf) found = {0};
  AUTO(fault) f = {0};
  snprintf(path, sizeof path, "%s/%s", d->path, name);
  assert_true(file_read(path, 1 << 20, &found, &f));
  if (!bytes_equal(buf_bytes(&found), wanted))
    fail_msg("%s holds other octets", name);
}

/* --- C --- */

static const char main_source[] =
    "#include <stdio.h>\n"
    "#include \"w1001.h\"\n"
    "#include \"w1001.h\"\n"
    "static int save(const char *name, const unsigned char *octets, size_t len)\n"
    "{\n"
    "  FILE *out = fopen(name, \"wb\");\n"
    "  return out == NULL || fwrite(octets, 1, len, out) != len || fclose(out) != 0;\n"
    "}\n"
    "int main(void)\n"
    "{\n"
    "  if (sizeof w1001_certificate_der != w1001_certificate_der_len)\n"
    "    return 1;\n"
    "  return save(\"leaf\", w1001_certificate_der, w1001_certificate_der_len) ||\n"
    "         save(\"chain\", w1001_chain_pem, w1001_chain_pem_len)\n"
    "#ifdef WITH_KEY\n"
    "         || save(\"key\", w1001_private_key_der, w1001_private_key_der_len)\n"
    "#endif\n"
    "      ;\n"
    "}\n";

static void check_compiler(const struct material *m, const char *compile, bool with_key)
{
  AUTO(folder) d = {{0}};
  AUTO(buf) source = {0};
  AUTO(buf) header = {0};
  AUTO(buf) pem = {0};
  AUTO(secret_buf) key = {0};
  AUTO(fault) f = {0};
  char command[400];
  struct export_input in = m->in;
  if (!with_key)
    in.key = NULL;
  make_folder(&d);
  if (!export_c(&in, "w1001", "w1001.h", &source, &header, &f))
    fail_msg("%s", f.detail);
  put_file(&d, "w1001.c", buf_bytes(&source));
  put_file(&d, "w1001.h", buf_bytes(&header));
  put_file(&d, "main.c", bytes_of_text(main_source));
  snprintf(command, sizeof command, "%s%s", compile, with_key ? " -DWITH_KEY" : "");
  run(&d, command);
  run(&d, "./program");
  check_file(&d, "leaf", m->chain[0]);
  pem_add(&pem, "CERTIFICATE", m->chain[0]);
  pem_add(&pem, "CERTIFICATE", m->chain[1]);
  buf_add_u8(&pem, '\0');
  check_file(&d, "chain", buf_bytes(&pem));
  if (with_key) {
    assert_true(private_key_write_der(m->in.key, true, &key, &f));
    check_file(&d, "key", buf_bytes(&key));
  } else {
    assert_null(strstr(buf_text(&source), "private_key"));
    assert_null(strstr(buf_text(&header), "private_key"));
  }
}

#define STRICT " -pedantic -Wall -Wextra -Werror "

static void the_c_source_compiles_anywhere_and_holds_the_octets(void **state)
{
  (void)state;
  static const char *const compilers[] = {
      "cc -std=c89" STRICT "-o program main.c w1001.c",
      "cc -std=c11" STRICT "-o program main.c w1001.c",
      "c++ -x c++ -std=c++11" STRICT "-o program main.c w1001.c",
      /* firmware in C++ with the octets in C, and the other way round */
      "cc -c -std=c89" STRICT "w1001.c && c++ -x c++ -std=c++11" STRICT
      "-o program main.c -x none w1001.o",
      "c++ -x c++ -std=c++11 -c" STRICT "w1001.c && cc -std=c89" STRICT "-o program main.c w1001.o",
  };
  AUTO(material) m = {0};
  make_material(&m);
  for (size_t i = 0; i < ARRAY_LEN(compilers); i++)
    check_compiler(&m, compilers[i], true);
  check_compiler(&m, compilers[0], false);
}

static void names_that_are_none_in_c_are_refused(void **state)
{
  (void)state;
  static const char *const names[] = {"", "1st", "w-1001", "w 1", "w;", "wé", "a\nb"};
  static const char *const headers[] = {"", "a\"b.h", "a\nb.h", "dir/x.h", "a\\b.h"};
  AUTO(material) m = {0};
  make_material(&m);
  for (size_t i = 0; i < ARRAY_LEN(names) + ARRAY_LEN(headers); i++) {
    AUTO(buf) source = {0};
    AUTO(buf) header = {0};
    AUTO(fault) f = {0};
    bool is_name = i < ARRAY_LEN(names);
    assert_false(export_c(&m.in, is_name ? names[i] : "w",
                          is_name ? "w.h" : headers[i - ARRAY_LEN(names)], &source, &header, &f));
    assert_int_equal(f.code, FAULT_BAD_USAGE);
    assert_int_equal(source.len + header.len, 0);
  }
}

/* --- PKCS #12 --- */

static PKCS12 *openssl_reads(const struct buf *der)
{
  const uint8_t *p = der->data;
  PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)der->len);
  assert_non_null(p12);
  return p12;
}

static void check_p12(const struct material *m, const char *passphrase, bool with_key)
{
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  EVP_PKEY *key = NULL;
  X509 *cert = NULL;
  STACK_OF(X509) *issuers = NULL;
  struct export_input in = m->in;
  if (!with_key)
    in.key = NULL;
  if (!export_p12(&in, bytes_of_text(passphrase), "W-1001", &der, &f))
    fail_msg("%s", f.detail);
  PKCS12 *p12 = openssl_reads(&der);
  assert_int_equal(PKCS12_parse(p12, "not it", &key, &cert, &issuers), 0);
  assert_int_equal(PKCS12_parse(p12, passphrase, &key, &cert, &issuers), 1);
  assert_int_equal(key != NULL, with_key);
  if (with_key)
    assert_int_equal(EVP_PKEY_eq(key, private_key_evp(m->in.key)), 1);
  assert_int_equal((cert != NULL) + sk_X509_num(issuers), 2);
  EVP_PKEY_free(key);
  X509_free(cert);
  sk_X509_pop_free(issuers, X509_free);
  PKCS12_free(p12);
}

static void a_p12_opens_with_its_passphrase_alone(void **state)
{
  (void)state;
  AUTO(material) m = {0};
  make_material(&m);
  check_p12(&m, "open sesame", true);
  check_p12(&m, "", true);
  check_p12(&m, "", false);
}

static void the_openssl_program_opens_the_p12_and_finds_aes_and_sha256(void **state)
{
  (void)state;
  AUTO(material) m = {0};
  AUTO(folder) d = {{0}};
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  make_material(&m);
  make_folder(&d);
  assert_true(export_p12(&m.in, bytes_of_text("pw"), "W-1001", &der, &f));
  put_file(&d, "w.p12", buf_bytes(&der));
  run(&d, "openssl pkcs12 -in w.p12 -passin pass:pw -noenc -info >out 2>info");
  run(&d, "grep -q 'MAC: sha256, Iteration 600000' info");
  run(&d, "grep -q 'Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF "
          "hmacWithSHA256' info");
  run(&d, "grep -q 'PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC' info");
  run(&d, "grep -q 'friendlyName: W-1001' out");
  run(&d, "test $(grep -c 'BEGIN CERTIFICATE' out) = 2");
  run(&d, "grep -q 'BEGIN PRIVATE KEY' out");
}

static void a_p12_of_nothing_or_of_what_is_no_certificate_is_refused(void **state)
{
  (void)state;
  AUTO(material) m = {0};
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  make_material(&m);
  struct export_input in = m.in;
  in.n_chain = 0;
  assert_false(export_p12(&in, bytes_of_text("x"), "n", &der, &f));
  assert_int_equal(f.code, FAULT_BAD_USAGE);
  assert_false(export_p12(&m.in, bytes_of("a\0b", 3), "n", &der, &f));
  assert_int_equal(f.code, FAULT_BAD_USAGE);
  m.chain[1] = bytes_of_text("no certificate");
  assert_false(export_p12(&m.in, bytes_of_text("x"), "n", &der, &f));
  assert_int_equal(der.len, 0);
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
      cmocka_unit_test(the_c_source_compiles_anywhere_and_holds_the_octets),
      cmocka_unit_test(names_that_are_none_in_c_are_refused),
      cmocka_unit_test(a_p12_opens_with_its_passphrase_alone),
      cmocka_unit_test(the_openssl_program_opens_the_p12_and_finds_aes_and_sha256),
      cmocka_unit_test(a_p12_of_nothing_or_of_what_is_no_certificate_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, free_keys);
}
