/* name.c - see name.h. */
#include "lib/pki/name.h"

#include "lib/base/text.h"
#include "lib/pki/der.h"
#include "lib/pki/oid.h"

enum { VALUE_MAX = 1024 }; /* characters, of an attribute that RFC 5280 does not bound */

/* RFC 5280, appendix A: type, bounds, and the string type that we write. */
static const struct row {
  const char *name;
  struct bytes oid;
  size_t min, max; /* characters */
  uint8_t tag;
} rows[ATTRIBUTE_COUNT] = {
    [ATTR_COMMON_NAME] = {"CN", OID_COMMON_NAME, 1, 64, DER_UTF8_STRING},
    [ATTR_SERIAL_NUMBER] = {"serialNumber", OID_SERIAL_NUMBER, 1, 64, DER_PRINTABLE_STRING},
    [ATTR_COUNTRY] = {"C", OID_COUNTRY, 2, 2, DER_PRINTABLE_STRING},
    [ATTR_LOCALITY] = {"L", OID_LOCALITY, 1, 128, DER_UTF8_STRING},
    [ATTR_STATE] = {"ST", OID_STATE, 1, 128, DER_UTF8_STRING},
    [ATTR_ORGANIZATION] = {"O", OID_ORGANIZATION, 1, 64, DER_UTF8_STRING},
    [ATTR_ORGANIZATION_UNIT] = {"OU", OID_ORGANIZATION_UNIT, 1, 64, DER_UTF8_STRING},
};

const char *attribute_name(enum attribute attribute)
{
  return rows[attribute].name;
}

bool attribute_named(struct bytes name, enum attribute *ret_attribute)
{
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    if (bytes_equal(name, bytes_of_text(rows[i].name))) {
      *ret_attribute = (enum attribute)i;
      return true;
    }
  return false;
}

static const struct row *row_of(struct bytes oid)
{
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    if (bytes_equal(oid, rows[i].oid))
      return &rows[i];
  return NULL;
}

/* --- strings --- */

static bool is_utf8(struct bytes value)
{
  return text_is_utf8(value);
}

/* X.680, 41.4: the PrintableString's characters. */
static bool is_printable_string(struct bytes value)
{
  return value.len == 0 || text_is_token(value, value.len, " '()+,-./:=?");
}

static bool is_ascii(struct bytes value)
{
  for (size_t i = 0; i < value.len; i++)
    if (value.data[i] >= 0x80)
      return false;
  return true;
}

static bool is_any(struct bytes value)
{
  (void)value;
  return true;
}

/* UTF-16BE without surrogates. */
static bool is_bmp(struct bytes value)
{
  for (size_t i = 0; i + 1 < value.len; i += 2)
    if ((value.data[i] & 0xf8) == 0xd8)
      return false;
  return value.len % 2 == 0;
}

static bool is_universal(struct bytes value)
{
  for (size_t i = 0; i + 3 < value.len; i += 4)
    if (value.data[i] != 0 || value.data[i + 1] > 0x10)
      return false;
  return value.len % 4 == 0;
}

/* The string types that a name may have; width is the octets of a character, 0 for UTF-8. */
static const struct string_type {
  uint8_t tag, width;
  bool (*is)(struct bytes value);
} string_types[] = {
    {DER_UTF8_STRING, 0, is_utf8}, {DER_PRINTABLE_STRING, 1, is_printable_string},
    {DER_IA5_STRING, 1, is_ascii}, {DER_TELETEX_STRING, 1, is_any},
    {DER_BMP_STRING, 2, is_bmp},   {DER_UNIVERSAL_STRING, 4, is_universal},
};

static size_t characters(struct bytes value, uint8_t width)
{
  size_t n = 0;
  if (width > 0)
    return value.len / width;
  for (size_t i = 0; i < value.len; i++)
    n += (value.data[i] & 0xc0) != 0x80;
  return n;
}

static bool has_control(struct bytes value)
{
  for (size_t i = 0; i < value.len; i++)
    if (value.data[i] < 0x20 || value.data[i] == 0x7f)
      return true;
  return false;
}

/* --- writer --- */

static bool is_country(struct bytes value)
{
  for (size_t i = 0; i < value.len; i++)
    if (value.data[i] < 'A' || value.data[i] > 'Z')
      return false;
  return true;
}

static bool check_part(const struct name_part *part, struct fault *f)
{
  const struct row *row = &rows[part->attribute];
  struct bytes value = part->value;
  if (!text_is_utf8(value) || has_control(value))
    return fault_set(f, BAD_SUBJECT, "%s is not UTF-8 text without control characters", row->name);
  size_t n = characters(value, 0);
  if (n < row->min || n > row->max)
    return fault_set(f, BAD_SUBJECT, "%s has %zu characters; it must have %zu to %zu", row->name, n,
                     row->min, row->max);
  if (part->attribute == ATTR_COUNTRY && !is_country(value))
    return fault_set(f, BAD_SUBJECT, "%s must be two capital letters (ISO 3166)", row->name);
  if (row->tag == DER_PRINTABLE_STRING && !is_printable_string(value))
    return fault_set(f, BAD_SUBJECT, "%s may have letters, digits and \" '()+,-./:=?\" only",
                     row->name);
  return true;
}

static void write_part(const struct name_part *part, struct buf *out)
{
  const struct row *row = &rows[part->attribute];
  size_t set = der_begin(out, DER_SET);
  size_t pair = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, row->oid);
  der_put(out, row->tag, part->value);
  der_end(out, pair);
  der_end(out, set);
}

