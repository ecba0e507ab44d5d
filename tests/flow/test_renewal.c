/* test_renewal.c - POST /v1/renew: whoever holds a certificate asks for another one in its place.
 */
#include "tests/flow/flow.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/ledger.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "tests/unit/peer_kit.h"

enum { DAY = 86400 };

static struct flow flow;

/* What all of these have. */
#define PROFILE(name, more)                                                                        \
  "\nprofile \"" name "\" {\n"                                                                     \
  "  validity = \"10d\"\n"                                                                         \
  "  key_types = {\"ec-p256\"}\n"                                                                  \
  "  key_usage = {\"digitalSignature\"}\n"                                                         \
  "  ext_key_usage = {\"serverAuth\"}\n"                                                           \
  "  ip_ranges = {\"10.0.0.0/8\"}\n"                                                               \
  "  subject = {\"CN=${device_serial}\", \"OU=${station}\"}\n" more "}\n"

static const char conf[] = PROFILE("due", "  renew_from = \"10d\"\n  csr_names = \"copy\"\n")
    PROFILE("late", "  renew_from = \"1d\"\n")
        PROFILE("grace", "  renew_from = \"1d\"\n  renew_grace = \"5d\"\n")
            PROFILE("new-key", "  renew_from = \"10d\"\n  renew_key = \"new\"\n")
                PROFILE("same-key", "  renew_from = \"10d\"\n  renew_key = \"same\"\n");

/* --- who holds a certificate --- */

/* NAME.crt and NAME.key in the flow's folder. */
struct holder {
  char name[32];
  struct private_key *key;
};

static struct private_key *new_key(void)
{
  AUTO(fault) f = {0};
  struct private_key *key;
  assert_true(private_key_generate("ec-p256", &key, &f));
  return key;
}

static void write_file(const char *name, const char *suffix, struct bytes content)
{
  char file[64], path[128];
  AUTO(fault) f = {0};
  snprintf(file, sizeof file, "%s.%s", name, suffix);
  if (!file_write(flow_path(&flow, file, path), content, 0600, true, &f))
    fail_msg("%s", f.detail);
}

/* Takes the key over. */
static void holder_write(struct holder *holder, const char *name, struct private_key *key,
                         struct bytes cert_pem)
{
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  snprintf(holder->name, sizeof holder->name, "%s", name);
  holder->key = key;
  assert_true(private_key_write(key, (struct bytes){0}, &pem, &f));
  write_file(name, "key", buf_bytes(&pem));
  write_file(name, "crt", cert_pem);
}

static void holder_take(struct holder *holder, const char *name, struct private_key *key,
                        const json_t *reply)
{
  holder_write(holder, name, key, bytes_of_text(json_text(reply, "certificate")));
}

static void holder_end(struct holder *holder)
{
  private_key_free(holder->key);
  *holder = (struct holder){0};
}

/* A certificate of this profile, which the station line-1 asks for. */
static void holder_issue(struct holder *holder, const char *name, const char *profile)
{
  struct private_key *key = new_key();
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr_for(key, NULL, NULL, &csr);
  json_t *body = json_pack("{s:s, s:s, s:s}", "csr", buf_text(&csr), "device_serial", name,
                           "profile", profile);
  if (strcmp(profile, "device-client") != 0)
    json_object_set_new(body, "ip_sans", json_pack("[s]", "10.1.1.68"));
  char *text = json_dumps(body, JSON_COMPACT);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates",
                         .token = flow.station,
                         .content_type = "application/json",
                         .body = bytes_of_text(text)},
           &answer);
  if (answer.status != 201)
    fail_msg("%s: %ld: %s", name, answer.status, buf_text(&answer.body));
  json_t *reply = answer_json(&answer);
  holder_take(holder, name, key, reply);
  json_decref(reply);
  json_decref(body);
  free(text);
}

/* --- what it asks --- */

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
  buf_add(context, data, size * n);
  return size * n;
}

