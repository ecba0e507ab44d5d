/* verb_issue.c - mintmark issue: a key, a request, and what the device needs in files.
 *
 * A reply that is lost must not cost a certificate: the key is on disk before the daemon is asked,
 * so that the next try is the same request, which gets the same certificate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/bundle.h"
#include "cli/client.h"
#include "cli/issue_batch.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/cert.h"
#include "lib/pki/csr.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"

enum { PATIENCE_S = 30, CN_MAX = 64 };

struct issue {
  const struct args *args;
  unsigned forms;
  char *base;         /* path without suffix */
  char *key_path;     /* where the key is, or will be; NULL with --csr */
  char *new_key_path; /* while another key still stands at key_path; NULL: it does not */
  bool key_is_ours;   /* made here, or left by an interrupted try */
  bool resumed;
  struct private_key *key;    /* NULL with --csr */
  struct buf passphrase, csr; /* csr: DER */
  struct bundle bundle;
  struct outputs files;
  json_t *reply;
  int status;
};

static void issue_free(struct issue *issue)
{
  free(issue->base);
  free(issue->key_path);
  free(issue->new_key_path);
  private_key_free(issue->key);
  buf_wipe(&issue->passphrase);
  buf_free(&issue->csr);
  bundle_free(&issue->bundle);
  outputs_free(&issue->files);
  json_decref(issue->reply);
}

AUTO_VALUE(issue, struct issue, issue_free)

/* "W-1001" below --out; what cannot stand in a file's name becomes '_'. */
static bool set_base(struct issue *issue, struct fault *f)
{
  const char *serial = args_get_or(issue->args, "serial", "certificate");
  const char *out = args_get_or(issue->args, "out", ".");
  bool here = strcmp(out, ".") == 0;
  if (asprintf(&issue->base, "%s%s%s", here ? "" : out, here ? "" : "/", serial) < 0) {
    issue->base = NULL;
    return fault_no_memory(f);
  }
  char *name = issue->base + strlen(issue->base) - strlen(serial);
  for (char *p = name; *p != '\0'; p++)
    if (!text_is_token(bytes_of(p, 1), 1, "-_.") || (p == name && *p == '.'))
      *p = '_';
  return true;
}

static bool check_usage(const struct args *args, struct fault *f)
{
  if (args_has(args, "csr") && args_has(args, "key"))
    return fault_set(f, BAD_USAGE, "give --csr or --key, not both");
  if ((args_has(args, "csr") || args_has(args, "key")) && args_has(args, "key-type"))
    return fault_set(f, BAD_USAGE, "--key-type is for a new key");
  if (args_has(args, "force") && args_has(args, "resume"))
    return fault_set(f, BAD_USAGE,
                     "--force makes a new key and --resume uses the one that is "
                     "there: give one of them");
  return true;
}

static bool make_out_folder(const struct issue *issue, struct fault *f)
{
  const char *out = args_get(issue->args, "out");
  if (out == NULL || mkdir(out, 0777) == 0)
    return true;
  struct stat st;
  return (stat(out, &st) == 0 && S_ISDIR(st.st_mode)) ||
         fault_set(f, FILE_ERROR, "cannot make the folder %s: %m", out);
}

/* Before anything is made: would something be overwritten? */
static bool look_at_files(const struct issue *issue, struct fault *f)
{
  AUTO(outputs) paths = {0};
  bundle_paths(issue->base, issue->forms, !args_has(issue->args, "csr"), &paths);
  if (args_has(issue->args, "force") || args_has(issue->args, "resume"))
    return true;
  return outputs_refuse_existing(
      &paths, "--force makes a new key and replaces it, --resume asks again with the same key", f);
}

static bool read_csr(struct issue *issue, const char *path, struct fault *f)
{
  AUTO(buf) content = {0};
  if ((issue->forms & FORM_P12) != 0)
    return fault_set(f, BAD_USAGE, "--format p12 needs the private key, which --csr does not give");
  if (!file_read(path, 4 * CSR_MAX, &content, f))
    return false;
  return csr_decode(buf_bytes(&content), &issue->csr, f) || fault_prefix(f, "%s", path);
}

