/* device.c - see device.h. */
#include "lib/ca/device.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/base/text.h"
#include "lib/ca/ledger_device.h"

/* About a millisecond: dear for who guesses, cheap for who enrols once. Rows rest on it. */
enum { ROUNDS = 4096 };

static const char *const state_names[DEVICE_STATE_END] = {[DEVICE_ANY] = "any",
                                                          [DEVICE_WAITING] = "waiting",
                                                          [DEVICE_ENROLLED] = "enrolled",
                                                          [DEVICE_LOCKED] = "locked"};

const char *device_state_name(enum device_state state)
{
  return state_names[state];
}

bool device_state_named(struct bytes name, enum device_state *ret_state)
{
  for (size_t i = DEVICE_WAITING; i < DEVICE_STATE_END; i++)
    if (bytes_equal(name, bytes_of_text(state_names[i]))) {
      *ret_state = (enum device_state)i;
      return true;
    }
  return false;
}

enum device_state device_state(const struct device *device)
{
  if (device->wrong_tries >= DEVICE_TRIES_MAX)
    return DEVICE_LOCKED;
  return device->used_at != 0 ? DEVICE_ENROLLED : DEVICE_WAITING;
}

void device_free(struct device *device)
{
  buf_free(&device->names);
}

/* --- names --- */

static const char *const kind_names[SAN_KIND_END] = {
    [SAN_IP] = "ip=", [SAN_DNS] = "dns=", [SAN_URI] = "uri="};

/* No name has a space inside. */
void device_names_write(const struct sans *names, struct buf *out)
{
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    if (i > 0)
      buf_add_u8(out, ' ');
    buf_add_text(out, kind_names[name.kind]);
    san_text(name, out);
  }
}

static bool read_name(struct bytes word, struct sans *names, struct fault *f)
{
  for (size_t kind = SAN_IP; kind < SAN_KIND_END; kind++) {
    size_t len = strlen(kind_names[kind]);
    if (word.len > len && memcmp(word.data, kind_names[kind], len) == 0)
      return sans_add(names, (enum san_kind)kind, bytes_of(word.data + len, word.len - len), f);
  }
  return fault_set(f, INTERNAL, "a device's names are damaged");
}

bool device_names_read(struct bytes text, struct sans *ret_names, struct fault *f)
{
  while (text.len > 0) {
    const uint8_t *space = memchr(text.data, ' ', text.len);
    size_t len = space != NULL ? (size_t)(space - text.data) : text.len;
    if (!read_name(bytes_of(text.data, len), ret_names, f))
      return false;
    size_t step = space != NULL ? len + 1 : len;
    text = bytes_of(text.data + step, text.len - step);
  }
  return true;
}

/* --- secrets --- */

bool device_given_is_valid(struct bytes secret)
{
  if (secret.len < DEVICE_GIVEN_MIN || secret.len > DEVICE_GIVEN_MAX)
    return false;
  for (size_t i = 0; i < secret.len; i++)
    if (secret.data[i] <= ' ' || secret.data[i] > '~' || secret.data[i] == ':')
      return false;
  return true;
}

static bool stretch(struct bytes secret, const uint8_t salt[DEVICE_SALT_LEN],
                    uint8_t ret_hash[DEVICE_HASH_LEN], struct fault *f)
{
  return PKCS5_PBKDF2_HMAC((const char *)secret.data, (int)secret.len, salt, DEVICE_SALT_LEN,
                           ROUNDS, EVP_sha256(), DEVICE_HASH_LEN, ret_hash) == 1 ||
         fault_set(f, INTERNAL, "PBKDF2 does not work");
}

void device_secret_make(const uint8_t random[DEVICE_SECRET_LEN / 2],
                        char ret_text[DEVICE_SECRET_LEN + 1], struct device_secret *ret_secret)
{
  *ret_secret = (struct device_secret){0};
  text_hex(ret_text, random, DEVICE_SECRET_LEN / 2);
  pubkey_sha256(bytes_of(ret_text, DEVICE_SECRET_LEN), ret_secret->hash);
}

bool device_secret_hash(struct bytes given, struct device_secret *ret_secret, struct fault *f)
{
  struct device_secret secret = {.salted = given.len < DEVICE_SECRET_LEN};
  if (!secret.salted)
    pubkey_sha256(given, secret.hash);
  else if (RAND_bytes(secret.salt, sizeof secret.salt) != 1)
    return fault_set(f, INTERNAL, "the random generator does not work");
  else if (!stretch(given, secret.salt, secret.hash, f))
    return false;
  *ret_secret = secret;
  return true;
}

/* Both hashes are made whatever the device has, so that time tells nothing of it. */
static bool matches(const struct device_secret *kept, struct bytes secret, bool *ret_matches,
                    struct fault *f)
{
  uint8_t plain[DEVICE_HASH_LEN], slow[DEVICE_HASH_LEN];
  pubkey_sha256(secret, plain);
  if (!stretch(secret, kept->salt, slow, f))
    return false;
  *ret_matches = CRYPTO_memcmp(kept->salted ? slow : plain, kept->hash, DEVICE_HASH_LEN) == 0;
  OPENSSL_cleanse(plain, sizeof plain);
  OPENSSL_cleanse(slow, sizeof slow);
  return true;
}

/* --- who is it --- */

/* Divides at the last colon. What cannot be a device_serial becomes "". */
static struct bytes divide(struct bytes credentials, char ret_serial[LABEL_SIZE])
{
  size_t len = credentials.len;
  ret_serial[0] = '\0';
  while (len > 0 && credentials.data[len - 1] != ':')
    len--;
  if (len == 0)
    return credentials;
  text_copy(ret_serial, LABEL_SIZE, bytes_of(credentials.data, len - 1));
  return bytes_of(credentials.data + len, credentials.len - len);
}

bool device_authenticate(struct ledger *ledger, struct bytes credentials,
                         struct principal *ret_principal, struct fault *f)
{
  char device_serial[LABEL_SIZE];
  struct bytes secret = divide(credentials, device_serial);
  AUTO(device) device = {0};
  bool found = false, matching = false;
  if (device_serial[0] == '\0' || secret.len > DEVICE_GIVEN_MAX)
    return fault_set(f, UNAUTHENTICATED, "a device sends DEVICE_SERIAL:SECRET");
  if (!ledger_find_device(ledger, device_serial, &found, &device, f) ||
      !matches(&device.secret, secret, &matching, f))
    return false;
  if (!found || !matching || device_state(&device) == DEVICE_LOCKED)
    return ledger_count_wrong_try(ledger, device_serial, f) &&
           fault_set(f, UNAUTHENTICATED,
                     "device_serial and secret do not fit each other, or the device is locked: an "
                     "operator can look (mintmark device show) and make a new secret (mintmark "
                     "device reset)");
  struct principal principal = {
      .role = ROLE_DEVICE, .created_at = device.imported_at, .secret_no = device.secret_no};
  TEXT_COPY(principal.name, bytes_of_text(device.device_serial));
  *ret_principal = principal;
  return true;
}
