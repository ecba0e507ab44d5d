/* test_webhook.c - what a webhook signs, how long it waits, and which secrets it takes. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/webhook.h"
#include "daemon/webhook_sign.h"
#include "lib/base/file.h"

/* --- the signature --- */

/* printf '1700000000.{"id":1}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef */
static void a_signature_is_what_openssl_makes_of_it(void **state)
{
  AUTO(fault) f = {0};
  char signature[WEBHOOK_SIGNATURE_SIZE];
  (void)state;
  assert_true(webhook_sign(bytes_of_text("0123456789abcdef0123456789abcdef"), 1700000000,
                           bytes_of_text("{\"id\":1}"), signature, &f));
  assert_string_equal(
      signature,
      "t=1700000000,v1=d6989efa5d36e098e7cd61bcf899746c0d8e82e6a6092b9b76579c2efd9729bf");
}

static void another_secret_time_or_body_is_another_signature(void **state)
{
  static const struct {
    const char *secret, *body;
    int64_t at;
  } rows[] = {{"0123456789abcdef0123456789abcdef", "{}", 1700000000},
              {"0123456789abcdef0123456789abcdee", "{}", 1700000000},
              {"0123456789abcdef0123456789abcdef", "{ }", 1700000000},
              {"0123456789abcdef0123456789abcdef", "{}", 1700000001}};
  char signatures[ARRAY_LEN(rows)][WEBHOOK_SIGNATURE_SIZE];
  AUTO(fault) f = {0};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    assert_true(webhook_sign(bytes_of_text(rows[i].secret), rows[i].at, bytes_of_text(rows[i].body),
                             signatures[i], &f));
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(strstr(signatures[i], "v1="), strstr(signatures[k], "v1="));
  }
}

/* --- the pause --- */

static void pauses_double_from_a_second_to_five_minutes(void **state)
{
  static const int64_t most[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000};
  (void)state;
  for (unsigned n = 1; n <= ARRAY_LEN(most); n++) {
    assert_int_equal(webhook_pause_ms(n, 0), most[n - 1]);
    for (uint32_t random = 1; random > 0 && random < UINT32_MAX / 3; random = random * 3 + 1)
      assert_in_range(webhook_pause_ms(n, random), most[n - 1] * 3 / 4, most[n - 1]);
  }
  assert_int_equal(webhook_pause_ms(10, 0), 300000);
  assert_int_equal(webhook_pause_ms(UINT32_MAX, 0), 300000);
}

/* --- the secret --- */

static char folder[] = "/tmp/mintmark-webhook-XXXXXX";

static const char *path_of(const char *name, char out[64])
{
  snprintf(out, 64, "%s/%s", folder, name);
  return out;
}

static void write_text(const char *name, const char *text, mode_t mode)
{
  AUTO(fault) f = {0};
  char path[64];
  assert_true(file_write(path_of(name, path), bytes_of_text(text), mode, true, &f));
  assert_int_equal(chmod(path, mode), 0);
}

static enum fault_code load(const char *secret, const char *cacert, struct webhook_setup *setup)
{
  AUTO(fault) f = {0};
  char secret_path[64], cacert_path[64];
  struct conf_webhook conf = {
      .name = "mes", .url = (char *)(uintptr_t) "https://mes.example/", .kinds = 2, .timeout_s = 7};
  conf.secret_file = (char *)(uintptr_t)path_of(secret, secret_path);
  if (cacert != NULL)
    conf.cacert = (char *)(uintptr_t)path_of(cacert, cacert_path);
  if (!webhook_setup_load(&conf, setup, &f))
    assert_non_null(strstr(f.detail, "webhook \"mes\""));
  return f.code;
}

static void a_secret_is_taken_without_its_line_end(void **state)
{
  static const char *const texts[] = {"0123456789abcdef0123456789abcdef",
                                      "0123456789abcdef0123456789abcdef\n",
                                      "0123456789abcdef0123456789abcdef\r\n"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    AUTO(webhook_setup) setup = {0};
    write_text("secret", texts[i], 0600);
    assert_int_equal(load("secret", NULL, &setup), FAULT_NONE);
    assert_true(bytes_equal(buf_bytes(&setup.secret), bytes_of_text(texts[0])));
    assert_int_equal(setup.timeout_ms, 7000);
    assert_string_equal(setup.url, "https://mes.example/");
  }
}

static void a_secret_that_is_short_long_or_open_to_others_is_refused(void **state)
{
  AUTO(webhook_setup) setup = {0};
  char long_text[1200];
  (void)state;
  memset(long_text, 'a', sizeof long_text);
  long_text[sizeof long_text - 1] = '\0';
  write_text("short", "0123456789abcdef0123456789abcde\n", 0600);
  assert_int_equal(load("short", NULL, &setup), FAULT_BAD_FILE);
  write_text("long", long_text, 0600);
  assert_int_equal(load("long", NULL, &setup), FAULT_FILE_ERROR);
  write_text("open", "0123456789abcdef0123456789abcdef\n", 0640);
  assert_int_equal(load("open", NULL, &setup), FAULT_BAD_FILE);
  assert_int_equal(load("nowhere", NULL, &setup), FAULT_FILE_ERROR);
  assert_int_equal(load(".", NULL, &setup), FAULT_BAD_FILE);
  assert_null(setup.url);
}

static void what_is_no_certificate_is_refused_as_one(void **state)
{
  AUTO(webhook_setup) setup = {0};
  (void)state;
  write_text("secret", "0123456789abcdef0123456789abcdef\n", 0600);
  write_text("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0644);
  assert_int_not_equal(load("secret", "ca.pem", &setup), FAULT_NONE);
  assert_int_not_equal(load("secret", "nowhere.pem", &setup), FAULT_NONE);
  assert_null(setup.url);
}

static int make_folder(void **state)
{
  (void)state;
  return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
  static const char *const names[] = {"secret", "short", "long", "open", "ca.pem"};
  char path[64];
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    unlink(path_of(names[i], path));
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_signature_is_what_openssl_makes_of_it),
      cmocka_unit_test(another_secret_time_or_body_is_another_signature),
      cmocka_unit_test(pauses_double_from_a_second_to_five_minutes),
      cmocka_unit_test(a_secret_is_taken_without_its_line_end),
      cmocka_unit_test(a_secret_that_is_short_long_or_open_to_others_is_refused),
      cmocka_unit_test(what_is_no_certificate_is_refused_as_one),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