/* A request of its own connection with this certificate; status 0: no answer came. */
static void ask_as(const struct holder *holder, const struct ask *ask, struct answer *answer)
{
  char root[128], path[128], cert[64], key[64];
  AUTO(buf) url = {0}, line = {0};
  CURL *curl = curl_easy_init();
  char *type = NULL;
  struct curl_slist *headers = NULL;
  answer_free(answer);
  buf_addf(&url, "%s%s", flow.url, ask->path);
  buf_addf(&line, "Content-Type: %s", ask->content_type != NULL ? ask->content_type : "");
  headers = curl_slist_append(headers, buf_text(&line));
  if (ask->header != NULL)
    headers = curl_slist_append(headers, ask->header);
  snprintf(cert, sizeof cert, "%s.crt", holder->name);
  snprintf(key, sizeof key, "%s.key", holder->name);
  curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
  curl_easy_setopt(curl, CURLOPT_CAINFO, flow_path(&flow, "ca/root.crt", root));
  curl_easy_setopt(curl, CURLOPT_SSLCERT, flow_path(&flow, cert, path));
  curl_easy_setopt(curl, CURLOPT_SSLKEY, flow_path(&flow, key, path));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
  if (ask->body.data != NULL) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask->body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)ask->body.len);
  }
  if (curl_easy_perform(curl) == CURLE_OK)
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
  if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL)
    snprintf(answer->content_type, sizeof answer->content_type, "%s", type);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
}

/* With a bare CSR for this key. */
static void renew(const struct holder *holder, const struct private_key *key, struct answer *answer)
{
  AUTO(buf) csr = {0};
  make_csr_for(key, NULL, NULL, &csr);
  ask_as(holder,
         &(struct ask){
             .path = "/v1/renew", .content_type = "application/pkcs10", .body = buf_bytes(&csr)},
         answer);
}

static json_t *renewed(const struct holder *holder, const struct private_key *key, long wanted)
{
  AUTO(answer) answer = {0};
  renew(holder, key, &answer);
  if (answer.status != wanted)
    fail_msg("%s: %ld instead of %ld: %s", holder->name, answer.status, wanted,
             buf_text(&answer.body));
  return answer_json(&answer);
}

static void assert_refused(const struct holder *holder, const struct private_key *key, long status,
                           const char *code, const char *word)
{
  AUTO(answer) answer = {0};
  renew(holder, key, &answer);
  if (strstr(buf_text(&answer.body), word) == NULL)
    fail_msg("%s does not say %s", buf_text(&answer.body), word);
  assert_problem(&answer, status, code);
}

static long status_of(const struct holder *holder, const char *path)
{
  AUTO(answer) answer = {0};
  ask_as(holder, &(struct ask){.path = path}, &answer);
  return answer.status;
}

static long rows_of(const char *device_serial)
{
  char sql[128];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM certificates WHERE device_serial = '%s'",
           device_serial);
  return flow_sql(&flow, sql);
}

static long events_of(const char *kind, const char *device_serial)
{
  char sql[256];
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM events e JOIN labels l ON l.id = e.kind WHERE l.text = '%s'"
           " AND (e.device_serial = '%s' OR e.certificate IN"
           " (SELECT id FROM certificates WHERE device_serial = '%s'))",
           kind, device_serial, device_serial);
  return flow_sql(&flow, sql);
}

/* --- the tests --- */

static void assert_same_text(const json_t *a, const json_t *b, const char *field)
{
  assert_string_equal(json_text(a, field), json_text(b, field));
}

static json_t *show(const json_t *reply)
{
  char path[128];
  AUTO(answer) answer = {0};
  snprintf(path, sizeof path, "/v1/certificates/%s", json_text(reply, "serial_number"));
  flow_ask(&flow, &(struct ask){.path = path, .token = flow.admin}, &answer);
  assert_int_equal(answer.status, 200);
  return answer_json(&answer);
}

