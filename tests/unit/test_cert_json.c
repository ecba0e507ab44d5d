/* test_cert_json.c - what we tell of a certificate, a JSON parser and a certificate reader agree
 * with; and every form in which it is given out holds the same octets. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "daemon/cert_form.h"
#include "daemon/cert_json.h"
#include "lib/base/base64.h"
#include "lib/pki/pem.h"
#include "tests/unit/sample.h"

/* The two of the ledger that this needs. */
const char *certificate_status_name(enum certificate_status status)
{
  return status == STATUS_VALID ? "valid" : "expired";
}

void issued_free(struct issued *row)
{
  buf_free(&row->der);
}

static json_t *parse(struct buf *out)
{
  json_error_t error;
  json_t *value = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, &error);
  if (value == NULL)
    fail_msg("%s: %s", error.text, buf_text(out));
  return value;
}

static json_t *tell(const struct issued *row)
{
  AUTO(fault) f = {0};
  AUTO(buf) out = {0};
  if (!cert_json_add(row, sample_authority(), &out, &f))
    fail_msg("%s", f.detail);
  return parse(&out);
}

static const char *text_of(json_t *object, const char *name)
{
  const char *text = json_string_value(json_object_get(object, name));
  if (text == NULL)
    fail_msg("no string %s", name);
  return text;
}

static void assert_list(json_t *object, const char *name, const char *const *texts, size_t n)
{
  json_t *list = json_object_get(object, name);
  assert_true(json_is_array(list));
  assert_int_equal(json_array_size(list), n);
  for (size_t i = 0; i < n; i++)
    assert_string_equal(json_string_value(json_array_get(list, i)), texts[i]);
}

/* The octets of the first certificate in a PEM text, and that there is no more of them. */
static void assert_pem_is(const char *text, struct bytes der)
{
  AUTO(buf) read = {0};
  struct bytes rest = bytes_of_text(text), label;
  bool broken;
  assert_true(pem_next(&rest, &label, &read, &broken));
  assert_true(bytes_equal(buf_bytes(&read), der));
  assert_false(pem_next(&rest, &label, &read, &broken));
  assert_false(broken);
}

static void every_field_is_told(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  sample_row(7, "W-1001", "line-3",
             "ip:10.1.1.68 ip:2001:db8::1 dns:w-1001.widgets.example uri:urn:w:a,b", &row);
  json_t *object = tell(&row);
  assert_int_equal(json_object_size(object), 18);
  assert_string_equal(text_of(object, "serial_number"), "01000000000000000000000000000007");
  assert_string_equal(text_of(object, "device_serial"), "W-1001");
  assert_string_equal(text_of(object, "profile"), "device-server");
  assert_string_equal(text_of(object, "status"), "valid");
  assert_string_equal(text_of(object, "not_before"), "2026-09-21T14:12:27Z");
  assert_string_equal(text_of(object, "not_after"), "2027-09-21T14:13:27Z");
  assert_string_equal(text_of(object, "issued_at"), "2026-09-21T14:13:27Z");
  assert_string_equal(text_of(object, "station"), "line-3");
  assert_string_equal(text_of(object, "order"), "PO-7781");
  assert_string_equal(text_of(object, "model"), "WX-4");
  assert_non_null(strstr(text_of(object, "subject"), "CN=W-1001"));
  assert_list(object, "ip_sans", (const char *const[]){"10.1.1.68", "2001:db8::1"}, 2);
  assert_list(object, "dns_sans", (const char *const[]){"w-1001.widgets.example"}, 1);
  assert_list(object, "uri_sans", (const char *const[]){"urn:w:a,b"}, 1);
  assert_pem_is(text_of(object, "certificate"), buf_bytes(&row.der));
  json_t *chain = json_object_get(object, "ca_chain");
  assert_int_equal(json_array_size(chain), 1);
  assert_pem_is(json_string_value(json_array_get(chain, 0)),
                buf_bytes(&sample_authority()->certificate_der));
  json_decref(object);
}

