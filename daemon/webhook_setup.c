/* webhook_setup.c - see webhook_setup.h. */
#include "daemon/webhook_setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/ca/pem_file.h"
#include "lib/pki/cert.h"

enum { SECRET_MIN = 32, SECRET_MAX = 1024, CERTIFICATES_MAX = 64 };

/* --- the secret --- */

/* As with a key: whoever else can read it can tell the receiver anything in our name. */
static bool check_mode(const char *path, struct fault *f)
{
  struct stat info;
  if (stat(path, &info) != 0)
    return fault_set(f, FILE_ERROR, "cannot read %s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode))
    return fault_set(f, BAD_FILE, "%s is not a regular file", path);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fault_set(f, BAD_FILE, "%s has mode %04o: make it 0600, so that nobody else can read it",
                     path, (unsigned)info.st_mode & 07777);
  return true;
}

/* Editors and shells put a line's end behind it. */
static void drop_line_end(struct buf *secret)
{
  if (secret->len > 0 && secret->data[secret->len - 1] == '\n')
    secret->len--;
  if (secret->len > 0 && secret->data[secret->len - 1] == '\r')
    secret->len--;
}

static bool read_secret(const char *path, struct buf *secret, struct fault *f)
{
  if (!check_mode(path, f) || !file_read(path, SECRET_MAX, secret, f))
    return false;
  drop_line_end(secret);
  return secret->len >= SECRET_MIN ||
         fault_set(f, BAD_FILE,
                   "%s: a secret has %d octets at least; make one with: openssl rand -hex 32", path,
                   SECRET_MIN);
}

/* --- the certificates --- */

static bool check_cacert(const char *path, struct fault *f)
{
  struct buf ders[CERTIFICATES_MAX] = {0};
  struct cert cert;
  size_t n = 0;
  bool done = pem_file_read(path, "CERTIFICATE", "certificate", CERTIFICATES_MAX * CERT_MAX, ders,
                            CERTIFICATES_MAX, &n, f);
  for (size_t i = 0; i < n && done; i++)
    done = cert_read(buf_bytes(&ders[i]), false, &cert, f) || fault_prefix(f, "%s", path);
  for (size_t i = 0; i < CERTIFICATES_MAX; i++)
    buf_free(&ders[i]);
  return done;
}

/* --- all of it --- */

static bool copy_texts(const struct conf_webhook *conf, struct webhook_setup *setup,
                       struct fault *f)
{
  memcpy(setup->name, conf->name, sizeof setup->name);
  setup->url = strdup(conf->url);
  setup->cacert = conf->cacert != NULL ? strdup(conf->cacert) : NULL;
  return (setup->url != NULL && (setup->cacert != NULL) == (conf->cacert != NULL)) ||
         fault_no_memory(f);
}

bool webhook_setup_load(const struct conf_webhook *conf, struct webhook_setup *ret_setup,
                        struct fault *f)
{
  AUTO(webhook_setup)
  setup = {.kinds = conf->kinds, .timeout_ms = conf->timeout_s * 1000};
  if (!copy_texts(conf, &setup, f) || !read_secret(conf->secret_file, &setup.secret, f) ||
      (setup.cacert != NULL && !check_cacert(setup.cacert, f)))
    return fault_prefix(f, "webhook \"%s\"", conf->name);
  *ret_setup = setup;
  setup = (struct webhook_setup){0};
  return true;
}

void webhook_setup_free(struct webhook_setup *setup)
{
  free(setup->url);
  free(setup->cacert);
  buf_wipe(&setup->secret);
}

bool webhook_setups_load(const struct conf *conf, struct webhook_setups **ret_setups,
                         struct fault *f)
{
  AUTO(webhook_setups) setups = calloc(1, sizeof *setups);
  if (setups == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < conf->n_webhooks; i++) {
    if (!webhook_setup_load(&conf->webhooks[i], &setups->rows[i], f))
      return false;
    setups->n++;
  }
  *ret_setups = TAKE(setups);
  return true;
}

void webhook_setups_free(struct webhook_setups *setups)
{
  if (setups == NULL)
    return;
  for (size_t i = 0; i < setups->n; i++)
    webhook_setup_free(&setups->rows[i]);
  free(setups);
}
