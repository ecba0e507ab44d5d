/* signer.c - see signer.h. */
#include "lib/ca/signer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/wire.h"

_Static_assert((int)SIGNER_BATCH_MAX == (int)SIGN_BATCH_MAX, "a batch fits into one message");

enum { REQUEST_KEPT_MAX = 1024 * 1024 };

struct signer {
  struct key_holder *holder;
  unsigned slot, timeout_ms;
  int fd;              /* -1: not connected */
  unsigned generation; /* of the connection */
  uint32_t last_id;
  /* Kept, so that a batch sets no memory aside. */
  struct buf request;
  struct wire_input replies; /* of the connection */
  struct bytes reply;        /* within it: of the last exchange */
};

bool signer_new(struct key_holder *holder, unsigned slot, unsigned timeout_ms,
                struct signer **ret_signer, struct fault *f)
{
  struct signer *signer = calloc(1, sizeof *signer);
  if (signer == NULL)
    return fault_no_memory(f);
  *signer = (struct signer){.holder = holder, .slot = slot, .timeout_ms = timeout_ms, .fd = -1};
  *ret_signer = signer;
  return true;
}

static void disconnect(struct signer *signer)
{
  if (signer->fd >= 0)
    close(signer->fd);
  signer->fd = -1;
  wire_input_clear(&signer->replies);
}

static bool break_off(struct signer *signer, const char *why, struct fault *f)
{
  disconnect(signer);
  return fault_set(f, SIGNER_DOWN, "the key holder: %s", why);
}

/* Between two exchanges nothing is to be read: the end of the stream, or octets that nobody asked
 * for, mean that this connection is done with; so does a key holder that was renewed. */
