/* verb_authority_add.c - mintmark authority add: one more issuing CA, beside those that are there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/conf_text.h"
#include "cli/json_out.h"
#include "cli/new_authority.h"
#include "cli/outputs.h"
#include "cli/screen.h"
#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/authority_name.h"
#include "lib/pki/pem.h"

enum { CONF_MAX = 1024 * 1024, TAKEN_WITHIN_MS = 15 * 1000, CN_MAX = 64 };

struct add {
  const char *dir, *name;
  const char *passphrase_file; /* of the new keys; NULL: they are not encrypted */
  bool new_root;
  struct new_authority_plan plan;
  char issuing_cn[4 * CN_MAX + 1], root_cn[4 * CN_MAX + 1];
  struct buf passphrase, root_passphrase;
  struct new_authority made;
  struct outputs files; /* new ones */
  struct outputs confs; /* changed ones, beside those that are there */
  bool is_named;        /* a configuration names the new files */
  bool by_socket;       /* the key holder is a service of its own */
  struct fault untold;  /* why the daemon was not told */
};

static void add_free(struct add *add)
{
  buf_wipe(&add->passphrase);
  buf_wipe(&add->root_passphrase);
  new_authority_free(&add->made);
  outputs_free(&add->files);
  outputs_free(&add->confs);
  fault_free(&add->untold);
}
AUTO_VALUE(add, struct add, add_free)

/* --- what is wanted --- */

static bool read_validity(const struct args *args, const char *name, const char *otherwise,
                          int64_t *ret_seconds, struct fault *f)
{
  const char *text = args_get_or(args, name, otherwise);
  return (when_read_duration(bytes_of_text(text), ret_seconds) && *ret_seconds >= 86400) ||
         fault_set(f, BAD_USAGE, "--%s is a duration of at least one day, such as 3650d, not '%s'",
                   name, text);
}

static bool read_args(const struct args *args, struct add *add, struct fault *f)
{
  const char *root_passphrase = args_get(args, "root-passphrase-file");
  add->dir = args_get_or(args, "dir", "");
  add->name = args->operands[0];
  add->new_root = args_has(args, "new-root");
  add->plan.cross = args_has(args, "cross");
  add->plan.key_type = args_get_or(args, "key-type", "ec-p256");
  add->plan.now = when_now();
  add->passphrase_file = args_get(args, "passphrase-file");
  if (add->dir[0] == '\0')
    return fault_set(f, BAD_USAGE, "--dir names the folder of the authority that is there");
  if (!authority_name_is_valid(add->name))
    return fault_set(f, BAD_USAGE, "the name is " AUTHORITY_NAME_FORM);
  if (add->plan.cross && !add->new_root)
    return fault_set(f, BAD_USAGE, "--cross is for a new root: give --new-root, too");
  return read_validity(args, "validity", "3650d", &add->plan.issuing_validity_s, f) &&
         read_validity(args, "root-validity", "7300d", &add->plan.root_validity_s, f) &&
         secret_line_read(add->passphrase_file, "passphrase", &add->passphrase, f) &&
         secret_line_read(root_passphrase, "passphrase", &add->root_passphrase, f);
}

/* A new root that nobody cross-signs asks nothing of the old one's key. */
static bool read_root(const struct args *args, struct add *add, struct fault *f)
{
  AUTO(buf) certificate = {0};
  AUTO(buf) key = {0};
  const char *given_certificate = args_get(args, "root"), *given_key = args_get(args, "root-key");
  bool needs_key = !add->new_root || add->plan.cross;
  buf_addf(&certificate, "%s/root.crt", add->dir);
  buf_addf(&key, "%s/root.key", add->dir);
  const char *certificate_path =
      given_certificate != NULL ? given_certificate : buf_text(&certificate);
  const char *key_path = given_key != NULL ? given_key : buf_text(&key);
  if (!buf_ok(&certificate) || !buf_ok(&key))
    return fault_no_memory(f);
  if (needs_key && given_key == NULL && !file_exists(key_path))
    return fault_set(f, FILE_ERROR,
                     "%s is not there, and the root must sign: give --root-key FILE, the copy that "
                     "was taken offline",
                     key_path);
  return new_authority_read_root(certificate_path, needs_key ? key_path : NULL,
                                 buf_bytes(&add->root_passphrase), &add->made, f);
}

static bool name_it(const char *given, const char *organization, const char *what, const char *name,
                    char ret_cn[4 * CN_MAX + 1], struct fault *f)
{
  AUTO(buf) cn = {0};
  if (given != NULL)
    buf_add_text(&cn, given);
  else
    buf_addf(&cn, "%s %s %s", organization, what, name);
  const char *text = buf_text(&cn);
  if (!buf_ok(&cn))
    return fault_no_memory(f);
  if (screen_text_width(text) > CN_MAX || !text_copy(ret_cn, 4 * CN_MAX + 1, buf_bytes(&cn)))
    return fault_set(f, BAD_USAGE,
                     "a common name has at most %d characters; give a shorter one than '%s' with "
                     "--cn or --root-cn",
                     CN_MAX, text);
  return true;
}

