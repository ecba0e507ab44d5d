/* name.h - distinguished names (RFC 5280, 4.1.2.4; X.501). Threads: none of its own. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum attribute {
  ATTR_COMMON_NAME,
  ATTR_SERIAL_NUMBER,
  ATTR_COUNTRY,
  ATTR_LOCALITY,
  ATTR_STATE,
  ATTR_ORGANIZATION,
  ATTR_ORGANIZATION_UNIT,
  ATTRIBUTE_COUNT
};

/* "CN", "serialNumber", "C", "L", "ST", "O", "OU" */
const char *attribute_name(enum attribute attribute);
bool attribute_named(struct bytes name, enum attribute *ret_attribute);

/* One attribute in one RDN. */
struct name_part {
  enum attribute attribute;
  struct bytes value; /* UTF-8, borrowed */
};

/* Writes the whole Name SEQUENCE. PrintableString for serialNumber and country, UTF8String
 * otherwise; bounds of RFC 5280, appendix A (CN 64, serialNumber 64, C exactly 2, O and OU 64, L
 * and ST 128 characters). Fails with BAD_SUBJECT, and `out` is then as before. No part at all is
 * the empty name. */
bool name_write(const struct name_part *parts, size_t n, struct buf *out, struct fault *f);

/* Is this whole value a well-formed Name, in DER, of string types alone, with at least one
 * character in each value and no more than the attribute's bound (1024 for one without)? */
bool name_is_valid(struct bytes name);
bool name_is_empty(struct bytes name);
/* The one value of this attribute, which must be text in UTF-8 (UTF8String, PrintableString or
 * IA5String) without control characters. False when the name is not valid, or has none or several
 * of them, or another string. A view. */
bool name_value(struct bytes name, enum attribute attribute, struct bytes *ret_value);
/* RFC 4514 text, for a person, the last RDN first: "CN=w-1001,O=Acme". Attributes without a short
 * name appear as dotted OIDs, values that are no UTF-8 as "#" and hexadecimal DER; control
 * characters are escaped. */
void name_text(struct bytes name, struct buf *out);
