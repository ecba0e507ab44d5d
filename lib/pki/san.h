/* san.h - subject alternative names (RFC 5280, 4.2.1.6): checked one by one, kept in normal form.
 *
 * Every name enters through sans_add() (text of a request or of the configuration) or sans_read()
 * (DER of a CSR or certificate), which make the same checks. Normal form: IP addresses as 4 or 16
 * octets, DNS names in lower case, URIs as given. A name that is there already is not added twice.
 * Threads: none of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* The order is the order in certificates; the numbers are stored in the ledger and never change. */
enum san_kind { SAN_IP = 1, SAN_DNS = 2, SAN_URI = 3, SAN_KIND_END };

enum { SANS_MAX = 1000, SAN_URI_MAX = 2048 };

struct san {
  enum san_kind kind;
  struct bytes value; /* borrowed from the set, until the next addition */
};

struct san_entry {
  uint8_t kind;
  uint16_t len;
  uint32_t at;
};

/* All zero is an empty set. Entries are kept sorted by kind, then by the order they came in. */
struct sans {
  struct san_entry *entries;
  size_t n, cap;
  struct buf values;
};

/* "ip_sans", "dns_sans", "uri_sans" */
const char *san_kind_field(enum san_kind kind);

/* Adds one name given as text. A name that is not well formed gets an item in `f` (BAD_NAME when
 * there is no code yet) and the call returns false; the caller may go on, to name all that are
 * wrong. NO_MEMORY and TOO_MANY_NAMES (over SANS_MAX) also return false. IP: v4 or v6, not
 * IPv4-mapped. DNS: LDH labels of 1 to 63, at most 253 in all, no underscore, no trailing dot, "*"
 * only as the whole left-most label of three or more labels, nothing that reads as an IP address
 * (last label all digits included). URI: scheme and something behind it, printable ASCII without
 * spaces, at most SAN_URI_MAX. */
bool sans_add(struct sans *s, enum san_kind kind, struct bytes text, struct fault *f);

/* Adds all names of a GeneralNames SEQUENCE (whole value). BAD_CSR for DER that is wrong or an
 * empty sequence; BAD_NAME with items for names that are not well formed; NAME_NOT_ALLOWED with
 * items for a kind that is none of ours (rfc822Name, directoryName, otherName other than
 * hardwareModuleName, which is stepped over when `hardware` is true). */
bool sans_read(struct sans *s, struct bytes general_names, bool hardware, struct fault *f);

/* The same of a foreign certificate: names that are not taken are stepped over. BAD_CSR,
 * TOO_MANY_NAMES. */
bool sans_read_taken(struct sans *s, struct bytes general_names, struct fault *f);

/* Calls `each` for every name of a GeneralNames SEQUENCE that sans_read() would take, in normal
 * form, until it returns false; others are stepped over. False then, or with BAD_CSR or NO_MEMORY.
 */
typedef bool sans_visitor(struct san name, void *context);
bool sans_each(struct bytes general_names, sans_visitor *each, void *context, struct fault *f);

/* hardwareModuleName (RFC 4108, section 5) in an otherName: type OID content octets, and serial. */
struct hardware_name {
  struct bytes type, serial; /* both empty: none */
};

/* Writes the GeneralNames SEQUENCE; hw may be NULL. */
void sans_write(const struct sans *s, const struct hardware_name *hw, struct buf *out);

struct san sans_get(const struct sans *s, size_t index);
bool sans_has(const struct sans *s, struct san name);
bool sans_equal(const struct sans *a, const struct sans *b); /* as sets */
bool sans_copy(struct sans *to, const struct sans *from, struct fault *f);
/* For a person or JSON: "10.1.1.68", "w-1001.widgets.example". */
void san_text(struct san name, struct buf *out);
void sans_free(struct sans *s);

AUTO_VALUE(sans, struct sans, sans_free)
