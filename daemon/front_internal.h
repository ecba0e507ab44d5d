/* front_internal.h - what the files of the front share. */
#pragma once
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "daemon/front.h"
#include "daemon/front_conn.h"
#include "daemon/request_check.h"
#include "daemon/route.h"

struct front {
  const struct service *service;
  struct route_table table;
  bool plain;
  struct conns *conns;
  struct MHD_Daemon *mhd;
  _Atomic unsigned request_seconds, idle_seconds;
  atomic_uint n_requests; /* begun and not yet completed */
  atomic_uint n_handlers; /* running now */
  atomic_bool quiescing, doors_closed;
};

/* A deferred exchange is finished by another thread, and a sink that waits is told to go on by one,
 * perhaps before the connection is suspended: who comes second resumes it, or has no need to
 * suspend it. */
enum progress { RUNNING, SUSPENDED, FINISHED, GOES_ON };

/* One request, from its first line to the end of its reply. */
struct incoming {
  struct exchange x;
  struct front *front;
  struct MHD_Connection *connection;
  struct conn *conn;
  char *target;    /* as it came, with its query */
  char method[17]; /* likewise, as much as the log wants of it */
  const struct route *route;
  uint64_t received; /* octets of the body so far */
  bool begun;        /* the head was looked at */
  bool has_body;     /* one is on its way */
  bool answered;     /* x.reply is what is to be sent */
  bool close;        /* the connection ends with the reply */
  bool waits;        /* its sink does, or did until now */
  bool may_stay;     /* HTTP/1.1: it does not end unless somebody says so */
  bool held_back;    /* the reply is not on its way before it is whole */
  _Atomic enum progress progress;
  unsigned sent_status; /* 0: no reply was sent */
};

static inline struct incoming *incoming_of(struct exchange *x)
{
  return x->front;
}

/* front_request.c: libmicrohttpd's callbacks; the context is the front. */
void *front_on_target(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result front_on_request(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_len, void **request);
void front_on_completed(void *context, struct MHD_Connection *connection, void **request,
                        enum MHD_RequestTerminationCode how);

/* front_head.c: looks at the head of the request and fills the exchange: checks, route, principal,
 * limits. */
bool front_take_head(struct incoming *in, const char *method, const char *version, struct fault *f);

/* front_tls.c */
/* Before a reply with a body of `len` octets is handed over; and when all of it was. */
void front_tls_hold_back(struct incoming *in, size_t len);
void front_tls_let_go(struct incoming *in);

/* front_reply.c: hands x.reply to libmicrohttpd. */
enum MHD_Result front_send(struct incoming *in);

/* The connection's deadline, from now; 0: none. */
void front_set_deadline(struct conn *conn, unsigned seconds);
