/* ca_kit.c - see ca_kit.h. */
#include "tests/unit/ca_kit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"

enum { YEAR_S = 365 * 24 * 3600 };

const char *kit_path(const struct kit *kit, const char *name, char out[KIT_PATH_SIZE])
{
  snprintf(out, KIT_PATH_SIZE, "%s/%s", kit->dir, name);
  return out;
}

void kit_write(const struct kit *kit, const char *name, const char *text, unsigned mode)
{
  AUTO(fault) f = {0};
  char path[KIT_PATH_SIZE];
  if (!file_write(kit_path(kit, name, path), bytes_of_text(text), (mode_t)mode, true, &f))
    fail_msg("%s", f.detail);
}

void kit_source(const char *name, struct buf *ret_text)
{
  AUTO(fault) f = {0};
  char path[512];
  const char *folder = getenv("MINTMARK_SRCDIR");
  snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : ".", name);
  if (!file_read(path, 1 << 20, ret_text, &f))
    fail_msg("%s", f.detail);
}

struct private_key *kit_key(const char *kind)
{
  AUTO(fault) f = {0};
  struct private_key *key;
  if (!private_key_generate(kind, &key, &f))
    fail_msg("%s", f.detail);
  return key;
}

static void put_name(const char *common_name, struct buf *out)
{
  AUTO(fault) f = {0};
  struct name_part part = {ATTR_COMMON_NAME, bytes_of_text(common_name)};
  assert_true(name_write(&part, 1, out, &f));
}

static void key_id(const struct private_key *key, uint8_t ret_id[PUBKEY_ID_LEN],
                   struct buf *ret_spki)
{
  AUTO(fault) f = {0};
  struct pubkey public_key;
  assert_true(private_key_spki(key, ret_spki, &f));
  assert_true(pubkey_read(buf_bytes(ret_spki), &public_key, &f));
  pubkey_id(&public_key, ret_id);
}

/* keyUsage keyCertSign and cRLSign becomes cRLSign alone. */
static void take_cert_sign_away(struct buf *tbs)
{
  static const uint8_t both[] = {0x04, 0x04, 0x03, 0x02, 0x01, 0x06};
  uint8_t *at = memmem(tbs->data, tbs->len, both, sizeof both);
  assert_non_null(at);
  at[5] = 0x02;
}