static bool make(const struct args *args, struct add *add, struct fault *f)
{
  char organization[256];
  if (!new_authority_organization(&add->made, organization, f) ||
      !name_it(args_get(args, "cn"), organization, "Issuing CA", add->name, add->issuing_cn, f) ||
      (add->new_root &&
       !name_it(args_get(args, "root-cn"), organization, "Root CA", add->name, add->root_cn, f)))
    return false;
  add->plan.issuing_cn = add->issuing_cn;
  add->plan.root_cn = add->new_root ? add->root_cn : NULL;
  screen_busy("making keys");
  bool made = new_authority_make(&add->plan, &add->made, f);
  screen_done();
  return made;
}

/* --- files --- */

/* Adds a file below DIR; '@' stands for the authority's name. */
static struct buf *name_file(const struct add *add, mode_t mode, const char *what,
                             const char *format, struct outputs *to)
{
  AUTO(buf) name = {0};
  buf_addf(&name, "%s/", add->dir);
  for (const char *p = format; *p != '\0'; p++)
    if (*p == '@')
      buf_add_text(&name, add->name);
    else
      buf_add(&name, p, 1);
  return outputs_add(to, mode, what, "%s", buf_text(&name));
}

static struct buf *file(struct add *add, mode_t mode, const char *what, const char *format)
{
  return name_file(add, mode, what, format, &add->files);
}

/* Whatever of this name is there is left alone, and found out before a key is made. */
static bool refuse_existing(const struct add *add, struct fault *f)
{
  static const char *const names[] = {"@.crt",      "@.chain.pem", "keys/@.key",
                                      "@.root.crt", "@.root.key",  "@.root.cross.crt"};
  AUTO(outputs) all = {0};
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    name_file(add, MODE_PUBLIC, "", names[i], &all);
  return outputs_refuse_existing(&all, "choose another name", f);
}

static bool add_files(struct add *add, struct fault *f)
{
  const struct new_authority *made = &add->made;
  struct bytes passphrase = buf_bytes(&add->passphrase);
  pem_add(file(add, MODE_PUBLIC, "issuing CA's certificate", "@.crt"), "CERTIFICATE",
          buf_bytes(&made->issuing.der));
  pem_add(file(add, MODE_PUBLIC, "chain that servers send behind their own", "@.chain.pem"),
          "CERTIFICATE", buf_bytes(&made->issuing.der));
  if (!private_key_write(made->issuing.key, passphrase,
                         file(add, MODE_SECRET, "its key: for mintmark-keyd alone", "keys/@.key"),
                         f))
    return false;
  if (!add->new_root)
    return true;
  pem_add(file(add, MODE_PUBLIC, "new root certificate: what clients are to trust", "@.root.crt"),
          "CERTIFICATE", buf_bytes(&made->root.der));
  if (made->cross_der.len > 0)
    pem_add(file(add, MODE_PUBLIC, "new root, signed by the old one", "@.root.cross.crt"),
            "CERTIFICATE", buf_bytes(&made->cross_der));
  return private_key_write(made->root.key, passphrase,
                           file(add, MODE_SECRET, "new root's key: take it offline", "@.root.key"),
                           f);
}

static const char new_suffix[] = ".new";

/* The new one has the mode of the one that is there. */
static bool load_conf(struct add *add, const char *name, struct buf **ret_text, struct fault *f)
{
  AUTO(buf) path = {0};
  struct stat st;
  buf_addf(&path, "%s/%s", add->dir, name);
  const char *there = buf_text(&path);
  if (!buf_ok(&path))
    return fault_no_memory(f);
  if (stat(there, &st) != 0)
    return fault_set(f, FILE_ERROR, "cannot read %s: %s", there, strerror(errno));
  struct buf *text = outputs_add(&add->confs, st.st_mode & 0777, "", "%s%s", there, new_suffix);
  if (add->confs.failed)
    return fault_no_memory(f);
  *ret_text = text;
  return file_read(there, CONF_MAX, text, f);
}

/* A file that was named on the command line is not looked for beside the configuration. */
static bool add_path(const char *option, const char *given, struct buf *out, struct fault *f)
{
  char *path = realpath(given, NULL);
  if (path == NULL)
    return fault_set(f, FILE_ERROR, "cannot find %s: %m", given);
  buf_addf(out, "%s = ", option);
  conf_text_quote(out, path);
  buf_add_text(out, "\n");
  free(path);
  return true;
}

