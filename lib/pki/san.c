/* san.c - see san.h. What a well-formed name is stands in san_form.c. */
#include "lib/pki/san.h"

#include <stdlib.h>

#include "lib/base/ip.h"
#include "lib/pki/der.h"
#include "lib/pki/oid.h"
#include "lib/pki/san_form.h"

/* GeneralName (RFC 5280, 4.2.1.6), by the number of its tag. */
enum { OTHER_NAME_TAG = DER_CONTEXT_CONSTRUCTED(0) };

static const struct {
  uint8_t tag;
  enum san_kind kind; /* 0: none of ours */
  const char *what;
} forms[] = {
    {OTHER_NAME_TAG, 0, "otherName"},
    {DER_CONTEXT(1), 0, "rfc822Name"},
    {DER_CONTEXT(2), SAN_DNS, "dNSName"},
    {DER_CONTEXT_CONSTRUCTED(3), 0, "x400Address"},
    {DER_CONTEXT_CONSTRUCTED(4), 0, "directoryName"},
    {DER_CONTEXT_CONSTRUCTED(5), 0, "ediPartyName"},
    {DER_CONTEXT(6), SAN_URI, "uniformResourceIdentifier"},
    {DER_CONTEXT(7), SAN_IP, "iPAddress"},
    {DER_CONTEXT(8), 0, "registeredID"},
};

const char *san_kind_field(enum san_kind kind)
{
  static const char *const fields[SAN_KIND_END] = {
      [SAN_IP] = "ip_sans", [SAN_DNS] = "dns_sans", [SAN_URI] = "uri_sans"};
  return fields[kind];
}

/* --- the set --- */

static struct bytes value_at(const struct sans *s, const struct san_entry *entry)
{
  return bytes_of(s->values.data + entry->at, entry->len);
}

struct san sans_get(const struct sans *s, size_t index)
{
  const struct san_entry *entry = &s->entries[index];
  return (struct san){.kind = (enum san_kind)entry->kind, .value = value_at(s, entry)};
}

bool sans_has(const struct sans *s, struct san name)
{
  for (size_t i = 0; i < s->n; i++)
    if (s->entries[i].kind == name.kind && bytes_equal(value_at(s, &s->entries[i]), name.value))
      return true;
  return false;
}

bool sans_equal(const struct sans *a, const struct sans *b)
{
  if (a->n != b->n)
    return false;
  for (size_t i = 0; i < a->n; i++)
    if (!sans_has(b, sans_get(a, i)))
      return false;
  return true;
}

static bool reserve_entry(struct sans *s)
{
  if (s->n < s->cap)
    return true;
  size_t cap = s->cap == 0 ? 8 : s->cap * 2;
  struct san_entry *entries = realloc(s->entries, cap * sizeof *entries);
  if (entries == NULL)
    return false;
  s->entries = entries;
  s->cap = cap;
  return true;
}

/* Takes a name in normal form. */
static bool insert(struct sans *s, struct san name, struct fault *f)
{
  if (sans_has(s, name))
    return true;
  if (s->n >= SANS_MAX)
    return fault_set(f, TOO_MANY_NAMES, "more than %d names", SANS_MAX);
  struct san_entry entry = {
      .kind = (uint8_t)name.kind, .len = (uint16_t)name.value.len, .at = (uint32_t)s->values.len};
  buf_add_bytes(&s->values, name.value);
  if (!buf_ok(&s->values) || !reserve_entry(s))
    return fault_no_memory(f);
  size_t at = s->n;
  while (at > 0 && s->entries[at - 1].kind > entry.kind)
    at--;
  memmove(&s->entries[at + 1], &s->entries[at], (s->n - at) * sizeof entry);
  s->entries[at] = entry;
  s->n++;
  return true;
}

bool sans_copy(struct sans *to, const struct sans *from, struct fault *f)
{
  AUTO(sans) copy = {0};
  for (size_t i = 0; i < from->n; i++)
    if (!insert(&copy, sans_get(from, i), f))
      return false;
  struct sans old = *to;
  *to = copy;
  copy = old;
  return true;
}

