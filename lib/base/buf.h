/* buf.h - octets: a view of somebody else's (struct bytes), and a buffer that grows (struct buf).
 * Threads: none of its own; one thread at a time for each buffer. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"

/* Borrowed octets; data may be NULL when len is 0. */
struct bytes {
  const uint8_t *data;
  size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
  return (struct bytes){.data = data, .len = len};
}

static inline struct bytes bytes_of_text(const char *text)
{
  return bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
  return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Owned octets. All zero is an empty buffer. A failed allocation sets `failed`, after which every
 * addition does nothing: a writer may add piece after piece and look once, at the end. */
struct buf {
  uint8_t *data;
  size_t len, cap;
  bool failed;
};

/* buf_reserve() when there is no room. */
bool buf_grow(struct buf *b, size_t more);
/* Makes room for `more` octets after len; false when memory is short. */
static inline bool buf_reserve(struct buf *b, size_t more)
{
  return (!b->failed && b->cap - b->len >= more) || buf_grow(b, more);
}
void buf_add(struct buf *b, const void *data, size_t len);
static inline void buf_add_u8(struct buf *b, uint8_t octet)
{
  if (buf_reserve(b, 1))
    b->data[b->len++] = octet;
}
void buf_add_bytes(struct buf *b, struct bytes bytes);
void buf_add_text(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Opens a gap of `len` octets (uninitialised) at `at`, which is at most b->len. */
bool buf_insert_gap(struct buf *b, size_t at, size_t len);
/* The content as a C string, owned by the buffer (a NUL stands behind it, not counted in len);
 * "" for an empty or failed buffer. Valid until the next change. */
const char *buf_text(struct buf *b);
static inline struct bytes buf_bytes(const struct buf *b)
{
  return bytes_of(b->data, b->len);
}
static inline bool buf_ok(const struct buf *b)
{
  return !b->failed;
}
/* Forgets the content and keeps the memory. */
static inline void buf_clear(struct buf *b)
{
  b->len = 0, b->failed = false;
}
void buf_free(struct buf *b);
/* Frees after overwriting the content: for secrets. */
void buf_wipe(struct buf *b);

AUTO_VALUE(buf, struct buf, buf_free)
AUTO_VALUE(secret_buf, struct buf, buf_wipe)
