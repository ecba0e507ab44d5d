/* pair.c - see pair.h. */
#include "cli/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/pki/pem.h"

enum { CERT_FILE_MAX = 1024 * 1024 };

void held_free(struct held *held)
{
  cert_free(&held->leaf);
  bundle_free(&held->certs);
  private_key_free(held->key);
  *held = (struct held){0};
}

/* --- where --- */

/* A rename replaces a link, and not what it leads to. */
static bool resolve(const char *path, char **ret_path, struct fault *f)
{
  *ret_path = realpath(path, NULL);
  return *ret_path != NULL || fault_set(f, FILE_ERROR, "cannot read %s: %s", path, strerror(errno));
}

bool pair_find(const char *cert, const char *key, const char *chain, struct pair *ret_pair,
               struct fault *f)
{
  AUTO(pair) pair = {0};
  if (!resolve(cert, &pair.cert, f) || !resolve(key, &pair.key, f))
    return false;
  if (chain != NULL && file_exists(chain)) {
    if (!resolve(chain, &pair.chain, f))
      return false;
  } else if (chain != NULL) {
    pair.chain = strdup(chain);
    if (pair.chain == NULL)
      return fault_no_memory(f);
  }
  *ret_pair = pair;
  pair = (struct pair){0};
  return true;
}

void pair_free(struct pair *pair)
{
  free(pair->cert);
  free(pair->key);
  free(pair->chain);
  *pair = (struct pair){0};
}

bool pair_lock(const struct pair *pair, int *ret_fd, struct fault *f)
{
  char *folder = file_beside(pair->cert, ".");
  if (folder == NULL)
    return fault_no_memory(f);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(folder);
  if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
    *ret_fd = fd;
    return true;
  }
  fault_set(f, FILE_ERROR, "cannot lock the folder of %s: %s", pair->cert, strerror(errno));
  if (fd >= 0)
    close(fd);
  return false;
}

/* --- what is new, beside what is old --- */

static const char *beside(const char *path, struct buf *out)
{
  buf_clear(out);
  buf_addf(out, "%s.new", path);
  return buf_text(out);
}

static bool is_beside(const char *path)
{
  AUTO(buf) name = {0};
  return file_exists(beside(path, &name));
}

/* Mode and owner of the old one, before it can be seen in its place. */
static bool be_like(const char *path, const char *old, struct fault *f)
{
  struct stat like, now;
  if (stat(old, &like) != 0)
    return chmod(path, MODE_PUBLIC) == 0 ||
           fault_set(f, FILE_ERROR, "cannot change the mode of %s: %s", path, strerror(errno));
  if (stat(path, &now) == 0 &&
      (now.st_uid == like.st_uid || chown(path, like.st_uid, (gid_t)-1) == 0) &&
      (now.st_gid == like.st_gid || chown(path, (uid_t)-1, like.st_gid) == 0) &&
      chmod(path, like.st_mode & 0777) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "cannot give %s the owner and mode of %s: %s", path, old,
                   strerror(errno));
}

static bool write_beside(const char *path, struct bytes content, struct fault *f)
{
  AUTO(buf) name = {0};
  const char *new = beside(path, &name);
  if (!file_write(new, content, MODE_SECRET, true, f))
    return false;
  if (be_like(new, path, f))
    return true;
  unlink(new);
  return false;
}

/* Nothing to be done when there is nothing beside. What is there may be of a run that was
 * interrupted before it was like the old one. */
static bool put(const char *path, struct fault *f)
{
  AUTO(buf) name = {0};
  if (path == NULL || !is_beside(path))
    return true;
  return be_like(beside(path, &name), path, f) && file_put_in_place(buf_text(&name), path, f);
}

static void drop(const char *path)
{
  AUTO(buf) name = {0};
  if (path != NULL)
    unlink(beside(path, &name));
}

/* --- what is in them --- */

static bool read_certs(const char *path, struct held *held, struct fault *f)
{
  AUTO(buf) content = {0};
  if (!file_read(path, CERT_FILE_MAX, &content, f))
    return false;
  if (!bundle_add_certs(&held->certs, buf_bytes(&content), f) ||
      !cert_read(buf_bytes(&held->certs.chain[0]), true, &held->leaf, f))
    return fault_prefix(f, "%s", path);
  return true;
}