static void a_web_page_renews_its_certificate(void **state)
{
  (void)state;
  static const char *const kept[] = {"device_serial", "profile", "station", "subject"};
  struct holder old;
  AUTO(answer) answer = {0};
  holder_issue(&old, "W-1", "due");
  flow_ask(&flow, &(struct ask){.path = "/v1/certificates?device_serial=W-1", .token = flow.admin},
           &answer);
  json_t *listing = answer_json(&answer);
  json_t *first = json_array_get(json_object_get(listing, "certificates"), 0);
  json_t *second = renewed(&old, old.key, 201); /* the key may be the same */
  for (size_t i = 0; i < ARRAY_LEN(kept); i++)
    assert_same_text(first, second, kept[i]);
  assert_string_equal(json_text(second, "status"), "valid");
  assert_string_not_equal(json_text(first, "serial_number"), json_text(second, "serial_number"));
  assert_chain(&flow, second, "10.1.1.68");
  json_t *first_now = show(first);
  assert_string_equal(json_text(first_now, "status"), "superseded");
  /* it is no identity for anything else */
  holder_take(&old, "W-1", old.key, second);
  assert_int_equal(status_of(&old, "/v1/certificates"), 401);
  assert_int_equal(rows_of("W-1"), 2);
  assert_int_equal(events_of("renewed", "W-1"), 1);
  assert_int_equal(events_of("replaced", "W-1"), 0);
  holder_end(&old);
  json_decref(first_now);
  json_decref(second);
  json_decref(listing);
}

static void a_lost_answer_is_given_again_and_nothing_else(void **state)
{
  (void)state;
  struct holder old, new;
  struct private_key *key = new_key(), *other = new_key();
  holder_issue(&old, "W-2", "due");
  json_t *first = renewed(&old, key, 201);
  json_t *again = renewed(&old, key, 200);
  assert_same_text(first, again, "certificate");
  assert_refused(&old, other, 422, "renewal-not-allowed", json_text(first, "serial_number"));
  holder_take(&new, "W-2-new", key, first);
  json_t *next = renewed(&new, other, 201);
  assert_refused(&old, key, 422, "renewal-not-allowed", json_text(next, "serial_number"));
  assert_int_equal(rows_of("W-2"), 3);
  assert_int_equal(events_of("replayed", "W-2"), 1);
  assert_int_equal(events_of("renewed", "W-2"), 2);
  holder_end(&old);
  holder_end(&new);
  private_key_free(other);
  json_decref(first);
  json_decref(again);
  json_decref(next);
}

static void a_cloud_client_asks_as_before_with_the_new_one_alone(void **state)
{
  (void)state;
  struct holder old, new;
  struct private_key *key = new_key();
  AUTO(buf) pem = {0}, crt = {0}, json = {0};
  AUTO(answer) answer = {0};
  holder_issue(&old, "W-3", "device-client");
  assert_int_equal(status_of(&old, "/v1/certificates"), 200);
  make_csr_for(key, "W-3", NULL, &pem);
  json_t *body = json_pack("{s:s}", "csr", buf_text(&pem));
  char *text = json_dumps(body, JSON_COMPACT);
  ask_as(&old,
         &(struct ask){.path = "/v1/renew",
                       .content_type = "application/json",
                       .header = "Accept: application/pkix-cert",
                       .body = bytes_of_text(text)},
         &answer);
  assert_int_equal(answer.status, 201);
  assert_string_equal(answer.content_type, "application/pkix-cert");
  pem_add(&crt, "CERTIFICATE", buf_bytes(&answer.body));
  holder_write(&new, "W-3-new", key, buf_bytes(&crt));
  assert_int_equal(status_of(&old, "/v1/certificates"), 401);
  assert_int_equal(status_of(&new, "/v1/certificates"), 200);
  free(text);
  json_decref(body);
  holder_end(&old);
  holder_end(&new);
}

static void mintmark(const char *command)
{
  AUTO(buf) line = {0};
  buf_addf(&line,
           "cd %s && %s/mintmark %s --url %s --cacert ca/root.crt --token-file ca/admin.token"
           " >cli.log 2>&1",
           flow.folder, getenv("MINTMARK_BUILDDIR"), command, flow.url);
  if (system(buf_text(&line)) != 0)
    fail_msg("mintmark %s failed", command);
}

