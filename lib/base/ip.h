/* ip.h - IP addresses and ranges, v4 and v6. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct ip {
  uint8_t octets[16];
  uint8_t len; /* 4 or 16 */
};

struct ip_range {
  struct ip net;
  uint8_t bits;
};

enum { IP_TEXT_SIZE = 46 };

/* Strict: four decimal numbers without leading zeros, or RFC 4291 text without a zone. */
bool ip_read(struct bytes text, struct ip *ret_ip);
/* From 4 or 16 octets. */
bool ip_from_octets(struct bytes octets, struct ip *ret_ip);
/* The normal form: dotted decimal, or RFC 5952. */
void ip_text(const struct ip *ip, char out[IP_TEXT_SIZE]);
/* ::ffff:a.b.c.d, an IPv4 address in an IPv6 coat. */
bool ip_is_v4_mapped(const struct ip *ip);

/* "10.1.0.0/16", "2001:db8::/32", or one address. False when bits behind the prefix are set. */
bool ip_range_read(struct bytes text, struct ip_range *ret_range);
bool ip_range_has(const struct ip_range *range, const struct ip *ip);
