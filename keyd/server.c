/* server.c - see server.h. */
#include "keyd/server.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keyd/answer.h"
#include "lib/base/log.h"
#include "lib/base/wire.h"
#include "lib/pki/sign_protocol.h"

enum {
  CONNECTIONS_MAX = SOCKETS_MAX,
  FRAME_SECONDS = 2,
  BUFFER_KEEP = 1024 * 1024, /* a larger one, of a CRL, is given back */
  STACK_SIZE = 512 * 1024
};

enum source_kind { SOURCE_STOP, SOURCE_LISTENER, SOURCE_CONNECTION, SOURCE_STATE };

/* What epoll tells us about. */
struct source {
  enum source_kind kind;
  int fd; /* -1: not in use */
};

struct server {
  const struct keys *keys;
  uid_t own_user, allow_user;
  int epoll;
  struct source idle, signals, listener; /* idle: an eventfd, raised by the last connection's end */
  struct source state_timer;             /* the state's own */
  pthread_mutex_t lock;                  /* for the next two */
  struct source connections[CONNECTIONS_MAX];
  size_t n_connections;
  pthread_t *threads;
  unsigned n_threads;
  sem_t arrived;        /* each thread once, at the gate */
  pthread_mutex_t gate; /* held until server_run() or server_free() */
  bool gate_is_held;
  _Atomic bool given_up; /* freed without ever being run */
};

/* --- connections --- */

static bool watch(struct server *server, struct source *source, int operation, uint32_t events)
{
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(server->epoll, operation, source->fd, &event) == 0;
}

static bool set_limits(int fd)
{
  const struct timeval limit = {.tv_sec = FRAME_SECONDS};
  return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
         setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

/* Level-triggered and never read: every thread sees it, one after the other. */
static void raise_idle(struct server *server)
{
  const uint64_t one = 1;
  if (write(server->idle.fd, &one, sizeof one) < 0)
    log_say(LOG_LEVEL_ERROR, "cannot end", LOG_TEXT("reason", strerror(errno)));
}

static void drop(struct server *server, struct source *connection)
{
  pthread_mutex_lock(&server->lock);
  close(connection->fd); /* leaves the epoll set by that */
  connection->fd = -1;
  bool is_last = --server->n_connections == 0 && server->listener.fd < 0;
  pthread_mutex_unlock(&server->lock);
  if (is_last)
    raise_idle(server);
}

/* Takes the descriptor over, whatever comes. */
static void add_connection(struct server *server, int fd)
{
  struct source *free_one = NULL;
  pthread_mutex_lock(&server->lock);
  for (size_t i = 0; i < CONNECTIONS_MAX && free_one == NULL; i++)
    if (server->connections[i].fd < 0)
      free_one = &server->connections[i];
  if (free_one != NULL) {
    *free_one = (struct source){.kind = SOURCE_CONNECTION, .fd = fd};
    server->n_connections++;
  }
  pthread_mutex_unlock(&server->lock);
  if (free_one == NULL) {
    log_say(LOG_LEVEL_WARNING, "refused a connection",
            LOG_TEXT("reason", "there are as many as can be served"));
    close(fd);
  } else if (!set_limits(fd) || !watch(server, free_one, EPOLL_CTL_ADD, EPOLLIN | EPOLLONESHOT)) {
    log_say(LOG_LEVEL_ERROR, "cannot serve a connection", LOG_TEXT("reason", strerror(errno)));
    drop(server, free_one);
  }
}

static bool may_connect(const struct server *server, int fd)
{
  struct ucred peer = {.uid = CONF_NO_USER};
  socklen_t len = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.uid == CONF_NO_USER)
    return false;
  if (peer.uid == 0 || peer.uid == server->own_user || peer.uid == server->allow_user)
    return true;
  log_say(LOG_LEVEL_WARNING, "refused a connection", LOG_NUMBER("uid", peer.uid),
          LOG_NUMBER("pid", peer.pid), LOG_TEXT("reason", "not the user of allow_user"));
  return false;
}

static void accept_one(struct server *server)
{
  int fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0 && may_connect(server, fd))
    add_connection(server, fd);
  else if (fd >= 0)
    close(fd);
  watch(server, &server->listener, EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
}