static bool generate_key(struct issue *issue, struct fault *f)
{
  AUTO(secret_buf) pem = {0};
  const char *path = issue->new_key_path != NULL ? issue->new_key_path : issue->key_path;
  screen_busy("making the key");
  bool made = private_key_generate(args_get_or(issue->args, "key-type", "ec-p256"), &issue->key, f);
  screen_done();
  return made && private_key_write(issue->key, (struct bytes){0}, &pem, f) &&
         file_write(path, buf_bytes(&pem), MODE_SECRET, false, f);
}

static bool load_key(struct issue *issue, const char *path, struct fault *f)
{
  return key_file_read(path, buf_bytes(&issue->passphrase), &issue->key, f);
}

/* "rsa" fits "rsa-2048", too. */
static bool resume_with(struct issue *issue, const char *path, struct fault *f)
{
  const char *wanted = args_get(issue->args, "key-type");
  issue->resumed = true;
  if (!load_key(issue, path, f))
    return false;
  const char *type = key_type_name(private_key_type(issue->key));
  return wanted == NULL || strncmp(wanted, type, strlen(type)) == 0 ||
         fault_set(f, BAD_FILE, "the key of an earlier try, %s, is of another type: %s", path,
                   type);
}

/* The key: the one of an interrupted try, or a new one. */
static bool own_key(struct issue *issue, struct fault *f)
{
  bool force = args_has(issue->args, "force");
  if (asprintf(&issue->key_path, "%s.key", issue->base) < 0) {
    issue->key_path = NULL;
    return fault_no_memory(f);
  }
  issue->key_is_ours = true;
  bool there = file_exists(issue->key_path);
  if (there && !force)
    return resume_with(issue, issue->key_path, f);
  if (there && asprintf(&issue->new_key_path, "%s.key.new", issue->base) < 0) {
    issue->new_key_path = NULL;
    return fault_no_memory(f);
  }
  if (there && file_exists(issue->new_key_path))
    return resume_with(issue, issue->new_key_path, f);
  return generate_key(issue, f);
}

static bool write_csr(struct issue *issue, struct fault *f)
{
  AUTO(buf) subject = {0};
  const char *serial = args_get_or(issue->args, "serial", "");
  const struct name_part cn = {ATTR_COMMON_NAME, bytes_of_text(serial)};
  bool named = serial[0] != '\0' && strlen(serial) <= CN_MAX;
  return name_write(&cn, named ? 1 : 0, &subject, f) &&
         private_key_write_csr(issue->key, buf_bytes(&subject), NULL, &issue->csr, f);
}

static bool prepare(struct issue *issue, struct fault *f)
{
  const struct args *args = issue->args;
  const char *csr = args_get(args, "csr"), *key = args_get(args, "key");
  if (!check_usage(args, f) || !forms_read(args_get_or(args, "format", "pem"), &issue->forms, f) ||
      !secret_line_read(args_get(args, "passphrase-file"), "passphrase", &issue->passphrase, f) ||
      !set_base(issue, f) || !look_at_files(issue, f) || !make_out_folder(issue, f))
    return false;
  if (csr != NULL)
    return read_csr(issue, csr, f);
  return (key != NULL ? load_key(issue, key, f) : own_key(issue, f)) && write_csr(issue, f);
}

static json_t *list_of(const struct args *args, const char *option)
{
  json_t *list = json_array();
  const char *value;
  for (size_t i = 0; (value = args_nth(args, option, i)) != NULL; i++)
    json_array_append_new(list, json_string(value));
  return list;
}

static json_t *make_body(const struct issue *issue)
{
  static const char *const labels[][2] = {
      {"serial", "device_serial"}, {"profile", "profile"}, {"order", "order"}, {"model", "model"}};
  AUTO(buf) pem = {0};
  pem_add(&pem, "CERTIFICATE REQUEST", buf_bytes(&issue->csr));
  json_t *body =
      json_pack("{s:s, s:o, s:o, s:o, s:b}", "csr", buf_text(&pem), "ip_sans",
                list_of(issue->args, "ip"), "dns_sans", list_of(issue->args, "dns"), "uri_sans",
                list_of(issue->args, "uri"), "replace", (int)args_has(issue->args, "replace"));
  for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
    const char *value = args_get(issue->args, labels[i][0]);
    if (value != NULL)
      json_object_set_new(body, labels[i][1], json_string(value));
  }
  return body;
}