void sans_free(struct sans *s)
{
  free(s->entries);
  buf_free(&s->values);
  *s = (struct sans){0};
}

/* --- one name enters --- */

/* Records the rejected name. */
static bool reject(struct fault *f, enum fault_code code, const char *field, struct bytes text,
                   const char *why)
{
  char shown[sizeof f->items->name];
  size_t len = text.len < sizeof shown ? text.len : sizeof shown - 1;
  for (size_t i = 0; i < len; i++)
    shown[i] = (char)(text.data[i] != '\0' ? text.data[i] : '?');
  shown[len] = '\0';
  fault_add_item(f, shown, "%s: %s", field, why);
  if (f->code == FAULT_NONE)
    fault_set_code(f, code, "%s \"%s\": %s", field, shown, why);
  return false;
}

bool sans_add(struct sans *s, enum san_kind kind, struct bytes text, struct fault *f)
{
  struct san_value value;
  const char *why = san_form(kind, text, &value);
  if (why != NULL)
    return reject(f, FAULT_BAD_NAME, san_kind_field(kind), text, why);
  return insert(s, (struct san){kind, bytes_of(value.octets, value.len)}, f);
}

/* iPAddress is octets, everything else is text. What san_form() would refuse, it refuses here too:
 * of addresses these are those in an IPv6 coat, and every other one is its own normal form. */
static bool add_ip_octets(struct sans *s, struct bytes octets, struct fault *f)
{
  struct ip ip;
  char text[IP_TEXT_SIZE];
  if (!ip_from_octets(octets, &ip)) {
    AUTO(buf) hex = {0};
    for (size_t i = 0; i < octets.len && i < IP_TEXT_SIZE; i++)
      buf_addf(&hex, "%02x", octets.data[i]);
    return reject(f, FAULT_BAD_NAME, san_kind_field(SAN_IP), bytes_of_text(buf_text(&hex)),
                  "an IP address has 4 or 16 octets");
  }
  if (!ip_is_v4_mapped(&ip))
    return insert(s, (struct san){SAN_IP, octets}, f);
  ip_text(&ip, text);
  return sans_add(s, SAN_IP, bytes_of_text(text), f);
}

/* --- GeneralNames --- */

static bool read_hardware(struct bytes other_name, struct hardware_name *ret_hardware)
{
  struct der d = der_of(other_name), value, body;
  struct hardware_name hw;
  struct bytes oid;
  if (!der_take(&d, DER_OID, &oid) || !bytes_equal(oid, OID_HARDWARE_MODULE) ||
      !der_enter(&d, DER_CONTEXT_CONSTRUCTED(0), &value) || !der_at_end(&d) ||
      !der_enter(&value, DER_SEQUENCE, &body) || !der_at_end(&value) ||
      !der_take(&body, DER_OID, &hw.type) || !der_oid_is_valid(hw.type) ||
      !der_take(&body, DER_OCTET_STRING, &hw.serial) || !der_at_end(&body))
    return false;
  *ret_hardware = hw;
  return true;
}

/* One GeneralName. Sets *ret_broken for what is no GeneralName at all. */
static bool add_general_name(struct sans *s, const struct der_value *v, bool hardware,
                             bool *ret_broken, struct fault *f)
{
  struct hardware_name hw;
  for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
    if (v->tag != forms[i].tag)
      continue;
    if (hardware && v->tag == OTHER_NAME_TAG && read_hardware(v->content, &hw))
      return true;
    if (forms[i].kind == SAN_IP)
      return add_ip_octets(s, v->content, f);
    if (forms[i].kind != 0)
      return sans_add(s, forms[i].kind, v->content, f);
    /* Only text is worth showing. */
    return reject(f, FAULT_NAME_NOT_ALLOWED, forms[i].what,
                  v->tag == DER_CONTEXT(1) ? v->content : bytes_of(NULL, 0),
                  "names of this kind are not taken");
  }
  *ret_broken = true;
  return false;
}

