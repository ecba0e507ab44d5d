/* wire.c - see wire.h. */
#include "lib/base/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { READ_AHEAD = 64 * 1024 }; /* a full batch of certificates */

static const uint8_t magic[3] = {'M', 'k', WIRE_VERSION};

static void store_u32(uint8_t out[4], uint32_t number)
{
  for (int i = 0; i < 4; i++)
    out[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t load_u32(const uint8_t in[4])
{
  return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static enum wire_result result_of_errno(void)
{
  return errno == EAGAIN || errno == EWOULDBLOCK ? WIRE_TIMEOUT : WIRE_BROKEN;
}

/* Steps over `n` octets that have been sent. */
static void advance(struct msghdr *msg, size_t n)
{
  while (n > 0 && msg->msg_iovlen > 0) {
    struct iovec *iov = msg->msg_iov;
    size_t step = n < iov->iov_len ? n : iov->iov_len;
    iov->iov_base = (uint8_t *)iov->iov_base + step;
    iov->iov_len -= step;
    n -= step;
    if (iov->iov_len == 0) {
      msg->msg_iov++;
      msg->msg_iovlen--;
    }
  }
}

enum wire_result wire_send(int fd, uint8_t type, uint32_t id, struct bytes payload)
{
  uint8_t header[WIRE_HEADER_LEN];
  if (payload.len > UINT32_MAX)
    return WIRE_BAD_FRAME;
  memcpy(header, magic, sizeof magic);
  header[3] = type;
  store_u32(header + 4, id);
  store_u32(header + 8, (uint32_t)payload.len);
  struct iovec iov[] = {
      {.iov_base = header, .iov_len = sizeof header},
      {.iov_base = (void *)(uintptr_t)payload.data, .iov_len = payload.len},
  };
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = payload.len > 0 ? 2 : 1};
  while (msg.msg_iovlen > 0) {
    ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return result_of_errno();
    advance(&msg, (size_t)n);
  }
  return WIRE_OK;
}

/* SO_RCVTIMEO limits one recv(), which waits for all. After a short one only what is there already
 * is taken: a peer that sends octet after octet must not get the whole time anew for each. */
static enum wire_result receive_all(int fd, uint8_t *out, size_t len, bool at_start)
{
  size_t have = 0;
  while (have < len) {
    ssize_t n = recv(fd, out + have, len - have, have == 0 ? MSG_WAITALL : MSG_DONTWAIT);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return result_of_errno();
    if (n == 0)
      return at_start && have == 0 ? WIRE_CLOSED : WIRE_BROKEN;
    have += (size_t)n;
  }
  return WIRE_OK;
}

static bool read_header(const uint8_t octets[WIRE_HEADER_LEN], size_t max,
                        struct wire_header *ret_header)
{
  *ret_header = (struct wire_header){
      .type = octets[3], .id = load_u32(octets + 4), .len = load_u32(octets + 8)};
  return memcmp(octets, magic, sizeof magic) == 0 && ret_header->len <= max;
}

enum wire_result wire_receive(int fd, size_t max, struct wire_header *ret_header,
                              struct buf *ret_payload)
{
  uint8_t octets[WIRE_HEADER_LEN];
  struct wire_header header;
  enum wire_result result = receive_all(fd, octets, sizeof octets, true);
  if (result != WIRE_OK)
    return result;
  if (!read_header(octets, max, &header))
    return WIRE_BAD_FRAME;
  buf_clear(ret_payload);
  if (!buf_reserve(ret_payload, header.len))
    return WIRE_BROKEN;
  result = receive_all(fd, ret_payload->data, header.len, false);
  if (result != WIRE_OK)
    return result;
  ret_payload->len = header.len;
  *ret_header = header;
  return WIRE_OK;
}

/* --- frame after frame --- */

/* At least one octet, and as many as are there. */
static enum wire_result receive_some(struct wire_input *in, int fd)
{
  ssize_t n;
  wire_input_clear(in);
  if (!buf_reserve(&in->octets, READ_AHEAD))
    return WIRE_BROKEN;
  do {
    n = recv(fd, in->octets.data, in->octets.cap, 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0)
    return result_of_errno();
  in->octets.len = (size_t)n;
  return n > 0 ? WIRE_OK : WIRE_CLOSED;
}

/* Until there are `len` octets from in->at on, and no more than these. */
static enum wire_result complete(struct wire_input *in, int fd, size_t len)
{
  struct buf *octets = &in->octets;
  size_t have = octets->len - in->at;
  if (have >= len)
    return WIRE_OK;
  if (!buf_reserve(octets, len - have))
    return WIRE_BROKEN;
  enum wire_result result = receive_all(fd, octets->data + octets->len, len - have, false);
  if (result == WIRE_OK)
    octets->len = in->at + len;
  return result;
}

enum wire_result wire_input_receive(struct wire_input *in, int fd, size_t max,
                                    struct wire_header *ret_header, struct bytes *ret_payload)
{
  struct wire_header header;
  enum wire_result result = wire_input_is_empty(in) ? receive_some(in, fd) : WIRE_OK;
  if (result == WIRE_OK)
    result = complete(in, fd, WIRE_HEADER_LEN);
  if (result != WIRE_OK)
    return result;
  if (!read_header(in->octets.data + in->at, max, &header))
    return WIRE_BAD_FRAME;
  result = complete(in, fd, WIRE_HEADER_LEN + (size_t)header.len);
  if (result != WIRE_OK)
    return result;
  *ret_payload = bytes_of(in->octets.data + in->at + WIRE_HEADER_LEN, header.len);
  *ret_header = header;
  in->at += WIRE_HEADER_LEN + (size_t)header.len;
  return WIRE_OK;
}

void wire_input_free(struct wire_input *in)
{
  buf_free(&in->octets);
  in->at = 0;
}

const char *wire_result_text(enum wire_result result)
{
  static const char *const texts[] = {"ok", "closed by the peer", "connection broken", "timed out",
                                      "not a frame"};
  return texts[result];
}

void wire_put_u8(struct buf *out, uint8_t number)
{
  buf_add_u8(out, number);
}

void wire_put_u16(struct buf *out, uint16_t number)
{
  buf_add(out, (uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number}, 2);
}

void wire_put_u32(struct buf *out, uint32_t number)
{
  uint8_t octets[4];
  store_u32(octets, number);
  buf_add(out, octets, sizeof octets);
}

void wire_put_u64(struct buf *out, uint64_t number)
{
  wire_put_u32(out, (uint32_t)(number >> 32));
  wire_put_u32(out, (uint32_t)number);
}

void wire_put_bytes(struct buf *out, struct bytes octets)
{
  if (octets.len > UINT32_MAX)
    out->failed = true;
  wire_put_u32(out, (uint32_t)octets.len);
  buf_add_bytes(out, octets);
}

static const uint8_t *take(struct wire_reader *in, size_t len)
{
  if (in->failed || in->rest.len < len) {
    in->failed = true;
    return NULL;
  }
  const uint8_t *at = in->rest.data;
  in->rest = bytes_of(at + len, in->rest.len - len);
  return at;
}

uint8_t wire_get_u8(struct wire_reader *in)
{
  const uint8_t *at = take(in, 1);
  return at != NULL ? at[0] : 0;
}

uint16_t wire_get_u16(struct wire_reader *in)
{
  const uint8_t *at = take(in, 2);
  return at != NULL ? (uint16_t)((unsigned)at[0] << 8 | at[1]) : 0;
}

uint32_t wire_get_u32(struct wire_reader *in)
{
  const uint8_t *at = take(in, 4);
  return at != NULL ? load_u32(at) : 0;
}

uint64_t wire_get_u64(struct wire_reader *in)
{
  const uint8_t *at = take(in, 8);
  return at != NULL ? (uint64_t)load_u32(at) << 32 | load_u32(at + 4) : 0;
}

struct bytes wire_get_octets(struct wire_reader *in, size_t len)
{
  const uint8_t *at = take(in, len);
  return at != NULL ? bytes_of(at, len) : bytes_of(NULL, 0);
}

struct bytes wire_get_bytes(struct wire_reader *in)
{
  size_t len = wire_get_u32(in);
  return wire_get_octets(in, len);
}