static bool ask(struct issue *issue, struct client *client, struct fault *f)
{
  AUTO(json) body = make_body(issue);
  const struct call call = {.path = "/v1/certificates", .body = body};
  if (body == NULL)
    return fault_set(f, BAD_USAGE, "an option's value is not UTF-8");
  if (client_call(client, &call, &issue->status, &issue->reply, f))
    return true;
  if (f->code == FAULT_DEVICE_HAS_CERTIFICATE) { /* the daemon knows of no options */
    char detail[sizeof f->detail];
    memcpy(detail, f->detail, sizeof detail);
    fault_set(f, DEVICE_HAS_CERTIFICATE, "%s (--replace)", detail);
  }
  return false;
}

/* Is it for our key? Nothing is written otherwise. */
static bool check_key(const struct issue *issue, struct fault *f)
{
  AUTO(cert) cert = {0};
  AUTO(csr) csr = {0};
  if (!cert_read(buf_bytes(&issue->bundle.chain[0]), true, &cert, f) ||
      !csr_read(buf_bytes(&issue->csr), &csr, f))
    return false;
  return bytes_equal(cert.key.spki, csr.key.spki) ||
         fault_set(f, BAD_FILE, "the daemon's certificate is for another key");
}

static bool take_reply(struct issue *issue, struct fault *f)
{
  struct bundle *bundle = &issue->bundle;
  if (!bundle_add_certs(bundle, bytes_of_text(json_text(issue->reply, "certificate")), f))
    return fault_prefix(f, "the daemon's reply");
  size_t i;
  json_t *above;
  json_array_foreach(json_object_get(issue->reply, "ca_chain"), i, above)
  {
    const char *text = json_string_value(above);
    if (!bundle_add_certs(bundle, bytes_of_text(text != NULL ? text : ""), f))
      return fault_prefix(f, "the daemon's reply");
  }
  bundle->base = issue->base;
  bundle->key = issue->key;
  bundle->passphrase = buf_bytes(&issue->passphrase);
  bundle->friendly_name = args_get_or(issue->args, "serial", "certificate");
  bundle_set_c_name(bundle, bundle->friendly_name);
  return check_key(issue, f) && bundle_files(bundle, issue->forms, &issue->files, f);
}

static bool write_files(struct issue *issue, struct fault *f)
{
  bool replace = args_has(issue->args, "force") || args_has(issue->args, "resume");
  if (!outputs_write(&issue->files, replace, f))
    return false;
  if (issue->new_key_path != NULL && rename(issue->new_key_path, issue->key_path) != 0)
    return fault_set(f, FILE_ERROR, "cannot rename %s: %m", issue->new_key_path);
  if (issue->key_is_ours)
    outputs_add(&issue->files, MODE_SECRET, "private key, for this device alone", "%s",
                issue->key_path);
  return !issue->files.failed || fault_no_memory(f);
}

static void say_row(const char *label, const char *text)
{
  if (text[0] != '\0')
    screen_row(stdout, label, 13, text);
}

static void say_names(const json_t *reply)
{
  static const char *const lists[] = {"ip_sans", "dns_sans", "uri_sans"};
  AUTO(buf) names = {0};
  for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
    size_t k;
    json_t *name;
    json_array_foreach(json_object_get(reply, lists[i]), k, name)
        buf_addf(&names, "%s%s", names.len > 0 ? ", " : "", json_string_value(name));
  }
  text_make_printable((char *)(uintptr_t)buf_text(&names));
  say_row("names", buf_text(&names));
}