static bool is_usable(const struct signer *signer)
{
  char octet;
  return signer->fd >= 0 && signer->generation == key_holder_generation(signer->holder) &&
         wire_input_is_empty(&signer->replies) &&
         recv(signer->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

static bool connect_anew(struct signer *signer, struct fault *f)
{
  struct timeval limit = {.tv_sec = signer->timeout_ms / 1000,
                          .tv_usec = signer->timeout_ms % 1000 * 1000};
  disconnect(signer);
  if (!key_holder_connect(signer->holder, signer->slot, &signer->fd, &signer->generation, f))
    return false;
  if (setsockopt(signer->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      setsockopt(signer->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
    return break_off(signer, strerror(errno), f);
  return true;
}

/* A key holder that ends in order takes in no more before it closes. What it did not take in whole
 * it has not read either, so that may be sent again, to the one that follows it. */
static bool send_request(struct signer *signer, uint8_t type, struct fault *f)
{
  enum wire_result result = WIRE_BROKEN;
  for (int attempt = 0; attempt < 2 && result == WIRE_BROKEN; attempt++) {
    if ((attempt > 0 || !is_usable(signer)) && !connect_anew(signer, f))
      return false;
    result = wire_send(signer->fd, type, ++signer->last_id, buf_bytes(&signer->request));
  }
  return result == WIRE_OK || break_off(signer, wire_result_text(result), f);
}

/* A batch is kept for the next one; a list of revoked certificates may be very long, and comes
 * seldom. */
static void drop_long_request(struct signer *signer)
{
  if (signer->request.cap > REQUEST_KEPT_MAX)
    buf_free(&signer->request);
}

/* One request, one reply. A request that went out whole is not sent again: what became of it is not
 * known. */
static bool exchange(struct signer *signer, uint8_t type, uint8_t reply_type, struct fault *f)
{
  struct wire_header header;
  if (!buf_ok(&signer->request))
    return fault_no_memory(f);
  if (!send_request(signer, type, f))
    return false;
  enum wire_result result =
      wire_input_receive(&signer->replies, signer->fd, SIGN_REPLY_MAX, &header, &signer->reply);
  if (result == WIRE_OK && (header.type != reply_type || header.id != signer->last_id))
    result = WIRE_BAD_FRAME;
  return result == WIRE_OK || break_off(signer, wire_result_text(result), f);
}

static void put_request(struct signer *signer, const uint8_t key_sha256[SIGN_KEY_SHA256_LEN],
                        const struct signer_item *items, size_t n)
{
  struct buf *out = &signer->request;
  buf_clear(out);
  buf_add(out, key_sha256, SIGN_KEY_SHA256_LEN);
  wire_put_u16(out, (uint16_t)n);
  for (size_t i = 0; i < n; i++) {
    wire_put_u8(out, (uint8_t)items[i].kind);
    wire_put_bytes(out, items[i].tbs);
  }
}

/* One status with its octets; false when it is none that there is. */
static bool get_result(struct wire_reader *in, enum sign_status *ret_status,
                       struct bytes *ret_octets)
{
  uint8_t status = wire_get_u8(in);
  *ret_octets = wire_get_bytes(in);
  *ret_status = (enum sign_status)status;
  return !in->failed && status >= SIGN_DONE && status <= SIGN_LATER;
}

static bool refuse(struct fault *f, enum sign_status status, struct bytes reason)
{
  return fault_set_code(f, status == SIGN_LATER ? FAULT_SIGNER_SPENT : FAULT_SIGNER_REFUSED,
                        "the key holder refused: %.*s", (int)reason.len,
                        reason.len > 0 ? (const char *)reason.data : "");
}

static bool reply_is_whole(const struct signer *signer, size_t n)
{
  struct wire_reader in = {.rest = signer->reply};
  struct bytes octets;
  enum sign_status status;
  bool ok = wire_get_u16(&in) == n;
  for (size_t i = 0; i < n && ok; i++)
    ok = get_result(&in, &status, &octets) && (status != SIGN_DONE || octets.len > 0);
  return ok && wire_at_end(&in);
}

/* The reply is whole. */
static void take_results(const struct signer *signer, struct signer_item *items, size_t n)
{
  struct wire_reader in = {.rest = signer->reply};
  wire_get_u16(&in);
  for (size_t i = 0; i < n; i++) {
    struct bytes octets;
    enum sign_status status;
    get_result(&in, &status, &octets);
    if (status != SIGN_DONE) {
      refuse(&items[i].fault, status, octets);
      continue;
    }
    buf_clear(&items[i].signature);
    buf_add_bytes(&items[i].signature, octets);
    if (!buf_ok(&items[i].signature))
      fault_no_memory(&items[i].fault);
  }
}

bool signer_sign(struct signer *signer, const uint8_t key_sha256[32], struct signer_item *items,
                 size_t n, struct fault *f)
{
  if (n == 0 || n > SIGNER_BATCH_MAX)
    return fault_set(f, INTERNAL, "a batch of %zu cannot be signed", n);
  put_request(signer, key_sha256, items, n);
  bool answered = exchange(signer, SIGN_REQUEST, SIGN_REPLY, f);
  drop_long_request(signer);
  if (!answered)
    return false;
  if (!reply_is_whole(signer, n))
    return break_off(signer, "its reply is not one", f);
  take_results(signer, items, n);
  return true;
}

bool signer_probe(struct signer *signer, const uint8_t key_sha256[32], struct fault *f)
{
  struct bytes reason;
  enum sign_status status;
  buf_clear(&signer->request);
  buf_add(&signer->request, key_sha256, SIGN_KEY_SHA256_LEN);
  if (!exchange(signer, PROBE_REQUEST, PROBE_REPLY, f))
    return false;
  struct wire_reader in = {.rest = signer->reply};
  if (!get_result(&in, &status, &reason) || !wire_at_end(&in))
    return break_off(signer, "its reply is not one", f);
  return status == SIGN_DONE || refuse(f, status, reason);
}

static bool read_counts(struct bytes octets, struct signer_counts *ret_counts)
{
  struct wire_reader in = {.rest = octets};
  struct signer_counts counts;
  counts.n_signed = wire_get_u64(&in);
  counts.recorded = wire_get_u64(&in);
  counts.crl_number = wire_get_u64(&in);
  if (!wire_at_end(&in))
    return false;
  *ret_counts = counts;
  return true;
}

bool signer_count(struct signer *signer, const uint8_t key_sha256[32], uint64_t recorded,
                  struct signer_counts *ret_counts, struct fault *f)
{
  struct bytes octets;
  enum sign_status status;
  buf_clear(&signer->request);
  buf_add(&signer->request, key_sha256, SIGN_KEY_SHA256_LEN);
  wire_put_u64(&signer->request, recorded);
  if (!exchange(signer, COUNT_REQUEST, COUNT_REPLY, f))
    return false;
  struct wire_reader in = {.rest = signer->reply};
  if (!get_result(&in, &status, &octets) || !wire_at_end(&in))
    return break_off(signer, "its reply is not one", f);
  if (status != SIGN_DONE)
    return refuse(f, status, octets);
  return read_counts(octets, ret_counts) || break_off(signer, "its reply is not one", f);
}

void signer_free(struct signer *signer)
{
  if (signer == NULL)
    return;
  disconnect(signer);
  buf_free(&signer->request);
  wire_input_free(&signer->replies);
  free(signer);
}
