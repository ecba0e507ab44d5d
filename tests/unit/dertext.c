/* dertext.c - see dertext.h. */
#include "tests/unit/dertext.h"

#include <ctype.h>

#include "lib/base/text.h"
#include "lib/pki/der.h"

enum { DEPTH_MAX = 32 };

static struct bytes rest_of(struct bytes text, size_t n)
{
  return bytes_of(text.data + n, text.len - n);
}

/* The number of octets up to the first one of `stop`, or all. */
static size_t until(struct bytes text, char stop)
{
  const uint8_t *p = memchr(text.data, stop, text.len);
  return p != NULL ? (size_t)(p - text.data) : text.len;
}

static bool take_octet(struct bytes *text, struct buf *out)
{
  uint8_t octet;
  size_t len;
  if (text->len < 2 || !text_unhex(bytes_of(text->data, 2), &octet, 1, &len))
    return false;
  buf_add_u8(out, octet);
  *text = rest_of(*text, 2);
  return true;
}

static bool take_text(struct bytes *text, struct buf *out)
{
  struct bytes inner = rest_of(*text, 1);
  size_t len = until(inner, '"');
  if (len == inner.len)
    return false;
  buf_add(out, inner.data, len);
  *text = rest_of(inner, len + 1);
  return true;
}

/* A brace turns the octet before it into a tag. */
static bool open_value(size_t *marks, size_t *depth, struct buf *out)
{
  if (*depth == DEPTH_MAX || out->len == 0)
    return false;
  uint8_t tag = out->data[--out->len];
  marks[(*depth)++] = der_begin(out, tag);
  return true;
}

bool dertext_read(struct bytes text, struct buf *ret_der)
{
  size_t marks[DEPTH_MAX], depth = 0;
  while (text.len > 0) {
    bool good = true;
    uint8_t c = text.data[0];
    if (c == '#') {
      text = rest_of(text, until(text, '\n'));
    } else if (c == '"') {
      good = take_text(&text, ret_der);
    } else if (isxdigit(c)) {
      good = take_octet(&text, ret_der);
    } else {
      if (c == '{')
        good = open_value(marks, &depth, ret_der);
      else if (c == '}' && depth > 0)
        der_end(ret_der, marks[--depth]);
      else
        good = isspace(c);
      text = rest_of(text, 1);
    }
    if (!good)
      return false;
  }
  return depth == 0 && buf_ok(ret_der);
}
