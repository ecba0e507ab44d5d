/* test_batch.c - many requests in one body: what is answered to each, and what is known of them
 * afterwards. */
#include "tests/flow/uploader.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/base64.h"
#include "lib/pki/csr.h"

static struct flow flow;

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, NULL);
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

static void ask(const char *path, const char *token, const char *accept, struct answer *answer)
{
  flow_ask(&flow, &(struct ask){.path = path, .token = token, .accept = accept}, answer);
}

static void add_line(struct buf *lines, const char *csr, const char *serial, const char *ip,
                     const char *more)
{
  issue_body(csr, serial, ip, more, lines);
  buf_add_u8(lines, '\n');
}

static json_t *run_and_read(struct upload *upload)
{
  upload_run(upload);
  if (upload->answer.status != 200)
    fail_msg("status %ld: %s", upload->answer.status, buf_text(&upload->answer.body));
  assert_string_equal(upload->answer.content_type, "application/x-ndjson");
  return answer_lines(&upload->answer);
}

static void assert_progress(const char *path, const char *state, long issued, long replayed,
                            long refused)
{
  AUTO(answer) answer = {0};
  ask(path, flow.station, NULL, &answer);
  assert_int_equal(answer.status, 200);
  json_t *batch = answer_json(&answer);
  assert_string_equal(json_text(batch, "state"), state);
  assert_string_equal(json_text(batch, "principal"), "line-1");
  assert_int_equal(strlen(json_text(batch, "id")), 32);
  assert_int_equal(json_integer_value(json_object_get(batch, "lines")),
                   issued + replayed + refused);
  assert_int_equal(json_integer_value(json_object_get(batch, "issued")), issued);
  assert_int_equal(json_integer_value(json_object_get(batch, "replayed")), replayed);
  assert_int_equal(json_integer_value(json_object_get(batch, "refused")), refused);
  assert_int_equal(strlen(json_text(batch, "begun_at")), 20);
  json_decref(batch);
}

/* What GET gives afterwards is what POST has answered, octet by octet. */
static void assert_same_later(struct answer *first)
{
  AUTO(answer) later = {0};
  ask(first->location, flow.station, "application/x-ndjson", &later);
  assert_int_equal(later.status, 200);
  assert_string_equal(later.content_type, "application/x-ndjson");
  assert_int_equal(later.body.len, first->body.len);
  assert_memory_equal(later.body.data, first->body.data, first->body.len);
}

static void assert_in_order(const json_t *lines)
{
  long before = 0;
  size_t i;
  json_t *each;
  json_array_foreach(lines, i, each)
  {
    long line = (long)json_integer_value(json_object_get(each, "line"));
    assert_true(line > before);
    before = line;
  }
}

static void two_thousand_lines_are_answered_in_their_order(void **state)
{
  (void)state;
  enum { LINES = 2000 };
  struct upload upload = {.flow = &flow};
  long rows = flow_rows(&flow);
  upload_add_widgets(&upload, "A", LINES, 0);
  json_t *lines = run_and_read(&upload);
  assert_int_equal(json_array_size(lines), LINES);
  assert_in_order(lines);
  assert_int_equal(lines_with_status(lines, 201), LINES);
  assert_int_equal(flow_rows(&flow) - rows, LINES);
  const json_t *seventh = json_array_get(lines, 6);
  assert_string_equal(json_text(seventh, "device_serial"), "A-7");
  assert_chain(&flow, seventh, "10.3.0.7");
  assert_int_equal(strncmp(upload.answer.location, "/v1/batches/", 12), 0);
  assert_progress(upload.answer.location, "done", LINES, 0, 0);
  assert_same_later(&upload.answer);
  json_decref(lines);
  /* Once more: the same certificates, and no other. */
  lines = run_and_read(&upload);
  assert_int_equal(lines_with_status(lines, 200), LINES);
  assert_int_equal(flow_rows(&flow) - rows, LINES);
  assert_progress(upload.answer.location, "done", 0, LINES, 0);
  json_decref(lines);
  upload_free(&upload);
}

