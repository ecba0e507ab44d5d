/* keys.c - see keys.h. */
#include "keyd/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/pki/der.h"
#include "lib/pki/pem.h"

enum { KEY_FILE_MAX = 64 * 1024, PASSPHRASE_MAX = 1024 };

static const char credential_suffix[] = "-passphrase";

/* --- files --- */

static bool is_private(const char *path, struct fault *f)
{
  struct stat st;
  if (stat(path, &st) != 0)
    return fault_set(f, FILE_ERROR, "cannot read %s: %s", path, strerror(errno));
  if (!S_ISREG(st.st_mode))
    return fault_set(f, FILE_ERROR, "%s is not a file", path);
  if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fault_set(f, FILE_ERROR, "%s can be read by others (mode %04o): chmod 600 it", path,
                     st.st_mode & 07777);
  return true;
}

/* One line; its end does not count. */
static bool read_passphrase(const char *path, struct buf *ret_passphrase, struct fault *f)
{
  if (!file_read(path, PASSPHRASE_MAX, ret_passphrase, f))
    return false;
  size_t len = ret_passphrase->len;
  while (len > 0 &&
         (ret_passphrase->data[len - 1] == '\n' || ret_passphrase->data[len - 1] == '\r'))
    len--;
  ret_passphrase->len = len;
  return len > 0 || fault_set(f, BAD_PASSPHRASE, "%s holds no passphrase", path);
}

/* The file of the configuration, or else the credential that systemd hands over (its folder is for
 * us alone, whatever the mode says: an ACL shows there as the group's), or else none. */
static bool find_passphrase(const struct conf_key *conf, struct buf *ret_passphrase,
                            struct fault *f)
{
  if (conf->passphrase_file != NULL)
    return is_private(conf->passphrase_file, f) &&
           read_passphrase(conf->passphrase_file, ret_passphrase, f);
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  if (folder == NULL)
    return true;
  AUTO(buf) path = {0};
  buf_addf(&path, "%s/%s%s", folder, conf->name, credential_suffix);
  const char *name = buf_text(&path);
  if (!buf_ok(&path))
    return fault_no_memory(f);
  return !file_exists(name) || read_passphrase(name, ret_passphrase, f);
}

static bool load_private_key(const struct conf_key *conf, struct private_key **ret_key,
                             struct fault *f)
{
  AUTO(secret_buf) passphrase = {0};
  AUTO(secret_buf) pem = {0};
  if (!is_private(conf->key, f) || !file_read(conf->key, KEY_FILE_MAX, &pem, f) ||
      !find_passphrase(conf, &passphrase, f))
    return false;
  if (private_key_read(buf_bytes(&pem), buf_bytes(&passphrase), ret_key, f))
    return true;
  if (f->code == FAULT_BAD_PASSPHRASE && passphrase.len == 0)
    return fault_set(f, BAD_PASSPHRASE,
                     "%s is encrypted: give its passphrase with passphrase_file or the credential "
                     "%s%s",
                     conf->key, conf->name, credential_suffix);
  return fault_prefix(f, "%s", conf->key);
}

static bool load_certificate(const char *path, struct signing_key *key, struct fault *f)
{
  AUTO(buf) text = {0};
  if (!file_read(path, CERT_MAX, &text, f))
    return false;
  struct bytes rest = buf_bytes(&text), label;
  bool broken;
  if (rest.len > 0 && rest.data[0] == DER_SEQUENCE)
    buf_add_bytes(&key->certificate_der, rest);
  else if (!pem_next(&rest, &label, &key->certificate_der, &broken) ||
           !bytes_equal(label, bytes_of_text("CERTIFICATE")))
    return fault_set(f, BAD_FILE, "%s holds no certificate", path);
  if (!buf_ok(&key->certificate_der))
    return fault_no_memory(f);
  return cert_read(buf_bytes(&key->certificate_der), true, &key->certificate, f) ||
         fault_prefix(f, "%s", path);
}

/* --- keys --- */

static void signing_key_free(struct signing_key *key)
{
  if (key == NULL)
    return;
  private_key_free(key->key);
  guard_free(&key->guard);
  cert_free(&key->certificate);
  buf_free(&key->certificate_der);
  free(key);
}

AUTO_POINTER(signing_key, struct signing_key, signing_key_free)

/* Begins with an 'm', where everything that is signed for a peer is DER and begins with 0x30: this
 * signature would be good for nothing, even if it got out. */