static void a_station_acts_with_its_new_key(void **state)
{
  (void)state;
  struct holder old = {.name = "line-2"}, new;
  struct private_key *key = new_key(), *other = new_key();
  mintmark("station add line-2 --cert --out .");
  assert_int_equal(status_of(&old, "/v1/orders"), 200);
  json_t *reply = renewed(&old, key, 201);
  assert_string_equal(json_text(reply, "device_serial"), "line-2");
  holder_take(&new, "line-2-new", key, reply);
  assert_int_equal(status_of(&old, "/v1/orders"), 401);
  assert_int_equal(status_of(&new, "/v1/orders"), 200);
  assert_int_equal(status_of(&new, "/v1/principals"), 403); /* and still as a station */
  json_decref(renewed(&old, key, 200));
  mintmark("station disable line-2");
  assert_refused(&new, other, 401, "unauthenticated", "line-2 is disabled");
  assert_refused(&old, key, 401, "unauthenticated", "line-2 is disabled");
  mintmark("station enable line-2");
  json_decref(renewed(&new, other, 201));
  private_key_free(other);
  json_decref(reply);
  holder_end(&new);
}

static void the_profile_says_when_and_with_which_key(void **state)
{
  (void)state;
  struct holder late, never, new_one, same_one;
  struct private_key *key = new_key();
  char from[WHEN_TEXT_SIZE];
  holder_issue(&late, "W-4", "late");
  holder_issue(&never, "W-5", "test");
  holder_issue(&new_one, "W-6", "new-key");
  holder_issue(&same_one, "W-7", "same-key");
  long not_after =
      flow_sql(&flow, "SELECT not_after FROM certificates WHERE device_serial = 'W-4'");
  when_text(from, not_after - DAY);
  assert_refused(&late, key, 409, "renewal-too-early", from);
  assert_int_equal(events_of("refused", "W-4"), 0);
  assert_refused(&never, key, 422, "renewal-not-allowed", "profile test");
  assert_int_equal(events_of("refused", "W-5"), 1);
  assert_refused(&new_one, new_one.key, 422, "renewal-not-allowed", "a new key");
  assert_refused(&same_one, key, 422, "renewal-not-allowed", "the same key");
  json_decref(renewed(&same_one, same_one.key, 201));
  json_decref(renewed(&new_one, key, 201));
  private_key_free(key);
  holder_end(&late);
  holder_end(&never);
  holder_end(&new_one);
  holder_end(&same_one);
}

static void its_names_stay_as_they_are(void **state)
{
  (void)state;
  struct holder holder;
  struct private_key *key = new_key();
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  holder_issue(&holder, "W-8", "due");
  struct ask ask = {.path = "/v1/renew", .content_type = "application/pkcs10"};
  assert_true(sans_add(&names, SAN_IP, bytes_of_text("10.1.1.69"), &f));
  make_csr_for(key, NULL, &names, &csr);
  ask.body = buf_bytes(&csr);
  ask_as(&holder, &ask, &answer); /* although a first one of this profile would have it */
  assert_problem(&answer, 422, "name-not-requested");
  ask.path = "/v1/renew?ip_sans=10.1.1.69";
  ask_as(&holder, &ask, &answer);
  assert_problem(&answer, 400, "unknown-field");
  ask = (struct ask){.path = "/v1/renew",
                     .content_type = "application/json",
                     .body = bytes_of_text("{\"csr\":\"MA==\",\"device_serial\":\"W-9\"}")};
  ask_as(&holder, &ask, &answer);
  assert_int_equal(answer.status, 400);
  assert_int_equal(rows_of("W-8"), 1);
  private_key_free(key);
  holder_end(&holder);
}

/* As the administrator; the reply is the caller's. */
static json_t *post(const char *path, const char *type, const char *body)
{
  AUTO(answer) answer = {0};
  flow_ask(&flow,
           &(struct ask){.method = "POST",
                         .path = path,
                         .token = flow.admin,
                         .content_type = type,
                         .body = bytes_of_text(body)},
           &answer);
  if (answer.status != 200 && answer.status != 201)
    fail_msg("%s: %ld: %s", path, answer.status, buf_text(&answer.body));
  return answer_json(&answer);
}

static void import(const char *row)
{
  char path[128];
  json_t *begun = post("/v1/device-imports", NULL, "");
  snprintf(path, sizeof path, "/v1/device-imports/%s/rows", json_text(begun, "id"));
  json_decref(post(path, "application/x-ndjson", row));
  snprintf(path, sizeof path, "/v1/device-imports/%s/commit", json_text(begun, "id"));
  json_decref(post(path, NULL, ""));
  json_decref(begun);
}