bool name_write(const struct name_part *parts, size_t n, struct buf *out, struct fault *f)
{
  size_t start = out->len;
  for (size_t i = 0; i < n; i++)
    if (!check_part(&parts[i], f))
      return false;
  size_t mark = der_begin(out, DER_SEQUENCE);
  for (size_t i = 0; i < n; i++)
    write_part(&parts[i], out);
  der_end(out, mark);
  if (buf_ok(out))
    return true;
  out->len = start;
  return fault_no_memory(f);
}

/* --- reader --- */

struct pair {
  struct bytes oid;
  struct der_value value;
};

static bool take_pair(struct der *rdn, struct bytes *ret_whole, struct pair *ret_pair)
{
  struct der_value whole;
  struct pair pair;
  if (!der_is(rdn, DER_SEQUENCE) || !der_next(rdn, &whole))
    return false;
  struct der body = der_of(whole.content);
  if (!der_take(&body, DER_OID, &pair.oid) || !der_oid_is_valid(pair.oid) ||
      !der_next(&body, &pair.value) || !der_at_end(&body))
    return false;
  *ret_whole = whole.whole;
  *ret_pair = pair;
  return true;
}

static bool pair_is_valid(const struct pair *pair)
{
  const struct row *row = row_of(pair->oid);
  size_t max = row != NULL ? row->max : VALUE_MAX;
  struct bytes value = pair->value.content;
  for (size_t i = 0; i < ARRAY_LEN(string_types); i++) {
    const struct string_type *type = &string_types[i];
    if (type->tag != pair->value.tag)
      continue;
    size_t n = characters(value, type->width);
    return type->is(value) && n >= 1 && n <= max;
  }
  return false;
}

static bool rdn_is_valid(struct der rdn)
{
  struct bytes before = {0}, whole;
  struct pair pair;
  if (der_at_end(&rdn))
    return false;
  for (; !der_at_end(&rdn); before = whole)
    if (!take_pair(&rdn, &whole, &pair) || !pair_is_valid(&pair) ||
        !der_is_ascending(before, whole))
      return false;
  return true;
}

bool name_is_valid(struct bytes name)
{
  struct der all = der_of(name), rdns, rdn;
  if (!der_enter(&all, DER_SEQUENCE, &rdns) || !der_at_end(&all))
    return false;
  while (!der_at_end(&rdns))
    if (!der_enter(&rdns, DER_SET, &rdn) || !rdn_is_valid(rdn))
      return false;
  return true;
}

bool name_is_empty(struct bytes name)
{
  return bytes_equal(name, bytes_of((const uint8_t[]){DER_SEQUENCE, 0}, 2));
}

/* False when it is none that can be read as text. */
static bool is_text(const struct der_value *value)
{
  bool text = value->tag == DER_UTF8_STRING || value->tag == DER_PRINTABLE_STRING ||
              value->tag == DER_IA5_STRING;
  return text && text_is_utf8(value->content);
}

bool name_value(struct bytes name, enum attribute attribute, struct bytes *ret_value)
{
  struct der all = der_of(name), rdns, rdn;
  struct bytes whole, found = {0};
  struct pair pair;
  size_t n = 0;
  if (!name_is_valid(name) || !der_enter(&all, DER_SEQUENCE, &rdns))
    return false;
  while (der_enter(&rdns, DER_SET, &rdn))
    while (take_pair(&rdn, &whole, &pair))
      if (bytes_equal(pair.oid, rows[attribute].oid)) {
        if (n++ > 0 || !is_text(&pair.value) || has_control(pair.value.content))
          return false;
        found = pair.value.content;
      }
  if (n == 1)
    *ret_value = found;
  return n == 1;
}

/* --- for a person --- */

/* RFC 4514, 2.4; control characters too, so that a terminal obeys none. */
static void add_escaped(struct bytes value, struct buf *out)
{
  for (size_t i = 0; i < value.len; i++) {
    uint8_t c = value.data[i];
    bool first = i == 0 && (c == ' ' || c == '#');
    bool last = i + 1 == value.len && c == ' ';
    if (c < 0x20 || c == 0x7f)
      buf_addf(out, "\\%02X", c);
    else if (first || last || strchr("\"+,;<>\\", c) != NULL)
      buf_addf(out, "\\%c", c);
    else
      buf_add_u8(out, c);
  }
}

/* Text as it is; another string type as "#" and the hexadecimal of its DER. */
static void add_value(const struct der_value *value, struct buf *out)
{
  if (is_text(value)) {
    add_escaped(value->content, out);
  } else {
    buf_add_u8(out, '#');
    text_add_hex(out, value->whole);
  }
}

static void add_rdn(struct der rdn, struct buf *out)
{
  struct bytes whole;
  struct pair pair;
  for (bool first = true; take_pair(&rdn, &whole, &pair); first = false) {
    const struct row *row = row_of(pair.oid);
    if (!first)
      buf_add_u8(out, '+');
    if (row != NULL)
      buf_add_text(out, row->name);
    else
      der_oid_text(pair.oid, out);
    buf_add_u8(out, '=');
    add_value(&pair.value, out);
  }
}

/* RFC 4514, 2.1: the last RDN comes first. Names are short, so each is looked for from the start.
 */
void name_text(struct bytes name, struct buf *out)
{
  struct der all = der_of(name), rdns, rdn;
  size_t n = 0;
  if (!der_enter(&all, DER_SEQUENCE, &rdns))
    return;
  for (struct der at = rdns; der_enter(&at, DER_SET, &rdn);)
    n++;
  for (size_t wanted = n; wanted > 0; wanted--) {
    struct der at = rdns;
    for (size_t i = 0; i < wanted; i++)
      der_enter(&at, DER_SET, &rdn);
    if (wanted < n)
      buf_add_u8(out, ',');
    add_rdn(rdn, out);
  }
}
