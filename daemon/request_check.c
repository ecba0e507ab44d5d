/* request_check.c - see request_check.h. */
#include "daemon/request_check.h"

#include <strings.h>

#include "lib/base/text.h"

/* tchar of RFC 9110, 5.6.2, besides letters and digits. */
#define TOKEN_MARKS "!#$%&'*+-.^_`|~"

bool request_check_target(struct bytes target, struct fault *f)
{
  if (target.len == 0 || target.data[0] != '/')
    return fault_set(f, BAD_REQUEST, "the request target must begin with \"/\"");
  for (size_t i = 0; i < target.len; i++)
    if (target.data[i] <= 0x20 || target.data[i] >= 0x7f || target.data[i] == '#')
      return fault_set(f, BAD_REQUEST, "the request target has a character that must be escaped");
  return true;
}

/* --- headers --- */

/* Headers that matter here. Each may be there once, but for those that are lists. */
enum known {
  HOST,
  CONTENT_LENGTH,
  TRANSFER_ENCODING,
  AUTHORIZATION,
  CONTENT_TYPE,
  EXPECT,
  REQUEST_ID,
  IF_MODIFIED_SINCE,
  ACCEPT,
  IF_NONE_MATCH,
  KNOWN_COUNT
};

static const char *const known_names[KNOWN_COUNT] = {
    [HOST] = "Host",
    [CONTENT_LENGTH] = "Content-Length",
    [TRANSFER_ENCODING] = "Transfer-Encoding",
    [AUTHORIZATION] = "Authorization",
    [CONTENT_TYPE] = "Content-Type",
    [EXPECT] = "Expect",
    [REQUEST_ID] = "X-Request-Id",
    [IF_MODIFIED_SINCE] = "If-Modified-Since",
    [ACCEPT] = "Accept",
    [IF_NONE_MATCH] = "If-None-Match",
};

static bool text_is(struct bytes text, const char *word)
{
  return text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0;
}

static enum known known_of(struct bytes name)
{
  for (int i = 0; i < KNOWN_COUNT; i++)
    if (text_is(name, known_names[i]))
      return (enum known)i;
  return KNOWN_COUNT;
}

/* Optional white space around a value (RFC 9110, 5.5). */
static struct bytes trimmed(struct bytes text)
{
  while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
    text = bytes_of(text.data + 1, text.len - 1);
  while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
    text.len--;
  return text;
}

static bool value_is_clean(struct bytes value)
{
  for (size_t i = 0; i < value.len; i++)
    if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
      return false;
  return true;
}

static bool join(char *list, size_t size, struct bytes value)
{
  size_t len = strlen(list), comma = len > 0 ? 2 : 0;
  if (!text_copy(list + len + comma, size - len > comma ? size - len - comma : 0, value))
    return false;
  memcpy(list + len, ", ", comma);
  return true;
}

static bool take_header(const struct header *header, struct bytes values[KNOWN_COUNT],
                        struct head *head, struct fault *f)
{
  struct bytes value = trimmed(header->value);
  if (!text_is_token(header->name, 256, TOKEN_MARKS))
    return fault_set(f, BAD_REQUEST, "the name of a header is not a token");
  if (!value_is_clean(value))
    return fault_set(f, BAD_REQUEST, "%.*s has a control character", (int)header->name.len,
                     (const char *)header->name.data);
  enum known known = known_of(header->name);
  if (known == KNOWN_COUNT)
    return true;
  if (known == ACCEPT)
    return join(head->accept, sizeof head->accept, value) ||
           fault_set(f, BAD_REQUEST, "Accept is longer than %d octets", ACCEPT_SIZE - 1);
  /* A list that is too long, or empty, matches nothing; but it is there, so that the date does not
   * count (RFC 9110, 13.1.3). */
  if (known == IF_NONE_MATCH) {
    if (value.len == 0 || !join(head->if_none_match, sizeof head->if_none_match, value))
      memcpy(head->if_none_match, ",", sizeof ",");
    return true;
  }
  if (values[known].data != NULL)
    return fault_set(f, BAD_REQUEST, "%s is there twice", known_names[known]);
  values[known] = value;
  return true;
}

/* "host", "host:port", "[v6]:port" (RFC 9110, 7.2); which one does not matter to us. */
static bool check_host(const char *version, struct bytes host, struct fault *f)
{
  if (host.data == NULL)
    return strcmp(version, "HTTP/1.0") == 0 || fault_set(f, BAD_REQUEST, "Host is missing");
  return text_is_token(host, 255, "-._~:[]%") ||
         fault_set(f, BAD_REQUEST, "Host is not the name of a host");
}

