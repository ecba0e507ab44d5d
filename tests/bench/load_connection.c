/* load_connection.c - one connection: TCP, TLS, request, reply. See load_thread.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/load_thread.h"

void connection_close(struct connection *c)
{
  SSL_free(c->tls);
  c->tls = NULL;
  if (c->state != CLOSED)
    close(c->fd);
  c->state = CLOSED;
}

/* --- the end of a request --- */

static bool is_measured(const struct connection *c, int64_t now_ns)
{
  const struct load *load = c->thread->load;
  return c->due_ns >= load->start_ns && (load->end_ns == 0 || now_ns <= load->end_ns);
}

static void fail(struct connection *c, const char *why)
{
  if (is_measured(c, load_now_ns()))
    tally_code(&c->thread->tally, why, 1);
  ERR_clear_error();
  connection_close(c);
  load_thread_idle(c->thread, c);
}

static void count_refusal(struct connection *c, unsigned status)
{
  char problem[CODE_SIZE], code[2 * CODE_SIZE];
  reply_code(&c->reply, problem, sizeof problem);
  snprintf(code, sizeof code, "http %u %s", status, status == 200 ? "replayed" : problem);
  tally_code(&c->thread->tally, code, 1);
}

static void take_reply(struct connection *c)
{
  struct load_thread *t = c->thread;
  int64_t now_ns = load_now_ns();
  unsigned status = reply_status(&c->reply);
  bool issued = status == 201;
  if (issued)
    atomic_fetch_add_explicit(&t->load->answered, 1, memory_order_relaxed);
  if (is_measured(c, now_ns)) {
    histogram_add(&t->tally.latency, (uint64_t)(now_ns - c->due_ns));
    t->tally.received_octets += c->reply.len;
    t->tally.issued += issued;
    if (!issued)
      count_refusal(c, status);
  }
  if (t->load->handshake) {
    SSL_shutdown(c->tls);
    connection_close(c);
  } else {
    c->state = IDLE;
  }
  load_thread_idle(t, c);
}

/* --- on the way --- */

static void watch(struct connection *c, uint32_t events)
{
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (c->events == events)
    return;
  epoll_ctl(c->thread->epoll, c->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &event);
  c->events = events;
}

/* True when the connection waits for its socket; otherwise it has failed. */
static bool waits(struct connection *c, int rc, const char *step)
{
  int why = SSL_get_error(c->tls, rc);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    watch(c, why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
    return true;
  }
  char text[CODE_SIZE];
  unsigned long error = ERR_peek_last_error();
  const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
  snprintf(text, sizeof text, "%s: %s", step, reason != NULL ? reason : "closed by the daemon");
  fail(c, text);
  return false;
}

static bool shake_hands(struct connection *c)
{
  int rc = SSL_connect(c->tls);
  if (rc != 1) {
    waits(c, rc, "handshake");
    return false;
  }
  c->state = SENDING;
  return true;
}

static bool send_request(struct connection *c)
{
  int rc = SSL_write(c->tls, c->request.data, (int)c->request.len);
  if (rc <= 0) {
    waits(c, rc, "sending");
    return false;
  }
  reply_begin(&c->reply);
  c->state = RECEIVING;
  watch(c, EPOLLIN);
  return false; /* the answer takes its time */
}

static bool receive(struct connection *c)
{
  struct reply *reply = &c->reply;
  bool broken;
  int rc = SSL_read(c->tls, reply->text + reply->len, (int)(REPLY_MAX - reply->len));
  if (rc <= 0) {
    waits(c, rc, "receiving");
    return false;
  }
  reply->len += (size_t)rc;
  if (reply_is_whole(reply, &broken))
    take_reply(c);
  else if (broken)
    fail(c, "a reply that cannot be read");
  return c->state == RECEIVING;
}

void connection_go_on(struct connection *c)
{
  for (bool more = true; more;) {
    if (c->state == CONNECTING)
      more = shake_hands(c);
    else if (c->state == SENDING)
      more = send_request(c);
    else if (c->state == RECEIVING)
      more = receive(c);
    else
      more = false;
  }
  /* An idle connection that the daemon closed would wake us for ever. */
  if (c->state == IDLE)
    watch(c, EPOLLIN);
}

static bool open_it(struct connection *c)
{
  struct load *load = c->thread->load;
  const int on = 1;
  c->fd = socket(load->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0)
    return false;
  c->state = CONNECTING;
  c->events = 0;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(c->fd, (struct sockaddr *)&load->address, load->address_len) != 0 &&
      errno != EINPROGRESS)
    return false;
  c->tls = SSL_new(load->tls);
  return c->tls != NULL && SSL_set_fd(c->tls, c->fd) == 1;
}

void connection_take(struct connection *c, struct bytes request, int64_t due_ns)
{
  c->request = request;
  c->due_ns = due_ns;
  if (c->state == CLOSED) {
    if (!open_it(c)) {
      fail(c, "cannot connect");
      return;
    }
    watch(c, EPOLLOUT);
  } else {
    c->state = SENDING;
    connection_go_on(c);
  }
}
