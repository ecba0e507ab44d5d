/* cursor.c - see cursor.h. */
#include "daemon/cursor.h"

#include <openssl/sha.h>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/base/wire.h"

enum { ID_LEN = 8, DIGEST_LEN = 16, CURSOR_LEN = ID_LEN + DIGEST_LEN };

/* Appends the octets that a cursor is the text of. */
static bool add_octets(uint64_t id, struct bytes filters, struct buf *out, struct fault *f)
{
  AUTO(buf) input = {0};
  uint8_t digest[SHA256_DIGEST_LENGTH];
  buf_add_text(&input, "mintmark cursor 1");
  wire_put_u32(&input, (uint32_t)(id >> 32));
  wire_put_u32(&input, (uint32_t)id);
  buf_add_bytes(&input, filters);
  if (!buf_ok(&input) || SHA256(input.data, input.len, digest) == NULL)
    return fault_no_memory(f);
  wire_put_u32(out, (uint32_t)(id >> 32));
  wire_put_u32(out, (uint32_t)id);
  buf_add(out, digest, DIGEST_LEN);
  return buf_ok(out) || fault_no_memory(f);
}

bool cursor_write(int64_t id, struct bytes filters, char ret_text[CURSOR_TEXT_SIZE],
                  struct fault *f)
{
  AUTO(buf) octets = {0}, text = {0};
  if (!add_octets((uint64_t)id, filters, &octets, f))
    return false;
  base64url_add(&text, buf_bytes(&octets));
  return (buf_ok(&text) && text_copy(ret_text, CURSOR_TEXT_SIZE, buf_bytes(&text))) ||
         fault_no_memory(f);
}

bool cursor_read(const char *text, struct bytes filters, int64_t *ret_id, struct fault *f)
{
  AUTO(buf) octets = {0}, right = {0};
  if (!base64url_decode(&octets, bytes_of_text(text)) || octets.len != CURSOR_LEN)
    return octets.failed
               ? fault_no_memory(f)
               : fault_set(f, BAD_CURSOR, "cursor: take next_cursor as the listing gave it");
  struct wire_reader in = {.rest = buf_bytes(&octets)};
  uint64_t id = (uint64_t)wire_get_u32(&in) << 32;
  id |= wire_get_u32(&in);
  if (!add_octets(id, filters, &right, f))
    return false;
  if (!bytes_equal(buf_bytes(&octets), buf_bytes(&right)) || id == 0 || id > INT64_MAX)
    return fault_set(f, BAD_CURSOR,
                     "cursor: take next_cursor as the listing gave it, with the same filters");
  *ret_id = (int64_t)id;
  return true;
}
