/* test_peer_who.c - from a client certificate to a principal; and the files of a trust. */
#include "tests/unit/ledger_unit.h"

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/ca/event.h"
#include "lib/ca/peer.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "tests/unit/peer_kit.h"

_Static_assert((int)NOW == (int)PEER_NOW, "one clock");

static struct made ours, acme, other;
static struct trust_source source;
static struct trust trust;

static int make_authorities(void **state)
{
  (void)state;
  made_cert(&(struct recipe){.name = "Ours", .is_ca = true}, &ours);
  made_cert(&(struct recipe){.name = "Acme", .is_ca = true}, &acme);
  made_cert(&(struct recipe){.name = "Other", .is_ca = true}, &other);
  source = (struct trust_source){.name = "acme", .name_from = ATTR_SERIAL_NUMBER};
  source.vouchers = (struct vouchers){.anchors = &acme.cert, .n_anchors = 1};
  trust = (struct trust){.sources = &source, .n_sources = 1};
  trust.ours = (struct vouchers){.anchors = &ours.cert, .n_anchors = 1, .needs_eku = true};
  trust.generation = 1;
  return 0;
}

static int free_authorities(void **state)
{
  (void)state;
  made_free(&ours);
  made_free(&acme);
  made_free(&other);
  return 0;
}

/* A client of this issuer, with this number in its serial number. */
static void make_client(const struct made *issuer, const char *name, uint8_t n,
                        struct made *ret_made)
{
  const uint8_t serial_number[SERIAL_NUMBER_LEN] = {1, [15] = n};
  made_cert(&(struct recipe){.name = name,
                             .attribute = ATTR_SERIAL_NUMBER,
                             .issuer = issuer,
                             .serial_number = bytes_of(serial_number, sizeof serial_number)},
            ret_made);
}

/* Puts it on the record. */
static void put_as(struct ledger *ledger, const struct made *client, const char *profile,
                   const char *device_serial, bool replace, bool is_renewal)
{
  struct issued row = row_of(client->cert.serial_number.data[15]);
  const struct sans none = {0};
  buf_free(&row.der);
  TEXT_COPY(row.profile, bytes_of_text(profile));
  TEXT_COPY(row.device_serial, bytes_of_text(device_serial));
  memcpy(row.serial_number, client->cert.serial_number.data, SERIAL_NUMBER_LEN);
  pubkey_sha256(client->cert.key.spki, row.spki_sha256);
  buf_add_bytes(&row.der, client->cert.der);
  row.is_renewal = is_renewal;
  struct outcome outcome = append_named(ledger, &row, &none, replace, NOW);
  assert_int_equal(outcome.code, FAULT_NONE);
  issued_free(&row);
}

static void put_on_record(struct ledger *ledger, const struct made *client, const char *profile,
                          const char *device_serial, bool replace)
{
  put_as(ledger, client, profile, device_serial, replace, false);
}

static void add_principal(struct ledger *ledger, const char *name, enum role role, enum proof proof,
                          const struct made *client)
{
  AUTO(fault) f = {0};
  struct principal principal = {.role = role, .proof = proof, .created_at = NOW};
  uint8_t sha256[TOKEN_SHA256_LEN];
  TEXT_COPY(principal.name, bytes_of_text(name));
  if (client != NULL)
    pubkey_sha256(client->cert.key.spki, sha256);
  else
    proof_of_trust("acme", sha256);
  assert_true(ledger_add_principal(ledger, &principal, sha256, &somebody, &f));
}

/* Who it is; "" and the reason in `said` when it is nobody. */
static struct principal who_at(struct ledger *ledger, const struct made *client, int64_t now,
                               char said[400])
{
  AUTO(fault) f = {0};
  AUTO(peer) peer = NULL;
  struct principal principal = {0};
  const struct bytes der = buf_bytes(&client->der);
  assert_true(peer_read(&der, 1, &peer, &f));
  if (!peer_authenticate(peer, &trust, ledger, now, &principal, &f))
    assert_int_equal(f.code, FAULT_UNAUTHENTICATED);
  snprintf(said, 400, "%s", f.detail);
  return principal;
}

