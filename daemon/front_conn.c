/* front_conn.c - see front_conn.h. */
#include "daemon/front_conn.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/when.h"
#include "lib/ca/peer.h"

enum { LOOK_MS = 250, LINGER_MS = 3000, LINGERERS_MAX = 64, READS_MAX = 16 };

struct lingerer {
  int fd;
  int64_t until_ms;
};

struct conns {
  pthread_mutex_t lock;
  pthread_t thread;
  int wake_fd;
  bool stopping;
  struct conn *first;
  struct lingerer lingerers[LINGERERS_MAX];
  size_t n_lingerers;
};

static void wake(struct conns *conns)
{
  if (eventfd_write(conns->wake_fd, 1) != 0)
    return; /* it counts more than it can hold: it is awake */
}

/* --- the thread --- */

static void shut_down_late_ones(struct conns *conns, int64_t now_ms)
{
  for (struct conn *conn = conns->first; conn != NULL; conn = conn->next) {
    int64_t deadline_ms = conn->deadline_ms;
    bool late = deadline_ms != 0 && deadline_ms <= now_ms;
    if (!late && !conn->cut)
      continue;
    conn->timed_out = late;
    conn->deadline_ms = 0;
    conn->cut = false;
    shutdown(conn->fd, SHUT_RDWR);
  }
}

/* Throws away what the peer sends; true when it is at its end. */
static bool drained(int fd)
{
  static char nobody_reads_this[64 * 1024];
  for (int i = 0; i < READS_MAX; i++) {
    ssize_t n = recv(fd, nobody_reads_this, sizeof nobody_reads_this, MSG_DONTWAIT);
    if (n <= 0)
      return n == 0;
  }
  return false;
}

static void serve_lingerers(struct conns *conns, const struct pollfd *polled, size_t n_polled,
                            int64_t now_ms)
{
  size_t kept = 0;
  for (size_t i = 0; i < conns->n_lingerers; i++) {
    struct lingerer *lingerer = &conns->lingerers[i];
    short events = i < n_polled ? polled[i].revents : 0;
    bool over = now_ms >= lingerer->until_ms || (events & (POLLERR | POLLNVAL)) != 0 ||
                (events != 0 && drained(lingerer->fd));
    if (over)
      close(lingerer->fd);
    else
      conns->lingerers[kept++] = *lingerer;
  }
  conns->n_lingerers = kept;
}

/* What is to be polled: the eventfd, then the lingerers in their order. */
static size_t poll_set(struct conns *conns, struct pollfd polled[1 + LINGERERS_MAX])
{
  polled[0] = (struct pollfd){.fd = conns->wake_fd, .events = POLLIN};
  for (size_t i = 0; i < conns->n_lingerers; i++)
    polled[1 + i] = (struct pollfd){.fd = conns->lingerers[i].fd, .events = POLLIN};
  return conns->n_lingerers;
}

static void *run(void *context)
{
  struct conns *conns = context;
  struct pollfd polled[1 + LINGERERS_MAX];
  eventfd_t count;
  pthread_mutex_lock(&conns->lock);
  while (!conns->stopping) {
    size_t n = poll_set(conns, polled);
    /* Only this thread takes lingerers away, and others come behind them. */
    pthread_mutex_unlock(&conns->lock);
    int ready = poll(polled, (nfds_t)(1 + n), LOOK_MS);
    if (ready > 0 && polled[0].revents != 0)
      eventfd_read(conns->wake_fd, &count);
    pthread_mutex_lock(&conns->lock);
    int64_t now_ms = when_monotonic_ms();
    serve_lingerers(conns, polled + 1, ready > 0 ? n : 0, now_ms);
    shut_down_late_ones(conns, now_ms);
  }
  pthread_mutex_unlock(&conns->lock);
  return NULL;
}

/* --- from outside --- */

bool conns_start(struct conns **ret_conns, struct fault *f)
{
  struct conns *conns = calloc(1, sizeof *conns);
  if (conns == NULL)
    return fault_no_memory(f);
  pthread_mutex_init(&conns->lock, NULL);
  conns->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (conns->wake_fd < 0 || pthread_create(&conns->thread, NULL, run, conns) != 0) {
    if (conns->wake_fd >= 0)
      close(conns->wake_fd);
    pthread_mutex_destroy(&conns->lock);
    free(conns);
    return fault_set(f, INTERNAL, "the thread that keeps the deadlines cannot be started");
  }
  *ret_conns = conns;
  return true;
}

/* An IPv4 peer of an IPv6 socket is shown as what it is. */
static void source_text(const struct sockaddr *address, char out[IP_TEXT_SIZE])
{
  struct ip ip = {0};
  struct bytes octets = {0};
  if (address != NULL && address->sa_family == AF_INET)
    octets = bytes_of(&((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
  else if (address != NULL && address->sa_family == AF_INET6)
    octets = bytes_of(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
  if (octets.len == 0 || !ip_from_octets(octets, &ip))
    return;
  if (ip_is_v4_mapped(&ip))
    ip_from_octets(bytes_of(octets.data + 12, 4), &ip);
  ip_text(&ip, out);
}

struct conn *conns_add(struct conns *conns, int fd, const struct sockaddr *address,
                       int64_t deadline_ms)
{
  struct conn *conn = calloc(1, sizeof *conn);
  if (conn == NULL)
    return NULL;
  conn->fd = fd;
  conn->deadline_ms = deadline_ms;
  source_text(address, conn->source);
  pthread_mutex_lock(&conns->lock);
  conn->next = conns->first;
  if (conn->next != NULL)
    conn->next->prev = conn;
  conns->first = conn;
  pthread_mutex_unlock(&conns->lock);
  return conn;
}

/* A second descriptor keeps the socket open behind libmicrohttpd's close(). */
static void add_lingerer(struct conns *conns, int fd)
{
  if (conns->n_lingerers == LINGERERS_MAX)
    return;
  int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own_fd < 0)
    return;
  shutdown(own_fd, SHUT_WR);
  conns->lingerers[conns->n_lingerers++] =
      (struct lingerer){.fd = own_fd, .until_ms = when_monotonic_ms() + LINGER_MS};
  wake(conns);
}

void conns_remove(struct conns *conns, struct conn *conn)
{
  if (conn == NULL)
    return;
  pthread_mutex_lock(&conns->lock);
  if (conn->prev != NULL)
    conn->prev->next = conn->next;
  else
    conns->first = conn->next;
  if (conn->next != NULL)
    conn->next->prev = conn->prev;
  if (conn->linger && !conn->timed_out)
    add_lingerer(conns, conn->fd);
  pthread_mutex_unlock(&conns->lock);
  peer_free(conn->peer);
  free(conn->incoming);
  free(conn);
}

void conns_stop(struct conns *conns)
{
  pthread_mutex_lock(&conns->lock);
  conns->stopping = true;
  pthread_mutex_unlock(&conns->lock);
  wake(conns);
  pthread_join(conns->thread, NULL);
  for (size_t i = 0; i < conns->n_lingerers; i++)
    close(conns->lingerers[i].fd);
  pthread_mutex_destroy(&conns->lock);
  close(conns->wake_fd);
  free(conns);
}
