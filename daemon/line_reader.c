/* line_reader.c - see line_reader.h. */
#include "daemon/line_reader.h"

static bool is_space(uint8_t c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes without_space(struct bytes text)
{
  while (text.len > 0 && is_space(text.data[0]))
    text = bytes_of(text.data + 1, text.len - 1);
  while (text.len > 0 && is_space(text.data[text.len - 1]))
    text.len--;
  return text;
}

static void give(struct line_reader *reader, struct bytes text, struct line *ret_line)
{
  bool failed = !buf_ok(&reader->kept), too_long = reader->too_long;
  *ret_line = (struct line){.number = ++reader->number, .too_long = too_long, .failed = failed};
  if (!failed && !too_long)
    ret_line->text = without_space(text);
  reader->too_long = false;
}

/* What is kept was given with the line before. */
static void begin_line(struct line_reader *reader)
{
  if (reader->given)
    buf_clear(&reader->kept);
  reader->given = false;
}

static void keep(struct line_reader *reader, struct bytes piece)
{
  reader->too_long |= piece.len > reader->limit_octets - reader->kept.len;
  if (reader->too_long)
    buf_clear(&reader->kept);
  else
    buf_add_bytes(&reader->kept, piece);
}

size_t line_reader_take(struct line_reader *reader, struct bytes octets, bool *ret_whole,
                        struct line *ret_line)
{
  const uint8_t *end = octets.len > 0 ? memchr(octets.data, '\n', octets.len) : NULL;
  size_t len = end != NULL ? (size_t)(end - octets.data) : octets.len;
  struct bytes piece = bytes_of(octets.data, len);
  begin_line(reader);
  *ret_whole = end != NULL;
  if (end == NULL) {
    keep(reader, piece);
    return len;
  }
  /* Most lines come in one piece, and need not be copied. */
  if (reader->kept.len > 0 || reader->too_long || len > reader->limit_octets)
    keep(reader, piece);
  give(reader, reader->kept.len > 0 ? buf_bytes(&reader->kept) : piece, ret_line);
  reader->given = true;
  return len + 1;
}

void line_reader_end(struct line_reader *reader, struct line *ret_line)
{
  begin_line(reader);
  bool is_there = reader->kept.len > 0 || !buf_ok(&reader->kept) || reader->too_long;
  *ret_line = (struct line){.number = reader->number};
  if (is_there)
    give(reader, buf_bytes(&reader->kept), ret_line);
  reader->given = true;
}

void line_reader_free(struct line_reader *reader)
{
  buf_free(&reader->kept);
}
