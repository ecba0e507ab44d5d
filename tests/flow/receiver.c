/* receiver.c - see receiver.h. */
#include "tests/flow/receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { POLL_MS = 20, REQUEST_MAX = 64 * 1024, DEADLINE_MS = 30000 };

static bool is_stopping(struct receiver *receiver)
{
  pthread_mutex_lock(&receiver->lock);
  bool stopping = receiver->stopping;
  pthread_mutex_unlock(&receiver->lock);
  return stopping;
}

static bool is_silent(struct receiver *receiver)
{
  pthread_mutex_lock(&receiver->lock);
  bool silent = receiver->silent;
  pthread_mutex_unlock(&receiver->lock);
  return silent;
}

/* False when it is to stop. */
static bool wait_for_octets(struct receiver *receiver, int fd)
{
  struct pollfd p = {.fd = fd, .events = POLLIN};
  while (!is_stopping(receiver))
    if (poll(&p, 1, POLL_MS) > 0)
      return true;
  return false;
}

/* --- one request --- */

static const char *header(const char *head, const char *name)
{
  size_t len = strlen(name);
  for (const char *line = head; line != NULL; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncasecmp(line, name, len) == 0 && line[len] == ':')
      return line + len + 1 + (line[len + 1] == ' ');
  }
  return "";
}

/* Head and body; false when the other side has closed, or it is to stop. */
static bool read_request(struct receiver *receiver, int fd, struct buf *text, size_t *ret_head)
{
  for (;;) {
    const char *all = buf_text(text), *end = strstr(all, "\r\n\r\n");
    if (end != NULL) {
      *ret_head = (size_t)(end - all) + 4;
      if (text->len >= *ret_head + strtoul(header(all, "Content-Length"), NULL, 10))
        return true;
    }
    char octets[4096];
    ssize_t n = wait_for_octets(receiver, fd) ? recv(fd, octets, sizeof octets, 0) : 0;
    if (n <= 0 || text->len > REQUEST_MAX)
      return false;
    buf_add(text, octets, (size_t)n);
  }
}

static bool is_genuine(const struct receiver *receiver, const char *signature, struct bytes body)
{
  uint8_t digest[EVP_MAX_MD_SIZE];
  char want[2 * sizeof digest + 1];
  unsigned len = 0;
  long long at = 0;
  char v1[80] = "";
  AUTO(buf) text = {0};
  if (sscanf(signature, "t=%lld,v1=%64[0-9a-f]", &at, v1) != 2)
    return false;
  buf_addf(&text, "%lld.", at);
  buf_add_bytes(&text, body);
  HMAC(EVP_sha256(), receiver->secret, (int)strlen(receiver->secret), text.data, text.len, digest,
       &len);
  text_hex(want, digest, len);
  return strcmp(want, v1) == 0 && llabs(at - (long long)when_now()) <= 60;
}

/* With the lock held. */
static void find_wrong(struct receiver *receiver, const char *head, struct bytes body, json_t *json)
{
  const char *wrong = NULL;
  int64_t id = atoll(header(head, "Mintmark-Event-Id"));
  if (strncmp(head, "POST /hook HTTP/1.1\r\n", 21) != 0)
    wrong = "another request than POST /hook";
  else if (!is_genuine(receiver, header(head, "Mintmark-Signature"), body))
    wrong = "a wrong signature";
  else if (strncmp(header(head, "Content-Type"), "application/json\r\n", 18) != 0)
    wrong = "another content type";
  else if (strncmp(header(head, "User-Agent"), "Mintmark/", 9) != 0)
    wrong = "another user agent";
  else if (id <= 0 || json_integer_value(json_object_get(json, "id")) != id)
    wrong = "not the id of the event";
  else if (receiver->n == RECEIVED_MAX)
    wrong = "too many requests";
  if (wrong != NULL && receiver->wrong[0] == '\0')
    snprintf(receiver->wrong, sizeof receiver->wrong, "%s: %.100s", wrong, head);
}

/* Its place in the list. */
static size_t record(struct receiver *receiver, const char *head, struct bytes body)
{
  json_t *json = json_loadb((const char *)body.data, body.len, 0, NULL);
  pthread_mutex_lock(&receiver->lock);
  find_wrong(receiver, head, body, json);
  size_t at = receiver->n < RECEIVED_MAX ? receiver->n++ : RECEIVED_MAX - 1;
  json_decref(receiver->received[at].body);
  receiver->received[at] =
      (struct received){.id = json_integer_value(json_object_get(json, "id")), .body = json};
  pthread_mutex_unlock(&receiver->lock);
  return at;
}

static unsigned choose_status(struct receiver *receiver, size_t at)
{
  pthread_mutex_lock(&receiver->lock);
  unsigned status = receiver->status;
  if (receiver->n_other > 0) {
    receiver->n_other--;
    status = receiver->other;
  }
  receiver->received[at].status = status;
  pthread_mutex_unlock(&receiver->lock);
  return status;
}

