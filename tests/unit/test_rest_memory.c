/* test_rest_memory.c - when memory runs out at any allocation, the answer is NO_MEMORY or the whole
 * of what it should be; never a part of it, and never that the client was wrong.
 *
 * The linker leads our allocations (not those inside of shared libraries) through __wrap_*. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "daemon/cert_form.h"
#include "daemon/cursor.h"
#include "daemon/issue_decode.h"
#include "daemon/rest.h"
#include "daemon/search_decode.h"
#include "lib/base/file.h"
#include "lib/ca/issue.h"
#include "tests/unit/fake_service.h"
#include "tests/unit/sample.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* Allocations until the first that fails; -1: none does. */
static long left = -1;
static bool only_one; /* or all that follow, too */
static bool failed;

static bool fails(void)
{
  if (left < 0)
    return false;
  if (left > 0) {
    left--;
    return false;
  }
  failed = true;
  if (only_one)
    left = -1;
  return true;
}

void *__wrap_malloc(size_t size)
{
  return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
  return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
  return fails() ? NULL : __real_realloc(memory, size);
}

/* Fills `out` with what came of it. */
typedef bool operation(struct buf *out, struct fault *f);

static bool run(operation *op, long n, struct buf *out, struct fault *f)
{
  left = n;
  failed = false;
  bool done = op(out, f);
  left = -1;
  return done;
}

static void assert_all_or_nothing(operation *op)
{
  AUTO(buf) whole = {0};
  AUTO(fault) none = {0};
  if (!run(op, -1, &whole, &none))
    fail_msg("%s", none.detail);
  for (int pass = 0; pass < 2; pass++) {
    only_one = pass == 1;
    failed = true;
    for (long n = 0; failed; n++) {
      AUTO(buf) out = {0};
      AUTO(fault) f = {0};
      bool done = run(op, n, &out, &f);
      if (done)
        assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&whole)));
      else if (f.code != FAULT_NO_MEMORY)
        fail_msg("allocation %ld: %s", n, f.detail);
      assert_true(n < 1000);
    }
  }
}

/* What is written for the comparison alone is not a part of the test. */
static void note(struct buf *out, struct bytes octets)
{
  long kept = left;
  left = -1;
  buf_add_bytes(out, octets);
  left = kept;
}

static const char *accept_header;

static bool make_form(struct buf *out, struct fault *f)
{
  const struct cert_form *form;
  struct reply reply = {0};
  if (!cert_form_choose(accept_header, &form, f) ||
      !cert_form_reply(form, &fake.rows[0], sample_authority(), 200, &reply, f))
    return false;
  note(out, buf_bytes(&reply.body));
  buf_free(&reply.body);
  return true;
}

static void a_certificate_is_whole_in_every_form(void **state)
{
  (void)state;
  static const char *const accepts[] = {"", "application/pem-certificate-chain",
                                        "application/pkix-cert", "application/pkcs7-mime"};
  for (size_t i = 0; i < ARRAY_LEN(accepts); i++) {
    accept_header = accepts[i];
    assert_all_or_nothing(make_form);
  }
}

static struct exchange issue_exchange;

static bool decode_issue(struct buf *out, struct fault *f)
{
  struct issue_request request = {0};
  bool done = issue_decode(&issue_exchange, &request, f);
  if (done) {
    note(out, buf_bytes(&request.csr));
    note(out, bytes_of_text(request.device_serial));
    note(out, buf_bytes(&request.names.values));
  }
  buf_free(&request.csr);
  sans_free(&request.names);
  return done;
}

static void a_request_is_understood_or_may_be_tried_again(void **state)
{
  (void)state;
  AUTO(buf) path = {0};
  AUTO(fault) f = {0};
  buf_addf(&path, "%s/tests/cases/json/good-full/input", getenv("MINTMARK_SRCDIR"));
  fake_exchange(&issue_exchange, ROLE_STATION, NULL);
  strcpy(issue_exchange.content_type, "application/json");
  assert_true(file_read(buf_text(&path), 1 << 20, &issue_exchange.body, &f));
  assert_all_or_nothing(decode_issue);
  fake_exchange_end(&issue_exchange);
}

static struct exchange search_exchange;

static bool decode_search(struct buf *out, struct fault *f)
{
  struct search *search = NULL;
  if (!search_decode(&search_exchange, &search, f))
    return false;
  note(out, buf_bytes(&search->filters));
  search_free(search);
  return true;
}

static void filters_are_all_read_or_none(void **state)
{
  (void)state;
  static const char *const query[] = {"dns=a.example", "uri=urn:x:y", "ip=10.1.1.1", "order=x",
                                      NULL};
  fake_exchange(&search_exchange, ROLE_ADMIN, query);
  assert_all_or_nothing(decode_search);
  fake_exchange_end(&search_exchange);
}

static bool go_round_a_cursor(struct buf *out, struct fault *f)
{
  char text[CURSOR_TEXT_SIZE];
  int64_t id;
  if (!cursor_write(42, bytes_of_text("x"), text, f) ||
      !cursor_read(text, bytes_of_text("x"), &id, f))
    return false;
  note(out, bytes_of_text(text));
  return true;
}

static void a_cursor_is_not_blamed(void **state)
{
  (void)state;
  assert_all_or_nothing(go_round_a_cursor);
}

/* The handlers, whole, with replies of one body. */
static enum handled (*handler_called)(struct exchange *x);

static bool call_handler(struct buf *out, struct fault *f)
{
  struct exchange x = {.service = &fake_service,
                       .principal = {.name = "line-3", .role = ROLE_ADMIN}};
  handler_called(&x);
  bool done = x.code == FAULT_NONE;
  if (done)
    note(out, buf_bytes(&x.reply.body));
  else
    fault_set_code(f, x.code, "from the handler");
  buf_free(&x.reply.body);
  return done;
}

static void every_reply_is_whole(void **state)
{
  (void)state;
  static enum handled (*const handlers[])(struct exchange *) = {rest_ca, rest_ca_chain,
                                                                rest_ca_root, rest_list_principals};
  for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
    handler_called = handlers[i];
    assert_all_or_nothing(call_handler);
  }
}

static int begin(void **state)
{
  (void)state;
  fake_reset();
  fake_add_row("W-1001", "line-3", "ip:10.1.1.68 dns:a.example uri:urn:x:y");
  return 0;
}

static int end(void **state)
{
  (void)state;
  fake_reset();
  sample_end();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_certificate_is_whole_in_every_form),
      cmocka_unit_test(a_request_is_understood_or_may_be_tried_again),
      cmocka_unit_test(filters_are_all_read_or_none),
      cmocka_unit_test(a_cursor_is_not_blamed),
      cmocka_unit_test(every_reply_is_whole),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