static void of_what_was_imported_the_names_hold(void **state)
{
  (void)state;
  struct holder within, outside;
  holder_issue(&within, "W-12", "due");
  holder_issue(&outside, "W-13", "due");
  import("{\"device_serial\":\"W-12\",\"model\":\"WX-4\",\"ip_sans\":[\"10.1.1.68\"]}");
  import("{\"device_serial\":\"W-13\",\"ip_sans\":[\"10.1.1.69\"]}");
  json_decref(renewed(&within, within.key, 201)); /* although its certificate says no model */
  assert_refused(&outside, outside.key, 422, "name-not-allowed", "imported for this device");
  holder_end(&within);
  holder_end(&outside);
}

static void its_order_may_be_closed(void **state)
{
  (void)state;
  struct private_key *key = new_key();
  struct holder holder;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  json_decref(post("/v1/orders", "application/json",
                   "{\"name\":\"PO-1\",\"profile\":\"due\",\"quantity\":1}"));
  make_csr_for(key, NULL, NULL, &csr);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates?device_serial=W-14&order=PO-1",
                         .token = flow.station,
                         .content_type = "application/pkcs10",
                         .body = buf_bytes(&csr)},
           &answer);
  assert_int_equal(answer.status, 201);
  json_t *first = answer_json(&answer);
  holder_take(&holder, "W-14", key, first);
  json_decref(post("/v1/orders/PO-1/close", NULL, ""));
  json_t *second = renewed(&holder, key, 201);
  assert_string_equal(json_text(second, "order"), "PO-1");
  assert_int_equal(flow_sql(&flow, "SELECT issued FROM orders WHERE name = 'PO-1'"), 1);
  assert_int_equal(flow_sql(&flow, "SELECT replaced FROM orders WHERE name = 'PO-1'"), 0);
  json_decref(first);
  json_decref(second);
  holder_end(&holder);
}

static void nobody_asks_who_does_not_hold_it(void **state)
{
  (void)state;
  struct holder holder;
  AUTO(buf) csr = {0}, header = {0};
  AUTO(answer) answer = {0};
  holder_issue(&holder, "W-10", "due");
  make_csr(&csr);
  buf_addf(&header, "Authorization: Bearer %s", flow.admin);
  struct ask ask = {.path = "/v1/renew",
                    .token = flow.admin,
                    .content_type = "application/pkcs10",
                    .body = buf_bytes(&csr)};
  flow_ask(&flow, &ask, &answer);
  assert_problem(&answer, 401, "unauthenticated");
  ask.header = buf_text(&header);
  ask_as(&holder, &ask, &answer);
  assert_problem(&answer, 401, "unauthenticated");
  assert_int_equal(rows_of("W-10"), 1);
  holder_end(&holder);
}

static void revoke_it(const json_t *reply, const char *reason)
{
  char path[128], body[64];
  AUTO(answer) answer = {0};
  snprintf(path, sizeof path, "/v1/certificates/%s/revoke", json_text(reply, "serial_number"));
  snprintf(body, sizeof body, "{\"reason\":\"%s\"}", reason);
  flow_ask(&flow,
           &(struct ask){.path = path,
                         .token = flow.admin,
                         .content_type = "application/json",
                         .body = bytes_of_text(body)},
           &answer);
  if (answer.status != 200)
    fail_msg("%s: %ld: %s", path, answer.status, buf_text(&answer.body));
}

static void what_is_revoked_is_never_renewed(void **state)
{
  (void)state;
  struct holder old, new;
  struct private_key *key = new_key(), *other = new_key();
  holder_issue(&old, "W-11", "due");
  json_t *first = renewed(&old, key, 201);
  holder_take(&new, "W-11-new", key, first);
  revoke_it(first, "certificateHold");
  assert_refused(&new, other, 401, "unauthenticated", "on hold");
  /* nor is a lost answer given again, or the one before renewed in its place */
  assert_refused(&old, key, 422, "renewal-not-allowed", "taken its place");
  revoke_it(first, "removeFromCRL");
  json_t *second = renewed(&new, other, 201);
  private_key_free(old.key);
  holder_take(&old, "W-11", other, second);
  revoke_it(second, "cessationOfOperation");
  assert_refused(&old, other, 401, "unauthenticated", "revoked");
  assert_int_equal(rows_of("W-11"), 3);
  holder_end(&old);
  holder_end(&new);
  json_decref(first);
  json_decref(second);
}