static bool add_daemon_section(const struct add *add, const char *given_root, struct buf *out,
                               struct fault *f)
{
  buf_addf(out,
           "\n# Made by `mintmark authority add`; `mintmark authority activate %s` lets it issue.\n"
           "authority \"%s\" {\n  certificate = \"%s.crt\"\n  chain = \"%s.chain.pem\"\n",
           add->name, add->name, add->name, add->name);
  if (add->new_root)
    buf_addf(out, "  root = \"%s.root.crt\"\n", add->name);
  else if (given_root == NULL)
    buf_add_text(out, "  root = \"root.crt\"\n");
  else if (!add_path("  root", given_root, out, f))
    return false;
  if (add->made.cross_der.len > 0)
    buf_addf(out, "  cross = \"%s.root.cross.crt\"\n", add->name);
  buf_add_text(out, "}\n");
  return true;
}

static bool add_keyd_section(const struct add *add, struct buf *out, struct fault *f)
{
  buf_addf(out, "\n[%s]\ncertificate = \"%s.crt\"\nkey = \"keys/%s.key\"\n", add->name, add->name,
           add->name);
  return add->passphrase_file == NULL || add_path("passphrase_file", add->passphrase_file, out, f);
}

static bool change_confs(const struct args *args, struct add *add, struct fault *f)
{
  struct buf *daemon, *keyd;
  AUTO(buf) socket = {0};
  if (!load_conf(add, "keyd.conf", &keyd, f) || !add_keyd_section(add, keyd, f) ||
      !load_conf(add, "mintmark.conf", &daemon, f))
    return false;
  add->by_socket = conf_text_get(buf_bytes(daemon), "socket", &socket);
  return add_daemon_section(add, args_get(args, "root"), daemon, f) &&
         ((buf_ok(daemon) && buf_ok(keyd)) || fault_no_memory(f));
}

/* As the keys that are there: root makes this one, the key holder must be able to read it. */
static bool give_key(const struct add *add, struct fault *f)
{
  AUTO(buf) folder = {0};
  AUTO(buf) key = {0};
  struct stat st;
  buf_addf(&folder, "%s/keys", add->dir);
  buf_addf(&key, "%s/keys/%s.key", add->dir, add->name);
  const char *path = buf_text(&key);
  if (stat(buf_text(&folder), &st) != 0 || st.st_uid == geteuid() ||
      lchown(path, st.st_uid, st.st_gid) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "cannot give %s to the key holder's user: %s", path,
                   strerror(errno));
}

/* Root makes the new one, and whoever reads the old one reads it. */
static bool put_conf(const char *new_path, struct fault *f)
{
  AUTO(buf) path = {0};
  struct stat st;
  buf_add(&path, new_path, strlen(new_path) - strlen(new_suffix));
  const char *there = buf_text(&path);
  if (!buf_ok(&path))
    return fault_no_memory(f);
  if (stat(there, &st) != 0 || (geteuid() == 0 && lchown(new_path, st.st_uid, st.st_gid) != 0))
    return fault_set(f, FILE_ERROR, "cannot give %s the owner of %s: %s", new_path, there,
                     strerror(errno));
  return file_put_in_place(new_path, there, f);
}

/* The key holder's first: one that has a key which nobody asks for is as it was. */
static bool put_confs(struct add *add, struct fault *f)
{
  for (size_t i = 0; i < add->confs.n; i++) {
    if (put_conf(add->confs.items[i].path, f))
      add->is_named = true;
    else
      return add->is_named ? fault_prefix(f, "keyd.conf has the key of %s already", add->name)
                           : false;
  }
  return true;
}

/* The new files first: a configuration never names what is not there. Both configurations are on
 * the disk before one of them takes its place: a disk that is full leaves both as they were. */
static bool write_all(struct add *add, struct fault *f)
{
  if (!outputs_write(&add->files, false, f))
    return false;
  if (give_key(add, f) && outputs_write(&add->confs, true, f) && put_confs(add, f))
    return true;
  outputs_remove(&add->confs);
  if (!add->is_named)
    outputs_remove(&add->files);
  return false;
}

/* --- the daemon --- */

static bool is_listed(struct client *client, const char *name)
{
  AUTO(fault) ignored = {0};
  AUTO(json) reply = NULL;
  const struct call call = {.path = "/v1/authorities"};
  size_t i;
  json_t *row;
  if (!client_call(client, &call, NULL, &reply, &ignored))
    return false;
  json_array_foreach(json_object_get(reply, "authorities"), i, row)
  {
    if (strcmp(json_text(row, "name"), name) == 0)
      return true;
  }
  return false;
}