static bool read_both(const char *cert, const char *key, struct held *ret_held, struct fault *f)
{
  const struct bytes no_passphrase = {0};
  if (!read_certs(cert, ret_held, f) || !key_file_read(key, no_passphrase, &ret_held->key, f))
    return false;
  return private_key_fits(ret_held->key, ret_held->leaf.key.spki) ||
         fault_set(f, BAD_FILE, "%s is not the key of %s", key, cert);
}

bool pair_read(const struct pair *pair, struct held *ret_held, struct fault *f)
{
  return read_both(pair->cert, pair->key, ret_held, f);
}

static bool fits(const char *cert, const char *key)
{
  AUTO(held) held = {0};
  AUTO(fault) ignored = {0};
  return read_both(cert, key, &held, &ignored);
}

static bool is_older(const char *cert, const char *than)
{
  AUTO(held) one = {0}, other = {0};
  AUTO(fault) ignored = {0};
  return read_certs(cert, &one, &ignored) && read_certs(than, &other, &ignored) &&
         one.leaf.not_before < other.leaf.not_before;
}

/* Key, chain, certificate: as long as the last one is beside, there is something to go on with. */
static bool put_all(const struct pair *pair, struct fault *f)
{
  return put(pair->key, f) && put(pair->chain, f) && put(pair->cert, f);
}

bool pair_recover(const struct pair *pair, struct fault *f)
{
  AUTO(buf) cert = {0}, key = {0};
  if (!is_beside(pair->cert))
    return true;
  beside(pair->cert, &cert);
  beside(pair->key, &key);
  if (fits(buf_text(&cert), buf_text(&key)))
    return put_all(pair, f);
  /* The key is in its place already, or stays the same one. */
  if (fits(buf_text(&cert), pair->key) && !is_older(buf_text(&cert), pair->cert))
    return put(pair->chain, f) && put(pair->cert, f);
  drop(pair->chain);
  drop(pair->cert);
  return true;
}

/* --- another pair --- */

static bool make_key(const struct pair *pair, const struct held *held, struct private_key **ret_key,
                     struct fault *f)
{
  AUTO(private_key) key = NULL;
  AUTO(secret_buf) pem = {0};
  if (!private_key_generate(private_key_kind_of(&held->leaf.key), &key, f) ||
      !private_key_write(key, (struct bytes){0}, &pem, f) ||
      !write_beside(pair->key, buf_bytes(&pem), f))
    return false;
  *ret_key = TAKE(key);
  return true;
}

bool pair_next_key(const struct pair *pair, const struct held *held, bool same,
                   struct private_key **ret_key, struct fault *f)
{
  AUTO(buf) name = {0};
  const struct bytes no_passphrase = {0};
  if (same)
    return key_file_read(pair->key, no_passphrase, ret_key, f);
  if (is_beside(pair->key))
    return key_file_read(beside(pair->key, &name), no_passphrase, ret_key, f);
  return make_key(pair, held, ret_key, f);
}

static bool write_certs(const char *path, const struct bundle *certs, size_t n, struct fault *f)
{
  AUTO(buf) pem = {0};
  for (size_t i = 0; i < n; i++)
    pem_add(&pem, "CERTIFICATE", buf_bytes(&certs->chain[i]));
  return buf_ok(&pem) ? write_beside(path, buf_bytes(&pem), f) : fault_no_memory(f);
}

bool pair_replace(const struct pair *pair, const struct held *held, const struct bundle *certs,
                  bool same, struct fault *f)
{
  bool alone = held->certs.n_chain == 1;
  if (same)
    drop(pair->key); /* of an earlier try with another one */
  if (pair->chain != NULL && !write_certs(pair->chain, certs, certs->n_chain, f))
    return false;
  if (!write_certs(pair->cert, certs, alone ? 1 : certs->n_chain, f))
    return false;
  return put_all(pair, f);
}
