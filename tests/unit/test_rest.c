/* test_rest.c - issuing, the CA's certificates, and principals, as a client sees them. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "daemon/rest.h"
#include "lib/base/base64.h"
#include "lib/pki/private_key.h"
#include "tests/unit/fake_service.h"
#include "tests/unit/sample.h"

static json_t *parse(struct buf *out)
{
  json_error_t error;
  json_t *value = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, &error);
  if (value == NULL)
    fail_msg("%s: %s", error.text, buf_text(out));
  return value;
}

static const char *text_of(json_t *object, const char *name)
{
  return json_string_value(json_object_get(object, name));
}

/* A body with a CSR in it. */
static void fill_body(const char *device_serial, struct buf *out)
{
  AUTO(fault) f = {0};
  AUTO(buf) der = {0}, text = {0};
  AUTO(private_key) key = NULL;
  const uint8_t empty_name[] = {0x30, 0x00};
  assert_true(private_key_generate("ec-p256", &key, &f));
  assert_true(private_key_write_csr(key, bytes_of(empty_name, 2), NULL, &der, &f));
  base64_add(&text, buf_bytes(&der), 0);
  buf_addf(out, "{\"csr\":\"%s\",\"device_serial\":\"%s\"}", buf_text(&text), device_serial);
}

static void begin_issue(struct exchange *x, const char *device_serial, const char *accept)
{
  fake_exchange(x, ROLE_STATION, NULL);
  strcpy(x->content_type, "application/json");
  strcpy(x->accept, accept);
  fill_body(device_serial, &x->body);
}

static void a_new_certificate_is_201_with_its_place(void **state)
{
  (void)state;
  struct exchange x;
  fake_add_row("W-1001", "line-3", "ip:10.1.1.68");
  begin_issue(&x, "W-1001", "");
  assert_int_equal(rest_issue(&x), DEFERRED);
  assert_int_equal(fake.n_finished, 1);
  assert_int_equal(x.reply.status, 201);
  assert_string_equal(x.reply.location, "/v1/certificates/01000000000000000000000000000001");
  assert_string_equal(x.serial_number, "01000000000000000000000000000001");
  assert_string_equal(x.device_serial, "W-1001");
  json_t *object = parse(&x.reply.body);
  assert_string_equal(text_of(object, "status"), "valid");
  json_decref(object);
  fake_exchange_end(&x);
}

static void a_replay_is_200_with_the_same_body(void **state)
{
  (void)state;
  struct exchange first, again;
  fake_add_row("W-1001", "line-3", "ip:10.1.1.68");
  begin_issue(&first, "W-1001", "");
  assert_int_equal(rest_issue(&first), DEFERRED);
  fake.replays = true;
  begin_issue(&again, "W-1001", "");
  assert_int_equal(rest_issue(&again), DEFERRED);
  assert_int_equal(again.reply.status, 200);
  assert_string_equal(again.reply.location, "");
  assert_true(bytes_equal(buf_bytes(&first.reply.body), buf_bytes(&again.reply.body)));
  fake_exchange_end(&first);
  fake_exchange_end(&again);
}

static void the_form_is_the_one_that_was_asked_for(void **state)
{
  (void)state;
  struct exchange x;
  fake_add_row("W-1001", "line-3", "ip:10.1.1.68");
  begin_issue(&x, "W-1001", "application/json;q=0.1, application/pkix-cert");
  assert_int_equal(rest_issue(&x), DEFERRED);
  assert_string_equal(x.reply.content_type, "application/pkix-cert");
  assert_true(bytes_equal(buf_bytes(&x.reply.body), buf_bytes(&fake.rows[0].der)));
  fake_exchange_end(&x);
}

static void nothing_is_issued_for_a_form_that_cannot_be_had(void **state)
{
  (void)state;
  struct exchange x;
  begin_issue(&x, "W-1001", "text/html");
  assert_int_equal(rest_issue(&x), HANDLED);
  assert_int_equal(x.reply.status, 406);
  assert_int_equal(fake.n_submitted, 0);
  assert_int_equal(fake.n_finished, 0);
  fake_exchange_end(&x);
}