/* --- threads --- */

struct worker {
  struct wire_input requests; /* of the connection that it is at */
  struct buf reply;
};

static void worker_free(struct worker *worker)
{
  wire_input_free(&worker->requests);
  buf_free(&worker->reply);
}

/* The next connection has nothing of this one's. */
static void leave_connection(struct worker *worker)
{
  wire_input_clear(&worker->requests);
  if (worker->requests.octets.cap > BUFFER_KEEP)
    wire_input_free(&worker->requests);
}

static void log_broken(const char *reason)
{
  log_say(LOG_LEVEL_WARNING, "closed a connection", LOG_TEXT("reason", reason));
}

/* One frame and its answer; false when the connection has ended. */
static bool serve_frame(const struct server *server, struct worker *worker, int fd)
{
  struct wire_header header;
  struct bytes request;
  uint8_t type = 0;
  enum wire_result result =
      wire_input_receive(&worker->requests, fd, SIGN_REQUEST_MAX, &header, &request);
  if (result != WIRE_OK) {
    if (result != WIRE_CLOSED)
      log_broken(wire_result_text(result));
    return false;
  }
  buf_clear(&worker->reply);
  if (!answer_request(server->keys, header.type, request, &type, &worker->reply)) {
    log_broken("not a request");
    return false;
  }
  result = wire_send(fd, type, header.id, buf_bytes(&worker->reply));
  if (result != WIRE_OK)
    log_broken(wire_result_text(result));
  return result == WIRE_OK;
}

static void serve(struct server *server, struct worker *worker, struct source *connection)
{
  bool goes_on;
  do {
    goes_on = serve_frame(server, worker, connection->fd);
  } while (goes_on && !wire_input_is_empty(&worker->requests));
  leave_connection(worker);
  if (!goes_on || !watch(server, connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT))
    drop(server, connection);
}

static void sync_state(struct server *server)
{
  AUTO(fault) fault = {0};
  if (!state_sync(server->keys->state, &fault))
    log_say(LOG_LEVEL_ERROR, "cannot keep the counts", LOG_TEXT("reason", fault.detail));
  watch(server, &server->state_timer, EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
}

/* False when it is time to end. */
static bool work_once(struct server *server, struct worker *worker)
{
  struct epoll_event event;
  int n = epoll_wait(server->epoll, &event, 1, -1);
  if (n < 0 && errno != EINTR) {
    log_say(LOG_LEVEL_ERROR, "cannot wait", LOG_TEXT("reason", strerror(errno)));
    return false;
  }
  if (n <= 0)
    return true;
  struct source *source = event.data.ptr;
  if (source->kind == SOURCE_LISTENER)
    accept_one(server);
  else if (source->kind == SOURCE_CONNECTION)
    serve(server, worker, source);
  else if (source->kind == SOURCE_STATE)
    sync_state(server);
  return source->kind != SOURCE_STOP;
}

/* Whoever asked before the end is answered. From the shutdown on the socket takes in nothing more:
 * the asker sees that his next request did not arrive, and sends it to whoever comes after us. */
static void drain(struct server *server)
{
  struct worker worker = {0};
  for (size_t i = 0; i < CONNECTIONS_MAX; i++)
    if (server->connections[i].fd >= 0)
      shutdown(server->connections[i].fd, SHUT_RD);
  for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
    while (server->connections[i].fd >= 0 &&
           serve_frame(server, &worker, server->connections[i].fd))
      ;
    leave_connection(&worker);
  }
  worker_free(&worker);
}

static void *thread_main(void *context)
{
  struct server *server = context;
  struct worker worker = {0};
  sem_post(&server->arrived);
  pthread_mutex_lock(&server->gate);
  pthread_mutex_unlock(&server->gate);
  while (!server->given_up && work_once(server, &worker))
    ;
  worker_free(&worker);
  return NULL;
}

/* --- making --- */

static void block_signals(sigset_t *ret_set)
{
  sigemptyset(ret_set);
  sigaddset(ret_set, SIGTERM);
  sigaddset(ret_set, SIGINT);
  sigaddset(ret_set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, ret_set, NULL);
}

