/* keys.c - see keys.h. The file: a line of text, then for each request its length in two octets
 * (big-endian) and its DER. */
#include "tests/bench/keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/wire.h"
#include "lib/pki/csr.h"
#include "lib/pki/name.h"
#include "lib/pki/private_key.h"
#include "tests/bench/progress.h"

enum { MAKERS_MAX = 16 };
static const char heading[] = "mintmark-bench requests 1, ec-p256\n";
static const size_t file_max = (size_t)1 << 32;

void keys_device(size_t n, char ret_name[DEVICE_NAME_SIZE])
{
  snprintf(ret_name, DEVICE_NAME_SIZE, "W-%07zu", n % 10000000);
}

/* --- making --- */

struct maker {
  pthread_t thread;
  size_t from, to;
  atomic_size_t done;
  atomic_bool ended;
  struct buf out;
  struct fault fault;
};

static bool make_one(struct buf *out, size_t n, struct fault *f)
{
  AUTO(private_key) key = NULL;
  AUTO(buf) subject = {0}, der = {0};
  char device[DEVICE_NAME_SIZE];
  keys_device(n, device);
  const struct name_part part = {ATTR_COMMON_NAME, bytes_of_text(device)};
  if (!name_write(&part, 1, &subject, f) || !private_key_generate("ec-p256", &key, f) ||
      !private_key_write_csr(key, buf_bytes(&subject), NULL, &der, f))
    return false;
  wire_put_u16(out, (uint16_t)der.len);
  buf_add_bytes(out, buf_bytes(&der));
  return buf_ok(out) || fault_no_memory(f);
}

static void *make_part(void *context)
{
  struct maker *maker = context;
  for (size_t i = maker->from; i < maker->to && make_one(&maker->out, i, &maker->fault); i++)
    maker->done++;
  maker->ended = true;
  return NULL;
}

static void watch(struct maker *makers, size_t n, size_t total)
{
  struct progress progress = progress_start("making keys", total);
  for (bool all = false; !all;) {
    size_t done = 0;
    all = true;
    for (size_t i = 0; i < n; i++) {
      done += makers[i].done;
      all = all && makers[i].ended;
    }
    progress_show(&progress, done);
    usleep(20000);
  }
  progress_end(&progress);
}

/* Appends requests `from` to `to`, made by one thread for each core. */
static bool make(size_t from, size_t to, struct buf *out, struct fault *f)
{
  static struct maker makers[MAKERS_MAX];
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  size_t n = cores < 1 ? 1 : cores > MAKERS_MAX ? MAKERS_MAX : (size_t)cores, started = 0;
  for (; started < n; started++) {
    struct maker *maker = &makers[started];
    *maker = (struct maker){.from = from + (to - from) * started / n,
                            .to = from + (to - from) * (started + 1) / n};
    if (pthread_create(&maker->thread, NULL, make_part, maker) != 0)
      break;
  }
  watch(makers, started, to - from);
  bool ok = started == n || fault_set(f, INTERNAL, "cannot start a thread");
  for (size_t i = 0; i < started; i++) {
    pthread_join(makers[i].thread, NULL);
    buf_add_bytes(out, buf_bytes(&makers[i].out));
    buf_free(&makers[i].out);
    if (makers[i].fault.code != FAULT_NONE)
      fault_move(f, &makers[i].fault), ok = false;
  }
  return ok && (buf_ok(out) || fault_no_memory(f));
}

/* --- reading --- */

/* Views into `octets`, at most `max`; *ret_n tells how many there are. */
static bool split(struct bytes octets, size_t max, struct bytes *csrs, size_t *ret_n,
                  struct fault *f)
{
  struct wire_reader in = {.rest = octets};
  size_t n = 0, head = sizeof heading - 1;
  if (octets.len < head || memcmp(octets.data, heading, head) != 0)
    return fault_set(f, BAD_FILE, "these are no requests of this program");
  in.rest = bytes_of(octets.data + head, octets.len - head);
  while (n < max && in.rest.len > 0) {
    size_t len = wire_get_u16(&in);
    if (in.failed || len == 0 || len > in.rest.len)
      return fault_set(f, BAD_FILE, "request %zu is cut off", n);
    csrs[n++] = bytes_of(in.rest.data, len);
    in.rest = bytes_of(in.rest.data + len, in.rest.len - len);
  }
  *ret_n = n;
  return true;
}

static bool load(const char *path, size_t n, struct keys *keys, struct fault *f)
{
  if (file_exists(path)) {
    if (!file_read(path, file_max, &keys->octets, f) ||
        !split(buf_bytes(&keys->octets), n, keys->csrs, &keys->n, f))
      return fault_prefix(f, "%s", path);
  } else {
    buf_add_text(&keys->octets, heading);
  }
  if (keys->n >= n)
    return true;
  return make(keys->n, n, &keys->octets, f) &&
         file_write(path, buf_bytes(&keys->octets), 0600, true, f) &&
         split(buf_bytes(&keys->octets), n, keys->csrs, &keys->n, f);
}

bool keys_load(const char *path, size_t n, struct keys *ret_keys, struct fault *f)
{
  AUTO(keys) keys = {.csrs = calloc(n, sizeof(struct bytes))};
  if (keys.csrs == NULL)
    return fault_no_memory(f);
  if (!load(path, n, &keys, f))
    return false;
  *ret_keys = keys;
  keys = (struct keys){0};
  return true;
}

void keys_free(struct keys *keys)
{
  buf_free(&keys->octets);
  free(keys->csrs);
  *keys = (struct keys){0};
}
