/* base64.c - see base64.h. */
#include "lib/base/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The 4 characters of 3 octets. */
static inline void encode_group(const char *alphabet, const uint8_t *in, char *out)
{
  uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
  out[0] = alphabet[bits >> 18];
  out[1] = alphabet[bits >> 12 & 63];
  out[2] = alphabet[bits >> 6 & 63];
  out[3] = alphabet[bits & 63];
}

/* The last group, of 1 or 2 octets: 2 or 3 characters, and padding; returns how many. */
static size_t encode_rest(const char *alphabet, const uint8_t *in, size_t n, bool pad, char *out)
{
  encode_group(alphabet, (const uint8_t[]){in[0], n > 1 ? in[1] : 0, 0}, out);
  if (!pad)
    return n + 1;
  memset(out + n + 1, '=', 3 - n);
  return 4;
}

/* All on one line; returns how many characters. */
static size_t encode_line(const char *alphabet, struct bytes octets, bool pad, char *out)
{
  size_t at = 0, len = 0;
  for (; octets.len - at >= 3; at += 3, len += 4)
    encode_group(alphabet, octets.data + at, out + len);
  if (at < octets.len)
    len += encode_rest(alphabet, octets.data + at, octets.len - at, pad, out + len);
  return len;
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
  size_t line_octets = line > 0 ? line / 4 * 3 : octets.len;
  for (size_t at = 0; at < octets.len; at += line_octets) {
    size_t left = octets.len - at, len = left < line_octets ? left : line_octets;
    to += encode_line(alphabet, bytes_of(octets.data + at, len), pad, to);
    if (line > 0)
      *to++ = '\n';
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

/* What a character stands for, with IS: 0 for those that stand for nothing. */
enum { IS = 64, VALUE = 63 };
#define LETTERS_AND_DIGITS                                                                         \
  ['A'] = IS | 0, ['B'] = IS | 1, ['C'] = IS | 2, ['D'] = IS | 3, ['E'] = IS | 4, ['F'] = IS | 5,  \
  ['G'] = IS | 6, ['H'] = IS | 7, ['I'] = IS | 8, ['J'] = IS | 9, ['K'] = IS | 10,                 \
  ['L'] = IS | 11, ['M'] = IS | 12, ['N'] = IS | 13, ['O'] = IS | 14, ['P'] = IS | 15,             \
  ['Q'] = IS | 16, ['R'] = IS | 17, ['S'] = IS | 18, ['T'] = IS | 19, ['U'] = IS | 20,             \
  ['V'] = IS | 21, ['W'] = IS | 22, ['X'] = IS | 23, ['Y'] = IS | 24, ['Z'] = IS | 25,             \
  ['a'] = IS | 26, ['b'] = IS | 27, ['c'] = IS | 28, ['d'] = IS | 29, ['e'] = IS | 30,             \
  ['f'] = IS | 31, ['g'] = IS | 32, ['h'] = IS | 33, ['i'] = IS | 34, ['j'] = IS | 35,             \
  ['k'] = IS | 36, ['l'] = IS | 37, ['m'] = IS | 38, ['n'] = IS | 39, ['o'] = IS | 40,             \
  ['p'] = IS | 41, ['q'] = IS | 42, ['r'] = IS | 43, ['s'] = IS | 44, ['t'] = IS | 45,             \
  ['u'] = IS | 46, ['v'] = IS | 47, ['w'] = IS | 48, ['x'] = IS | 49, ['y'] = IS | 50,             \
  ['z'] = IS | 51, ['0'] = IS | 52, ['1'] = IS | 53, ['2'] = IS | 54, ['3'] = IS | 55,             \
  ['4'] = IS | 56, ['5'] = IS | 57, ['6'] = IS | 58, ['7'] = IS | 59, ['8'] = IS | 60,             \
  ['9'] = IS | 61
static const uint8_t standard_values[256] = {LETTERS_AND_DIGITS, ['+'] = IS | 62, ['/'] = IS | 63};
static const uint8_t urlsafe_values[256] = {LETTERS_AND_DIGITS, ['-'] = IS | 62, ['_'] = IS | 63};

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

/* Whole groups, as long as nothing but the alphabet is in them: nearly all of any text. Returns how
 * many characters; each 4 are 3 octets. */
static size_t decode_groups(const uint8_t *values, struct bytes text, uint8_t *to)
{
  size_t at = 0;
  for (; text.len - at >= 4; at += 4, to += 3) {
    const uint8_t *in = text.data + at;
    uint8_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
    if ((a & b & c & d & IS) == 0)
      break;
    uint32_t bits = (uint32_t)(a & VALUE) << 18 | (uint32_t)(b & VALUE) << 12 |
                    (uint32_t)(c & VALUE) << 6 | (d & VALUE);
    to[0] = (uint8_t)(bits >> 16);
    to[1] = (uint8_t)(bits >> 8);
    to[2] = (uint8_t)bits;
  }
  return at;
}

/* What is not a whole group in one piece: white space, the group that it divides, the end. */
struct decoder {
  const uint8_t *values;
  bool relaxed;
  size_t n, n_pad; /* characters of the group so far, and behind it */
  uint32_t bits;
};

static bool take_char(struct decoder *d, uint8_t c, struct buf *out)
{
  if (d->relaxed && is_space(c))
    return true;
  if (d->relaxed && c == '=' && d->n_pad < 2) {
    d->n_pad++;
    return true;
  }
  if ((d->values[c] & IS) == 0 || d->n_pad > 0)
    return false;
  d->bits = d->bits << 6 | (d->values[c] & VALUE);
  if (++d->n < 4)
    return true;
  buf_add(out, (uint8_t[]){(uint8_t)(d->bits >> 16), (uint8_t)(d->bits >> 8), (uint8_t)d->bits}, 3);
  d->n = 0;
  d->bits = 0;
  return true;
}

static bool take_end(const struct decoder *d, struct buf *out)
{
  if (!end_is_right(d->n, d->n_pad, d->bits, d->relaxed))
    return false;
  if (d->n == 2)
    buf_add_u8(out, (uint8_t)(d->bits >> 4));
  if (d->n == 3)
    buf_add(out, (uint8_t[]){(uint8_t)(d->bits >> 10), (uint8_t)(d->bits >> 2)}, 2);
  return buf_ok(out);
}

static bool decode(struct buf *out, struct bytes text, const uint8_t *values, bool relaxed)
{
  struct decoder d = {.values = values, .relaxed = relaxed};
  size_t start = out->len, at = 0;
  bool good = buf_reserve(out, text.len / 4 * 3 + 3);
  while (good && at < text.len) {
    size_t n = 0;
    if (d.n == 0 && d.n_pad == 0)
      n = decode_groups(values, bytes_of(text.data + at, text.len - at), out->data + out->len);
    out->len += n / 4 * 3;
    at += n;
    if (at < text.len)
      good = take_char(&d, text.data[at++], out);
  }
  if (good && take_end(&d, out))
    return true;
  out->len = start;
  return false;
}

bool base64_decode(struct buf *out, struct bytes text)
{
  return decode(out, text, standard_values, true);
}

bool base64url_decode(struct buf *out, struct bytes text)
{
  return decode(out, text, urlsafe_values, false);
}