static void a_revocation_is_told_with_its_time_and_reason(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  sample_row(9, "W-1001", "line-3", "", &row);
  json_t *object = tell(&row);
  assert_string_equal(text_of(object, "revoked_at"), "");
  assert_string_equal(text_of(object, "revocation_reason"), "");
  json_decref(object);
  row.status = STATUS_REVOKED;
  row.revoked_at = 1800000000;
  row.revocation_reason = REASON_UNSPECIFIED;
  object = tell(&row);
  assert_string_equal(text_of(object, "revoked_at"), "2027-01-15T08:00:00Z");
  assert_string_equal(text_of(object, "revocation_reason"), "unspecified");
  json_decref(object);
}

static void fields_that_were_not_given_are_there_and_empty(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  sample_row(8, "W-1002", "line-3", "", &row);
  row.order[0] = row.model[0] = row.device_serial[0] = '\0';
  json_t *object = tell(&row);
  assert_string_equal(text_of(object, "device_serial"), "");
  assert_string_equal(text_of(object, "order"), "");
  assert_string_equal(text_of(object, "model"), "");
  assert_list(object, "ip_sans", NULL, 0);
  assert_list(object, "dns_sans", NULL, 0);
  assert_list(object, "uri_sans", NULL, 0);
  json_decref(object);
}

static void labels_with_quotes_stay_inside_theirs(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  sample_row(9, "W-\"1\",\"status\":\"x", "line\\", "", &row);
  json_t *object = tell(&row);
  assert_string_equal(text_of(object, "device_serial"), "W-\"1\",\"status\":\"x");
  assert_string_equal(text_of(object, "station"), "line\\");
  assert_string_equal(text_of(object, "status"), "valid");
  json_decref(object);
}

static void a_certificate_of_another_issuer_comes_without_our_chain(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  AUTO(fault) f = {0};
  AUTO(buf) out = {0};
  sample_row(10, "W-1001", "line-3", "ip:10.1.1.68", &row);
  struct authority other = *sample_authority();
  const uint8_t other_key_id[PUBKEY_ID_LEN] = {77};
  other.certificate.subject_key_id = bytes_of(other_key_id, sizeof other_key_id);
  assert_true(cert_json_add(&row, &other, &out, &f));
  json_t *object = parse(&out);
  assert_list(object, "ca_chain", NULL, 0);
  json_decref(object);
}

static void a_row_that_holds_no_certificate_is_our_fault(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  AUTO(fault) f = {0};
  AUTO(buf) out = {0};
  sample_row(11, "W-1001", "line-3", "ip:10.1.1.68", &row);
  row.der.len--;
  assert_false(cert_json_add(&row, sample_authority(), &out, &f));
  assert_int_equal(f.code, FAULT_INTERNAL);
  assert_non_null(strstr(f.detail, "11"));
}

/* Made by another tool: an e-mail address, a registered ID, and 10.1.1.68. */
static const char foreign[] =
    "MIIBnTCCAUKgAwIBAgIUA16O0Pe78juu0vCHgT0GHVC97KAwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJ"
    "ZWxzZXdoZXJlMCAXDTI2MTEyMzEzNDQzOVoYDzIxMjYxMDMwMTM0NDM5WjAUMRIwEAYDVQQDDAllbHNl"
    "d2hlcmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ8lIXlaLqm30w/cgKztzGjvBufhevhP61WT0Te"
    "X0jwxqYOqS2biV/hW5JDrSrVRY9QdwQbh8uUPySrsEYhcIaFo3AwbjAdBgNVHQ4EFgQUedD+1IRTWgti"
    "O/Ta0t+FRE8rhFUwHwYDVR0jBBgwFoAUedD+1IRTWgtiO/Ta0t+FRE8rhFUwIQYDVR0RBBowGIELYUBi"
    "LmV4YW1wbGWHBAoBAUSIAyoDBDAJBgNVHRMEAjAAMAoGCCqGSM49BAMCA0kAMEYCIQCzeqBXi+aidWQd"
    "qJI0M+QUmdU/vHAh4dPz6IO071KW7gIhAMnlIoZHThnvC6uKKqwYK/0sf9sZUYe/p2Erl/6NEg8W";