void kit_make_ca(const struct kit_ca *ca, struct buf *ret_der)
{
  AUTO(buf) issuer = {0};
  AUTO(buf) subject = {0};
  AUTO(buf) spki = {0};
  AUTO(buf) issuer_spki = {0};
  AUTO(buf) tbs = {0};
  AUTO(buf) signature = {0};
  AUTO(fault) f = {0};
  uint8_t id[PUBKEY_ID_LEN], issuer_id[PUBKEY_ID_LEN];
  static uint8_t serial_number[SERIAL_NUMBER_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  serial_number[15]++;
  key_id(ca->key, id, &spki);
  key_id(ca->issuer_key, issuer_id, &issuer_spki);
  put_name(ca->name, &subject);
  put_name(ca->issuer, &issuer);
  const struct cert_spec spec = {.serial_number = bytes_of(serial_number, sizeof serial_number),
                                 .alg = private_key_alg(ca->issuer_key),
                                 .issuer = buf_bytes(&issuer),
                                 .subject = buf_bytes(&subject),
                                 .not_before = ca->not_before,
                                 .not_after = ca->not_after,
                                 .spki = buf_bytes(&spki),
                                 .subject_key_id = bytes_of(id, sizeof id),
                                 .authority_key_id = bytes_of(issuer_id, sizeof issuer_id),
                                 .key_usage = ca->key_usage,
                                 .ext_key_usage = ca->is_ca ? 0 : EKU_SERVER_AUTH,
                                 .is_ca = ca->is_ca,
                                 .path_len = ca->path_len};
  if (!cert_build(&spec, &tbs, &f))
    fail_msg("%s", f.detail);
  if (ca->without_cert_sign)
    take_cert_sign_away(&tbs);
  if (!private_key_sign(ca->issuer_key, buf_bytes(&tbs), &signature, &f) ||
      !cert_assemble(buf_bytes(&tbs), spec.alg, buf_bytes(&signature), ret_der, &f))
    fail_msg("%s", f.detail);
}

void kit_write_certs(const struct kit *kit)
{
  AUTO(buf) root = {0};
  AUTO(buf) issuing = {0};
  AUTO(buf) pem = {0};
  kit_make_ca(&kit->root, &root);
  kit_make_ca(&kit->issuing, &issuing);
  pem_add(&pem, "CERTIFICATE", buf_bytes(&root));
  kit_write(kit, "root.crt", buf_text(&pem), 0644);
  buf_clear(&pem);
  pem_add(&pem, "CERTIFICATE", buf_bytes(&issuing));
  kit_write(kit, "issuing.crt", buf_text(&pem), 0644);
  kit_write(kit, "chain.pem", buf_text(&pem), 0644);
}

static void write_configuration(const struct kit *kit)
{
  AUTO(buf) daemon = {0};
  AUTO(buf) holder = {0};
  kit_source("etc/mintmark.conf", &daemon);
  kit_source("etc/keyd.conf", &holder);
  kit_write(kit, "mintmark.conf", buf_text(&daemon), 0644);
  kit_write(kit, "keyd.conf", buf_text(&holder), 0644);
}

void kit_new(struct kit *ret_kit)
{
  AUTO(fault) f = {0};
  AUTO(buf) pem = {0};
  char path[KIT_PATH_SIZE];
  int64_t now = when_now();
  struct kit *kit = ret_kit;
  *kit = (struct kit){.dir = "/tmp/mintmark-kit-XXXXXX"};
  assert_non_null(mkdtemp(kit->dir));
  kit->root_key = kit_key("ec-p256");
  kit->issuing_key = kit_key("ec-p256");
  uint32_t usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
  kit->root = (struct kit_ca){.name = "Kit Root",
                              .issuer = "Kit Root",
                              .key = kit->root_key,
                              .issuer_key = kit->root_key,
                              .not_before = now - YEAR_S,
                              .not_after = now + 20 * (int64_t)YEAR_S,
                              .key_usage = usage,
                              .is_ca = true,
                              .path_len = -1};
  kit->issuing = kit->root;
  kit->issuing.name = "Kit Issuing";
  kit->issuing.key = kit->issuing_key;
  kit->issuing.not_after = now + 10 * (int64_t)YEAR_S;
  kit->issuing.path_len = 0;
  kit_write_certs(kit);
  assert_int_equal(mkdir(kit_path(kit, "keys", path), 0700), 0);
  assert_true(private_key_write(kit->issuing_key, (struct bytes){0}, &pem, &f));
  kit_write(kit, "keys/issuing.key", buf_text(&pem), 0600);
  write_configuration(kit);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

void kit_free(struct kit *kit)
{
  nftw(kit->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  private_key_free(kit->root_key);
  private_key_free(kit->issuing_key);
}

bool kit_load_authority(const struct kit *kit, int64_t now, struct authority **ret_authority,
                        struct fault *f)
{
  char certificate[KIT_PATH_SIZE], chain[KIT_PATH_SIZE], root[KIT_PATH_SIZE];
  AUTO(authority) authority = NULL;
  kit_path(kit, "issuing.crt", certificate);
  kit_path(kit, "chain.pem", chain);
  kit_path(kit, "root.crt", root);
  const struct conf_authority files = {
      .name = "issuing", .certificate = certificate, .chain = chain, .root = root};
  if (!authority_load(&files, &authority, f) || !authority_is_valid(authority, now, f))
    return false;
  *ret_authority = TAKE(authority);
  return true;
}

struct conf *kit_load_conf(const struct kit *kit)
{
  AUTO(fault) f = {0};
  char path[KIT_PATH_SIZE];
  struct conf *conf;
  if (!conf_load(kit_path(kit, "mintmark.conf", path), &conf, &f))
    fail_msg("%s", f.detail);
  return conf;
}

void kit_csr(const struct private_key *key, const struct sans *names, struct buf *ret_der)
{
  AUTO(fault) f = {0};
  AUTO(buf) subject = {0};
  put_name("a hint", &subject);
  if (!private_key_write_csr(key, buf_bytes(&subject), names, ret_der, &f))
    fail_msg("%s", f.detail);
}

void kit_add_name(struct sans *names, enum san_kind kind, const char *text)
{
  AUTO(fault) f = {0};
  if (!sans_add(names, kind, bytes_of_text(text), &f))
    fail_msg("%s: %s", text, f.detail);
}
