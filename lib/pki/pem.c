/* pem.c - see pem.h. */
#include "lib/pki/pem.h"

#include "lib/base/base64.h"

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ", dashes[] = "-----";

static void add_mark(struct buf *out, const char *mark, const char *label)
{
  buf_add_text(out, mark);
  buf_add_text(out, label);
  buf_add_text(out, dashes);
  buf_add_u8(out, '\n');
}

void pem_add(struct buf *out, const char *label, struct bytes der)
{
  add_mark(out, begin_mark, label);
  base64_add(out, der, 64);
  add_mark(out, end_mark, label);
}

/* What is left behind `mark` at its first place in the text; false when it is nowhere. */
static bool find(struct bytes text, const char *mark, struct bytes *ret_before,
                 struct bytes *ret_behind)
{
  size_t len = strlen(mark);
  const uint8_t *at = text.len > 0 ? memmem(text.data, text.len, mark, len) : NULL;
  if (at == NULL)
    return false;
  *ret_before = bytes_of(text.data, (size_t)(at - text.data));
  *ret_behind = bytes_of(at + len, text.len - ret_before->len - len);
  return true;
}

static bool is_line_end(uint8_t c)
{
  return c == '\n' || c == '\r';
}

static bool ends_a_line(struct bytes before)
{
  return before.len == 0 || is_line_end(before.data[before.len - 1]);
}

/* Steps over blanks; true when the line then ends. */
static bool skip_to_line_end(struct bytes *text)
{
  while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t'))
    *text = bytes_of(text->data + 1, text->len - 1);
  return text->len == 0 || is_line_end(text->data[0]);
}

/* "-----BEGIN " where a line starts. */
static bool find_begin(struct bytes text, struct bytes *ret_behind)
{
  struct bytes before;
  while (find(text, begin_mark, &before, &text))
    if (ends_a_line(before)) {
      *ret_behind = text;
      return true;
    }
  return false;
}

static bool take_text(struct bytes *text, struct bytes wanted)
{
  if (text->len < wanted.len || memcmp(text->data, wanted.data, wanted.len) != 0)
    return false;
  *text = bytes_of(text->data + wanted.len, text->len - wanted.len);
  return true;
}

/* "LABEL-----", the end of the line, base64, "-----END LABEL-----", the end of the line. */
static bool take_object(struct bytes *text, struct bytes *ret_label, struct bytes *ret_body)
{
  struct bytes label, body, rest;
  if (!find(*text, dashes, &label, &rest) || label.len == 0 ||
      memchr(label.data, '\n', label.len) != NULL || memchr(label.data, '\r', label.len) != NULL ||
      !skip_to_line_end(&rest) || !find(rest, end_mark, &body, &rest) || body.len == 0 ||
      !ends_a_line(body) || !take_text(&rest, label) || !take_text(&rest, bytes_of_text(dashes)) ||
      !skip_to_line_end(&rest))
    return false;
  *text = rest;
  *ret_label = label;
  *ret_body = body;
  return true;
}

bool pem_next(struct bytes *text, struct bytes *ret_label, struct buf *ret_der, bool *ret_broken)
{
  struct bytes rest, label, body;
  size_t start = ret_der->len;
  *ret_broken = false;
  if (!find_begin(*text, &rest))
    return false;
  /* A header line has a colon, which base64 has not. */
  if (!take_object(&rest, &label, &body) || !base64_decode(ret_der, body) ||
      ret_der->len == start) {
    *ret_broken = true;
    return false;
  }
  *text = rest;
  *ret_label = label;
  return true;
}
