/* verb_export.c - mintmark export: a certificate and its key in the forms that devices load. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/bundle.h"
#include "cli/json_out.h"
#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/pki/cert.h"

enum { CHAIN_FILE_MAX = 1024 * 1024 };

/* "out/W-1001.chain.pem" -> "out/W-1001". */
static char *base_of(const char *path)
{
  static const char *const suffixes[] = {".chain.pem", ".crt", ".pem", ".cer", ".der"};
  size_t len = strlen(path);
  for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
    size_t suffix = strlen(suffixes[i]);
    if (len > suffix && strcmp(path + len - suffix, suffixes[i]) == 0)
      return strndup(path, len - suffix);
  }
  return strdup(path);
}

static bool add_file(struct bundle *bundle, const char *path, struct fault *f)
{
  AUTO(secret_buf) content = {0};
  if (path == NULL)
    return true;
  if (!file_read(path, CHAIN_FILE_MAX, &content, f))
    return false;
  return bundle_add_certs(bundle, buf_bytes(&content), f) || fault_prefix(f, "%s", path);
}

/* A certificate that stands in --cert and again in --chain is taken once. */
static void drop_repeated(struct bundle *bundle)
{
  size_t kept = 0;
  for (size_t i = 0; i < bundle->n_chain; i++) {
    size_t k = 0;
    while (k < kept && !bytes_equal(buf_bytes(&bundle->chain[k]), buf_bytes(&bundle->chain[i])))
      k++;
    if (k < kept) {
      buf_free(&bundle->chain[i]);
    } else {
      struct buf moved = bundle->chain[i];
      bundle->chain[i] = (struct buf){0};
      bundle->chain[kept++] = moved;
    }
  }
  bundle->n_chain = kept;
}

static bool check_key(const struct bundle *bundle, const struct args *args, struct fault *f)
{
  AUTO(cert) cert = {0};
  if (!cert_read(buf_bytes(&bundle->chain[0]), true, &cert, f))
    return false;
  return private_key_fits(bundle->key, cert.key.spki) ||
         fault_set(f, BAD_FILE, "%s does not belong to the certificate in %s",
                   args_get(args, "key"), args_get(args, "cert"));
}

static bool set_c_name(struct bundle *bundle, const char *given, struct fault *f)
{
  const char *slash = strrchr(bundle->base, '/');
  if (given == NULL) {
    bundle_set_c_name(bundle, slash != NULL ? slash + 1 : bundle->base);
    return true;
  }
  return TEXT_COPY(bundle->c_name, bytes_of_text(given)) ||
         fault_set(f, BAD_USAGE, "--name is longer than %d characters", C_NAME_SIZE - 1);
}

static bool write_files(const struct bundle *bundle, unsigned forms, const struct args *args,
                        struct fault *f)
{
  AUTO(outputs) files = {0};
  bool force = args_has(args, "force");
  if (!bundle_files(bundle, forms, &files, f) ||
      (!force && !outputs_refuse_existing(&files, "--force replaces it", f)) ||
      !outputs_write(&files, force, f))
    return false;
  if (args_has(args, "json"))
    return json_print(json_pack("{s:o}", "files", json_of_outputs(&files)), f);
  outputs_print(&files);
  return true;
}

static bool export_to(const char *base, const struct args *args, struct fault *f)
{
  AUTO(secret_buf) passphrase = {0};
  AUTO(private_key) key = NULL;
  AUTO(bundle) bundle = {.base = base, .friendly_name = base};
  unsigned forms;
  if (!forms_read(args_get(args, "format"), &forms, f) ||
      !secret_line_read(args_get(args, "passphrase-file"), "passphrase", &passphrase, f) ||
      !add_file(&bundle, args_get(args, "cert"), f) ||
      !add_file(&bundle, args_get(args, "chain"), f) ||
      !set_c_name(&bundle, args_get(args, "name"), f))
    return false;
  drop_repeated(&bundle);
  bundle.passphrase = buf_bytes(&passphrase);
  bundle.friendly_name = bundle.c_name;
  if (args_has(args, "key") && !key_file_read(args_get(args, "key"), bundle.passphrase, &key, f))
    return false;
  bundle.key = key;
  return (key == NULL || check_key(&bundle, args, f)) && write_files(&bundle, forms, args, f);
}

static bool run(const struct args *args, struct fault *f)
{
  const char *out = args_get(args, "out");
  char *base = out != NULL ? strdup(out) : base_of(args_get(args, "cert"));
  bool done = base != NULL ? export_to(base, args, f) : fault_no_memory(f);
  free(base);
  return done;
}

static const struct option options[] = {
    {"format", "LIST", "out of c, p12, der, pem, with commas between them", OPTION_REQUIRED},
    {"cert", "FILE", "the certificate, and its chain if the file has it", OPTION_REQUIRED},
    {"chain", "FILE", "the certificates above it", 0},
    {"key", "FILE", "the private key; p12 needs it", 0},
    {"out", "BASE", "path of the files without suffix [from --cert]", 0},
    {"name", "IDENT", "beginning of the names in C and name in PKCS #12 [from --out]", 0},
    {"passphrase-file", "FILE", "opens an encrypted key, and protects the .p12", 0},
    {"force", NULL, "replace files that are there", 0},
    {"json", NULL, "print the files' names as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "C source for the firmware of one widget: W-1001.c and W-1001.h",
    "mintmark export --format c --cert W-1001.chain.pem --key W-1001.key",
    "A file that Windows imports",
    "mintmark export --format p12 --cert W-1001.chain.pem --key W-1001.key \\\n"
    "      --passphrase-file p12.pass",
    NULL,
};

const struct verb verb_export = {
    .name = "export",
    .summary = "a certificate and its key as C source, PKCS #12, DER or PEM",
    .about = "Reads files that are there and writes them in another form, for a device to load. "
             "The key must belong to the certificate. Files with a key in them have mode 0600.",
    .options = options,
    .examples = examples,
    .run = run,
};