static void a_request_that_is_not_right_never_reaches_the_issuer(void **state)
{
  (void)state;
  struct exchange x;
  begin_issue(&x, "W-1001", "");
  x.body.len--;
  assert_int_equal(rest_issue(&x), HANDLED);
  assert_int_equal(x.reply.status, 400);
  assert_int_equal(fake.n_submitted, 0);
  fake_exchange_end(&x);
}

static void a_busy_issuer_is_answered_for_at_once(void **state)
{
  (void)state;
  struct exchange x;
  begin_issue(&x, "W-1001", "");
  fake.fails_with = FAULT_BUSY;
  assert_int_equal(rest_issue(&x), HANDLED);
  assert_int_equal(x.reply.status, 503);
  assert_int_equal(fake.n_finished, 0);
  fake_exchange_end(&x);
}

static void what_the_pipeline_refuses_is_told(void **state)
{
  (void)state;
  struct exchange x;
  begin_issue(&x, "W-refused", "");
  assert_int_equal(rest_issue(&x), DEFERRED);
  assert_int_equal(fake.n_finished, 1);
  assert_int_equal(x.code, FAULT_KEY_ALREADY_USED);
  assert_string_equal(x.serial_number, "");
  fake_exchange_end(&x);
}

static void the_authority_shows_itself(void **state)
{
  (void)state;
  struct exchange x;
  const struct authority *authority = sample_authority();
  fake_exchange(&x, ROLE_NONE, NULL);
  assert_int_equal(rest_ca(&x), HANDLED);
  assert_int_equal(x.reply.status, 200);
  json_t *object = parse(&x.reply.body);
  assert_string_equal(text_of(object, "name"), authority->name);
  assert_true(
      bytes_equal(bytes_of_text(text_of(object, "certificate")), buf_bytes(&authority->chain_pem)));
  assert_true(bytes_equal(bytes_of_text(text_of(object, "root")), buf_bytes(&authority->root_pem)));
  json_t *chain = json_object_get(object, "ca_chain");
  assert_int_equal(json_array_size(chain), 1);
  assert_string_equal(json_string_value(json_array_get(chain, 0)), text_of(object, "certificate"));
  assert_non_null(strstr(text_of(object, "subject"), "CN=Acme Issuing"));
  assert_string_equal(text_of(object, "not_before"), "2026-09-21T14:13:20Z");
  assert_non_null(text_of(object, "not_after"));
  assert_int_equal(strlen(text_of(object, "sha256_fingerprint")), 64);
  assert_int_equal(strlen(text_of(object, "root_sha256_fingerprint")), 64);
  json_t *all = json_object_get(object, "authorities");
  assert_int_equal(json_array_size(all), 1);
  assert_string_equal(text_of(json_array_get(all, 0), "state"), "active");
  assert_string_equal(text_of(json_array_get(all, 0), "name"), authority->name);
  assert_string_not_equal(text_of(object, "sha256_fingerprint"),
                          text_of(object, "root_sha256_fingerprint"));
  json_decref(object);
  fake_exchange_end(&x);
}

static void chain_and_root_are_had_as_files(void **state)
{
  (void)state;
  struct exchange x;
  const struct authority *authority = sample_authority();
  fake_exchange(&x, ROLE_NONE, NULL);
  assert_int_equal(rest_ca_chain(&x), HANDLED);
  assert_string_equal(x.reply.content_type, "application/pem-certificate-chain");
  assert_true(bytes_equal(buf_bytes(&x.reply.body), buf_bytes(&authority->chain_pem)));
  fake_exchange_end(&x);
  fake_exchange(&x, ROLE_NONE, NULL);
  assert_int_equal(rest_ca_root(&x), HANDLED);
  assert_string_equal(x.reply.content_type, "application/x-x509-ca-cert");
  assert_non_null(strstr(x.reply.cache_control, "public"));
  assert_true(bytes_equal(buf_bytes(&x.reply.body), buf_bytes(&authority->root_der)));
  fake_exchange_end(&x);
}

static void add_principal(struct exchange *x, const char *body)
{
  fake_exchange(x, ROLE_ADMIN, NULL);
  strcpy(x->content_type, "application/json");
  buf_add_text(&x->body, body);
  assert_int_equal(rest_add_principal(x), HANDLED);
}