static void assert_is(struct ledger *ledger, const struct made *client, const char *name,
                      enum role role)
{
  char said[400];
  struct principal principal = who_at(ledger, client, NOW, said);
  if (strcmp(principal.name, name) != 0)
    fail_msg("\"%s\" instead of %s: %s", principal.name, name, said);
  assert_int_equal(principal.role, role);
}

static void assert_nobody(struct ledger *ledger, const struct made *client, const char *word)
{
  char said[400];
  struct principal principal = who_at(ledger, client, NOW, said);
  assert_string_equal(principal.name, "");
  if (strstr(said, word) == NULL)
    fail_msg("%s instead of %s", said, word);
}

static void a_station_is_the_principal_that_was_given_this_key(void **state)
{
  struct bench *bench = *state;
  struct made given, another, forged;
  make_client(&ours, "line-3", 1, &given);
  make_client(&ours, "line-3", 2, &another);
  make_client(&ours, "line-3", 3, &forged);
  put_on_record(bench->ledger, &given, "station", "line-3", false);
  assert_nobody(bench->ledger, &given, "no principal's");
  add_principal(bench->ledger, "line-3", ROLE_OPERATOR, PROOF_CERTIFICATE, &given);
  assert_is(bench->ledger, &given, "line-3", ROLE_OPERATOR);
  assert_nobody(bench->ledger, &forged, "not in the ledger");
  /* another of the same name takes its place, and is not what the principal was given */
  put_on_record(bench->ledger, &another, "station", "line-3", true);
  assert_nobody(bench->ledger, &given, "revoked (superseded)");
  assert_nobody(bench->ledger, &another, "no principal's");
  made_free(&given);
  made_free(&another);
  made_free(&forged);
}

static void revoke_client(struct ledger *ledger, const struct made *client,
                          enum revocation_reason reason)
{
  AUTO(fault) f = {0};
  AUTO(cert) cert = {0};
  AUTO(issued) row = {0};
  struct ledger_batch *batch;
  bool changed;
  assert_true(cert_read(buf_bytes(&client->der), true, &cert, &f));
  assert_true(ledger_get(ledger, cert.serial_number, NOW, &row, &f));
  assert_true(ledger_begin(ledger, &batch, &f));
  assert_true(ledger_revoke(batch, &row, reason, NOW, NULL, &changed, &f));
  assert_true(ledger_commit(batch, &f));
}

static void who_is_revoked_or_on_hold_is_nobody(void **state)
{
  struct bench *bench = *state;
  struct made client;
  make_client(&ours, "line-3", 1, &client);
  put_on_record(bench->ledger, &client, "station", "line-3", false);
  add_principal(bench->ledger, "line-3", ROLE_STATION, PROOF_CERTIFICATE, &client);
  assert_is(bench->ledger, &client, "line-3", ROLE_STATION);
  revoke_client(bench->ledger, &client, REASON_CERTIFICATE_HOLD);
  assert_nobody(bench->ledger, &client, "on hold");
  revoke_client(bench->ledger, &client, REASON_REMOVE_FROM_CRL);
  assert_is(bench->ledger, &client, "line-3", ROLE_STATION);
  revoke_client(bench->ledger, &client, REASON_KEY_COMPROMISE);
  assert_nobody(bench->ledger, &client, "revoked (keyCompromise)");
  made_free(&client);
}

static void a_certificate_that_only_has_the_number_of_one_is_none(void **state)
{
  struct bench *bench = *state;
  struct made real, copy;
  make_client(&ours, "line-3", 1, &real);
  make_client(&ours, "line-3", 1, &copy);
  put_on_record(bench->ledger, &real, "station", "line-3", false);
  add_principal(bench->ledger, "line-3", ROLE_STATION, PROOF_CERTIFICATE, &copy);
  assert_nobody(bench->ledger, &copy, "not the one that is in the ledger");
  made_free(&real);
  made_free(&copy);
}

static void a_token_and_a_certificate_do_not_stand_for_each_other(void **state)
{
  struct bench *bench = *state;
  struct made client;
  make_client(&ours, "line-3", 1, &client);
  put_on_record(bench->ledger, &client, "station", "line-3", false);
  add_principal(bench->ledger, "line-3", ROLE_STATION, PROOF_TOKEN, &client);
  assert_nobody(bench->ledger, &client, "no principal's");
  made_free(&client);
}

