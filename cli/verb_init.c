/* verb_init.c - mintmark init: a new authority in a folder of its own. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/address.h"
#include "cli/args.h"
#include "cli/conf_text.h"
#include "cli/json_out.h"
#include "cli/new_ca.h"
#include "cli/outputs.h"
#include "cli/screen.h"
#include "cli/secrets.h"
#include "cli/service.h"
#include "lib/base/base64.h"
#include "lib/base/embedded.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/pem.h"

enum { SECRET_LEN = 32 };

/* etc/mintmark.conf and etc/keyd.conf, as the build found them. */
extern const struct embedded etc_files[];

struct init {
  const char *dir, *name, *key_type;
  const char *passphrase_file; /* NULL: keys are not encrypted */
  bool service;                /* for the systemd units */
  struct address listen;
  struct sans names;
  char server_cn[65];
  int64_t root_validity_s, issuing_validity_s;
  struct buf passphrase;
  struct new_ca ca;
  struct outputs files;
  char *made[2]; /* folders that did not exist before */
};

static void init_free(struct init *init)
{
  sans_free(&init->names);
  buf_wipe(&init->passphrase);
  new_ca_free(&init->ca);
  outputs_free(&init->files);
  for (size_t i = 0; i < ARRAY_LEN(init->made); i++)
    free(init->made[i]);
}

AUTO_VALUE(init, struct init, init_free)

static bool read_validity(const struct args *args, const char *name, const char *otherwise,
                          int64_t *ret_seconds, struct fault *f)
{
  const char *text = args_get_or(args, name, otherwise);
  if (when_read_duration(bytes_of_text(text), ret_seconds) && *ret_seconds >= 86400)
    return true;
  return fault_set(f, BAD_USAGE, "--%s is a duration of at least one day, such as 3650d, not '%s'",
                   name, text);
}

static bool check_name(const char *name, struct fault *f)
{
  char printable[4 * CA_NAME_MAX + 1];
  if (name[0] == '\0' || screen_text_width(name) > CA_NAME_MAX ||
      !TEXT_COPY(printable, bytes_of_text(name)))
    return fault_set(f, BAD_USAGE, "--name has 1 to %d characters", CA_NAME_MAX);
  text_make_printable(printable);
  if (strcmp(printable, name) != 0)
    return fault_set(f, BAD_USAGE, "--name has characters that cannot be printed");
  return true;
}

static bool check_key_type(const char *key_type, struct fault *f)
{
  static const char *const kinds[] = {"ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"};
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    if (strcmp(key_type, kinds[i]) == 0)
      return true;
  return fault_set(f, BAD_USAGE,
                   "--key-type is ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096, not '%s'",
                   key_type);
}

/* The key holder refuses a passphrase that others can read; better to say so before. */
static bool check_passphrase_file(const char *path, struct fault *f)
{
  struct stat st;
  if (path == NULL || stat(path, &st) != 0 || (st.st_mode & 077) == 0)
    return true; /* a file that cannot be read is told by its reader */
  return fault_set(f, BAD_FILE, "others can read the passphrase in %s: chmod 600 it", path);
}

static bool read_args(const struct args *args, struct init *init, struct fault *f)
{
  init->dir = args_get(args, "dir");
  init->name = args_get(args, "name");
  init->key_type = args_get_or(args, "key-type", "ec-p256");
  init->passphrase_file = args_get(args, "passphrase-file");
  init->service = args_has(args, "service");
  if (init->dir[0] == '\0')
    return fault_set(f, BAD_USAGE, "--dir names a folder");
  return (!init->service || service_check(f)) && check_name(init->name, f) &&
         check_key_type(init->key_type, f) &&
         address_read(args_get_or(args, "listen", "127.0.0.1:8443"), &init->listen, f) &&
         address_names(&init->listen, &init->names, init->server_cn, f) &&
         read_validity(args, "root-validity", "7300d", &init->root_validity_s, f) &&
         read_validity(args, "issuing-validity", "3650d", &init->issuing_validity_s, f) &&
         check_passphrase_file(init->passphrase_file, f) &&
         secret_line_read(init->passphrase_file, "passphrase", &init->passphrase, f);
}

static const char *folder_of(const struct init *init, const char *name)
{
  return init->service ? service_folder_of(name, init->dir) : init->dir;
}

static struct buf *add_file(struct init *init, mode_t mode, const char *what, const char *name)
{
  const char *dir = folder_of(init, name);
  size_t len = strlen(dir);
  return outputs_add(&init->files, mode, what, "%.*s/%s",
                     (int)(len > 1 && dir[len - 1] == '/' ? len - 1 : len), dir, name);
}