static void a_certificate_that_another_tool_made_can_be_told_of(void **state)
{
  (void)state;
  AUTO(issued) row = {.id = 14};
  assert_true(base64_decode(&row.der, bytes_of_text(foreign)));
  json_t *object = tell(&row);
  assert_string_equal(text_of(object, "subject"), "CN=elsewhere");
  assert_list(object, "ip_sans", (const char *const[]){"10.1.1.68"}, 1);
  assert_list(object, "ca_chain", NULL, 0);
  assert_pem_is(text_of(object, "certificate"), buf_bytes(&row.der));
  json_decref(object);
}

static void reply_in(const char *accept, const struct issued *row, struct reply *reply)
{
  AUTO(fault) f = {0};
  const struct cert_form *form;
  assert_true(cert_form_choose(accept, &form, &f));
  assert_true(cert_form_reply(form, row, sample_authority(), 201, reply, &f));
  assert_int_equal(reply->status, 201);
}

static void the_four_forms_hold_the_same_certificate(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  struct reply json = {0}, pem = {0}, der = {0}, cms = {0};
  const struct authority *authority = sample_authority();
  sample_row(12, "W-1001", "line-3", "ip:10.1.1.68", &row);
  reply_in("", &row, &json);
  assert_string_equal(json.content_type, "application/json");
  json_decref(parse(&json.body));

  reply_in("application/pem-certificate-chain", &row, &pem);
  AUTO(buf) right = {0};
  pem_add(&right, "CERTIFICATE", buf_bytes(&row.der));
  buf_add_bytes(&right, buf_bytes(&authority->chain_pem));
  assert_string_equal(buf_text(&pem.body), buf_text(&right));

  reply_in("application/pkix-cert", &row, &der);
  assert_true(bytes_equal(buf_bytes(&der.body), buf_bytes(&row.der)));

  reply_in("application/pkcs7-mime", &row, &cms);
  assert_string_equal(cms.content_type, "application/pkcs7-mime; smime-type=certs-only");
  assert_non_null(memmem(cms.body.data, cms.body.len, row.der.data, row.der.len));
  assert_non_null(memmem(cms.body.data, cms.body.len, authority->certificate_der.data,
                         authority->certificate_der.len));
  assert_null(
      memmem(cms.body.data, cms.body.len, authority->root_der.data, authority->root_der.len));
  struct reply *all[] = {&json, &pem, &der, &cms};
  for (size_t i = 0; i < ARRAY_LEN(all); i++)
    buf_free(&all[i]->body);
}

static void after_a_fault_the_reply_is_empty(void **state)
{
  (void)state;
  AUTO(issued) row = {0};
  AUTO(fault) f = {0};
  const struct cert_form *form;
  struct reply reply = {0};
  sample_row(13, "W-1001", "line-3", "ip:10.1.1.68", &row);
  row.der.len--;
  assert_true(cert_form_choose("", &form, &f));
  assert_false(cert_form_reply(form, &row, sample_authority(), 201, &reply, &f));
  assert_int_equal(reply.status, 0);
  assert_int_equal(reply.body.len, 0);
}

static int end(void **state)
{
  (void)state;
  sample_end();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_field_is_told),
      cmocka_unit_test(a_revocation_is_told_with_its_time_and_reason),
      cmocka_unit_test(fields_that_were_not_given_are_there_and_empty),
      cmocka_unit_test(labels_with_quotes_stay_inside_theirs),
      cmocka_unit_test(a_certificate_of_another_issuer_comes_without_our_chain),
      cmocka_unit_test(a_certificate_that_another_tool_made_can_be_told_of),
      cmocka_unit_test(a_row_that_holds_no_certificate_is_our_fault),
      cmocka_unit_test(the_four_forms_hold_the_same_certificate),
      cmocka_unit_test(after_a_fault_the_reply_is_empty),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