/* False when the connection is of no use any more. */
static bool answer(struct receiver *receiver, int fd)
{
  AUTO(buf) text = {0};
  AUTO(buf) reply = {0};
  size_t head_len = 0;
  if (!read_request(receiver, fd, &text, &head_len))
    return false;
  size_t at =
      record(receiver, buf_text(&text), bytes_of(text.data + head_len, text.len - head_len));
  while (is_silent(receiver))
    if (is_stopping(receiver) || poll(NULL, 0, POLL_MS) < 0)
      return false;
  /* Whoever follows it is refused for asking for another path. */
  buf_addf(&reply, "HTTP/1.1 %u X\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\nok",
           choose_status(receiver, at));
  return send(fd, reply.data, reply.len, MSG_NOSIGNAL) == (ssize_t)reply.len;
}

static void *run(void *context)
{
  struct receiver *receiver = context;
  while (wait_for_octets(receiver, receiver->fd)) {
    int fd = accept(receiver->fd, NULL, NULL);
    while (fd >= 0 && answer(receiver, fd))
      ;
    if (fd >= 0)
      close(fd);
  }
  return NULL;
}

/* --- its life --- */

void receiver_come_up(struct receiver *receiver)
{
  const int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)receiver->port)};
  socklen_t len = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  receiver->stopping = false;
  receiver->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(receiver->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  assert_int_equal(bind(receiver->fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(listen(receiver->fd, 16), 0);
  assert_int_equal(getsockname(receiver->fd, (struct sockaddr *)&address, &len), 0);
  receiver->port = ntohs(address.sin_port);
  assert_int_equal(pthread_create(&receiver->thread, NULL, run, receiver), 0);
}

void receiver_go_down(struct receiver *receiver)
{
  pthread_mutex_lock(&receiver->lock);
  receiver->stopping = true;
  pthread_mutex_unlock(&receiver->lock);
  pthread_join(receiver->thread, NULL);
  close(receiver->fd);
}

void receiver_begin(struct receiver *receiver)
{
  *receiver = (struct receiver){.status = 204};
  pthread_mutex_init(&receiver->lock, NULL);
  snprintf(receiver->secret_path, sizeof receiver->secret_path, "/tmp/mintmark-secret-XXXXXX");
  int fd = mkstemp(receiver->secret_path);
  assert_true(fd >= 0);
  snprintf(receiver->secret, sizeof receiver->secret, "%032d%s", fd, "of a receiver in a test");
  dprintf(fd, "%s\n", receiver->secret);
  close(fd);
  receiver_come_up(receiver);
}

void receiver_end(struct receiver *receiver)
{
  receiver_go_down(receiver);
  unlink(receiver->secret_path);
  for (size_t i = 0; i < receiver->n; i++)
    json_decref(receiver->received[i].body);
  pthread_mutex_destroy(&receiver->lock);
  if (receiver->wrong[0] != '\0')
    fail_msg("%s", receiver->wrong);
}

/* --- what it is told, and asked --- */

void receiver_answer(struct receiver *receiver, unsigned status, unsigned times)
{
  pthread_mutex_lock(&receiver->lock);
  receiver->other = status;
  receiver->n_other = times;
  pthread_mutex_unlock(&receiver->lock);
}

void receiver_keep_silent(struct receiver *receiver, bool silent)
{
  pthread_mutex_lock(&receiver->lock);
  receiver->silent = silent;
  pthread_mutex_unlock(&receiver->lock);
}

void receiver_conf(const struct receiver *receiver, const char *name, const char *events,
                   const char *more, struct buf *out)
{
  buf_addf(out,
           "webhook \"%s\" { url = \"http://127.0.0.1:%d/hook\" secret_file = \"%s\""
           " events = { %s } %s }\n",
           name, receiver->port, receiver->secret_path, events, more);
}

size_t receiver_taken(struct receiver *receiver)
{
  size_t n = 0;
  int64_t last = 0;
  pthread_mutex_lock(&receiver->lock);
  for (size_t i = 0; i < receiver->n; i++)
    if (receiver->received[i].status / 100 == 2 && receiver->received[i].id > last) {
      last = receiver->received[i].id;
      n++;
    }
  pthread_mutex_unlock(&receiver->lock);
  return n;
}

size_t receiver_requests(struct receiver *receiver)
{
  pthread_mutex_lock(&receiver->lock);
  size_t n = receiver->n;
  pthread_mutex_unlock(&receiver->lock);
  return n;
}

void receiver_wait_for(struct receiver *receiver, size_t (*count)(struct receiver *receiver),
                       size_t n)
{
  int64_t deadline = when_monotonic_ms() + DEADLINE_MS;
  while (count(receiver) < n) {
    if (when_monotonic_ms() > deadline)
      fail_msg("%zu came instead of %zu", count(receiver), n);
    usleep(5000);
  }
}
