/* san_form.c - see san_form.h. */
#include "lib/pki/san_form.h"

#include "lib/base/ip.h"
#include "lib/base/text.h"

enum { DNS_MAX = 253, LABEL_MAX = 63 };

static bool is_digit(uint8_t c)
{
  return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
  return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_ldh(uint8_t c)
{
  return is_digit(c) || c == '-' || (lower(c) >= 'a' && lower(c) <= 'z');
}

static const char *ip_form(struct bytes text, struct san_value *ret_value)
{
  struct ip ip;
  if (!ip_read(text, &ip))
    return "not an IP address";
  if (ip_is_v4_mapped(&ip))
    return "an IPv4 address in an IPv6 coat; give the IPv4 address itself";
  memcpy(ret_value->octets, ip.octets, ip.len);
  ret_value->len = ip.len;
  return NULL;
}

/* RFC 1034, 3.5, with RFC 1123, 2.1. */
static const char *label_form(struct bytes label)
{
  if (label.len == 0)
    return "an empty label (a dot too many)";
  if (label.len > LABEL_MAX)
    return "a label of more than 63 characters";
  for (size_t i = 0; i < label.len; i++)
    if (!is_ldh(label.data[i]))
      return label.data[i] == '_' ? "an underscore is not allowed in a host name"
                                  : "a label has letters, digits and hyphens only";
  if (label.data[0] == '-' || label.data[label.len - 1] == '-')
    return "a label neither begins nor ends with a hyphen";
  return NULL;
}

/* What inet_aton and browsers take for an IPv4 address ends in such a label: "1.2.3.4", "0x7f.1".
 */
static bool reads_as_number(struct bytes label)
{
  bool hex = label.len >= 2 && label.data[0] == '0' && lower(label.data[1]) == 'x';
  for (size_t i = hex ? 2 : 0; i < label.len; i++) {
    uint8_t c = lower(label.data[i]);
    if (!is_digit(c) && !(hex && c >= 'a' && c <= 'f'))
      return false;
  }
  return true;
}

static struct bytes take_label(struct bytes *rest, bool *ret_more)
{
  const uint8_t *dot = rest->len > 0 ? memchr(rest->data, '.', rest->len) : NULL;
  struct bytes label = bytes_of(rest->data, dot != NULL ? (size_t)(dot - rest->data) : rest->len);
  *ret_more = dot != NULL;
  *rest = dot != NULL ? bytes_of(dot + 1, rest->len - label.len - 1) : bytes_of(NULL, 0);
  return label;
}

static const char *labels_form(struct bytes text)
{
  size_t n = 0;
  bool more = true, wildcard = false;
  struct bytes label = text;
  while (more) {
    label = take_label(&text, &more);
    if (n++ == 0 && label.len == 1 && label.data[0] == '*') {
      wildcard = true;
      continue;
    }
    const char *why = label_form(label);
    if (why != NULL)
      return why;
  }
  if (wildcard && n < 3)
    return "a wildcard needs two labels behind it";
  if (reads_as_number(label))
    return "reads as an IP address; an IP address belongs into ip_sans";
  return NULL;
}

static const char *dns_rules(struct bytes text)
{
  if (text.len == 0)
    return "empty";
  if (text.len > DNS_MAX)
    return "more than 253 characters";
  if (text.data[text.len - 1] == '.')
    return "ends with a dot";
  return labels_form(text);
}

/* An IP address follows none of these rules: its last label is a number, or it has colons. */
static const char *dns_form(struct bytes text, struct san_value *ret_value)
{
  struct ip ip;
  const char *why = dns_rules(text);
  if (why != NULL)
    return ip_read(text, &ip) ? "an IP address; it belongs into ip_sans" : why;
  for (size_t i = 0; i < text.len; i++)
    ret_value->octets[i] = lower(text.data[i]);
  ret_value->len = text.len;
  return NULL;
}

/* RFC 3986, 3: a scheme, a colon, and something behind it. */
static const char *uri_form(struct bytes text, struct san_value *ret_value)
{
  const uint8_t *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
  if (text.len > SAN_URI_MAX)
    return "more than 2048 characters";
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] <= ' ' || text.data[i] > '~')
      return "a URI has printable ASCII characters only, and no space";
  if (colon == NULL || colon + 1 == text.data + text.len)
    return "not a URI: a scheme, a colon and something behind it are needed";
  struct bytes scheme = bytes_of(text.data, (size_t)(colon - text.data));
  if (!text_is_token(scheme, 32, "+-.") || lower(scheme.data[0]) < 'a' ||
      lower(scheme.data[0]) > 'z')
    return "not a URI: the scheme is not one";
  memcpy(ret_value->octets, text.data, text.len);
  ret_value->len = text.len;
  return NULL;
}

const char *san_form(enum san_kind kind, struct bytes text, struct san_value *ret_value)
{
  static const char *(*const forms[SAN_KIND_END])(struct bytes, struct san_value *) = {
      [SAN_IP] = ip_form, [SAN_DNS] = dns_form, [SAN_URI] = uri_form};
  return forms[kind](text, ret_value);
}
