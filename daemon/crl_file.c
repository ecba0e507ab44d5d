/* crl_file.c - see crl_file.h. */
#include "daemon/crl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/pki/sign_protocol.h"

enum { BLOCK = 64 * 1024, LINE = 64, LINE_OCTETS = LINE / 4 * 3 };
enum { BLOCK_OCTETS = BLOCK / LINE * LINE_OCTETS };

static const char begin_line[] = "-----BEGIN X509 CRL-----\n";
static const char end_line[] = "-----END X509 CRL-----\n";

/* Takes what the file consists of, a part at a time. False breaks off. */
typedef bool sink(void *context, struct bytes part);

/* --- the content, a part at a time --- */

static bool give_der(const struct bytes *pieces, size_t n, sink *take, void *context)
{
  for (size_t i = 0; i < n; i++)
    if (!take(context, pieces[i]))
      return false;
  return true;
}

/* Fills `block` with the next octets of the pieces. */
static void gather(const struct bytes **pieces, size_t *n, size_t *at, struct buf *block)
{
  while (*n > 0 && block->len < BLOCK_OCTETS) {
    size_t left = (*pieces)->len - *at, room = BLOCK_OCTETS - block->len;
    size_t some = left < room ? left : room;
    buf_add(block, (*pieces)->data + *at, some);
    *at += some;
    if (*at == (*pieces)->len)
      ++*pieces, --*n, *at = 0;
  }
}

/* Whole lines in each block, so that the blocks follow one another as one text. */
static bool give_pem(const struct bytes *pieces, size_t n, sink *take, void *context)
{
  AUTO(buf) block = {0}, text = {0};
  size_t at = 0;
  if (!buf_reserve(&block, BLOCK_OCTETS) || !take(context, bytes_of_text(begin_line)))
    return false;
  for (gather(&pieces, &n, &at, &block); block.len > 0; gather(&pieces, &n, &at, &block)) {
    buf_clear(&text);
    base64_add(&text, buf_bytes(&block), LINE);
    if (!buf_ok(&text) || !take(context, buf_bytes(&text)))
      return false;
    buf_clear(&block);
  }
  return take(context, bytes_of_text(end_line));
}

static bool give(enum crl_file_format format, const struct bytes *pieces, size_t n, sink *take,
                 void *context)
{
  return (format == CRL_FILE_PEM ? give_pem : give_der)(pieces, n, take, context);
}

/* --- into a file, and against one --- */

static bool write_part(void *context, struct bytes part)
{
  const int *fd = context;
  while (part.len > 0) {
    ssize_t n = write(*fd, part.data, part.len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    part = bytes_of(part.data + n, part.len - (size_t)n);
  }
  return true;
}

bool crl_file_write(const char *path, enum crl_file_format format, const struct bytes *pieces,
                    size_t n, struct fault *f)
{
  /* What is left of a crash is in the way, and nobody reads it. */
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool done = fd >= 0 && give(format, pieces, n, write_part, &fd) && fchmod(fd, 0644) == 0 &&
              fsync(fd) == 0;
  if (!done)
    fault_set(f, FILE_ERROR, "cannot write %s: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  if (fd >= 0 && !done)
    unlink(path);
  return done;
}

static bool compare_part(void *context, struct bytes part)
{
  const int *fd = context;
  uint8_t octets[BLOCK];
  while (part.len > 0) {
    ssize_t n = read(*fd, octets, part.len < sizeof octets ? part.len : sizeof octets);
    if (n <= 0 || memcmp(octets, part.data, (size_t)n) != 0)
      return false;
    part = bytes_of(part.data + n, part.len - (size_t)n);
  }
  return true;
}

bool crl_file_is(const char *path, enum crl_file_format format, const struct bytes *pieces,
                 size_t n)
{
  uint8_t more;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  bool same = give(format, pieces, n, compare_part, &fd) && read(fd, &more, 1) == 0;
  close(fd);
  return same;
}

bool crl_file_read(const char *path, bool *ret_found, struct buf *ret_der, struct fault *f)
{
  struct stat st;
  if (stat(path, &st) != 0) {
    *ret_found = false;
    return errno == ENOENT || errno == ENOTDIR ||
           fault_set(f, FILE_ERROR, "cannot read %s: %s", path, strerror(errno));
  }
  if (!file_read(path, SIGN_REQUEST_MAX, ret_der, f))
    return false;
  *ret_found = true;
  return true;
}
