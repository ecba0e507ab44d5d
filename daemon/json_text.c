/* json_text.c - see json_text.h. */
#include "daemon/json_text.h"

#include "lib/base/text.h"

/* RFC 8259, section 7: quotation mark, reverse solidus and the control characters. */
static const bool is_escaped[256] = {[0x00 ... 0x1f] = true, ['"'] = true, ['\\'] = true};

/* What stands for itself, whatever stands around it: nearly all that is ever written. */
static const bool is_plain[256] = {
    [' '] = true, ['!'] = true, ['#' ... '['] = true, [']' ... 0x7f] = true};

static bool all_plain(struct bytes text)
{
  for (size_t i = 0; i < text.len; i++)
    if (!is_plain[text.data[i]])
      return false;
  return true;
}

static void add_escaped(struct buf *out, uint8_t c)
{
  static const char short_form[][2] = {{'"', '"'},  {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'},
                                       {'\t', 't'}, {'\b', 'b'},  {'\f', 'f'}};
  for (size_t i = 0; i < ARRAY_LEN(short_form); i++)
    if (c == (uint8_t)short_form[i][0]) {
      buf_add(out, (const char[]){'\\', short_form[i][1]}, 2);
      return;
    }
  buf_addf(out, "\\u%04x", c);
}

/* Most text has nothing to escape: whole runs are copied. */
static void add_ascii_or_utf8(struct buf *out, struct bytes text)
{
  size_t start = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (!is_escaped[text.data[i]])
      continue;
    buf_add(out, text.data + start, i - start);
    add_escaped(out, text.data[i]);
    start = i + 1;
  }
  if (text.len > start)
    buf_add(out, text.data + start, text.len - start);
}

static bool has_high_octets(struct bytes text)
{
  uint8_t all = 0;
  for (size_t i = 0; i < text.len; i++)
    all |= text.data[i];
  return all >= 0x80;
}

static void add_without_high_octets(struct buf *out, struct bytes text)
{
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.data[i] < 0x80 ? text.data[i] : '?';
    add_ascii_or_utf8(out, bytes_of(&c, 1));
  }
}

void json_add_string(struct buf *out, struct bytes text)
{
  buf_reserve(out, text.len + 2);
  buf_add_u8(out, '"');
  if (all_plain(text))
    buf_add_bytes(out, text);
  else if (has_high_octets(text) && !text_is_utf8(text))
    add_without_high_octets(out, text);
  else
    add_ascii_or_utf8(out, text);
  buf_add_u8(out, '"');
}

void json_add_comma(struct buf *out)
{
  uint8_t last = out->len > 0 ? out->data[out->len - 1] : '{';
  if (last != '{' && last != '[')
    buf_add_u8(out, ',');
}

void json_add_name(struct buf *out, const char *name)
{
  size_t len = strlen(name);
  json_add_comma(out);
  if (!buf_reserve(out, len + 3))
    return;
  buf_add_u8(out, '"');
  buf_add(out, name, len);
  buf_add_u8(out, '"');
  buf_add_u8(out, ':');
}

void json_add_member(struct buf *out, const char *name, struct bytes text)
{
  json_add_name(out, name);
  json_add_string(out, text);
}

void json_add_number(struct buf *out, const char *name, int64_t number)
{
  json_add_name(out, name);
  buf_addf(out, "%lld", (long long)number);
}