bool sans_read(struct sans *s, struct bytes general_names, bool hardware, struct fault *f)
{
  struct der all = der_of(general_names), body;
  struct der_value value;
  bool good = true, broken = false;
  if (!der_enter(&all, DER_SEQUENCE, &body) || !der_at_end(&all))
    return fault_set(f, BAD_CSR, "the subject alternative names are not DER");
  if (der_at_end(&body))
    return fault_set(f, BAD_CSR, "the subject alternative names are an empty list");
  while (!der_at_end(&body) && !broken) {
    if (!der_next(&body, &value))
      broken = true;
    else if (!add_general_name(s, &value, hardware, &broken, f))
      good = false;
    if (f->code == FAULT_NO_MEMORY || f->code == FAULT_TOO_MANY_NAMES)
      return false;
  }
  if (broken)
    return fault_set(f, BAD_CSR, "the subject alternative names are not DER");
  return good;
}

/* Adds the next name, if it is one that is taken. */
static bool take_next(struct der *names, struct sans *s, struct fault *f)
{
  AUTO(fault) untaken = {0};
  struct der_value value;
  bool broken;
  if (!der_next(names, &value))
    return fault_set(f, BAD_CSR, "the subject alternative names are not DER");
  if (add_general_name(s, &value, true, &broken, &untaken) ||
      (untaken.code != FAULT_NO_MEMORY && untaken.code != FAULT_TOO_MANY_NAMES))
    return true;
  fault_move(f, &untaken);
  return false;
}

static bool open_names(struct bytes general_names, struct der *ret_names, struct fault *f)
{
  struct der all = der_of(general_names);
  return (der_enter(&all, DER_SEQUENCE, ret_names) && der_at_end(&all)) ||
         fault_set(f, BAD_CSR, "the subject alternative names are not DER");
}

bool sans_read_taken(struct sans *s, struct bytes general_names, struct fault *f)
{
  struct der names;
  if (!open_names(general_names, &names, f))
    return false;
  while (!der_at_end(&names))
    if (!take_next(&names, s, f))
      return false;
  return true;
}

bool sans_each(struct bytes general_names, sans_visitor *each, void *context, struct fault *f)
{
  struct der names;
  if (!open_names(general_names, &names, f))
    return false;
  while (!der_at_end(&names)) {
    AUTO(sans) one = {0};
    if (!take_next(&names, &one, f) || (one.n > 0 && !each(sans_get(&one, 0), context)))
      return false;
  }
  return true;
}

static void write_hardware(const struct hardware_name *hw, struct buf *out)
{
  size_t other = der_begin(out, OTHER_NAME_TAG);
  der_put_oid(out, OID_HARDWARE_MODULE);
  size_t value = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t body = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, hw->type);
  der_put(out, DER_OCTET_STRING, hw->serial);
  der_end(out, body);
  der_end(out, value);
  der_end(out, other);
}

static uint8_t tag_of(enum san_kind kind)
{
  for (size_t i = 0; i < ARRAY_LEN(forms); i++)
    if (forms[i].kind == kind)
      return forms[i].tag;
  return 0;
}

void sans_write(const struct sans *s, const struct hardware_name *hw, struct buf *out)
{
  size_t mark = der_begin(out, DER_SEQUENCE);
  for (size_t i = 0; i < s->n; i++) {
    struct san name = sans_get(s, i);
    der_put(out, tag_of(name.kind), name.value);
  }
  if (hw != NULL && hw->type.len > 0)
    write_hardware(hw, out);
  der_end(out, mark);
}

void san_text(struct san name, struct buf *out)
{
  struct ip ip;
  char text[IP_TEXT_SIZE];
  if (name.kind == SAN_IP && ip_from_octets(name.value, &ip)) {
    ip_text(&ip, text);
    buf_add_text(out, text);
  } else {
    buf_add_bytes(out, name.value);
  }
}
