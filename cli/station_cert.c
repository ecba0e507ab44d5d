/* station_cert.c - see station_cert.h. */
#include "cli/station_cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/json_out.h"
#include "cli/outputs.h"
#include "cli/screen.h"
#include "cli/secrets.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"

static bool set_path(char **path, const char *folder, const char *name, const char *suffix,
                     struct fault *f)
{
  if (asprintf(path, "%s/%s%s", folder, name, suffix) >= 0)
    return true;
  *path = NULL;
  return fault_no_memory(f);
}

/* The name becomes a file's: it must be one that the daemon takes, too. */
static bool set_paths(const struct args *args, const char *name, bool replace,
                      struct station_cert *cert, struct fault *f)
{
  const char *folder = args_get_or(args, "out", ".");
  if (!text_is_token(bytes_of_text(name), 64, "-_"))
    return fault_set(f, BAD_USAGE, "a name has 1 to 64 of A-Z a-z 0-9 - _");
  if (mkdir(folder, 0777) != 0 && !file_exists(folder))
    return fault_set(f, FILE_ERROR, "cannot make the folder %s: %m", folder);
  if (!set_path(&cert->key_path, folder, name, ".key", f) ||
      !set_path(&cert->cert_path, folder, name, ".crt", f) ||
      (replace && !set_path(&cert->new_key_path, folder, name, ".key.new", f)))
    return false;
  return replace || !file_exists(cert->cert_path) ||
         fault_set(f, FILE_ERROR, "%s is there already: mintmark station rotate makes a new one",
                   cert->cert_path);
}

static bool make_key(const struct args *args, struct station_cert *cert, struct fault *f)
{
  AUTO(secret_buf) pem = {0};
  const char *path = cert->new_key_path != NULL ? cert->new_key_path : cert->key_path;
  if (file_exists(path))
    return key_file_read(path, (struct bytes){0}, &cert->key, f);
  screen_busy("making the key");
  bool made = private_key_generate(args_get_or(args, "key-type", "ec-p256"), &cert->key, f);
  screen_done();
  return made && private_key_write(cert->key, (struct bytes){0}, &pem, f) &&
         file_write(path, buf_bytes(&pem), MODE_SECRET, false, f);
}

static json_t *make_body(const struct station_cert *cert, const char *name, bool replace,
                         struct fault *f)
{
  AUTO(buf) subject = {0};
  AUTO(buf) der = {0};
  AUTO(buf) pem = {0};
  const struct name_part cn = {ATTR_COMMON_NAME, bytes_of_text(name)};
  if (!name_write(&cn, 1, &subject, f) ||
      !private_key_write_csr(cert->key, buf_bytes(&subject), NULL, &der, f))
    return NULL;
  pem_add(&pem, "CERTIFICATE REQUEST", buf_bytes(&der));
  json_t *body = json_pack("{s:s, s:s, s:s, s:b}", "csr", buf_text(&pem), "device_serial", name,
                           "profile", "station", "replace", (int)replace);
  if (body == NULL)
    fault_no_memory(f);
  return body;
}

static bool take_reply(json_t *reply, struct station_cert *cert, struct fault *f)
{
  size_t i;
  json_t *above;
  buf_add_text(&cert->chain_pem, json_text(reply, "certificate"));
  json_array_foreach(json_object_get(reply, "ca_chain"), i, above)
  {
    const char *text = json_string_value(above);
    buf_add_text(&cert->chain_pem, text != NULL ? text : "");
  }
  if (!buf_ok(&cert->chain_pem))
    return fault_no_memory(f);
  return (cert->chain_pem.len > 0 &&
          TEXT_COPY(cert->serial_number, bytes_of_text(json_text(reply, "serial_number")))) ||
         fault_set(f, BAD_FILE, "the daemon's reply holds no certificate");
}

bool station_cert_ask(const struct args *args, struct client *client, const char *name,
                      bool replace, struct station_cert *ret_cert, struct fault *f)
{
  AUTO(json) reply = NULL;
  if (!set_paths(args, name, replace, ret_cert, f) || !make_key(args, ret_cert, f))
    return false;
  AUTO(json) body = make_body(ret_cert, name, replace, f);
  const struct call call = {.path = "/v1/certificates", .body = body};
  return body != NULL && client_call(client, &call, NULL, &reply, f) &&
         take_reply(reply, ret_cert, f);
}

bool station_cert_keep(const struct station_cert *cert, struct fault *f)
{
  if (cert->new_key_path != NULL && rename(cert->new_key_path, cert->key_path) != 0)
    return fault_set(f, FILE_ERROR, "cannot rename %s: %m", cert->new_key_path);
  return file_write(cert->cert_path, buf_bytes(&cert->chain_pem), MODE_PUBLIC, true, f);
}

void station_cert_free(struct station_cert *cert)
{
  free(cert->key_path);
  free(cert->cert_path);
  free(cert->new_key_path);
  private_key_free(cert->key);
  buf_free(&cert->chain_pem);
}
