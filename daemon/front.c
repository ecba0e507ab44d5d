/* front.c - see front.h: start, end, connections. */
#include "daemon/front_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/metrics.h"
#include "daemon/tls.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

/* A head has to fit in, with some 64 octets for each field. libmicrohttpd clears all of it for each
 * request, and what it clears it drives out of the cache: 16 KiB cost a twentieth of the CPU of a
 * certificate. */
enum { CONNECTION_MEMORY = 8 * 1024 };

void front_set_deadline(struct conn *conn, unsigned seconds)
{
  conn->deadline_ms = seconds == 0 ? 0 : when_monotonic_ms() + (int64_t)seconds * 1000;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
  struct front *front = context;
  metrics_count_connection(front->service->metrics, front->plain ? LISTENER_PLAIN : LISTENER_TLS,
                           code == MHD_CONNECTION_NOTIFY_STARTED);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    conns_remove(front->conns, *socket_context);
    *socket_context = NULL;
    return;
  }
  const union MHD_ConnectionInfo *fd =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  const union MHD_ConnectionInfo *address =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const union MHD_ConnectionInfo *session =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (fd == NULL)
    return;
  /* The handshake and the first request share one deadline. */
  int64_t deadline_ms = when_monotonic_ms() + (int64_t)front->request_seconds * 1000;
  *socket_context = conns_add(front->conns, fd->connect_fd,
                              address != NULL ? address->client_addr : NULL, deadline_ms);
  if (session != NULL)
    tls_offer_tickets(session->tls_session);
  MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, front->idle_seconds);
}

/* What libmicrohttpd says is about peers that do not speak TLS or HTTP. */
__attribute__((format(printf, 2, 0))) static void on_message(void *context, const char *format,
                                                             va_list args)
{
  (void)context;
  char text[256];
  vsnprintf(text, sizeof text, format, args);
  text[strcspn(text, "\n")] = '\0';
  log_say(LOG_LEVEL_DEBUG, "http", LOG_TEXT("detail", text));
}

/* The query is read from the target as it came; nothing is decoded on the way. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text)
{
  (void)context, (void)connection;
  return strlen(text);
}

static struct MHD_Daemon *start_mhd(struct front *front, const struct front_options *options)
{
  const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  const struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
      {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)tls_retrieve},
      {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)options->client_authorities},
      {MHD_OPTION_END, 0, NULL}};
  /* By epoll, libmicrohttpd 0.9.75 goes round and round for as long as a TLS handshake waits for
   * its peer, and asks the kernel twice for each request that is suspended. */
  unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                   (options->plain ? 0 : MHD_USE_TLS);
  /* A pool of one is no pool for libmicrohttpd: it is the single internal thread. */
  unsigned pool = options->threads > 1 ? options->threads : 0;
  return MHD_start_daemon(
      flags, 0, NULL, NULL, front_on_request, front, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
      MHD_OPTION_LISTEN_SOCKET, options->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, pool,
      MHD_OPTION_CONNECTION_LIMIT, options->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      options->connections_per_address, MHD_OPTION_CONNECTION_TIMEOUT, options->idle_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY,
      options->plain ? none : tls, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL,
      MHD_OPTION_URI_LOG_CALLBACK, front_on_target, front, MHD_OPTION_NOTIFY_COMPLETED,
      front_on_completed, front, MHD_OPTION_NOTIFY_CONNECTION, on_connection, front,
      MHD_OPTION_END);
}

bool front_start(const struct front_options *options, struct front **ret_front, struct fault *f)
{
  struct front *front = calloc(1, sizeof *front);
  if (front == NULL)
    return fault_no_memory(f);
  front->service = options->service;
  front->plain = options->plain;
  front->table = (struct route_table){options->routes, options->n_routes, options->plain};
  front_set_seconds(front, options->request_seconds, options->idle_seconds);
  if (!conns_start(&front->conns, f)) {
    free(front);
    return false;
  }
  front->mhd = start_mhd(front, options);
  if (front->mhd == NULL) {
    conns_stop(front->conns);
    free(front);
    return fault_set(f, INTERNAL, "libmicrohttpd did not start");
  }
  *ret_front = front;
  return true;
}

void front_set_seconds(struct front *front, unsigned request_seconds, unsigned idle_seconds)
{
  front->request_seconds = request_seconds;
  front->idle_seconds = idle_seconds;
}

void front_quiesce(struct front *front)
{
  front->quiescing = true;
  MHD_quiesce_daemon(front->mhd);
}

/* True as soon as the number is zero. */
static bool wait_for_none(const atomic_uint *number, int64_t until_ms)
{
  while (atomic_load(number) > 0) {
    if (when_monotonic_ms() >= until_ms)
      return false;
    nanosleep(&(struct timespec){.tv_nsec = 2 * 1000 * 1000}, NULL);
  }
  return true;
}

bool front_wait(struct front *front, unsigned timeout_ms)
{
  return wait_for_none(&front->n_requests, when_monotonic_ms() + timeout_ms);
}

void front_close_doors(struct front *front)
{
  front->doors_closed = true;
  wait_for_none(&front->n_handlers, INT64_MAX);
}

void front_stop(struct front *front)
{
  if (front == NULL)
    return;
  MHD_stop_daemon(front->mhd);
  conns_stop(front->conns);
  free(front);
}