static void who_is_disabled_is_nobody_until_he_is_enabled(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct made client;
  make_client(&ours, "line-3", 1, &client);
  put_on_record(bench->ledger, &client, "station", "line-3", false);
  add_principal(bench->ledger, "line-3", ROLE_STATION, PROOF_CERTIFICATE, &client);
  assert_true(ledger_disable_principal(bench->ledger, "line-3", NOW, &somebody, &f));
  assert_nobody(bench->ledger, &client, "line-3 is disabled");
  assert_true(ledger_disable_principal(bench->ledger, "line-3", 0, &somebody, &f));
  assert_is(bench->ledger, &client, "line-3", ROLE_STATION);
  assert_false(ledger_disable_principal(bench->ledger, "line-4", NOW, &somebody, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_PRINCIPAL);
  made_free(&client);
}

static void a_device_is_the_one_it_was_issued_to(void **state)
{
  struct bench *bench = *state;
  struct made client, birth, server;
  make_client(&ours, "x", 1, &client);
  make_client(&ours, "x", 2, &birth);
  make_client(&ours, "x", 3, &server);
  put_on_record(bench->ledger, &client, "device-client", "W-1001", false);
  put_on_record(bench->ledger, &birth, "idevid", "W-1002", false);
  put_on_record(bench->ledger, &server, "both", "W-1003", false);
  assert_is(bench->ledger, &client, "W-1001", ROLE_DEVICE);
  assert_is(bench->ledger, &birth, "W-1002", ROLE_DEVICE);
  assert_nobody(bench->ledger, &server, "not for asking");
  made_free(&client);
  made_free(&birth);
  made_free(&server);
}

static void an_expired_one_is_nobody(void **state)
{
  struct bench *bench = *state;
  struct made client;
  char said[400];
  make_client(&ours, "x", 1, &client);
  put_on_record(bench->ledger, &client, "device-client", "W-1001", false);
  assert_string_equal(who_at(bench->ledger, &client, NOW + PEER_DAY, said).name, "W-1001");
  assert_string_equal(who_at(bench->ledger, &client, NOW + PEER_DAY + 1, said).name, "");
  made_free(&client);
}

static void a_foreign_authority_vouches_as_its_trust_says(void **state)
{
  struct bench *bench = *state;
  struct made device, stranger;
  make_client(&acme, "D-77", 1, &device);
  make_client(&other, "D-77", 1, &stranger);
  source.role = ROLE_DEVICE;
  assert_is(bench->ledger, &device, "D-77", ROLE_DEVICE);
  assert_nobody(bench->ledger, &stranger, "no authority that is trusted");
  source.name_from = ATTR_COMMON_NAME;
  assert_nobody(bench->ledger, &device, "has not one CN");
  source.name_from = ATTR_SERIAL_NUMBER;
  made_free(&device);
  made_free(&stranger);
}

static void a_foreign_station_must_be_a_principal_of_that_trust(void **state)
{
  struct bench *bench = *state;
  struct made station, boss;
  make_client(&acme, "line-9", 1, &station);
  make_client(&acme, "boss", 2, &boss);
  source.role = ROLE_STATION;
  assert_nobody(bench->ledger, &station, "no principal's");
  add_principal(bench->ledger, "line-9", ROLE_STATION, PROOF_TRUST, NULL);
  assert_is(bench->ledger, &station, "line-9", ROLE_STATION);
  /* not even a row that says so makes a foreign administrator */
  add_principal(bench->ledger, "boss", ROLE_ADMIN, PROOF_TRUST, NULL);
  assert_nobody(bench->ledger, &boss, "may not vouch");
  made_free(&station);
  made_free(&boss);
}

/* --- who may renew what he holds --- */

/* Who it is, or why not, which must have this word in it. */
static struct principal holder_at(struct ledger *ledger, const struct made *client, int64_t now,
                                  const char *word)
{
  AUTO(fault) f = {0};
  AUTO(peer) peer = NULL;
  struct principal holder = {0};
  const struct bytes der = buf_bytes(&client->der);
  assert_true(peer_read(&der, 1, &peer, &f));
  bool may = peer_renews(peer, &trust, ledger, now, &holder, &f);
  assert_int_equal(may, word == NULL);
  if (!may && (f.code != FAULT_UNAUTHENTICATED || strstr(f.detail, word) == NULL))
    fail_msg("%s instead of %s", f.detail, word);
  return holder;
}

static void what_is_renewed_is_ours_octet_for_octet(void **state)
{
  struct bench *bench = *state;
  struct made real, copy, foreign, unknown_one;
  make_client(&ours, "W-1001", 1, &real);
  make_client(&ours, "W-1001", 1, &copy);
  make_client(&acme, "W-1001", 2, &foreign);
  make_client(&ours, "W-1001", 3, &unknown_one);
  put_on_record(bench->ledger, &real, "device-client", "W-1001", false);
  assert_string_equal(holder_at(bench->ledger, &real, NOW, NULL).name, "W-1001");
  holder_at(bench->ledger, &copy, NOW, "not the one that is in the ledger");
  holder_at(bench->ledger, &foreign, NOW, "no authority of this daemon");
  holder_at(bench->ledger, &unknown_one, NOW, "not in the ledger");
  made_free(&real);
  made_free(&copy);
  made_free(&foreign);
  made_free(&unknown_one);
}

static void it_need_not_say_who_asks_nor_be_the_current_one(void **state)
{
  struct bench *bench = *state;
  struct made first, second, third;
  make_client(&ours, "W-1001", 1, &first);
  make_client(&ours, "W-1001", 3, &third);
  const uint8_t number[SERIAL_NUMBER_LEN] = {1, [15] = 2};
  made_cert(&(struct recipe){.name = "W-1001",
                             .issuer = &ours,
                             .serial_number = bytes_of(number, sizeof number),
                             .ext_key_usage = EKU_SERVER_AUTH},
            &second);
  put_on_record(bench->ledger, &first, "device-server", "W-1001", false);
  put_as(bench->ledger, &second, "device-server", "W-1001", true, true);
  struct principal holder = holder_at(bench->ledger, &first, NOW, NULL);
  assert_int_equal(holder.role, ROLE_DEVICE);
  assert_int_equal(holder.renews, 1);
  assert_int_equal(holder_at(bench->ledger, &second, NOW, NULL).renews, 2);
  /* nor one that has not expired, nor of an authority that has not */
  assert_int_equal(holder_at(bench->ledger, &second, NOW + 5000 * (int64_t)PEER_DAY, NULL).renews,
                   2);
  assert_nobody(bench->ledger, &second, "clientAuth");
  /* but not revoked */
  put_on_record(bench->ledger, &third, "device-server", "W-1001", true);
  holder_at(bench->ledger, &first, NOW, "revoked");
  holder_at(bench->ledger, &second, NOW, "revoked");
  made_free(&first);
  made_free(&second);
  made_free(&third);
}

static void a_station_renews_as_its_principal(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct made client;
  make_client(&ours, "line-3", 1, &client);
  put_on_record(bench->ledger, &client, "station", "line-3", false);
  holder_at(bench->ledger, &client, NOW, "no principal's");
  add_principal(bench->ledger, "line-3", ROLE_OPERATOR, PROOF_CERTIFICATE, &client);
  struct principal holder = holder_at(bench->ledger, &client, NOW, NULL);
  assert_string_equal(holder.name, "line-3");
  assert_int_equal(holder.role, ROLE_OPERATOR);
  assert_int_equal(holder.renews, 1);
  assert_true(ledger_disable_principal(bench->ledger, "line-3", NOW, &somebody, &f));
  holder_at(bench->ledger, &client, NOW, "line-3 is disabled");
  made_free(&client);
}

static void a_leaf_cannot_make_what_may_be_renewed(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(peer) peer = NULL;
  struct made device, forged;
  struct principal holder = {0};
  make_client(&ours, "W-1001", 1, &device);
  make_client(&device, "W-1002", 2, &forged);
  put_on_record(bench->ledger, &device, "device-client", "W-1001", false);
  const struct bytes sent[] = {buf_bytes(&forged.der), buf_bytes(&device.der)};
  assert_true(peer_read(sent, 2, &peer, &f));
  assert_false(peer_renews(peer, &trust, bench->ledger, NOW, &holder, &f));
  assert_int_equal(f.code, FAULT_UNAUTHENTICATED);
  made_free(&device);
  made_free(&forged);
}

/* --- files --- */

static void write_pem(const char *path, const char *label, const struct buf *der)
{
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  pem_add(&pem, label, buf_bytes(der));
  assert_true(file_write(path, buf_bytes(&pem), 0600, true, &f));
}

/* "" or why these files are refused. */
static void try_files(struct bench *bench, const struct buf *anchor,
                      const struct list_recipe *recipe, const char *word)
{
  AUTO(fault) f = {0};
  AUTO(buf) list = {0};
  AUTO(trust) loaded = NULL;
  char anchors[300], crl[300];
  snprintf(anchors, sizeof anchors, "%s/acme.pem", bench->folder);
  snprintf(crl, sizeof crl, "%s/acme.crl", bench->folder);
  struct conf_trust section = {.name = "acme", .certificates = anchors, .role = ROLE_DEVICE};
  struct conf conf = {.trusts = &section, .n_trusts = 1};
  write_pem(anchors, "CERTIFICATE", anchor);
  if (recipe != NULL) {
    made_list(recipe, &list);
    write_pem(crl, "X509 CRL", &list);
    section.crl = crl;
  }
  bool taken = trust_load(&conf, NULL, &loaded, &f);
  if (taken != (word == NULL) || (!taken && strstr(f.detail, word) == NULL))
    fail_msg("%s instead of %s", f.detail, word != NULL ? word : "taken");
  if (taken)
    assert_int_equal(loaded->sources[0].vouchers.needs_crl, recipe != NULL);
}

static void the_files_of_a_trust_are_looked_at(void **state)
{
  struct bench *bench = *state;
  AUTO(buf) nonsense = {0};
  struct made leaf;
  buf_add_text(&nonsense, "nonsense");
  make_client(&acme, "D-77", 1, &leaf);
  try_files(bench, &acme.der, NULL, NULL);
  try_files(bench, &leaf.der, NULL, "not a CA's");
  try_files(bench, &nonsense, NULL, "not a certificate");
  try_files(bench, &acme.der, &(struct list_recipe){.issuer = &acme}, NULL);
  /* one that is out of date is taken, and then lets nobody in */
  try_files(bench, &acme.der,
            &(struct list_recipe){.issuer = &acme, .this_update = 1000, .next_update = 2000}, NULL);
  try_files(bench, &acme.der, &(struct list_recipe){.issuer = &other}, "signed it");
  try_files(bench, &acme.der, &(struct list_recipe){.issuer = &acme, .signer = &other},
            "signed it");
  try_files(bench, &acme.der, &(struct list_recipe){.issuer = &acme, .is_partial = true},
            "partial");
  made_free(&leaf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(a_station_is_the_principal_that_was_given_this_key),
      TEST(who_is_revoked_or_on_hold_is_nobody),
      TEST(a_certificate_that_only_has_the_number_of_one_is_none),
      TEST(a_token_and_a_certificate_do_not_stand_for_each_other),
      TEST(who_is_disabled_is_nobody_until_he_is_enabled),
      TEST(a_device_is_the_one_it_was_issued_to),
      TEST(an_expired_one_is_nobody),
      TEST(a_foreign_authority_vouches_as_its_trust_says),
      TEST(a_foreign_station_must_be_a_principal_of_that_trust),
      TEST(what_is_renewed_is_ours_octet_for_octet),
      TEST(it_need_not_say_who_asks_nor_be_the_current_one),
      TEST(a_station_renews_as_its_principal),
      TEST(a_leaf_cannot_make_what_may_be_renewed),
      TEST(the_files_of_a_trust_are_looked_at),
  };
  return cmocka_run_group_tests(tests, make_authorities, free_authorities);
}
