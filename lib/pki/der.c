/* der.c - see der.h. */
#include "lib/pki/der.h"

#include "lib/base/text.h"
#include "lib/base/when.h"

enum { CONSTRUCTED = 0x20, CLASS = 0xc0, DEPTH_MAX = 16 };

/* X.690, 8.1.3 and 10.1: definite and as short as possible. `at` stands behind a first octet of
 * 0x80 or more. */
static bool take_long_len(struct der *at, uint8_t first, size_t *ret_len)
{
  size_t n = first & 0x7f, len = 0;
  if (n == 0 || n > 4 || (size_t)(at->end - at->p) < n || at->p[0] == 0)
    return false;
  for (size_t i = 0; i < n; i++)
    len = len << 8 | *at->p++;
  *ret_len = len;
  return len >= 0x80;
}

/* Inline, for this is called for each value that is read, and most callers want a part of it. */
static inline bool step(struct der *d, struct der_value *ret_value)
{
  struct der at = *d;
  if (at.p == at.end || at.p + 1 == at.end)
    return false;
  uint8_t tag = *at.p++;
  size_t len = *at.p++;
  /* Tag numbers of 31 and more take further octets; nothing in PKIX has them. Tag 0 ends an
   * indefinite length. */
  if ((tag & 0x1f) == 0x1f || tag == 0)
    return false;
  if (len >= 0x80 && !take_long_len(&at, (uint8_t)len, &len))
    return false;
  if ((size_t)(at.end - at.p) < len)
    return false;
  ret_value->tag = tag;
  ret_value->content = bytes_of(at.p, len);
  ret_value->whole = bytes_of(d->p, (size_t)(at.p - d->p) + len);
  d->p = at.p + len;
  return true;
}

bool der_next(struct der *d, struct der_value *ret_value)
{
  return step(d, ret_value);
}

bool der_take(struct der *d, uint8_t tag, struct bytes *ret_content)
{
  struct der_value value;
  if (!der_is(d, tag) || !step(d, &value))
    return false;
  *ret_content = value.content;
  return true;
}

bool der_take_whole(struct der *d, uint8_t tag, struct bytes *ret_whole)
{
  struct der_value value;
  if (!der_is(d, tag) || !step(d, &value))
    return false;
  *ret_whole = value.whole;
  return true;
}

bool der_enter(struct der *d, uint8_t tag, struct der *ret_inner)
{
  struct der_value value;
  if (!der_is(d, tag) || !step(d, &value))
    return false;
  *ret_inner = (struct der){value.content.data, d->p};
  return true;
}

/* The typed takers work on a copy, so that a refused value leaves the reader where it was. */
#define TAKE_CONTENT(d, tag, content)                                                              \
  struct der at = *(d);                                                                            \
  struct bytes content;                                                                            \
  if (!der_take(&at, (tag), &content))                                                             \
  return false

bool der_take_bool(struct der *d, bool *ret_value)
{
  TAKE_CONTENT(d, DER_BOOLEAN, content);
  if (content.len != 1 || (content.data[0] != 0 && content.data[0] != 0xff))
    return false;
  *ret_value = content.data[0] != 0;
  *d = at;
  return true;
}

bool der_take_unsigned(struct der *d, struct bytes *ret_magnitude)
{
  TAKE_CONTENT(d, DER_INTEGER, content);
  if (content.len == 0 || (content.data[0] & 0x80) != 0)
    return false;
  if (content.len > 1 && content.data[0] == 0) {
    if ((content.data[1] & 0x80) == 0)
      return false; /* a leading zero that is not needed */
    content = bytes_of(content.data + 1, content.len - 1);
  }
  *ret_magnitude = content;
  *d = at;
  return true;
}

bool der_take_number(struct der *d, int64_t *ret_number)
{
  struct der at = *d;
  struct bytes magnitude;
  uint64_t number = 0;
  if (!der_take_unsigned(&at, &magnitude) || magnitude.len > 8)
    return false;
  for (size_t i = 0; i < magnitude.len; i++)
    number = number << 8 | magnitude.data[i];
  if (number > INT64_MAX)
    return false;
  *ret_number = (int64_t)number;
  *d = at;
  return true;
}