/* --- what has expired --- */

/* Reads what the authority signs with. */
static void read_issuer(struct made *ret_issuer)
{
  char path[128];
  AUTO(buf) pem = {0}, key_pem = {0};
  AUTO(fault) f = {0};
  struct bytes label;
  bool broken;
  *ret_issuer = (struct made){0};
  assert_true(file_read(flow_path(&flow, "ca/issuing.crt", path), 1 << 20, &pem, &f));
  struct bytes rest = buf_bytes(&pem);
  assert_true(pem_next(&rest, &label, &ret_issuer->der, &broken));
  assert_true(cert_read(buf_bytes(&ret_issuer->der), true, &ret_issuer->cert, &f));
  assert_true(file_read(flow_path(&flow, "ca/keys/issuing.key", path), 1 << 20, &key_pem, &f));
  assert_true(private_key_read(buf_bytes(&key_pem), (struct bytes){0}, &ret_issuer->key, &f));
}

static void put_on_record(struct ledger *ledger, const struct made *made, const char *name,
                          const char *profile)
{
  AUTO(fault) f = {0};
  AUTO(issued)
  row = {.issued_at_ms = INT64_C(1000) * made->cert.not_before,
         .not_before = made->cert.not_before,
         .not_after = made->cert.not_after,
         .station = "line-1",
         .authority = "issuing"};
  AUTO(issued) earlier = {0};
  struct ledger_batch *batch;
  bool replayed;
  TEXT_COPY(row.device_serial, bytes_of_text(name));
  TEXT_COPY(row.profile, bytes_of_text(profile));
  memcpy(row.serial_number, made->cert.serial_number.data, SERIAL_NUMBER_LEN);
  pubkey_sha256(made->cert.key.spki, row.spki_sha256);
  buf_add_bytes(&row.der, buf_bytes(&made->der));
  assert_true(ledger_begin(ledger, &batch, &f));
  if (!ledger_append(batch, &row, &made->cert.names, false, when_now(), &replayed, &earlier, &f))
    fail_msg("%s", f.detail);
  assert_true(ledger_commit(batch, &f));
}

/* One that expired so many days ago. */
static void make_expired(struct ledger *ledger, const struct made *issuer, const char *name,
                         const char *profile, int days, struct holder *ret_holder)
{
  static uint8_t number[SERIAL_NUMBER_LEN] = {1, 9};
  AUTO(sans) names = {0};
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  struct made made;
  int64_t not_after = when_now() - (int64_t)days * DAY;
  number[SERIAL_NUMBER_LEN - 1]++;
  assert_true(sans_add(&names, SAN_IP, bytes_of_text("10.1.1.68"), &f));
  made_cert(&(struct recipe){.name = name,
                             .issuer = issuer,
                             .serial_number = bytes_of(number, sizeof number),
                             .not_before = not_after - 10 * DAY,
                             .not_after = not_after,
                             .ext_key_usage = EKU_SERVER_AUTH,
                             .names = &names},
            &made);
  put_on_record(ledger, &made, name, profile);
  pem_add(&pem, "CERTIFICATE", buf_bytes(&made.der));
  holder_write(ret_holder, name, made.key, buf_bytes(&pem));
  made.key = NULL;
  made_free(&made);
}