static void each_line_stands_for_itself(void **state)
{
  (void)state;
  AUTO(buf) csr = {0}, other = {0}, used = {0};
  AUTO(answer) answer = {0};
  struct upload upload = {.flow = &flow};
  struct buf *lines = &upload.lines;
  make_csr(&csr);
  make_csr(&other);
  make_csr(&used);
  flow_issue(&flow, buf_text(&used), "B-0", "10.4.0.9", NULL, &answer);
  assert_int_equal(answer.status, 201);
  long rows = flow_rows(&flow);
  buf_add_text(lines, "this is not JSON\n");                 /* 1 */
  add_line(lines, buf_text(&csr), "B-1", "10.4.0.1", NULL);  /* 2 */
  buf_add_text(lines, "\n  \r\n");                           /* 3, 4: empty */
  add_line(lines, buf_text(&other), "B-2", "8.8.8.8", NULL); /* 5: a wrong name */
  for (size_t i = 0; i < 40000; i++)                         /* 6: too long */
    buf_add_u8(lines, 'x');
  buf_add_u8(lines, '\n');
  buf_add_text(lines, "{\"device_serial\":\"B-3\"}\n");                   /* 7: no CSR */
  add_line(lines, buf_text(&used), "B-4", "10.4.0.1", NULL);              /* 8: a key of another */
  add_line(lines, buf_text(&other), "B-5", NULL, ",\"colour\":\"blue\""); /* 9: unknown field */
  buf_add_text(lines, "\xff\xfe\n");                                      /* 10: not UTF-8 */
  issue_body(buf_text(&other), "B-6", "10.4.0.6", NULL, lines);           /* 11: without an end */
  json_t *answers = run_and_read(&upload);
  static const struct {
    long line, status;
  } wanted[] = {{1, 400}, {2, 201}, {3, 0},   {4, 0},    {5, 422}, {6, 413},
                {7, 400}, {8, 409}, {9, 400}, {10, 400}, {11, 201}};
  for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
    if (line_status(answers, wanted[i].line) != wanted[i].status)
      fail_msg("line %ld: %ld instead of %ld", wanted[i].line, line_status(answers, wanted[i].line),
               wanted[i].status);
  assert_int_equal(json_array_size(answers), 9);
  assert_in_order(answers);
  const json_t *wrong_name = json_array_get(answers, 2);
  assert_string_equal(json_text(wrong_name, "code"), "name-not-allowed");
  assert_string_equal(json_text(json_array_get(json_object_get(wrong_name, "errors"), 0), "name"),
                      "8.8.8.8");
  assert_int_equal(flow_rows(&flow) - rows, 2);
  assert_progress(upload.answer.location, "done", 2, 0, 7);
  assert_same_later(&upload.answer);
  json_decref(answers);
  upload_free(&upload);
  /* And each has its event. */
  assert_true(flow_sql(&flow, "SELECT count(*) FROM events WHERE device_serial = 'B-2'"
                              " AND code IS NOT NULL") == 1);
}

/* A CSR with another signature than its own, as base64 of DER. */
static void make_unproven_csr(struct buf *ret_text)
{
  AUTO(buf) pem = {0}, der = {0};
  AUTO(fault) f = {0};
  make_csr(&pem);
  assert_true(csr_decode(buf_bytes(&pem), &der, &f));
  der.data[der.len - 1] ^= 1; /* of the number s */
  base64_add(ret_text, buf_bytes(&der), 0);
}

static void add_proven_or_not(struct buf *lines, unsigned i, bool proven)
{
  char serial[32], ip[32];
  AUTO(buf) csr = {0};
  snprintf(serial, sizeof serial, "U-%u", i);
  snprintf(ip, sizeof ip, "10.5.1.%u", i);
  if (proven)
    make_csr(&csr);
  else
    make_unproven_csr(&csr);
  add_line(lines, buf_text(&csr), serial, ip, NULL);
}

