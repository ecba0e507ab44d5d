/* where.c - see where.h. */
#include "cli/where.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/address.h"
#include "cli/conf_text.h"
#include "cli/secrets.h"
#include "lib/base/file.h"

enum { CONF_MAX = 1024 * 1024 };

/* DIR/name, or NULL when there is no --dir. */
static bool in_dir(const struct args *args, const char *name, char **ret_path, struct fault *f)
{
  const char *dir = args_get(args, "dir");
  if (dir == NULL || asprintf(ret_path, "%s/%s", dir, name) >= 0)
    return true;
  *ret_path = NULL;
  return fault_no_memory(f);
}

/* An option, or a file below --dir, or the environment; NULL when none of them is there. */
static bool find_path(const struct args *args, const char *option, const char *name,
                      const char *variable, char **ret_path, struct fault *f)
{
  const char *given = args_get(args, option);
  if (given == NULL && args_has(args, "dir"))
    return in_dir(args, name, ret_path, f);
  if (given == NULL)
    given = getenv(variable);
  if (given == NULL)
    return true;
  *ret_path = strdup(given);
  return *ret_path != NULL || fault_no_memory(f);
}

static bool set_url(struct where *where, struct bytes text, struct fault *f)
{
  while (text.len > 0 && text.data[text.len - 1] == '/')
    text.len--;
  if (text.len < 9 || strncasecmp((const char *)text.data, "https://", 8) != 0)
    return fault_set(f, BAD_USAGE, "'%.*s' is no URL such as https://127.0.0.1:8443", (int)text.len,
                     (const char *)text.data);
  where->url = strndup((const char *)text.data, text.len);
  return where->url != NULL || fault_no_memory(f);
}

/* The line `listen = ...` of the configuration that init wrote. */
static bool url_of_conf(const char *path, struct where *where, struct fault *f)
{
  AUTO(buf) conf = {0};
  AUTO(buf) listen = {0};
  AUTO(buf) url = {0};
  struct address address;
  if (!file_read(path, CONF_MAX, &conf, f))
    return false;
  if (!conf_text_get(buf_bytes(&conf), "listen", &listen))
    return fault_set(f, BAD_CONFIG, "%s has no line 'listen = ...'", path);
  if (!address_read(buf_text(&listen), &address, f))
    return fault_prefix(f, "%s", path);
  address_url(&address, &url);
  return buf_ok(&url) ? set_url(where, buf_bytes(&url), f) : fault_no_memory(f);
}

static bool find_url(const struct args *args, struct where *where, struct fault *f)
{
  const char *given = args_get(args, "url");
  if (given == NULL && args_has(args, "dir")) {
    char *path = NULL;
    bool found = in_dir(args, "mintmark.conf", &path, f) && url_of_conf(path, where, f);
    free(path);
    return found;
  }
  if (given == NULL)
    given = getenv("MINTMARK_URL");
  if (given == NULL)
    return fault_set(f, BAD_USAGE,
                     "which daemon? Give --dir DIR or --url URL, or set MINTMARK_URL");
  return set_url(where, bytes_of_text(given), f);
}

static bool find_token(const struct args *args, struct where *where, struct fault *f)
{
  char *path = NULL;
  if (!find_path(args, "token-file", "admin.token", "MINTMARK_TOKEN_FILE", &path, f))
    return false;
  bool found = path != NULL ? secret_line_read(path, "token", &where->token, f)
                            : fault_set(f, BAD_USAGE,
                                        "who are you? Give --dir DIR, --token-file FILE or "
                                        "--client-cert FILE, or set MINTMARK_TOKEN_FILE or "
                                        "MINTMARK_CERT");
  free(path);
  return found;
}

static bool take_certificate(const char *cert, const char *key, struct where *where,
                             struct fault *f)
{
  if (cert == NULL || key == NULL)
    return fault_set(f, BAD_USAGE,
                     "a client certificate needs its key: give both --client-cert and "
                     "--client-key, or set both MINTMARK_CERT and MINTMARK_KEY");
  where->client_cert = strdup(cert);
  where->client_key = strdup(key);
  return (where->client_cert != NULL && where->client_key != NULL) || fault_no_memory(f);
}

static bool refuse_both(struct fault *f)
{
  return fault_set(f, BAD_USAGE, "a token and a client certificate are given: give one of them");
}

/* A token or a certificate: of the options, else of --dir, else of the environment. */
static bool find_who(const struct args *args, struct where *where, struct fault *f)
{
  const char *cert = args_get(args, "client-cert"), *key = args_get(args, "client-key");
  bool token = args_has(args, "token-file");
  if (cert == NULL && key == NULL && !token && !args_has(args, "dir")) {
    cert = getenv("MINTMARK_CERT");
    key = getenv("MINTMARK_KEY");
    token = getenv("MINTMARK_TOKEN_FILE") != NULL;
  }
  if (cert == NULL && key == NULL)
    return find_token(args, where, f);
  return token ? refuse_both(f) : take_certificate(cert, key, where, f);
}

bool where_find(const struct args *args, struct where *ret_where, struct fault *f)
{
  return find_url(args, ret_where, f) && find_who(args, ret_where, f) &&
         find_path(args, "cacert", "root.crt", "MINTMARK_CACERT", &ret_where->cacert, f);
}

bool where_find_for(const struct args *args, const char *cert, const char *key,
                    struct where *ret_where, struct fault *f)
{
  return find_url(args, ret_where, f) && take_certificate(cert, key, ret_where, f) &&
         find_path(args, "cacert", "root.crt", "MINTMARK_CACERT", &ret_where->cacert, f);
}

void where_free(struct where *where)
{
  free(where->url);
  free(where->cacert);
  free(where->client_cert);
  free(where->client_key);
  buf_wipe(&where->token);
  *where = (struct where){0};
}
