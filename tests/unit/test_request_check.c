/* test_request_check.c - two readers must never see two requests in the same octets. */
#include "tests/unit/unit.h"

#include "daemon/request_check.h"

/* --- headers --- */

/* "Name: value" lines, divided by '\n'. */
static size_t split(const char *lines, struct header headers[HEADERS_MAX])
{
  size_t n = 0;
  for (const char *line = lines; *line != '\0';) {
    size_t len = strcspn(line, "\n"), colon = strcspn(line, ":");
    assert_true(colon < len && n < HEADERS_MAX);
    headers[n++] = (struct header){.name = bytes_of(line, colon),
                                   .value = bytes_of(line + colon + 1, len - colon - 1)};
    line += len + (line[len] == '\n');
  }
  return n;
}

static bool check(const char *version, const char *lines, struct head *head, struct fault *f)
{
  struct header headers[HEADERS_MAX];
  return request_check_headers(version, headers, split(lines, headers), head, f);
}

static void a_head_is_understood(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct head head;
  assert_true(check("HTTP/1.1",
                    "Host: [::1]:8443\nContent-Type: Application/JSON; charset=utf-8\n"
                    "content-length: 12\nAccept: a/b\nACCEPT: \tc/d;q=0.5 \nX-Request-Id: r-1\n"
                    "Authorization: Bearer x\nExpect: 100-Continue\nX: \xc3\xa9",
                    &head, &fault));
  assert_string_equal(head.content_type, "application/json");
  assert_string_equal(head.accept, "a/b, c/d;q=0.5");
  assert_true(head.length == 12 && !head.chunked && head_has_body(&head));
  assert_true(bytes_equal(head.request_id, bytes_of_text("r-1")));
  assert_true(bytes_equal(head.authorization, bytes_of_text("Bearer x")));
}

static void a_chunked_body_is_announced_by_one_word(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct head head;
  assert_true(check("HTTP/1.1", "Host: a\nTransfer-Encoding: Chunked", &head, &fault));
  assert_true(head.chunked && head_has_body(&head));
}

static void what_could_be_smuggled_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *version, *lines;
  } cases[] = {
      {"HTTP/1.1", "Host: a\nContent-Length: 1\nContent-Length: 2"},
      {"HTTP/1.1", "Host: a\nContent-Length: 1\nContent-Length: 1"},
      {"HTTP/1.1", "Host: a\nContent-Length: 1\nTransfer-Encoding: chunked"},
      {"HTTP/1.1", "Host: a\nContent-Length: +1"},
      {"HTTP/1.1", "Host: a\nContent-Length: -1"},
      {"HTTP/1.1", "Host: a\nContent-Length: 0x1"},
      {"HTTP/1.1", "Host: a\nContent-Length: 1,1"},
      {"HTTP/1.1", "Host: a\nContent-Length: 01"},
      {"HTTP/1.1", "Host: a\nContent-Length:"},
      {"HTTP/1.1", "Host: a\nContent-Length: 9223372036854775808"},
      {"HTTP/1.1", "Host: a\nContent-Length : 1"},
      {"HTTP/1.1", "Host: a\n Content-Length: 1"},
      {"HTTP/1.1", "Host: a\nTransfer-Encoding: gzip"},
      {"HTTP/1.1", "Host: a\nTransfer-Encoding: gzip, chunked"},
      {"HTTP/1.1", "Host: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked"},
      {"HTTP/1.1", "Host: a\nTransfer-Encoding:\vchunked"},
      {"HTTP/1.1", "Host: a\nTransfer-Encoding:"},
      {"HTTP/1.0", "Transfer-Encoding: chunked"},
      {"HTTP/1.1", ""},
      {"HTTP/1.1", "Host: a\nHost: a"},
      {"HTTP/1.1", "Host:"},
      {"HTTP/1.1", "Host: a b"},
      {"HTTP/1.1", "Host: a@b"},
      {"HTTP/1.1", "Host: a/b"},
      {"HTTP/1.1", "Host: a\nAuthorization: x\nAuthorization: y"},
      {"HTTP/1.1", "Host: a\nContent-Type: x/y\nContent-Type: x/z"},
      {"HTTP/1.1", "Host: a\nExpect: something"},
      {"HTTP/1.1", "Host: a\nX: a\rY: b"},
      {"HTTP/1.1", "Host: a\nX: \x01"},
      {"HTTP/1.1", "Host: a\nX: \x7f"},
      {"HTTP/1.1", "Host: a\nX(Y): b"},
      {"HTTP/1.1", "Host: a\n: b"},
      {"HTTP/1.2", "Host: a"},
      {"HTTP/2.0", "Host: a"},
      {"http/1.1", "Host: a"},
      {"", "Host: a"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) fault = {0};
    struct head head;
    if (check(cases[i].version, cases[i].lines, &head, &fault))
      fail_msg("taken: %s %s", cases[i].version, cases[i].lines);
    assert_int_equal(fault.code, FAULT_BAD_REQUEST);
  }
}