/* Signatures of a batch are verified together, and each has its own answer. */
static void proofs_are_told_from_each_other(void **state)
{
  (void)state;
  enum { LINES = 210, EACH = 7 };
  struct upload upload = {.flow = &flow};
  long rows = flow_rows(&flow);
  for (unsigned i = 1; i <= LINES; i++)
    add_proven_or_not(&upload.lines, i, i % EACH != 0);
  json_t *answers = run_and_read(&upload), *answer;
  size_t at;
  assert_int_equal(json_array_size(answers), LINES);
  json_array_foreach(answers, at, answer) if ((at + 1) % EACH == 0)
      assert_string_equal(json_text(answer, "code"), "bad-proof-of-possession");
  assert_int_equal(lines_with_status(answers, 201), LINES - LINES / EACH);
  assert_int_equal(flow_rows(&flow) - rows, LINES - LINES / EACH);
  json_decref(answers);
  upload_free(&upload);
}

static void the_same_line_twice_is_one_certificate(void **state)
{
  (void)state;
  enum { TIMES = 30 };
  AUTO(buf) csr = {0};
  struct upload upload = {.flow = &flow};
  long rows = flow_rows(&flow);
  make_csr(&csr);
  for (unsigned i = 0; i < TIMES; i++)
    add_line(&upload.lines, buf_text(&csr), "C-1", "10.4.1.1", NULL);
  json_t *lines = run_and_read(&upload);
  assert_int_equal(lines_with_status(lines, 201), 1);
  assert_int_equal(lines_with_status(lines, 200), TIMES - 1);
  assert_int_equal(flow_rows(&flow) - rows, 1);
  json_decref(lines);
  upload_free(&upload);
}

static void an_order_is_not_overrun(void **state)
{
  (void)state;
  struct upload upload = {.flow = &flow};
  flow_order(&flow, "PO-5", 5, NULL);
  for (unsigned i = 0; i < 8; i++) {
    AUTO(buf) csr = {0};
    char serial[16];
    make_csr(&csr);
    snprintf(serial, sizeof serial, "D-%u", i);
    add_line(&upload.lines, buf_text(&csr), serial, "10.4.2.1", ",\"order\":\"PO-5\"");
  }
  json_t *lines = run_and_read(&upload);
  assert_int_equal(lines_with_status(lines, 201), 5);
  assert_int_equal(lines_with_status(lines, 409), 3);
  json_decref(lines);
  upload_free(&upload);
}

static void a_body_of_chunks_and_an_empty_one(void **state)
{
  (void)state;
  AUTO(buf) csr = {0}, line = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  add_line(&line, buf_text(&csr), "E-1", "10.4.3.1", NULL);
  struct ask chunked = {.path = "/v1/batches",
                        .token = flow.station,
                        .content_type = "application/x-ndjson",
                        .header = "Transfer-Encoding: chunked",
                        .body = buf_bytes(&line)};
  flow_ask(&flow, &chunked, &answer);
  assert_int_equal(answer.status, 200);
  json_t *lines = answer_lines(&answer);
  assert_int_equal(line_status(lines, 1), 201);
  json_decref(lines);
  struct ask empty = chunked;
  empty.header = NULL;
  empty.method = "POST";
  empty.body = bytes_of("", 0);
  flow_ask(&flow, &empty, &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(answer.body.len, 0);
  assert_progress(answer.location, "done", 0, 0, 0);
}

static void lines_beyond_a_million_are_one_problem(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  struct upload upload = {.flow = &flow};
  long rows = flow_rows(&flow);
  for (unsigned i = 0; i < 1000000; i++)
    buf_add_u8(&upload.lines, '\n');
  make_csr(&csr);
  add_line(&upload.lines, buf_text(&csr), "F-1", "10.4.4.1", NULL);
  add_line(&upload.lines, buf_text(&csr), "F-1", "10.4.4.1", NULL);
  json_t *lines = run_and_read(&upload);
  assert_int_equal(json_array_size(lines), 1);
  assert_int_equal(line_status(lines, 1000001), 413);
  assert_int_equal(flow_rows(&flow), rows);
  json_decref(lines);
  upload_free(&upload);
}

static void the_sender_may_choose_the_id(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  struct upload upload = {.flow = &flow, .query = "?id=00112233445566778899aabbccddeeff"};
  upload_add_widgets(&upload, "G", 3, 0);
  json_decref(run_and_read(&upload));
  assert_string_equal(upload.answer.location, "/v1/batches/00112233445566778899aabbccddeeff");
  upload_run(&upload);
  assert_problem(&upload.answer, 409, "batch-exists");
  upload.query = "?id=0011";
  upload_run(&upload);
  assert_problem(&upload.answer, 400, "bad-field");
  upload.query = "?colour=blue";
  upload_run(&upload);
  assert_problem(&upload.answer, 400, "bad-field");
  upload_free(&upload);
  ask("/v1/batches/ffffffffffffffffffffffffffffffff", flow.admin, NULL, &answer);
  assert_problem(&answer, 404, "unknown-batch");
  ask("/v1/batches/nonsense", flow.admin, NULL, &answer);
  assert_problem(&answer, 404, "unknown-batch");
  ask("/v1/batches/00112233445566778899aabbccddeeff", flow.admin, "text/csv", &answer);
  assert_problem(&answer, 406, "not-acceptable");
}

static void add_principal(const char *name, const char *role, char ret_token[160])
{
  AUTO(answer) answer = {0};
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/principals",
                         .token = flow.admin,
                         .content_type = "application/json",
                         .body = bytes_of_text(body)},
           &answer);
  assert_int_equal(answer.status, 201);
  json_t *reply = answer_json(&answer);
  snprintf(ret_token, 160, "%s", json_text(reply, "token"));
  json_decref(reply);
}

