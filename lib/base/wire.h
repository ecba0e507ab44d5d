/* wire.h - framed messages between the daemon and the key holder, over a Unix stream socket.
 *
 * A frame: magic 'M' 'k', version 1, type (1 octet), id (4 octets), length (4 octets), then
 * `length` octets of payload. Numbers are big-endian. The reader of a payload (struct wire_reader)
 * checks every length and turns "failed" instead of reading beyond the end; the writer is struct
 * buf. Threads: one at a time for each socket and direction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum { WIRE_HEADER_LEN = 12, WIRE_VERSION = 1 };

struct wire_header {
  uint8_t type;
  uint32_t id;
  uint32_t len;
};

enum wire_result {
  WIRE_OK,
  WIRE_CLOSED,   /* the peer closed between two frames */
  WIRE_BROKEN,   /* closed within a frame, or an error of the socket */
  WIRE_TIMEOUT,  /* the socket's SO_RCVTIMEO or SO_SNDTIMEO ran out */
  WIRE_BAD_FRAME /* wrong magic or version, or longer than max: the stream is of no more use */
};

/* Sends one frame, in one sendmsg when the socket takes it. Never raises SIGPIPE. */
enum wire_result wire_send(int fd, uint8_t type, uint32_t id, struct bytes payload);
/* Receives one frame; the payload replaces what is in `ret_payload`. A length over max is refused
 * before any memory is set aside for it. The socket's SO_RCVTIMEO limits header and payload, each
 * as a whole. */
enum wire_result wire_receive(int fd, size_t max, struct wire_header *ret_header,
                              struct buf *ret_payload);

/* Receives frame after frame, most of them with one call: what the socket has is taken at once, and
 * may be more than a frame. It belongs to one connection; all zero is nothing. */
struct wire_input {
  struct buf octets;
  size_t at; /* what lies before it was given out */
};

/* As wire_receive(); SO_RCVTIMEO limits the wait for the first octets, for the rest of the header
 * and for that of the payload, each as a whole. The payload is borrowed until the next call.
 * Octets beyond a frame are taken in only when nothing was left over before it, so that a peer who
 * never stops comes to an end of it: wire_input_is_empty(). */
enum wire_result wire_input_receive(struct wire_input *in, int fd, size_t max,
                                    struct wire_header *ret_header, struct bytes *ret_payload);
static inline bool wire_input_is_empty(const struct wire_input *in)
{
  return in->at == in->octets.len;
}
/* Forgets what is left over and keeps the memory: for another connection. */
static inline void wire_input_clear(struct wire_input *in)
{
  buf_clear(&in->octets);
  in->at = 0;
}
void wire_input_free(struct wire_input *in);

const char *wire_result_text(enum wire_result result);

void wire_put_u8(struct buf *out, uint8_t number);
void wire_put_u16(struct buf *out, uint16_t number);
void wire_put_u32(struct buf *out, uint32_t number);
void wire_put_u64(struct buf *out, uint64_t number);
/* A length of 4 octets, then the octets. */
void wire_put_bytes(struct buf *out, struct bytes octets);

struct wire_reader {
  struct bytes rest;
  bool failed;
};

uint8_t wire_get_u8(struct wire_reader *in);
uint16_t wire_get_u16(struct wire_reader *in);
uint32_t wire_get_u32(struct wire_reader *in);
uint64_t wire_get_u64(struct wire_reader *in);
/* As many octets as both sides know that there are; empty when there are fewer. Borrowed. */
struct bytes wire_get_octets(struct wire_reader *in, size_t len);
/* Borrowed from the payload. */
struct bytes wire_get_bytes(struct wire_reader *in);
/* All was read and nothing was short. */
static inline bool wire_at_end(const struct wire_reader *in)
{
  return !in->failed && in->rest.len == 0;
}