bool der_take_bits(struct der *d, struct bytes *ret_octets, uint8_t *ret_unused)
{
  TAKE_CONTENT(d, DER_BIT_STRING, content);
  if (content.len == 0 || content.data[0] > 7)
    return false;
  uint8_t unused = content.data[0];
  if (unused > 0 &&
      (content.len == 1 || (content.data[content.len - 1] & ((1u << unused) - 1)) != 0))
    return false;
  *ret_octets = bytes_of(content.data + 1, content.len - 1);
  *ret_unused = unused;
  *d = at;
  return true;
}

bool der_take_bit_octets(struct der *d, struct bytes *ret_octets)
{
  struct der at = *d;
  struct bytes octets;
  uint8_t unused;
  if (!der_take_bits(&at, &octets, &unused) || unused != 0)
    return false;
  *ret_octets = octets;
  *d = at;
  return true;
}

bool der_take_named_bits(struct der *d, uint32_t *ret_bits)
{
  struct der at = *d;
  struct bytes octets;
  uint8_t unused;
  uint32_t bits = 0;
  if (!der_take_bits(&at, &octets, &unused) || octets.len > 4)
    return false;
  if (octets.len > 0 && (octets.data[octets.len - 1] >> unused & 1) == 0)
    return false; /* X.690, 11.2.2: the last bit is a one */
  for (size_t i = 0; i < octets.len * 8; i++)
    if ((octets.data[i / 8] >> (7 - i % 8) & 1) != 0)
      bits |= UINT32_C(1) << i;
  *ret_bits = bits;
  *d = at;
  return true;
}

static bool two_digits(const uint8_t *p, int *ret_number)
{
  if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
    return false;
  *ret_number = (p[0] - '0') * 10 + (p[1] - '0');
  return true;
}

/* "MMDDHHMMSSZ" behind the year. */
static bool read_time(const uint8_t *p, int year, int64_t *ret_instant)
{
  struct when_civil c = {.year = year};
  return two_digits(p, &c.month) && two_digits(p + 2, &c.day) && two_digits(p + 4, &c.hour) &&
         two_digits(p + 6, &c.minute) && two_digits(p + 8, &c.second) && p[10] == 'Z' &&
         when_from_civil(&c, ret_instant);
}

bool der_take_time(struct der *d, int64_t *ret_instant)
{
  struct der_value value;
  struct der at = *d;
  int high, low;
  if (!der_next(&at, &value))
    return false;
  const uint8_t *p = value.content.data;
  if (value.tag == DER_UTC_TIME && value.content.len == 13) {
    if (!two_digits(p, &low) || !read_time(p + 2, low >= 50 ? 1900 + low : 2000 + low, ret_instant))
      return false;
  } else if (value.tag == DER_GENERALIZED_TIME && value.content.len == 15) {
    if (!two_digits(p, &high) || !two_digits(p + 2, &low) || high * 100 + low < 2050 ||
        !read_time(p + 4, high * 100 + low, ret_instant))
      return false;
  } else {
    return false;
  }
  *d = at;
  return true;
}

bool der_oid_is_valid(struct bytes oid)
{
  bool at_start = true;
  if (oid.len == 0 || (oid.data[oid.len - 1] & 0x80) != 0)
    return false;
  for (size_t i = 0; i < oid.len; i++) {
    if (at_start && oid.data[i] == 0x80)
      return false;
    at_start = (oid.data[i] & 0x80) == 0;
  }
  return true;
}

bool der_is_ascending(struct bytes before, struct bytes after)
{
  size_t n = before.len < after.len ? before.len : after.len;
  int order = n > 0 ? memcmp(before.data, after.data, n) : 0;
  return order < 0 || (order == 0 && before.len <= after.len);
}

/* X.690, 8.3.2: the first nine bits are neither all zero nor all one. */
static bool integer_is_valid(struct bytes content)
{
  if (content.len < 2)
    return content.len == 1;
  bool negative = (content.data[1] & 0x80) != 0;
  return content.data[0] != (negative ? 0xff : 0);
}

static bool primitive_is_valid(const struct der_value *value)
{
  struct der d = der_of(value->whole);
  struct bytes content = value->content, octets;
  bool truth;
  uint8_t unused;
  switch (value->tag) {
  case DER_BOOLEAN:
    return der_take_bool(&d, &truth);
  case DER_INTEGER:
  case DER_ENUMERATED:
    return integer_is_valid(content);
  case DER_BIT_STRING:
    return der_take_bits(&d, &octets, &unused);
  case DER_NULL:
    return content.len == 0;
  case DER_OID:
    return der_oid_is_valid(content);
  case DER_UTF8_STRING:
    return text_is_utf8(content);
  case DER_BMP_STRING:
    return content.len % 2 == 0;
  case DER_UNIVERSAL_STRING:
    return content.len % 4 == 0;
  case DER_SEQUENCE & ~CONSTRUCTED:
  case DER_SET & ~CONSTRUCTED:
    return false;
  default:
    return true;
  }
}