static bool say_plain(const struct issue *issue, struct fault *f)
{
  AUTO(cert) cert = {0};
  AUTO(buf) until = {0};
  AUTO(buf) issuer = {0};
  if (!cert_read(buf_bytes(&issue->bundle.chain[0]), true, &cert, f))
    return false;
  screen_when(&until, cert.not_after, when_now());
  name_text(cert.issuer, &issuer);
  printf("%s has its certificate%s.\n\n", args_get_or(issue->args, "serial", "The device"),
         issue->status == 200 ? ": this was asked before, and it is the same one" : "");
  say_names(issue->reply);
  say_row("serial number", json_text(issue->reply, "serial_number"));
  say_row("profile", json_text(issue->reply, "profile"));
  say_row("valid until", buf_text(&until));
  say_row("issuer", buf_text(&issuer));
  putchar('\n');
  outputs_print(&issue->files);
  return true;
}

static bool say(const struct issue *issue, struct fault *f)
{
  if (!args_has(issue->args, "json"))
    return say_plain(issue, f);
  json_object_set_new(issue->reply, "replayed", json_boolean(issue->status == 200));
  json_object_set_new(issue->reply, "files", json_of_outputs(&issue->files));
  return json_print(json_incref(issue->reply), f);
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(issue) issue = {.args = args};
  if (args_has(args, "batch"))
    return issue_batch(args, f);
  if (!client_open(args, PATIENCE_S, &client, f) || !prepare(&issue, f))
    return false;
  if (issue.resumed && !args_has(args, "resume") && !args_has(args, "json"))
    fprintf(stderr, "Going on with the key of an earlier try, %s.\n",
            issue.new_key_path != NULL ? issue.new_key_path : issue.key_path);
  return ask(&issue, client, f) && take_reply(&issue, f) && write_files(&issue, f) &&
         say(&issue, f);
}

static const struct option options[] = {
    {"serial", "SERIAL", "the device's serial number, as on its nameplate", 0},
    {"ip", "ADDRESS", "an IP address that it answers at; may be repeated", OPTION_REPEATS},
    {"dns", "NAME", "a DNS name, likewise", OPTION_REPEATS},
    {"uri", "URI", "a URI, likewise", OPTION_REPEATS},
    {"profile", "NAME", "what kind of certificate [the daemon's default]", 0},
    {"order", "ORDER", "the production order that it is issued under", 0},
    {"model", "MODEL", "the model, for the record", 0},
    {"replace", NULL, "the device was reworked: a new key in place of its earlier one", 0},
    {"key-type", "TYPE", "of the new key: ec-p256, ec-p384, rsa-2048, rsa-3072 ... [ec-p256]", 0},
    {"key", "FILE", "use this private key instead of a new one", 0},
    {"csr", "FILE", "use this request; the key stays where it is", 0},
    {"out", "DIR", "folder for the files [.]; with --batch: the file for the answers", 0},
    {"batch", "FILE", "send the requests that are in this file, a JSON object on each line", 0},
    {"format", "LIST", "out of pem, der, p12, c, with commas between them [pem]", 0},
    {"passphrase-file", "FILE", "opens an encrypted --key, and protects the .p12", 0},
    {"force", NULL, "replace files that are there", 0},
    {"resume", NULL, "ask again with the key that is there, and write the files again", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "Key, certificate and chain for the widget at 10.1.1.68",
    "mintmark issue --dir acme --serial W-1001 --ip 10.1.1.68 --out W-1001",
    "The same as C source for its firmware, under a production order",
    "mintmark issue --dir acme --serial W-1001 --ip 10.1.1.68 --order PO-7781 --format c",
    "The widget has made its own key",
    "mintmark issue --dir acme --serial W-1001 --ip 10.1.1.68 --csr W-1001.csr",
    "A week's requests in one file",
    "mintmark issue --dir acme --batch requests.ndjson --out certificates.ndjson",
    NULL,
};

const struct verb verb_issue = {
    .name = "issue",
    .summary = "a certificate for a device, and the files that it needs",
    .about = "Makes a key (unless --csr or --key gives one), asks the daemon, and writes "
             "SERIAL.key, SERIAL.crt, SERIAL.chain.pem and what else --format names. Run the same "
             "command again when it was interrupted: it goes on with the same key, and the daemon "
             "answers with the same certificate. It waits up to 30 seconds for a daemon that "
             "cannot be reached or is busy (--timeout). With --batch it sends many requests (the "
             "JSON objects of POST /v1/certificates) and writes what becomes of each to --out.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
