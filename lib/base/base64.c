/* base64.c - see base64.h. */
#include "lib/base/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writes the 2 to 4 characters of 1 to 3 octets; returns how many. */
static inline size_t encode_group(const char *alphabet, const uint8_t *in, size_t n, char *out)
{
  uint32_t bits = (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0) | (n > 2 ? in[2] : 0u);
  out[0] = alphabet[bits >> 18];
  out[1] = alphabet[bits >> 12 & 63];
  if (n > 1)
    out[2] = alphabet[bits >> 6 & 63];
  if (n > 2)
    out[3] = alphabet[bits & 63];
  return n + 1;
}

/* How many characters `len` octets become, padding and line ends included. */
static size_t encoded_len(size_t len, size_t line)
{
  size_t characters = (len + 2) / 3 * 4;
  return characters + (line > 0 ? (characters + line - 1) / line : 0);
}

/* Straight into memory that was made room for at once: certificates pass here on the way out. */
static void encode(struct buf *out, struct bytes octets, const char *alphabet, size_t line,
                   bool pad)
{
  if (octets.len == 0)
    return;
  if (octets.len > SIZE_MAX / 8 || !buf_reserve(out, encoded_len(octets.len, line))) {
    out->failed = true;
    return;
  }
  char *to = (char *)out->data + out->len;
  size_t column = 0;
  for (size_t at = 0; at < octets.len; at += 3) {
    size_t n = octets.len - at < 3 ? octets.len - at : 3;
    size_t used = encode_group(alphabet, octets.data + at, n, to);
    for (; pad && used < 4; used++)
      to[used] = '=';
    to += used;
    column += 4;
    if (line > 0 && (column == line || at + 3 >= octets.len)) {
      *to++ = '\n';
      column = 0;
    }
  }
  out->len = (size_t)((uint8_t *)to - out->data);
}

void base64_add(struct buf *out, struct bytes octets, size_t line)
{
  encode(out, octets, standard, line, true);
}

void base64url_add(struct buf *out, struct bytes octets)
{
  encode(out, octets, urlsafe, 0, false);
}

static int value_of(const char *alphabet, uint8_t c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == (uint8_t)alphabet[62])
    return 62;
  return c == (uint8_t)alphabet[63] ? 63 : -1;
}

static bool is_space(uint8_t c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of the text: what padding belongs to `n` characters of a last group, and no bit left
 * over. */
static bool end_is_right(size_t n, size_t n_pad, uint32_t bits, bool padded)
{
  if (n == 1)
    return false;
  if (n_pad != (padded && n > 0 ? 4 - n : 0))
    return false;
  uint32_t left_over = n == 2 ? bits & 15 : n == 3 ? bits & 3 : 0;
  return left_over == 0;
}

static bool decode(struct buf *out, struct bytes text, const char *alphabet, bool relaxed)
{
  size_t start = out->len, n = 0, n_pad = 0;
  uint32_t bits = 0;
  if (!buf_reserve(out, text.len / 4 * 3 + 3))
    return false;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.data[i];
    if (relaxed && is_space(c))
      continue;
    if (relaxed && c == '=' && n_pad < 2) {
      n_pad++;
      continue;
    }
    int value = value_of(alphabet, c);
    if (value < 0 || n_pad > 0)
      goto bad;
    bits = bits << 6 | (uint32_t)value;
    if (++n == 4) {
      buf_add(out, (uint8_t[]){(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits}, 3);
      n = 0;
      bits = 0;
    }
  }
  if (!end_is_right(n, n_pad, bits, relaxed))
    goto bad;
  if (n == 2)
    buf_add_u8(out, (uint8_t)(bits >> 4));
  if (n == 3)
    buf_add(out, (uint8_t[]){(uint8_t)(bits >> 10), (uint8_t)(bits >> 2)}, 2);
  return buf_ok(out);
bad:
  out->len = start;
  return false;
}

bool base64_decode(struct buf *out, struct bytes text)
{
  return decode(out, text, standard, true);
}

bool base64url_decode(struct buf *out, struct bytes text)
{
  return decode(out, text, urlsafe, false);
}