/* The administrator's token: the configuration gets its hash only. */
static bool make_token(struct buf *ret_token, struct buf *ret_hash)
{
  uint8_t secret[SECRET_LEN], digest[SHA256_DIGEST_LENGTH];
  bool made = getentropy(secret, sizeof secret) == 0;
  buf_add_text(ret_token, "admin.");
  base64url_add(ret_token, bytes_of(secret, sizeof secret));
  explicit_bzero(secret, sizeof secret);
  if (!made || !buf_ok(ret_token))
    return false;
  SHA256(ret_token->data, ret_token->len, digest);
  text_add_hex(ret_hash, bytes_of(digest, sizeof digest));
  buf_add_text(ret_token, "\n");
  return buf_ok(ret_token) && buf_ok(ret_hash);
}

static bool load_sample(const char *name, struct buf *ret_text, struct fault *f)
{
  for (const struct embedded *file = etc_files; file->name != NULL; file++)
    if (strcmp(file->name, name) == 0) {
      buf_add(ret_text, file->text, file->len);
      return buf_ok(ret_text) || fault_no_memory(f);
    }
  return fault_set(f, INTERNAL, "this program was built without the sample %s", name);
}

static bool set_quoted(struct buf *conf, const char *key, const char *text, struct fault *f)
{
  AUTO(buf) quoted = {0};
  conf_text_quote(&quoted, text);
  return conf_text_set(conf, key, buf_text(&quoted), f);
}

/* The daemon renews its own certificate under this profile: with the names that it has. */
static bool allow_names(const struct init *init, enum san_kind kind, const char *option,
                        struct buf *conf, struct fault *f)
{
  AUTO(buf) list = {0};
  bool any = false;
  buf_add_text(&list, "{ ");
  for (size_t i = 0; i < init->names.n; i++) {
    struct san name = sans_get(&init->names, i);
    if (name.kind != kind)
      continue;
    AUTO(buf) text = {0};
    san_text(name, &text);
    buf_addf(&list, "%s\"%s\"", any ? ", " : "", buf_text(&text));
    any = true;
  }
  buf_add_text(&list, " }");
  if (!buf_ok(&list))
    return fault_no_memory(f);
  return !any || conf_text_set_within(conf, "profile \"server\" {", option, buf_text(&list), f);
}

static bool fill_daemon_conf(struct init *init, struct buf *conf, const char *token_hash,
                             struct fault *f)
{
  AUTO(buf) listen = {0};
  bool v6 = init->listen.is_ip && init->listen.ip.len == 16;
  buf_addf(&listen, v6 ? "[%s]:%u" : "%s:%u", init->listen.host, init->listen.port);
  if (!load_sample("mintmark.conf", conf, f) || !set_quoted(conf, "listen", buf_text(&listen), f) ||
      !allow_names(init, SAN_IP, "ip_ranges", conf, f) ||
      !allow_names(init, SAN_DNS, "dns_patterns", conf, f))
    return fault_prefix(f, "mintmark.conf");
  if (init->service && !service_fill_conf(conf, f))
    return fault_prefix(f, "mintmark.conf");
  buf_addf(conf,
           "\n# The first administrator, put into an empty ledger. The token is in admin.token;\n"
           "# here is its SHA-256.\n"
           "admin \"admin\" {\n  token_sha256 = \"%s\"\n}\n",
           token_hash);
  return buf_ok(conf) || fault_no_memory(f);
}

static bool fill_keyd_conf(const struct init *init, struct buf *conf, struct fault *f)
{
  if (!load_sample("keyd.conf", conf, f))
    return false;
  if (init->passphrase_file == NULL)
    return true;
  char *path = realpath(init->passphrase_file, NULL);
  bool set = path != NULL ? set_quoted(conf, "passphrase_file", path, f)
                          : fault_set(f, FILE_ERROR, "cannot find %s: %m", init->passphrase_file);
  free(path);
  return set || fault_prefix(f, "keyd.conf");
}

static bool fill_confs(struct init *init, struct fault *f)
{
  AUTO(buf) hash = {0};
  struct buf *token = add_file(init, MODE_SECRET, "the administrator's token", "admin.token");
  if (!make_token(token, &hash))
    return fault_no_memory(f);
  return fill_daemon_conf(
             init,
             add_file(init, MODE_PUBLIC, "the daemon's configuration, profiles", "mintmark.conf"),
             buf_text(&hash), f) &&
         fill_keyd_conf(
             init, add_file(init, MODE_PUBLIC, "the key holder's configuration", "keyd.conf"), f);
}

