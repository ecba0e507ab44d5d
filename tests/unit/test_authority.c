/* test_authority.c - an authority that cannot issue good certificates is not loaded. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/pem.h"
#include "tests/unit/ca_kit.h"

static int set_up(void **state)
{
  static struct kit kit;
  kit_new(&kit);
  *state = &kit;
  return 0;
}

static int tear_down(void **state)
{
  kit_free(*state);
  return 0;
}

/* The message must hold the file's name and `why`. */
static void assert_refused(const struct kit *kit, int64_t now, const char *file, const char *why)
{
  AUTO(fault) f = {0};
  struct authority *authority = NULL;
  assert_false(kit_load_authority(kit, now, &authority, &f));
  assert_null(authority);
  if (strstr(f.detail, file) == NULL || strstr(f.detail, why) == NULL)
    fail_msg("want %s and '%s' in: %s", file, why, f.detail);
}

static void a_good_one_is_loaded(void **state)
{
  const struct kit *kit = *state;
  AUTO(fault) f = {0};
  AUTO(authority) authority = NULL;
  AUTO(buf) spki = {0};
  uint8_t digest[PUBKEY_SHA256_LEN];
  if (!kit_load_authority(kit, when_now(), &authority, &f))
    fail_msg("%s", f.detail);
  assert_string_equal(authority->name, "issuing");
  assert_int_equal(authority->alg, SIG_ECDSA_SHA256);
  assert_int_equal(authority->n_chain, 1);
  assert_true(private_key_spki(kit->issuing_key, &spki, &f));
  pubkey_sha256(buf_bytes(&spki), digest);
  assert_memory_equal(authority->key_sha256, digest, sizeof digest);
  assert_int_equal(strncmp(buf_text(&authority->chain_pem), "-----BEGIN CERTIFICATE-----", 27), 0);
}

static void a_root_at_the_end_of_the_chain_is_not_sent(void **state)
{
  const struct kit *kit = *state;
  AUTO(fault) f = {0};
  AUTO(authority) authority = NULL;
  AUTO(buf) both = {0};
  char path[KIT_PATH_SIZE];
  assert_true(file_read(kit_path(kit, "issuing.crt", path), 1 << 20, &both, &f));
  assert_true(file_read(kit_path(kit, "root.crt", path), 1 << 20, &both, &f));
  kit_write(kit, "chain.pem", buf_text(&both), 0644);
  if (!kit_load_authority(kit, when_now(), &authority, &f))
    fail_msg("%s", f.detail);
  assert_int_equal(authority->n_chain, 1);
}

static void an_issuing_ca_that_is_none_is_refused(void **state)
{
  struct kit *kit = *state;
  kit->issuing.is_ca = false;
  kit->issuing.path_len = -1;
  kit->issuing.key_usage = KU_DIGITAL_SIGNATURE;
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "issuing.crt", "not a CA's");
}

static void an_issuing_ca_that_may_not_sign_is_refused(void **state)
{
  struct kit *kit = *state;
  kit->issuing.without_cert_sign = true;
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "issuing.crt", "keyCertSign");
}

static void one_that_expired_or_is_not_valid_yet_is_refused(void **state)
{
  struct kit *kit = *state;
  assert_refused(kit, kit->issuing.not_after + 1, "the certificate of", "expired");
  assert_refused(kit, kit->issuing.not_before - 1, "the certificate of", "not valid before");
  kit->root.not_after = kit->root.not_before + 10;
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "the root of", "expired");
}

static void a_chain_that_does_not_lead_to_the_root_is_refused(void **state)
{
  struct kit *kit = *state;
  AUTO(private_key) other = kit_key("ec-p256");
  kit->issuing.issuer_key = other;
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "chain.pem", "not signed");
  kit->issuing.issuer_key = kit->root_key;
  kit->issuing.issuer = "Another Root";
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "chain.pem", "not signed");
}

static void a_root_that_allows_no_ca_below_it_is_refused(void **state)
{
  struct kit *kit = *state;
  kit->root.path_len = 0;
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "chain.pem", "fewer CAs");
}

static void a_root_that_is_not_self_signed_is_refused(void **state)
{
  struct kit *kit = *state;
  AUTO(private_key) other = kit_key("ec-p256");
  kit->root.issuer_key = other;
  kit_write_certs(kit);
  assert_refused(kit, when_now(), "root.crt", "not a root");
}

static void a_chain_that_begins_with_another_is_refused(void **state)
{
  const struct kit *kit = *state;
  AUTO(fault) f = {0};
  AUTO(buf) root = {0};
  char path[KIT_PATH_SIZE];
  assert_true(file_read(kit_path(kit, "root.crt", path), 1 << 20, &root, &f));
  kit_write(kit, "chain.pem", buf_text(&root), 0644);
  assert_refused(kit, when_now(), "chain.pem", "does not begin with");
}

static void files_that_are_something_else_are_refused(void **state)
{
  const struct kit *kit = *state;
  AUTO(fault) f = {0};
  AUTO(buf) key = {0};
  char path[KIT_PATH_SIZE];
  kit_write(kit, "issuing.crt", "", 0644);
  assert_refused(kit, when_now(), "issuing.crt", "no certificate");
  kit_write(kit, "issuing.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n", 0644);
  assert_refused(kit, when_now(), "issuing.crt", "broken");
  kit_write(kit, "issuing.crt", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            0644);
  assert_refused(kit, when_now(), "issuing.crt", "");
  assert_true(file_read(kit_path(kit, "keys/issuing.key", path), 1 << 20, &key, &f));
  kit_write(kit, "issuing.crt", buf_text(&key), 0644);
  assert_refused(kit, when_now(), "issuing.crt", "PRIVATE KEY");
  unlink(kit_path(kit, "issuing.crt", path));
  assert_refused(kit, when_now(), "issuing.crt", "No such file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(a_good_one_is_loaded),
      TEST(a_root_at_the_end_of_the_chain_is_not_sent),
      TEST(an_issuing_ca_that_is_none_is_refused),
      TEST(an_issuing_ca_that_may_not_sign_is_refused),
      TEST(one_that_expired_or_is_not_valid_yet_is_refused),
      TEST(a_chain_that_does_not_lead_to_the_root_is_refused),
      TEST(a_root_that_allows_no_ca_below_it_is_refused),
      TEST(a_root_that_is_not_self_signed_is_refused),
      TEST(a_chain_that_begins_with_another_is_refused),
      TEST(files_that_are_something_else_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