static void a_new_principal_gets_its_token_once(void **state)
{
  (void)state;
  struct exchange x;
  add_principal(&x, "{\"name\":\"line-4\",\"role\":\"station\"}");
  assert_int_equal(x.reply.status, 201);
  assert_true(x.reply.secret);
  json_t *object = parse(&x.reply.body);
  assert_string_equal(text_of(object, "name"), "line-4");
  assert_string_equal(text_of(object, "role"), "station");
  assert_string_equal(text_of(object, "token"), "line-4.SECRET");
  assert_int_equal(strlen(text_of(object, "created_at")), 20);
  json_decref(object);
  fake_exchange_end(&x);

  fake_exchange(&x, ROLE_ADMIN, NULL);
  assert_int_equal(rest_list_principals(&x), HANDLED);
  object = parse(&x.reply.body);
  json_t *list = json_object_get(object, "principals");
  assert_int_equal(json_array_size(list), 1);
  assert_string_equal(text_of(json_array_get(list, 0), "name"), "line-4");
  assert_int_equal(json_object_size(json_array_get(list, 0)), 5);
  assert_null(strstr(buf_text(&x.reply.body), "SECRET"));
  json_decref(object);
  fake_exchange_end(&x);
}

static void a_principal_that_cannot_be_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    enum fault_code code;
    const char *word;
  } rows[] = {
      {"", FAULT_BAD_JSON, ""},
      {"{}", FAULT_BAD_FIELD, "name"},
      {"{\"name\":\"line-4\"}", FAULT_BAD_FIELD, "role"},
      {"{\"name\":\"\",\"role\":\"station\"}", FAULT_BAD_FIELD, "name"},
      {"{\"name\":\"a b\",\"role\":\"station\"}", FAULT_BAD_FIELD, "name"},
      {"{\"name\":4,\"role\":\"station\"}", FAULT_BAD_FIELD, "name"},
      {"{\"name\":\"x\",\"role\":\"root\"}", FAULT_BAD_FIELD, "station, operator"},
      {"{\"name\":\"x\",\"role\":\"device\"}", FAULT_BAD_FIELD, "station, operator"},
      {"{\"name\":\"x\",\"role\":\"\"}", FAULT_BAD_FIELD, "role"},
      {"{\"name\":\"x\",\"role\":\"admin\",\"token\":\"x.y\"}", FAULT_UNKNOWN_FIELD, "token"},
  };
  struct exchange x;
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    add_principal(&x, rows[i].body);
    if (x.code != rows[i].code || strstr(buf_text(&x.reply.body), rows[i].word) == NULL)
      fail_msg("%s: %s", rows[i].body, buf_text(&x.reply.body));
    assert_int_equal(fake.n_principals, 0);
    fake_exchange_end(&x);
  }
}

static void no_token_is_told_when_the_name_is_taken(void **state)
{
  (void)state;
  struct exchange x;
  fake.fails_with = FAULT_PRINCIPAL_EXISTS;
  add_principal(&x, "{\"name\":\"line-4\",\"role\":\"station\"}");
  assert_int_equal(x.reply.status, 409);
  assert_null(strstr(buf_text(&x.reply.body), "SECRET"));
  fake_exchange_end(&x);
}

static int begin(void **state)
{
  (void)state;
  fake_reset();
  return 0;
}

static int end(void **state)
{
  (void)state;
  fake_reset();
  sample_end();
  return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(a_new_certificate_is_201_with_its_place),
      TEST(a_replay_is_200_with_the_same_body),
      TEST(the_form_is_the_one_that_was_asked_for),
      TEST(nothing_is_issued_for_a_form_that_cannot_be_had),
      TEST(a_request_that_is_not_right_never_reaches_the_issuer),
      TEST(a_busy_issuer_is_answered_for_at_once),
      TEST(what_the_pipeline_refuses_is_told),
      TEST(the_authority_shows_itself),
      TEST(chain_and_root_are_had_as_files),
      TEST(a_new_principal_gets_its_token_once),
      TEST(a_principal_that_cannot_be_is_refused),
      TEST(no_token_is_told_when_the_name_is_taken),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