enum taken { NOT_TOLD, NOT_TAKEN, TAKEN };

/* Has the daemon read its configuration again, and waits until it knows of the new one. */
static enum taken tell_daemon(const struct args *args, struct add *add)
{
  AUTO(client) client = NULL;
  const struct call call = {.path = "/v1/reload", .post = true};
  if (!client_open(args, 0, &client, &add->untold) ||
      !client_call(client, &call, NULL, NULL, &add->untold))
    return NOT_TOLD;
  int64_t until_ms = when_monotonic_ms() + TAKEN_WITHIN_MS;
  do {
    if (is_listed(client, add->name))
      return TAKEN;
    nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
  } while (when_monotonic_ms() < until_ms);
  return NOT_TAKEN;
}

/* --- what is said --- */

static void say_root(const struct add *add)
{
  if (!add->new_root)
    return;
  printf("\nThe new root must come to those who are to trust it before widgets show certificates\n"
         "below it%s. Take its key offline:\n  shred -u %s/%s.root.key\n",
         add->made.cross_der.len > 0 ? "; until then they go by the old root, which has signed it"
                                     : "",
         add->dir, add->name);
}

static void say_next(const struct add *add, enum taken taken)
{
  if (taken == TAKEN && add->by_socket)
    printf("\nThe daemon knows of it. Next, have the key holder load its key, and let it issue:\n"
           "  systemctl restart mintmark-keyd\n");
  else if (taken == TAKEN)
    printf("\nThe daemon knows of it. Next, let it issue:\n");
  else
    printf("\nThe daemon was not told (%s).\nIt will know of it when it is started, or reloaded "
           "(SIGHUP). Then, let it issue:\n",
           add->untold.detail);
  printf("  mintmark authority activate %s --dir %s\n", add->name, add->dir);
}

static bool say(const struct args *args, const struct add *add, enum taken taken, struct fault *f)
{
  char until[WHEN_TEXT_SIZE];
  when_text(until, add->made.issuing.not_after);
  if (taken == NOT_TAKEN)
    return fault_set(f, BAD_CONFIG,
                     "the files are written, but the daemon did not take them: its log says why");
  if (args_has(args, "json"))
    return json_print(json_pack("{s:s, s:s, s:b, s:o}", "name", add->name, "not_after", until,
                                "running", taken == TAKEN, "files", json_of_outputs(&add->files)),
                      f);
  printf("%s, %s, is made; it is valid until %.10s.\n\n", add->name, add->issuing_cn, until);
  outputs_print(&add->files);
  printf("\nmintmark.conf and keyd.conf in %s know of it now.\n", add->dir);
  say_root(add);
  say_next(add, taken);
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(add) add = {0};
  if (!read_args(args, &add, f) || !refuse_existing(&add, f) || !read_root(args, &add, f) ||
      !make(args, &add, f) || !add_files(&add, f) || !change_confs(args, &add, f) ||
      !write_all(&add, f))
    return false;
  return say(args, &add, tell_daemon(args, &add), f);
}

static const struct option options[] = {
    {"key-type", "TYPE", "ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096 [ec-p256]", 0},
    {"validity", "DURATION", "of the issuing CA's certificate [3650d]", 0},
    {"cn", "TEXT", "its common name [ORGANIZATION Issuing CA NAME]", 0},
    {"root", "FILE", "certificate of the root that is there [DIR/root.crt]", 0},
    {"root-key", "FILE", "its key, which was taken offline [DIR/root.key]", 0},
    {"root-passphrase-file", "FILE", "opens the root's key with its first line", 0},
    {"new-root", NULL, "below a new root, instead of the one that is there", 0},
    {"root-cn", "TEXT", "the new root's common name [ORGANIZATION Root CA NAME]", 0},
    {"root-validity", "DURATION", "of the new root [7300d]", 0},
    {"cross", NULL, "has the old root sign the new one, for clients that know the old one alone",
     0},
    {"passphrase-file", "FILE", "encrypts the new keys with its first line", 0},
    {"json", NULL, "print what was made as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "A new issuing CA below the same root, before the old one expires",
    "mintmark authority add issuing-2 --dir acme --root-key /media/offline/root.key",
    "Below a new root, which clients of the old one take as well",
    "mintmark authority add issuing-3 --dir acme --new-root --cross \\\n"
    "      --root-key /media/offline/root.key",
    NULL,
};

const struct verb verb_authority_add = {
    .name = "authority add",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "make one more issuing CA, which does not issue yet",
    .about = "Makes a key and a certificate below the root (or below a new one), adds them to "
             "mintmark.conf and keyd.conf in DIR, and has the daemon read them. It issues from "
             "'mintmark authority activate' on; the others go on signing revocation lists and OCSP "
             "for what they issued.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
