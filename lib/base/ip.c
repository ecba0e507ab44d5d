/* ip.c - see ip.h. */
#include "lib/base/ip.h"

#include <arpa/inet.h>

#include "lib/base/text.h"

bool ip_read(struct bytes text, struct ip *ret_ip)
{
  char copy[IP_TEXT_SIZE];
  struct ip ip = {0};
  if (text.len == 0 || !TEXT_COPY(copy, text))
    return false;
  bool v6 = memchr(text.data, ':', text.len) != NULL;
  if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, ip.octets) != 1)
    return false;
  ip.len = v6 ? 16 : 4;
  *ret_ip = ip;
  return true;
}

bool ip_from_octets(struct bytes octets, struct ip *ret_ip)
{
  if (octets.len != 4 && octets.len != 16)
    return false;
  *ret_ip = (struct ip){.len = (uint8_t)octets.len};
  memcpy(ret_ip->octets, octets.data, octets.len);
  return true;
}

static char *put_octet(char *to, uint8_t octet)
{
  if (octet >= 100)
    *to++ = (char)('0' + octet / 100);
  if (octet >= 10)
    *to++ = (char)('0' + octet / 10 % 10);
  *to++ = (char)('0' + octet % 10);
  return to;
}

/* By hand: one is in most certificates, and inet_ntop() goes by way of printf. */
static void v4_text(const uint8_t octets[4], char *out)
{
  for (int i = 0; i < 4; i++) {
    out = put_octet(out, octets[i]);
    *out++ = i < 3 ? '.' : '\0';
  }
}

void ip_text(const struct ip *ip, char out[IP_TEXT_SIZE])
{
  if (ip->len == 16)
    inet_ntop(AF_INET6, ip->octets, out, IP_TEXT_SIZE);
  else
    v4_text(ip->octets, out);
}

bool ip_is_v4_mapped(const struct ip *ip)
{
  static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return ip->len == 16 && memcmp(ip->octets, prefix, sizeof prefix) == 0;
}

/* The octet's bits that lie behind the first `bits` bits of the address. */
static uint8_t host_mask(unsigned octet, unsigned bits)
{
  if (bits >= (octet + 1) * 8)
    return 0;
  if (bits <= octet * 8)
    return 0xff;
  return (uint8_t)(0xff >> (bits - octet * 8));
}

bool ip_range_read(struct bytes text, struct ip_range *ret_range)
{
  struct ip_range range;
  uint64_t bits;
  const uint8_t *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
  size_t address_len = slash != NULL ? (size_t)(slash - text.data) : text.len;
  if (!ip_read(bytes_of(text.data, address_len), &range.net))
    return false;
  bits = range.net.len * 8u;
  if (slash != NULL && !text_to_u64(bytes_of(slash + 1, text.len - address_len - 1), bits, &bits))
    return false;
  range.bits = (uint8_t)bits;
  for (unsigned i = 0; i < range.net.len; i++)
    if ((range.net.octets[i] & host_mask(i, range.bits)) != 0)
      return false;
  *ret_range = range;
  return true;
}

bool ip_range_has(const struct ip_range *range, const struct ip *ip)
{
  if (range->net.len != ip->len)
    return false;
  for (unsigned i = 0; i < ip->len; i++)
    if (((range->net.octets[i] ^ ip->octets[i]) & (uint8_t)~host_mask(i, range->bits)) != 0)
      return false;
  return true;
}