static void conditions_are_kept_as_far_as_there_is_room(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  AUTO(buf) lines = {0};
  struct head head;
  assert_true(check("HTTP/1.1",
                    "Host: a\nIf-None-Match: \"a\", W/\"b\"\nif-none-match: \"c\"\n"
                    "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
                    &head, &fault));
  assert_string_equal(head.if_none_match, "\"a\", W/\"b\", \"c\"");
  assert_string_equal(head.if_modified_since, "Sun, 06 Nov 1994 08:49:37 GMT");
  buf_addf(&lines, "Host: a\nIf-None-Match: \"%0300d\"\nIf-Modified-Since: %0300d", 1, 2);
  assert_true(check("HTTP/1.1", buf_text(&lines), &head, &fault));
  assert_string_equal(head.if_none_match, ","); /* no tag, and yet not absent */
  assert_string_equal(head.if_modified_since, "");
}

static void a_content_type_that_is_none_is_empty(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct head head;
  assert_true(check("HTTP/1.1", "Host: a\nContent-Type: application json", &head, &fault));
  assert_string_equal(head.content_type, "");
}

static void a_target_is_a_path_in_visible_ascii(void **state)
{
  (void)state;
  static const char *const bad[] = {"",      "*",    "a",         "http://a/b", "/a b",
                                    "/a\tb", "/a#b", "/\xc3\xa9", "/\x7f"};
  AUTO(fault) fault = {0};
  assert_true(request_check_target(bytes_of_text("/a/%2f?b=c&d"), &fault));
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    assert_false(request_check_target(bytes_of_text(bad[i]), &fault));
}

/* --- layout --- */

static char *behind_space(char *at)
{
  return (char *)memchr(at, ' ', 64) + 1;
}

/* Takes a head apart as libmicrohttpd 0.9.75 does: lines end at LF with or without CR before it, a
 * name ends at the first colon, blanks before a value are stepped over; each delimiter becomes a
 * NUL, and a text ends at its first NUL. */
static bool layout_of(const char *head, size_t len)
{
  char raw[512];
  struct header headers[HEADERS_MAX];
  size_t n = 0;
  AUTO(fault) fault = {0};
  assert_true(len < sizeof raw);
  memcpy(raw, head, len);
  raw[len] = '\0';
  char *target = behind_space(raw), *version = behind_space(target);
  char *at = memchr(version, '\n', len);
  target[-1] = version[-1] = '\0';
  size_t target_len = strlen(target);
  for (;;) {
    at[0] = '\0';
    if (at[-1] == '\r')
      at[-1] = '\0';
    char *name = ++at;
    at = memchr(at, '\n', (size_t)(raw + len - at));
    if (at == name || (at == name + 1 && name[0] == '\r'))
      break;
    char *colon = strchr(name, ':'), *value = colon + 1;
    *colon = '\0';
    value += strspn(value, " \t");
    char end = at[-1] == '\r' ? '\r' : '\n';
    at[end == '\r' ? -1 : 0] = '\0';
    headers[n++] = (struct header){.name = bytes_of_text(name), .value = bytes_of_text(value)};
  }
  at[0] = '\0';
  if (at[-1] == '\r')
    at[-1] = '\0';
  struct request_line line = {.method = raw, .version = version, .target_len = target_len};
  return request_check_layout(bytes_of(raw, (size_t)(at + 1 - raw)), &line, headers, n, &fault);
}

#define LAYOUT_OF(text) layout_of(text, sizeof(text) - 1)

static void a_head_to_the_letter_passes(void **state)
{
  (void)state;
  assert_true(LAYOUT_OF("GET / HTTP/1.1\r\n\r\n"));
  assert_true(LAYOUT_OF("GET /a?b=c HTTP/1.1\r\nHost: a\r\nX:\r\nY:  \tb\r\nZ: \r\nW:c \r\n\r\n"));
}

static void an_octet_too_many_is_found(void **state)
{
  (void)state;
  assert_false(LAYOUT_OF("GET / HTTP/1.1\n\n"));
  assert_false(LAYOUT_OF("GET / HTTP/1.1\nHost: a\r\n\r\n"));
  assert_false(LAYOUT_OF("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"));
  assert_false(LAYOUT_OF("GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n"));
  assert_false(LAYOUT_OF("GET / HTTP/1.1\r\nHost: a\r\n\n"));
  assert_false(LAYOUT_OF("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"));
  assert_false(LAYOUT_OF("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"));
  assert_false(LAYOUT_OF("GET /\0b HTTP/1.1\r\nHost: a\r\n\r\n"));
  assert_false(LAYOUT_OF("GET\0X / HTTP/1.1\r\nHost: a\r\n\r\n"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_head_is_understood),
      cmocka_unit_test(a_chunked_body_is_announced_by_one_word),
      cmocka_unit_test(what_could_be_smuggled_is_refused),
      cmocka_unit_test(conditions_are_kept_as_far_as_there_is_room),
      cmocka_unit_test(a_content_type_that_is_none_is_empty),
      cmocka_unit_test(a_target_is_a_path_in_visible_ascii),
      cmocka_unit_test(a_head_to_the_letter_passes),
      cmocka_unit_test(an_octet_too_many_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