static const char probe_text[] = "mintmark-keyd: a probe, not a certificate";

static bool can_sign(const struct signing_key *key, struct fault *f)
{
  AUTO(secret_buf) signature = {0};
  struct bytes text = bytes_of_text(probe_text);
  return private_key_sign(key->key, text, &signature, f) &&
         (pubkey_verify(&key->certificate.key, key->guard.alg, text, buf_bytes(&signature)) ||
          fault_set(f, INTERNAL, "the key's signature does not verify"));
}

static bool load(const struct conf_key *conf, struct signing_key **ret_key, struct fault *f)
{
  AUTO(signing_key) key = calloc(1, sizeof *key);
  if (key == NULL)
    return fault_no_memory(f);
  /* Once before the key is there, so that the guard can be freed whatever comes. */
  guard_init(&key->guard, &conf->limits, &key->certificate, SIG_ALG_COUNT);
  if (!load_certificate(conf->certificate, key, f))
    return false;
  if (!guard_check_own(&key->guard, f))
    return fault_prefix(f, "%s", conf->certificate);
  if (!load_private_key(conf, &key->key, f))
    return false;
  if (!private_key_fits(key->key, key->certificate.key.spki))
    return fault_set(f, BAD_FILE, "%s is not the key of %s", conf->key, conf->certificate);
  key->guard.alg = private_key_alg(key->key);
  pubkey_sha256(key->certificate.key.spki, key->sha256);
  if (!can_sign(key, f))
    return fault_prefix(f, "%s", conf->key);
  *ret_key = TAKE(key);
  return true;
}

/* Peers call a key by its public key, so two parts with the same one could not be told apart. */
static bool load_another(const struct conf_key *conf, struct keys *keys, struct fault *f)
{
  AUTO(signing_key) key = NULL;
  if (!load(conf, &key, f))
    return false;
  if (keys_find(keys, bytes_of(key->sha256, sizeof key->sha256)) != NULL)
    return fault_set(f, BAD_CONFIG, "%s is the key of another part already", conf->key);
  keys->list[keys->n++] = TAKE(key);
  return true;
}

/* An authority that has come to its end must not take those with it that replaced it: its key is
 * loaded all the same, and its guard refuses. */
static bool one_is_valid(const struct conf *conf, const struct keys *keys, int64_t now,
                         struct fault *f)
{
  size_t n_valid = 0;
  for (size_t i = 0; i < keys->n; i++) {
    AUTO(fault) why = {0};
    if (guard_check_time(&keys->list[i]->guard, now, &why)) {
      n_valid++;
      continue;
    }
    log_say(LOG_LEVEL_WARNING, "nothing is signed with a key",
            LOG_TEXT("certificate", conf->keys[i].certificate), LOG_TEXT("reason", why.detail));
  }
  if (n_valid > 0)
    return true;
  guard_check_time(&keys->list[0]->guard, now, f);
  return fault_prefix(f, "%s", conf->keys[0].certificate);
}

bool keys_load(const struct conf *conf, int64_t now, struct keys **ret_keys, struct fault *f)
{
  AUTO(keys) keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < conf->n_keys; i++)
    if (!load_another(&conf->keys[i], keys, f))
      return false;
  if (!one_is_valid(conf, keys, now, f))
    return false;
  *ret_keys = TAKE(keys);
  return true;
}

bool keys_count_in(struct keys *keys, struct state *state, struct fault *f)
{
  for (size_t i = 0; i < keys->n; i++)
    if (!state_add_key(state, keys->list[i]->sha256, f))
      return false;
  keys->state = state;
  return true;
}

struct signing_key *keys_find(const struct keys *keys, struct bytes sha256)
{
  for (size_t i = 0; i < keys->n; i++)
    if (bytes_equal(sha256, bytes_of(keys->list[i]->sha256, SIGN_KEY_SHA256_LEN)))
      return keys->list[i];
  return NULL;
}

bool signing_key_probe(const struct signing_key *key, int64_t now, struct fault *f)
{
  return guard_check_time(&key->guard, now, f) && can_sign(key, f);
}

void keys_free(struct keys *keys)
{
  if (keys == NULL)
    return;
  for (size_t i = 0; i < CONF_KEYS_MAX; i++)
    signing_key_free(keys->list[i]);
  free(keys);
}