static bool value_is_well_formed(const struct der_value *value, int depth)
{
  struct der inner = der_of(value->content);
  struct der_value next;
  if ((value->tag & CONSTRUCTED) == 0)
    return primitive_is_valid(value);
  /* Of the universal types, these two alone are constructed in DER (X.690, 10.2). */
  if ((value->tag & CLASS) == 0 && value->tag != DER_SEQUENCE && value->tag != DER_SET)
    return false;
  if (depth == DEPTH_MAX)
    return false;
  while (!der_at_end(&inner))
    if (!der_next(&inner, &next) || !value_is_well_formed(&next, depth + 1))
      return false;
  return true;
}

bool der_is_well_formed(struct bytes whole)
{
  struct der d = der_of(whole);
  struct der_value value;
  return der_next(&d, &value) && der_at_end(&d) && value_is_well_formed(&value, 1);
}

/* --- writer --- */

static size_t len_octets(size_t len)
{
  size_t n = 0;
  if (len < 0x80)
    return 1;
  for (; len > 0; len >>= 8)
    n++;
  return n + 1;
}

static void store_len(uint8_t *out, size_t len, size_t n)
{
  if (n == 1) {
    out[0] = (uint8_t)len;
    return;
  }
  out[0] = (uint8_t)(0x80 | (n - 1));
  for (size_t i = 1; i < n; i++)
    out[i] = (uint8_t)(len >> (8 * (n - 1 - i)));
}

void der_put_header(struct buf *out, uint8_t tag, size_t len)
{
  uint8_t header[1 + 1 + sizeof len];
  size_t n = len_octets(len);
  header[0] = tag;
  store_len(header + 1, len, n);
  buf_add(out, header, 1 + n);
}

/* One octet is left for the length; most values need no more. */
size_t der_begin(struct buf *out, uint8_t tag)
{
  buf_add(out, (uint8_t[]){tag, 0}, 2);
  return out->len;
}

void der_end(struct buf *out, size_t mark)
{
  if (!buf_ok(out))
    return;
  size_t len = out->len - mark, n = len_octets(len);
  if (n > 1 && !buf_insert_gap(out, mark, n - 1))
    return;
  store_len(out->data + mark - 1, len, n);
}

void der_put(struct buf *out, uint8_t tag, struct bytes content)
{
  der_put_header(out, tag, content.len);
  buf_add_bytes(out, content);
}

void der_put_bool(struct buf *out, bool value)
{
  buf_add(out, (uint8_t[]){DER_BOOLEAN, 1, value ? 0xff : 0}, 3);
}

void der_put_unsigned(struct buf *out, struct bytes magnitude)
{
  while (magnitude.len > 1 && magnitude.data[0] == 0)
    magnitude = bytes_of(magnitude.data + 1, magnitude.len - 1);
  bool pad = magnitude.len == 0 || (magnitude.data[0] & 0x80) != 0;
  der_put_header(out, DER_INTEGER, magnitude.len + pad);
  if (pad)
    buf_add_u8(out, 0);
  buf_add_bytes(out, magnitude);
}

void der_put_number(struct buf *out, uint64_t number)
{
  uint8_t octets[8];
  for (size_t i = 0; i < sizeof octets; i++)
    octets[i] = (uint8_t)(number >> (56 - 8 * i));
  der_put_unsigned(out, bytes_of(octets, sizeof octets));
}

void der_put_oid(struct buf *out, struct bytes oid)
{
  der_put(out, DER_OID, oid);
}

void der_put_bit_octets(struct buf *out, struct bytes octets)
{
  der_put_header(out, DER_BIT_STRING, octets.len + 1);
  buf_add_u8(out, 0);
  buf_add_bytes(out, octets);
}