static bool add_key(struct init *init, const struct new_cert *cert, bool encrypted,
                    const char *what, const char *name, struct fault *f)
{
  struct bytes passphrase = encrypted ? buf_bytes(&init->passphrase) : (struct bytes){0};
  return private_key_write(cert->key, passphrase, add_file(init, MODE_SECRET, what, name), f);
}

static void add_cert(struct init *init, const struct new_cert *cert, const struct new_cert *behind,
                     const char *what, const char *name)
{
  struct buf *out = add_file(init, MODE_PUBLIC, what, name);
  pem_add(out, "CERTIFICATE", buf_bytes(&cert->der));
  if (behind != NULL)
    pem_add(out, "CERTIFICATE", buf_bytes(&behind->der));
}

/* All files, in memory, in the order in which a person reads of them. */
static bool fill_files(struct init *init, struct fault *f)
{
  const struct new_ca *ca = &init->ca;
  bool encrypted = init->passphrase.len > 0;
  add_cert(init, &ca->root, NULL, "root certificate: what clients trust", "root.crt");
  if (!add_key(init, &ca->root, true,
               encrypted ? "root key, encrypted: take it offline, see below"
                         : "root key: take it offline, see below",
               "root.key", f))
    return false;
  add_cert(init, &ca->issuing, NULL, "issuing CA's certificate", "issuing.crt");
  add_cert(init, &ca->issuing, NULL, "chain that servers send behind their own", "chain.pem");
  if (!add_key(init, &ca->issuing, true,
               encrypted ? "issuing CA's key, encrypted: for mintmark-keyd alone"
                         : "issuing CA's key: for mintmark-keyd alone",
               "keys/issuing.key", f))
    return false;
  add_cert(init, &ca->server, &ca->issuing, "the daemon's own TLS certificate, and chain",
           "server.crt");
  return add_key(init, &ca->server, false, "the daemon's own TLS key", "server.key", f) &&
         fill_confs(init, f);
}

/* The names alone, before any key is made: what is there already is found out at once. */
static bool refuse_existing(const struct init *init, struct fault *f)
{
  static const char *const names[] = {
      "root.crt",   "root.key",    "issuing.crt",   "chain.pem", "keys/issuing.key", "server.crt",
      "server.key", "admin.token", "mintmark.conf", "keyd.conf", "mintmark.db"};
  AUTO(outputs) paths = {0};
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    outputs_add(&paths, MODE_PUBLIC, "", "%s/%s", folder_of(init, names[i]), names[i]);
  return outputs_refuse_existing(&paths, "choose another folder with --dir", f);
}

static bool make_folder(struct init *init, size_t n, const char *below, struct fault *f)
{
  char *path = NULL;
  if (asprintf(&path, "%s%s", init->dir, below) < 0)
    return fault_no_memory(f);
  if (mkdir(path, 0700) == 0) {
    init->made[n] = path;
    return true;
  }
  struct stat st;
  bool there = errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
  if (!there)
    fault_set(f, FILE_ERROR, "cannot make the folder %s: %m", path);
  free(path);
  return there;
}

static bool write_files(struct init *init, struct fault *f)
{
  if (!outputs_write(&init->files, false, f))
    return false;
  if (!init->service || service_give_files(init->dir, f))
    return true;
  outputs_remove(&init->files);
  return false;
}

static bool write_all(struct init *init, struct fault *f)
{
  if (make_folder(init, 0, "", f) && make_folder(init, 1, "/keys", f) && write_files(init, f))
    return true;
  for (size_t i = ARRAY_LEN(init->made); i-- > 0;)
    if (init->made[i] != NULL)
      rmdir(init->made[i]);
  return false;
}

static void fingerprint(const struct init *init, char hex[2 * SHA256_DIGEST_LENGTH + 1])
{
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(init->ca.root.der.data, init->ca.root.der.len, digest);
  text_hex(hex, digest, sizeof digest);
}

