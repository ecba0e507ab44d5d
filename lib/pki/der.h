/* der.h - strict DER (X.690): a reader that borrows, and a writer that goes forward.
 *
 * The reader takes definite, minimal lengths and tags of one octet only; whatever is not DER is
 * refused, so that each value has one encoding. The writer adds to a struct buf; der_begin()
 * remembers where a constructed value starts and der_end() puts its length in. Threads: none of its
 * own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum der_tag {
  DER_BOOLEAN = 0x01,
  DER_INTEGER = 0x02,
  DER_BIT_STRING = 0x03,
  DER_OCTET_STRING = 0x04,
  DER_NULL = 0x05,
  DER_OID = 0x06,
  DER_ENUMERATED = 0x0a,
  DER_UTF8_STRING = 0x0c,
  DER_PRINTABLE_STRING = 0x13,
  DER_TELETEX_STRING = 0x14,
  DER_IA5_STRING = 0x16,
  DER_UTC_TIME = 0x17,
  DER_GENERALIZED_TIME = 0x18,
  DER_UNIVERSAL_STRING = 0x1c,
  DER_BMP_STRING = 0x1e,
  DER_SEQUENCE = 0x30,
  DER_SET = 0x31,
};

#define DER_CONTEXT(n)             ((uint8_t)(0x80 | (n))) /* [n] primitive */
#define DER_CONTEXT_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n))) /* [n] constructed */

/* Reader: what is left to read. */
struct der {
  const uint8_t *p, *end;
};

struct der_value {
  uint8_t tag;
  struct bytes content;
  struct bytes whole; /* with tag and length */
};

static inline struct der der_of(struct bytes octets)
{
  return (struct der){octets.data, octets.data != NULL ? octets.data + octets.len : octets.data};
}
static inline bool der_at_end(const struct der *d)
{
  return d->p == d->end;
}

/* Each of these steps over one value and returns true, or returns false and stays where it is. */
bool der_next(struct der *d, struct der_value *ret_value);
bool der_take(struct der *d, uint8_t tag, struct bytes *ret_content);
bool der_take_whole(struct der *d, uint8_t tag, struct bytes *ret_whole);
bool der_enter(struct der *d, uint8_t tag, struct der *ret_inner);
/* True when the next value has this tag; does not step. */
static inline bool der_is(const struct der *d, uint8_t tag)
{
  return d->p < d->end && *d->p == tag;
}

bool der_take_bool(struct der *d, bool *ret_value);
/* An INTEGER of at most 63 bits that is not negative. */
bool der_take_number(struct der *d, int64_t *ret_number);
/* A positive INTEGER in its content octets, without the leading zero; zero is one octet 0. */
bool der_take_unsigned(struct der *d, struct bytes *ret_magnitude);
/* A BIT STRING; the unused bits (0 to 7) must be zero. */
bool der_take_bits(struct der *d, struct bytes *ret_octets, uint8_t *ret_unused);
/* A BIT STRING of whole octets. */
bool der_take_bit_octets(struct der *d, struct bytes *ret_octets);
/* A named-bit list as a number, bit n of the list being bit n here; at most 32 bits, no trailing
 * zeros (X.690, 11.2.2). */
bool der_take_named_bits(struct der *d, uint32_t *ret_bits);
/* UTCTime (1950 to 2049) or GeneralizedTime (2050 on), seconds and Z (RFC 5280, 4.1.2.5). */
bool der_take_time(struct der *d, int64_t *ret_instant);

/* True when an OID's content octets are well formed: minimal arcs, nothing cut off. */
bool der_oid_is_valid(struct bytes oid);
/* For a value that is stepped over: is it one value, DER all the way down (constructed values hold
 * values, universal types have legal contents), and at most 16 levels deep? */
bool der_is_well_formed(struct bytes whole);
/* The order of a SET OF (X.690, 11.6): may `after` stand behind `before`? */
bool der_is_ascending(struct bytes before, struct bytes after);

/* Writer. */
size_t der_begin(struct buf *out, uint8_t tag);
void der_end(struct buf *out, size_t mark);
void der_put(struct buf *out, uint8_t tag, struct bytes content);
/* Tag and length alone, when `len` octets of content are to stand elsewhere. */
void der_put_header(struct buf *out, uint8_t tag, size_t len);
void der_put_bool(struct buf *out, bool value);
void der_put_number(struct buf *out, uint64_t number);
/* A positive INTEGER from its magnitude, leading zeros allowed. */
void der_put_unsigned(struct buf *out, struct bytes magnitude);
void der_put_oid(struct buf *out, struct bytes oid);
void der_put_bit_octets(struct buf *out, struct bytes octets);
void der_put_named_bits(struct buf *out, uint32_t bits);
void der_put_time(struct buf *out, int64_t instant);
/* GeneralizedTime whatever the year, as OCSP has it (RFC 6960, 4.2.2.1). */
void der_put_generalized_time(struct buf *out, int64_t instant);

/* Dotted decimal to content octets and back. */
bool der_oid_read(struct bytes text, struct buf *out);
void der_oid_text(struct bytes oid, struct buf *out);