void der_put_named_bits(struct buf *out, uint32_t bits)
{
  uint8_t content[5] = {0};
  size_t n = 0;
  for (size_t i = 0; i < 32; i++)
    if ((bits >> i & 1) != 0) {
      content[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
      n = i + 1;
    }
  size_t octets = (n + 7) / 8;
  content[0] = (uint8_t)(octets * 8 - n);
  der_put(out, DER_BIT_STRING, bytes_of(content, 1 + octets));
}

enum { TIME_TEXT_SIZE = 16 };

/* "YYYYMMDDHHMMSSZ", by hand: a list of revoked certificates may have a million of them. */
static void time_text(char text[TIME_TEXT_SIZE], const struct when_civil *c)
{
  const int pairs[] = {c->year / 100, c->year % 100, c->month, c->day,
                       c->hour,       c->minute,     c->second};
  char *at = text;
  for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
    *at++ = (char)('0' + pairs[i] / 10);
    *at++ = (char)('0' + pairs[i] % 10);
  }
  memcpy(at, "Z", 2);
}

void der_put_time(struct buf *out, int64_t instant)
{
  struct when_civil c = when_to_civil(instant);
  char text[TIME_TEXT_SIZE];
  bool utc = c.year >= 1950 && c.year < 2050;
  time_text(text, &c);
  const char *from = utc ? text + 2 : text;
  der_put(out, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, bytes_of_text(from));
}

void der_put_generalized_time(struct buf *out, int64_t instant)
{
  struct when_civil c = when_to_civil(instant);
  char text[TIME_TEXT_SIZE];
  time_text(text, &c);
  der_put(out, DER_GENERALIZED_TIME, bytes_of_text(text));
}

/* --- object identifiers --- */

static void put_arc(struct buf *out, uint64_t arc)
{
  uint8_t octets[10];
  size_t n = 0;
  do {
    octets[n++] = (uint8_t)(arc & 0x7f);
    arc >>= 7;
  } while (arc > 0);
  while (n-- > 0)
    buf_add_u8(out, (uint8_t)(octets[n] | (n > 0 ? 0x80 : 0)));
}

bool der_oid_read(struct bytes text, struct buf *out)
{
  size_t start = out->len, n_arcs = 0;
  uint64_t first = 0;
  while (text.len > 0 || n_arcs == 0) {
    const uint8_t *dot = text.len > 0 ? memchr(text.data, '.', text.len) : NULL;
    size_t len = dot != NULL ? (size_t)(dot - text.data) : text.len;
    uint64_t arc;
    /* 2.39 and more are possible (X.690, 8.19.4); 2^56 is enough for every registered arc. */
    if (!text_to_u64(bytes_of(text.data, len), UINT64_C(1) << 56, &arc))
      goto bad;
    if (n_arcs == 0 && arc > 2)
      goto bad;
    if (n_arcs == 1 && first < 2 && arc > 39)
      goto bad;
    if (n_arcs == 0)
      first = arc;
    else
      put_arc(out, n_arcs == 1 ? first * 40 + arc : arc);
    n_arcs++;
    if (dot == NULL)
      break;
    text = bytes_of(dot + 1, text.len - len - 1);
    if (text.len == 0)
      goto bad;
  }
  if (n_arcs >= 2 && buf_ok(out))
    return true;
bad:
  out->len = start;
  return false;
}

/* An arc of 64 bits or more (a UUID under 2.25) is shown by its groups of 7 bits in hexadecimal,
 * which looks like no other OID. */
static void add_large_arc(struct bytes arc, bool first, struct buf *out)
{
  buf_add_text(out, first ? "2.0x" : ".0x");
  for (size_t i = 0; i < arc.len; i++)
    buf_addf(out, "%02x", arc.data[i] & 0x7f);
}

void der_oid_text(struct bytes oid, struct buf *out)
{
  uint64_t arc = 0;
  size_t start = 0;
  for (size_t i = 0; i < oid.len; i++) {
    arc = arc << 7 | (oid.data[i] & 0x7f);
    if ((oid.data[i] & 0x80) != 0)
      continue;
    if (i + 1 - start > 9)
      add_large_arc(bytes_of(oid.data + start, i + 1 - start), start == 0, out);
    else if (start > 0)
      buf_addf(out, ".%llu", (unsigned long long)arc);
    else
      buf_addf(out, "%llu.%llu", (unsigned long long)(arc >= 80 ? 2 : arc / 40),
               (unsigned long long)(arc >= 80 ? arc - 80 : arc % 40));
    start = i + 1;
    arc = 0;
  }
}
