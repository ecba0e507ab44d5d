/* buf.c - see buf.h. */
#include "lib/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

static bool fail(struct buf *b)
{
  b->failed = true;
  return false;
}

/* A secret that outgrows its memory must not leave a copy behind, and realloc would: so the old
 * memory is wiped in every case, which costs little next to the copying. */
static bool move_to(struct buf *b, size_t cap)
{
  uint8_t *data = malloc(cap);
  if (data == NULL)
    return fail(b);
  if (b->len > 0)
    memcpy(data, b->data, b->len);
  if (b->data != NULL)
    explicit_bzero(b->data, b->len);
  free(b->data);
  b->data = data;
  b->cap = cap;
  return true;
}

bool buf_grow(struct buf *b, size_t more)
{
  if (b->failed)
    return false;
  if (more > SIZE_MAX / 4 || b->cap > SIZE_MAX / 4)
    return fail(b);
  size_t cap = b->cap < 64 ? 64 : b->cap * 2;
  if (cap < b->len + more)
    cap = b->len + more;
  return move_to(b, cap);
}

void buf_add(struct buf *b, const void *data, size_t len)
{
  if (len == 0 || !buf_reserve(b, len))
    return;
  memcpy(b->data + b->len, data, len);
  b->len += len;
}

void buf_add_bytes(struct buf *b, struct bytes bytes)
{
  buf_add(b, bytes.data, bytes.len);
}

void buf_add_text(struct buf *b, const char *text)
{
  buf_add(b, text, strlen(text));
}

void buf_vaddf(struct buf *b, const char *format, va_list args)
{
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  if (len < 0)
    b->failed = true;
  else if (buf_reserve(b, (size_t)len + 1)) {
    vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, again);
    b->len += (size_t)len;
  }
  va_end(again);
}

void buf_addf(struct buf *b, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  buf_vaddf(b, format, args);
  va_end(args);
}

bool buf_insert_gap(struct buf *b, size_t at, size_t len)
{
  if (!buf_reserve(b, len))
    return false;
  memmove(b->data + at + len, b->data + at, b->len - at);
  b->len += len;
  return true;
}

const char *buf_text(struct buf *b)
{
  if (!buf_reserve(b, 1))
    return "";
  b->data[b->len] = '\0';
  return (const char *)b->data;
}

void buf_free(struct buf *b)
{
  free(b->data);
  *b = (struct buf){0};
}

void buf_wipe(struct buf *b)
{
  if (b->data != NULL)
    explicit_bzero(b->data, b->cap);
  buf_free(b);
}