static void an_expired_one_is_renewed_within_the_grace_alone(void **state)
{
  (void)state;
  struct holder in_time, too_late, without;
  struct made issuer;
  struct ledger *ledger;
  AUTO(fault) f = {0};
  char path[128];
  struct private_key *key = new_key(), *other = new_key();
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  read_issuer(&issuer);
  assert_true(ledger_open(flow_path(&flow, "ca/mintmark.db", path), &ledger, &f));
  make_expired(ledger, &issuer, "W-20", "grace", 3, &in_time);
  make_expired(ledger, &issuer, "W-21", "grace", 6, &too_late);
  make_expired(ledger, &issuer, "W-22", "late", 3, &without);
  ledger_close(ledger);
  flow_start(&flow);
  json_t *reply = renewed(&in_time, key, 201);
  assert_chain(&flow, reply, "10.1.1.68");
  json_decref(renewed(&in_time, key, 200));
  assert_refused(&in_time, other, 422, "renewal-not-allowed", "taken its place");
  assert_refused(&too_late, other, 422, "renewal-not-allowed", "longer ago");
  assert_refused(&without, other, 422, "renewal-not-allowed", "it expired at");
  private_key_free(key);
  private_key_free(other);
  json_decref(reply);
  made_free(&issuer);
  holder_end(&in_time);
  holder_end(&too_late);
  holder_end(&without);
}

/* --- a crash --- */

enum { FLEET = 40 };

static struct {
  struct holder holder;
  struct private_key *key;
  char got[64]; /* the serial number that it was told; "": no answer came */
} fleet[FLEET];
static _Atomic unsigned n_got;

static void *renew_fleet(void *context)
{
  (void)context;
  for (size_t i = 0; i < FLEET; i++) {
    AUTO(answer) answer = {0};
    renew(&fleet[i].holder, fleet[i].key, &answer);
    if (answer.status != 201)
      continue;
    json_t *reply = answer_json(&answer);
    snprintf(fleet[i].got, sizeof fleet[i].got, "%s", json_text(reply, "serial_number"));
    json_decref(reply);
    n_got++;
  }
  return NULL;
}

static void whoever_was_not_answered_asks_again_after_a_crash(void **state)
{
  (void)state;
  pthread_t thread;
  for (unsigned i = 0; i < FLEET; i++) {
    char name[32];
    snprintf(name, sizeof name, "F-%u", i);
    holder_issue(&fleet[i].holder, name, "due");
    fleet[i].key = new_key();
  }
  assert_int_equal(pthread_create(&thread, NULL, renew_fleet, NULL), 0);
  int64_t deadline = when_monotonic_ms() + 60000;
  while (n_got < FLEET / 4) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(500);
  }
  flow_stop(&flow, SIGKILL);
  pthread_join(thread, NULL);
  assert_true(n_got < FLEET);
  flow_start(&flow);
  for (unsigned i = 0; i < FLEET; i++) {
    AUTO(answer) answer = {0};
    renew(&fleet[i].holder, fleet[i].key, &answer);
    assert_true(answer.status == 200 || (answer.status == 201 && fleet[i].got[0] == '\0'));
    json_t *reply = answer_json(&answer);
    if (fleet[i].got[0] != '\0')
      assert_string_equal(json_text(reply, "serial_number"), fleet[i].got);
    assert_int_equal(rows_of(fleet[i].holder.name), 2);
    json_decref(reply);
    private_key_free(fleet[i].key);
    holder_end(&fleet[i].holder);
  }
}

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, conf);
  flow_edit_conf(&flow, "profile \"device-client\" {\n  validity = \"825d\"",
                 "profile \"device-client\" {\n  validity = \"29d\"");
  flow_edit_conf(&flow, "profile \"station\" {\n  validity = \"397d\"",
                 "profile \"station\" {\n  validity = \"29d\"");
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_web_page_renews_its_certificate),
      cmocka_unit_test(a_lost_answer_is_given_again_and_nothing_else),
      cmocka_unit_test(a_cloud_client_asks_as_before_with_the_new_one_alone),
      cmocka_unit_test(a_station_acts_with_its_new_key),
      cmocka_unit_test(the_profile_says_when_and_with_which_key),
      cmocka_unit_test(its_names_stay_as_they_are),
      cmocka_unit_test(of_what_was_imported_the_names_hold),
      cmocka_unit_test(its_order_may_be_closed),
      cmocka_unit_test(nobody_asks_who_does_not_hold_it),
      cmocka_unit_test(what_is_revoked_is_never_renewed),
      cmocka_unit_test(an_expired_one_is_renewed_within_the_grace_alone),
      cmocka_unit_test(whoever_was_not_answered_asks_again_after_a_crash),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
