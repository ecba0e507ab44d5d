/* address.c - see address.h. */
#include "cli/address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/text.h"

static bool bad(const char *text, struct fault *f)
{
  return fault_set(f, BAD_USAGE, "'%s' is no ADDRESS:PORT such as 127.0.0.1:8443 or [::1]:8443",
                   text);
}

bool address_read(const char *text, struct address *ret_address, struct fault *f)
{
  struct address a = {0};
  const char *colon = strrchr(text, ':');
  uint64_t port;
  if (colon == NULL || !text_to_u64(bytes_of_text(colon + 1), 65535, &port))
    return bad(text, f);
  struct bytes host = bytes_of(text, (size_t)(colon - text));
  bool brackets = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
  if (brackets)
    host = bytes_of(host.data + 1, host.len - 2);
  if (host.len == 0 || !TEXT_COPY(a.host, host))
    return bad(text, f);
  a.port = (uint16_t)port;
  a.is_ip = ip_read(host, &a.ip);
  if (a.is_ip ? brackets != (a.ip.len == 16) : brackets || strpbrk(a.host, "[]:") != NULL)
    return bad(text, f);
  static const uint8_t zeros[16];
  a.is_any = a.is_ip && memcmp(a.ip.octets, zeros, a.ip.len) == 0;
  *ret_address = a;
  return true;
}

void address_url(const struct address *address, struct buf *out)
{
  bool v6 = address->is_ip && address->ip.len == 16;
  const char *host = address->host;
  if (address->is_any)
    host = v6 ? "::1" : "127.0.0.1";
  buf_addf(out, v6 ? "https://[%s]:%u" : "https://%s:%u", host, address->port);
}

/* A name that is nice to have: left out when it cannot stand in a certificate. */
static bool offer(struct sans *names, enum san_kind kind, const char *text)
{
  AUTO(fault) ignored = {0};
  return sans_add(names, kind, bytes_of_text(text), &ignored);
}

static void offer_interface(struct sans *names, const struct ifaddrs *interface)
{
  const struct sockaddr *address = interface->ifa_addr;
  struct bytes octets;
  struct ip ip;
  char text[IP_TEXT_SIZE];
  if (address == NULL || (interface->ifa_flags & (IFF_UP | IFF_LOOPBACK)) != IFF_UP)
    return;
  if (address->sa_family == AF_INET) {
    octets = bytes_of(&((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    octets = bytes_of(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    if (octets.data[0] == 0xfe && (octets.data[1] & 0xc0) == 0x80)
      return; /* link-local (RFC 4291, 2.5.6): means nothing without its link */
  } else {
    return;
  }
  if (!ip_from_octets(octets, &ip))
    return;
  ip_text(&ip, text);
  offer(names, SAN_IP, text);
}

static void offer_interfaces(struct sans *names)
{
  struct ifaddrs *list;
  if (getifaddrs(&list) != 0)
    return;
  for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next)
    offer_interface(names, i);
  freeifaddrs(list);
}

bool address_names(const struct address *address, struct sans *ret_names, char ret_cn[65],
                   struct fault *f)
{
  char host[256] = "";
  bool named = gethostname(host, sizeof host - 1) == 0 && offer(ret_names, SAN_DNS, host);
  offer(ret_names, SAN_IP, "127.0.0.1");
  offer(ret_names, SAN_IP, "::1");
  offer(ret_names, SAN_DNS, "localhost");
  if (address->is_any)
    offer_interfaces(ret_names);
  else if (!sans_add(ret_names, address->is_ip ? SAN_IP : SAN_DNS, bytes_of_text(address->host), f))
    return false;
  const char *cn = address->is_ip ? (named ? host : "localhost") : address->host;
  snprintf(ret_cn, 65, "%s", strlen(cn) <= 64 ? cn : "mintmark");
  return true;
}