static void say_plain(const struct init *init)
{
  struct when_civil root = when_to_civil(init->ca.root.not_after);
  struct when_civil issuing = when_to_civil(init->ca.issuing.not_after);
  char hex[2 * SHA256_DIGEST_LENGTH + 1];
  AUTO(buf) url = {0};
  address_url(&init->listen, &url);
  fingerprint(init, hex);
  printf("%s has its certificate authority, in %s.\n\n", init->name, init->dir);
  outputs_print(&init->files);
  printf("\nThe root is valid until %04d-%02d-%02d, the issuing CA until %04d-%02d-%02d.\n"
         "SHA-256 of the root certificate:\n  %s\n\n",
         root.year, root.month, root.day, issuing.year, issuing.month, issuing.day, hex);
  printf("Take the root key offline. Nothing that runs needs it; whoever gets hold of it\n"
         "can make certificates that all your clients trust, and without it the issuing\n"
         "CA cannot be renewed. So copy it to two media, lock them up in two places, see\n"
         "that both copies can be read, and then remove it here:\n"
         "  shred -u %s/root.key\n\n",
         init->dir);
  if (init->service)
    service_print_next(init->dir);
  else
    printf("Next, start the daemon, and ask it for a first certificate:\n"
           "  mintmarkd --config %s/mintmark.conf\n"
           "  mintmark issue --dir %s --serial W-1001 --ip 10.1.1.68\n",
           init->dir, init->dir);
  printf("It answers at %s.\n", buf_text(&url));
}

static bool say_json(const struct init *init, struct fault *f)
{
  char hex[2 * SHA256_DIGEST_LENGTH + 1], root[WHEN_TEXT_SIZE], issuing[WHEN_TEXT_SIZE];
  AUTO(buf) url = {0};
  address_url(&init->listen, &url);
  fingerprint(init, hex);
  when_text(root, init->ca.root.not_after);
  when_text(issuing, init->ca.issuing.not_after);
  return json_print(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", init->name, "dir",
                              init->dir, "url", buf_text(&url), "root_sha256", hex,
                              "root_not_after", root, "issuing_not_after", issuing, "files",
                              json_of_outputs(&init->files)),
                    f);
}

static bool make_ca(struct init *init, struct fault *f)
{
  const struct new_ca_plan plan = {
      .name = init->name,
      .key_type = init->key_type,
      .now = when_now(),
      .root_validity_s = init->root_validity_s,
      .issuing_validity_s = init->issuing_validity_s,
      .server_name = init->server_cn,
      .server_names = &init->names,
  };
  screen_busy("making three keys");
  bool made = new_ca_make(&plan, &init->ca, f);
  screen_done();
  return made;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(init) init = {0};
  if (!read_args(args, &init, f) || !refuse_existing(&init, f) || !make_ca(&init, f) ||
      !fill_files(&init, f) || !write_all(&init, f))
    return false;
  if (args_has(args, "json"))
    return say_json(&init, f);
  say_plain(&init);
  return true;
}

static const struct option options[] = {
    {"dir", "DIR", "folder to make; nothing in it is overwritten", OPTION_REQUIRED},
    {"name", "NAME", "of your company or product line; becomes part of the CA's names",
     OPTION_REQUIRED},
    {"listen", "ADDR:PORT", "where the daemon will listen [127.0.0.1:8443]", 0},
    {"key-type", "TYPE", "ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096 [ec-p256]", 0},
    {"passphrase-file", "FILE", "encrypts the root's and the issuing CA's key with its first line",
     0},
    {"root-validity", "DURATION", "of the root certificate [7300d]", 0},
    {"issuing-validity", "DURATION", "of the issuing CA's certificate [3650d]", 0},
    {"service", NULL,
     "for the systemd units: gives the keys to their users, puts the ledger into /var/lib/mintmark",
     0},
    {"json", NULL, "print what was made as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "An authority on the bench, for this machine alone",
    "mintmark init --dir acme --name \"Acme Widgets\"",
    "One for the line, with RSA keys that are encrypted",
    "mintmark init --dir acme --name \"Acme Widgets\" --listen 10.1.0.2:8443 \\\n"
    "      --key-type rsa-3072 --passphrase-file /etc/acme.pass",
    "One for the systemd units, after systemd-sysusers and systemd-tmpfiles",
    "mintmark init --dir /etc/mintmark --name \"Acme Widgets\" --service",
    NULL,
};

const struct verb verb_init = {
    .name = "init",
    .summary = "make a certificate authority: keys, certificates, configuration",
    .about = "Makes a root, an issuing CA below it, the daemon's own TLS certificate, both "
             "configuration files and the first administrator's token. The daemon issues with the "
             "issuing CA; the root's key is to be taken offline.",
    .options = options,
    .examples = examples,
    .run = run,
};
