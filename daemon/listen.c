/* listen.c - see listen.h. */
#include "daemon/listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/base/ip.h"
#include "lib/base/text.h"

enum { BACKLOG = 1024 };

bool listen_read(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len,
                 struct fault *f)
{
  const char *colon = strrchr(text, ':');
  uint64_t port;
  struct ip ip;
  if (colon == NULL || !text_to_u64(bytes_of_text(colon + 1), 65535, &port))
    return fault_set(f, BAD_CONFIG, "listen \"%s\" is not ADDRESS:PORT", text);
  size_t len = (size_t)(colon - text);
  bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
  struct bytes address = bracketed ? bytes_of(text + 1, len - 2) : bytes_of(text, len);
  if (!ip_read(address, &ip) || bracketed != (ip.len == 16))
    return fault_set(f, BAD_CONFIG, "listen \"%s\": want \"127.0.0.1:8443\" or \"[::1]:8443\"",
                     text);
  *ret_address = (struct sockaddr_storage){0};
  if (ip.len == 4) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    memcpy(&v4->sin_addr, ip.octets, 4);
    *ret_len = sizeof *v4;
  } else {
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    memcpy(&v6->sin6_addr, ip.octets, 16);
    *ret_len = sizeof *v6;
  }
  return true;
}

static bool bind_it(int fd, const struct sockaddr_storage *address, socklen_t len)
{
  const int on = 1, off = 0;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return false;
  /* "[::]" is for both families. */
  if (address->ss_family == AF_INET6 &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
    return false;
  return bind(fd, (const struct sockaddr *)address, len) == 0;
}

static bool open_own(const char *text, int *ret_fd, struct fault *f)
{
  struct sockaddr_storage address;
  socklen_t len;
  if (!listen_read(text, &address, &len, f))
    return false;
  int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || !bind_it(fd, &address, len)) {
    fault_set(f, BAD_CONFIG, "cannot listen on %s: %s", text, strerror(errno));
    if (fd >= 0)
      close(fd);
    return false;
  }
  *ret_fd = fd;
  return true;
}

static bool is_tcp_listener(int fd)
{
  return sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0 &&
         sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) <= 0;
}

/* Names as of FileDescriptorName= in the socket's unit; what is not "public" is for TLS. */
static bool sort_sockets(char *const *names, int n, struct listeners *listeners, struct fault *f)
{
  for (int i = 0; i < n; i++) {
    int fd = SD_LISTEN_FDS_START + i;
    bool is_plain = strcmp(names[i], "public") == 0;
    struct listener *listener = is_plain ? &listeners->plain : &listeners->tls;
    if (listener->fd >= 0 || !is_tcp_listener(fd))
      return fault_set(f, BAD_CONFIG,
                       "want one listening TCP socket from systemd, and one more named \"public\"; "
                       "have %d sockets",
                       n);
    listener->fd = fd;
  }
  return true;
}

/* Each fd stays as it is when systemd handed nothing over for it. */
static bool take_from_systemd(struct listeners *listeners, struct fault *f)
{
  char **names = NULL;
  int n = sd_listen_fds_with_names(1, &names);
  if (n < 0)
    return fault_set(f, BAD_CONFIG, "what systemd hands over cannot be read: %s", strerror(-n));
  bool ok = sort_sockets(names, n, listeners, f);
  for (int i = 0; i < n; i++)
    free(names[i]);
  free(names);
  return ok;
}

static bool name_it(struct listener *listener, struct fault *f)
{
  struct sockaddr_storage address = {0};
  socklen_t len = sizeof address;
  struct ip ip;
  char text[IP_TEXT_SIZE];
  if (getsockname(listener->fd, (struct sockaddr *)&address, &len) != 0)
    return fault_set(f, INTERNAL, "getsockname: %s", strerror(errno));
  bool v6 = address.ss_family == AF_INET6;
  const struct sockaddr_in *in4 = (const struct sockaddr_in *)&address;
  const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
  if (!ip_from_octets(v6 ? bytes_of(&in6->sin6_addr, 16) : bytes_of(&in4->sin_addr, 4), &ip))
    return fault_set(f, INTERNAL, "the socket has no IP address");
  ip_text(&ip, text);
  listener->port = ntohs(v6 ? in6->sin6_port : in4->sin_port);
  snprintf(listener->address, sizeof listener->address, v6 ? "[%s]:%u" : "%s:%u", text,
           listener->port);
  return true;
}

static bool open_one(const char *text, struct listener *listener, struct fault *f)
{
  return (listener->fd >= 0 || open_own(text, &listener->fd, f)) && name_it(listener, f);
}

bool listen_open(const char *tls, const char *plain, struct listeners *ret_listeners,
                 struct fault *f)
{
  struct listeners listeners = {.tls.fd = -1, .plain.fd = -1};
  bool ok = take_from_systemd(&listeners, f) && open_one(tls, &listeners.tls, f);
  if (ok && plain != NULL)
    ok = open_one(plain, &listeners.plain, f);
  else if (ok && listeners.plain.fd >= 0)
    ok = fault_set(f, BAD_CONFIG, "systemd hands over a socket \"public\" without public_listen");
  if (!ok) {
    listen_close(&listeners);
    return false;
  }
  *ret_listeners = listeners;
  return true;
}

void listen_close(const struct listeners *listeners)
{
  if (listeners->tls.fd >= 0)
    close(listeners->tls.fd);
  if (listeners->plain.fd >= 0)
    close(listeners->plain.fd);
}

bool listen_begin(const struct listener *listener, struct fault *f)
{
  return listen(listener->fd, BACKLOG) == 0 ||
         fault_set(f, BAD_CONFIG, "cannot listen on %s: %s", listener->address, strerror(errno));
}