static size_t listed(const char *token, const char *path, char ret_cursor[64])
{
  AUTO(answer) answer = {0};
  ask(path, token, NULL, &answer);
  assert_int_equal(answer.status, 200);
  json_t *list = answer_json(&answer);
  size_t n = json_array_size(json_object_get(list, "batches"));
  const char *cursor = json_string_value(json_object_get(list, "next_cursor"));
  snprintf(ret_cursor, 64, "%s", cursor != NULL ? cursor : "");
  json_decref(list);
  return n;
}

static void a_station_sees_its_own(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  char second[160], auditor[160], cursor[64], path[128];
  add_principal("line-2", "station", second);
  add_principal("quality", "auditor", auditor);
  struct upload upload = {.flow = &flow};
  upload_add_widgets(&upload, "H", 2, 0);
  json_decref(run_and_read(&upload));
  ask(upload.answer.location, second, NULL, &answer);
  assert_problem(&answer, 404, "unknown-batch");
  ask(upload.answer.location, second, "application/x-ndjson", &answer);
  assert_problem(&answer, 404, "unknown-batch");
  ask(upload.answer.location, auditor, "application/x-ndjson", &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(listed(second, "/v1/batches", cursor), 0);
  assert_int_equal(listed(flow.station, "/v1/batches?limit=1", cursor), 1);
  assert_true(cursor[0] != '\0');
  snprintf(path, sizeof path, "/v1/batches?limit=1000&cursor=%s", cursor);
  size_t rest = listed(flow.station, path, cursor);
  assert_true(rest > 0);
  assert_int_equal(listed(auditor, "/v1/batches?limit=1000", cursor), rest + 1);
  ask("/v1/batches?cursor=nonsense", flow.station, NULL, &answer);
  assert_problem(&answer, 400, "bad-cursor");
  upload.token = auditor;
  upload_run(&upload);
  assert_problem(&upload.answer, 403, "forbidden");
  upload_free(&upload);
}

static void rows_of_lines_are_only_added(void **state)
{
  (void)state;
  assert_true(flow_sql(&flow, "SELECT count(*) FROM batch_lines") > 4000);
  /* As lean as it was meant to be. */
  assert_true(flow_sql(&flow, "SELECT sum(length(detail) IS NULL) FROM batch_lines") > 4000);
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"
                                   " AND tbl_name = 'batch_lines'"),
                   3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_thousand_lines_are_answered_in_their_order),
      cmocka_unit_test(each_line_stands_for_itself),
      cmocka_unit_test(proofs_are_told_from_each_other),
      cmocka_unit_test(the_same_line_twice_is_one_certificate),
      cmocka_unit_test(an_order_is_not_overrun),
      cmocka_unit_test(a_body_of_chunks_and_an_empty_one),
      cmocka_unit_test(lines_beyond_a_million_are_one_problem),
      cmocka_unit_test(the_sender_may_choose_the_id),
      cmocka_unit_test(a_station_sees_its_own),
      cmocka_unit_test(rows_of_lines_are_only_added),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
