/* text.c - see text.h. */
#include "lib/base/text.h"

#include <string.h>

/* Length of the UTF-8 character at p (RFC 3629, table in section 4), or 0. */
static size_t utf8_len(const uint8_t *p, const uint8_t *end)
{
  static const struct {
    uint8_t first_lo, first_hi, len, second_lo, second_hi;
  } forms[] = {
      {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
      {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
      {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
  };
  for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
    if (p[0] < forms[i].first_lo || p[0] > forms[i].first_hi)
      continue;
    size_t len = forms[i].len;
    if ((size_t)(end - p) < len)
      return 0;
    if (len > 1 && (p[1] < forms[i].second_lo || p[1] > forms[i].second_hi))
      return 0;
    for (size_t k = 2; k < len; k++)
      if ((p[k] & 0xc0) != 0x80)
        return 0;
    return len;
  }
  return 0;
}

/* Printable ASCII is nearly all that comes: where it ends. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
  while (p < end && *p >= 0x20 && *p < 0x7f)
    p++;
  return p;
}

bool text_is_utf8(struct bytes text)
{
  const uint8_t *end = text.len > 0 ? text.data + text.len : text.data;
  for (const uint8_t *p = skip_plain(text.data, end); p < end; p = skip_plain(p, end)) {
    size_t len = utf8_len(p, end);
    if (len == 0)
      return false;
    p += len;
  }
  return true;
}

void text_make_printable(char *text)
{
  uint8_t *end = (uint8_t *)text + strlen(text);
  for (uint8_t *p = (uint8_t *)text; p < end;) {
    if (*p >= 0x20 && *p < 0x7f) {
      p++;
      continue;
    }
    size_t len = utf8_len(p, end);
    bool control = len == 1 && (*p < 0x20 || *p == 0x7f);
    /* U+0080 to U+009F: terminals obey some of them. */
    bool control_c1 = len == 2 && p[0] == 0xc2 && p[1] < 0xa0;
    if (len == 0 || control) {
      *p++ = '?';
    } else if (control_c1) {
      *p++ = '?';
      *p++ = '?';
    } else {
      p += len;
    }
  }
}

static const bool is_alnum[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true};

bool text_is_token(struct bytes text, size_t max, const char *also)
{
  if (text.len == 0 || text.len > max)
    return false;
  for (size_t i = 0; i < text.len; i++)
    if (!is_alnum[text.data[i]] && (text.data[i] == '\0' || strchr(also, text.data[i]) == NULL))
      return false;
  return true;
}

bool text_copy(char *to, size_t size, struct bytes from)
{
  if (from.len >= size || (from.len > 0 && memchr(from.data, '\0', from.len) != NULL))
    return false;
  if (from.len > 0)
    memcpy(to, from.data, from.len);
  to[from.len] = '\0';
  return true;
}

static const char digits[] = "0123456789abcdef";

void text_hex(char *out, const uint8_t *octets, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    *out++ = digits[octets[i] >> 4];
    *out++ = digits[octets[i] & 15];
  }
  *out = '\0';
}

void text_add_hex(struct buf *out, struct bytes octets)
{
  if (!buf_reserve(out, octets.len * 2 + 1))
    return;
  text_hex((char *)out->data + out->len, octets.data, octets.len);
  out->len += octets.len * 2;
}

static int hex_value(uint8_t c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool text_unhex(struct bytes hex, uint8_t *out, size_t max, size_t *ret_len)
{
  if (hex.len % 2 != 0 || hex.len / 2 > max)
    return false;
  for (size_t i = 0; i < hex.len / 2; i++) {
    int high = hex_value(hex.data[2 * i]), low = hex_value(hex.data[2 * i + 1]);
    if (high < 0 || low < 0)
      return false;
    out[i] = (uint8_t)(high << 4 | low);
  }
  *ret_len = hex.len / 2;
  return true;
}

bool text_to_u64(struct bytes text, uint64_t max, uint64_t *ret_number)
{
  uint64_t number = 0;
  if (text.len == 0 || text.len > 20 || (text.len > 1 && text.data[0] == '0'))
    return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9')
      return false;
    uint64_t digit = (uint64_t)(text.data[i] - '0');
    if (number > (UINT64_MAX - digit) / 10)
      return false;
    number = number * 10 + digit;
  }
  if (number > max)
    return false;
  *ret_number = number;
  return true;
}

/* FNV-1a */
uint32_t text_hash(const char *text)
{
  uint32_t hash = 2166136261u;
  for (; *text != '\0'; text++)
    hash = (hash ^ (uint8_t)*text) * 16777619u;
  return hash;
}
