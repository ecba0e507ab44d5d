/* csv.c - see csv.h. */
#include "daemon/csv.h"

static bool has_any(struct bytes text, const char *octets)
{
  for (; *octets != '\0'; octets++)
    if (text.len > 0 && memchr(text.data, *octets, text.len) != NULL)
      return true;
  return false;
}

static bool reads_as_formula(struct bytes text)
{
  return text.len > 0 && has_any(bytes_of(text.data, 1), "=+-@\t\r");
}

static void add_quoted(struct buf *out, struct bytes text)
{
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '"')
      buf_add_u8(out, '"');
    buf_add_u8(out, text.data[i]);
  }
}

void csv_add_cell(struct buf *out, struct bytes text)
{
  bool first = out->len == 0 || out->data[out->len - 1] == '\n';
  if (!first)
    buf_add_u8(out, ',');
  /* An empty first cell is quoted, so that the next one is seen to be the second. */
  bool quote = has_any(text, ",\"\r\n") || (first && text.len == 0);
  if (quote)
    buf_add_u8(out, '"');
  if (reads_as_formula(text))
    buf_add_u8(out, '\'');
  add_quoted(out, text);
  if (quote)
    buf_add_u8(out, '"');
}

void csv_end_line(struct buf *out)
{
  buf_add_text(out, "\r\n");
}