static bool open_sources(struct server *server)
{
  sigset_t signals;
  block_signals(&signals);
  server->idle = (struct source){SOURCE_STOP, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  server->signals = (struct source){SOURCE_STOP, signalfd(-1, &signals, SFD_CLOEXEC)};
  server->epoll = epoll_create1(EPOLL_CLOEXEC);
  return server->idle.fd >= 0 && server->signals.fd >= 0 && server->epoll >= 0 &&
         watch(server, &server->idle, EPOLL_CTL_ADD, EPOLLIN) &&
         watch(server, &server->signals, EPOLL_CTL_ADD, EPOLLIN) &&
         watch(server, &server->state_timer, EPOLL_CTL_ADD, EPOLLIN | EPOLLONESHOT) &&
         (server->listener.fd < 0 ||
          watch(server, &server->listener, EPOLL_CTL_ADD, EPOLLIN | EPOLLONESHOT));
}

static bool start_threads(struct server *server, unsigned n)
{
  pthread_attr_t attributes;
  server->threads = calloc(n, sizeof *server->threads);
  if (server->threads == NULL || pthread_attr_init(&attributes) != 0)
    return false;
  int error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
  while (error == 0 && server->n_threads < n) {
    error = pthread_create(&server->threads[server->n_threads], &attributes, thread_main, server);
    if (error == 0)
      server->n_threads++;
  }
  pthread_attr_destroy(&attributes);
  /* A thread's own first steps make system calls that the sandbox does not know. */
  for (unsigned i = 0; i < server->n_threads; i++)
    while (sem_wait(&server->arrived) != 0 && errno == EINTR)
      ;
  errno = error;
  return error == 0;
}

static struct server *make(const struct server_setup *setup)
{
  struct server *server = calloc(1, sizeof *server);
  if (server == NULL)
    return NULL;
  *server = (struct server){.keys = setup->keys,
                            .own_user = geteuid(), /* not a call for the sandbox */
                            .allow_user = setup->allow_user,
                            .epoll = -1,
                            .idle = {SOURCE_STOP, -1},
                            .signals = {SOURCE_STOP, -1},
                            .listener = {SOURCE_LISTENER, setup->listener},
                            .state_timer = {SOURCE_STATE, state_timer(setup->keys->state)}};
  for (size_t i = 0; i < CONNECTIONS_MAX; i++)
    server->connections[i] = (struct source){SOURCE_CONNECTION, -1};
  pthread_mutex_init(&server->lock, NULL);
  sem_init(&server->arrived, 0, 0);
  pthread_mutex_init(&server->gate, NULL);
  pthread_mutex_lock(&server->gate);
  server->gate_is_held = true;
  return server;
}

bool server_new(const struct server_setup *setup, struct server **ret_server, struct fault *f)
{
  struct server *server = make(setup);
  if (server == NULL)
    return fault_no_memory(f);
  if (!open_sources(server) || !start_threads(server, setup->threads)) {
    fault_set(f, INTERNAL, "cannot start serving: %s", strerror(errno));
    server_free(server);
    return false;
  }
  for (size_t i = 0; i < setup->connected.n; i++)
    add_connection(server, setup->connected.fds[i]);
  *ret_server = server;
  return true;
}

static void open_gate(struct server *server)
{
  if (server->gate_is_held)
    pthread_mutex_unlock(&server->gate);
  server->gate_is_held = false;
}

static void join(struct server *server)
{
  for (unsigned i = 0; i < server->n_threads; i++)
    pthread_join(server->threads[i], NULL);
  server->n_threads = 0;
}

void server_run(struct server *server)
{
  open_gate(server);
  join(server);
  drain(server);
}

static void close_source(const struct source *source)
{
  if (source->fd >= 0)
    close(source->fd);
}

void server_free(struct server *server)
{
  if (server == NULL)
    return;
  server->given_up = true;
  open_gate(server);
  join(server);
  for (size_t i = 0; i < CONNECTIONS_MAX; i++)
    close_source(&server->connections[i]);
  close_source(&server->listener);
  close_source(&server->idle);
  close_source(&server->signals);
  if (server->epoll >= 0)
    close(server->epoll);
  sem_destroy(&server->arrived);
  pthread_mutex_destroy(&server->gate);
  pthread_mutex_destroy(&server->lock);
  free(server->threads);
  free(server);
}
