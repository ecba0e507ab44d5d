/* front_tls.c - what libmicrohttpd leaves to be had between GnuTLS and the socket: fewer system
 * calls.
 *
 * Reading: GnuTLS asks for a record's head and then for its body, and each would be a call; so a
 * connection reads ahead. Writing: libmicrohttpd sends the head of a reply and its body as two
 * records; a small reply is held back until both are there. */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/front_internal.h"

/* A reply that surely fits into an empty socket buffer. */
enum { HELD_BACK_MAX = 8 * 1024 };

/* --- reading ahead --- */

static ssize_t pull(gnutls_transport_ptr_t context, void *to, size_t len)
{
  struct conn *conn = context;
  struct read_ahead *ahead = &conn->ahead;
  if (ahead->at == ahead->end) {
    if (len >= sizeof ahead->octets)
      return recv(conn->fd, to, len, 0);
    ssize_t n = recv(conn->fd, ahead->octets, sizeof ahead->octets, 0);
    if (n <= 0)
      return n;
    ahead->at = 0;
    ahead->end = (unsigned)n;
  }
  size_t left = ahead->end - ahead->at;
  if (len > left)
    len = left;
  memcpy(to, ahead->octets + ahead->at, len);
  ahead->at += (unsigned)len;
  return (ssize_t)len;
}

static int pull_timeout(gnutls_transport_ptr_t context, unsigned ms)
{
  struct conn *conn = context;
  struct pollfd wanted = {.fd = conn->fd, .events = POLLIN};
  if (conn->ahead.at < conn->ahead.end)
    return 1;
  return poll(&wanted, 1, ms > INT32_MAX ? -1 : (int)ms);
}

void front_tls_begin(struct conn *conn, gnutls_session_t session)
{
  gnutls_transport_ptr_t receive, transmit;
  gnutls_transport_get_ptr2(session, &receive, &transmit);
  gnutls_transport_set_ptr2(session, conn, transmit);
  gnutls_transport_set_pull_function(session, pull);
  gnutls_transport_set_pull_timeout_function(session, pull_timeout);
}

/* --- holding back --- */

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  return info != NULL ? info->tls_session : NULL;
}

/* Not where the connection might end with the reply: then libmicrohttpd says goodbye before it
 * tells us, and what is held back would be lost. */
static bool may_hold_back(const struct incoming *in, size_t len)
{
  return len > 0 && len <= HELD_BACK_MAX && !in->front->plain && !in->close && in->may_stay &&
         MHD_lookup_connection_value(in->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONNECTION) ==
             NULL;
}

void front_tls_hold_back(struct incoming *in, size_t len)
{
  gnutls_session_t session = may_hold_back(in, len) ? session_of(in->connection) : NULL;
  if (session == NULL)
    return;
  gnutls_record_cork(session);
  in->held_back = true;
}

/* The socket may be corked by libmicrohttpd, which pulls the cork before it sends what it believes
 * to be the end of a reply, and we send it after that: the kernel would wait 200 ms for more.
 *
 * A peer that does not read has no room left for a small reply: libmicrohttpd believes that it is
 * sent, so this connection is of no more use. */
void front_tls_let_go(struct incoming *in)
{
  const int off = 0;
  gnutls_session_t session = in->held_back ? session_of(in->connection) : NULL;
  if (session == NULL)
    return;
  if (gnutls_record_uncork(session, 0) < 0)
    shutdown(in->conn->fd, SHUT_RDWR);
  else
    setsockopt(in->conn->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
}
