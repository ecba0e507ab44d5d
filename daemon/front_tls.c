/* front_tls.c - what libmicrohttpd leaves to be had between GnuTLS and the socket: it sends the
 * head of a reply and its body as two records; a small reply is held back until both are there. */
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "daemon/front_internal.h"

/* A reply that surely fits into an empty socket buffer. */
enum { HELD_BACK_MAX = 8 * 1024 };

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