static bool check_length(const struct bytes values[KNOWN_COUNT], const char *version,
                         struct head *head, struct fault *f)
{
  struct bytes length = values[CONTENT_LENGTH], coding = values[TRANSFER_ENCODING];
  if (length.data != NULL && coding.data != NULL)
    return fault_set(f, BAD_REQUEST, "Content-Length and Transfer-Encoding exclude each other");
  if (length.data != NULL && !text_to_u64(length, INT64_MAX, &head->length))
    return fault_set(f, BAD_REQUEST, "Content-Length is not a number");
  if (coding.data == NULL)
    return true;
  head->chunked = true;
  if (!text_is(coding, "chunked") || strcmp(version, "HTTP/1.1") != 0)
    return fault_set(f, BAD_REQUEST, "the only Transfer-Encoding is \"chunked\", in HTTP/1.1");
  return true;
}

/* "application/json; charset=utf-8" -> "application/json"; what is no media type is "". */
static void media_type(struct bytes value, char out[CONTENT_TYPE_SIZE])
{
  const uint8_t *semicolon = value.len > 0 ? memchr(value.data, ';', value.len) : NULL;
  if (semicolon != NULL)
    value.len = (size_t)(semicolon - value.data);
  value = trimmed(value);
  if (!text_is_token(value, CONTENT_TYPE_SIZE - 1, TOKEN_MARKS "/") ||
      !text_copy(out, CONTENT_TYPE_SIZE, value))
    return;
  for (char *p = out; *p != '\0'; p++)
    if (*p >= 'A' && *p <= 'Z')
      *p = (char)(*p - 'A' + 'a');
}

bool request_check_headers(const char *version, const struct header *headers, size_t n,
                           struct head *ret_head, struct fault *f)
{
  struct bytes values[KNOWN_COUNT] = {0};
  struct head head = {0};
  if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
    return fault_set(f, BAD_REQUEST, "the version is neither HTTP/1.1 nor HTTP/1.0");
  for (size_t i = 0; i < n; i++)
    if (!take_header(&headers[i], values, &head, f))
      return false;
  if (!check_host(version, values[HOST], f) || !check_length(values, version, &head, f))
    return false;
  if (values[EXPECT].data != NULL && !text_is(values[EXPECT], "100-continue"))
    return fault_set(f, BAD_REQUEST, "the only Expect is \"100-continue\"");
  media_type(values[CONTENT_TYPE], head.content_type);
  TEXT_COPY(head.if_modified_since, values[IF_MODIFIED_SINCE]);
  head.authorization = values[AUTHORIZATION];
  head.request_id = values[REQUEST_ID];
  *ret_head = head;
  return true;
}

/* --- layout --- */

/* Steps over `len` octets when they are the ones that stand here. */
static bool step(struct bytes *rest, const void *expected, size_t len)
{
  if (rest->data != expected || rest->len < len)
    return false;
  *rest = bytes_of(rest->data + len, rest->len - len);
  return true;
}

/* Steps over n delimiters, which are NULs by now. */
static bool step_delimiters(struct bytes *rest, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (rest->len <= i || rest->data[i] != '\0')
      return false;
  return step(rest, rest->data, n);
}

static bool step_header(struct bytes *rest, const struct header *header)
{
  if (!step(rest, header->name.data, header->name.len) || !step_delimiters(rest, 1))
    return false;
  while (rest->len > 0 && rest->data != header->value.data &&
         (rest->data[0] == ' ' || rest->data[0] == '\t'))
    step(rest, rest->data, 1);
  return step(rest, header->value.data, header->value.len) && step_delimiters(rest, 2);
}

static bool layout_is_exact(struct bytes rest, const struct request_line *line,
                            const struct header *headers, size_t n)
{
  if (!step(&rest, line->method, strlen(line->method)) || !step_delimiters(&rest, 1) ||
      !step(&rest, rest.data, line->target_len) || !step_delimiters(&rest, 1) ||
      !step(&rest, line->version, strlen(line->version)) || !step_delimiters(&rest, 2))
    return false;
  for (size_t i = 0; i < n; i++)
    if (!step_header(&rest, &headers[i]))
      return false;
  return step_delimiters(&rest, 2) && rest.len == 0;
}

bool request_check_layout(struct bytes raw, const struct request_line *line,
                          const struct header *headers, size_t n, struct fault *f)
{
  return layout_is_exact(raw, line, headers, n) ||
         fault_set(f, BAD_REQUEST,
                   "the head has a NUL, a line folded or without CR, or a space too many");
}
