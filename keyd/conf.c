/* conf.c - see conf.h. */
#include "keyd/conf.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyd/conf_line.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { FILE_MAX = 64 * 1024, DAY_S = 86400, NAME_MAX_LEN = 64 };

/* --- the settings: each type's reader --- */

static bool read_path(const struct conf *conf, const struct line_value *value, void *field,
                      struct fault *f)
{
  char **path = field;
  if (value->items[0][0] == '\0')
    return fault_set(f, BAD_CONFIG, "the path is empty");
  *path = file_beside(conf->path, value->items[0]);
  return *path != NULL || fault_no_memory(f);
}

static bool read_duration(const struct conf *conf, const struct line_value *value, void *field,
                          struct fault *f)
{
  (void)conf;
  return when_read_duration(bytes_of_text(value->items[0]), field) ||
         fault_set(f, BAD_CONFIG, "\"%s\" is no duration: write a number and s, m, h, d or w",
                   value->items[0]);
}

static bool read_bool(const struct conf *conf, const struct line_value *value, void *field,
                      struct fault *f)
{
  (void)conf;
  bool is_true = strcmp(value->items[0], "true") == 0;
  if (!is_true && strcmp(value->items[0], "false") != 0)
    return fault_set(f, BAD_CONFIG, "\"%s\" is neither true nor false", value->items[0]);
  *(bool *)field = is_true;
  return true;
}

static bool read_number(const struct conf *conf, const struct line_value *value, void *field,
                        struct fault *f)
{
  (void)conf;
  return text_to_u64(bytes_of_text(value->items[0]), UINT32_MAX, field) ||
         fault_set(f, BAD_CONFIG, "\"%s\" is no number of at most %u", value->items[0], UINT32_MAX);
}

static bool read_threads(const struct conf *conf, const struct line_value *value, void *field,
                         struct fault *f)
{
  uint64_t number;
  (void)conf;
  if (!text_to_u64(bytes_of_text(value->items[0]), CONF_THREADS_MAX, &number))
    return fault_set(f, BAD_CONFIG, "\"%s\" is no number of threads: 0 (one for each core) to %d",
                     value->items[0], CONF_THREADS_MAX);
  *(unsigned *)field = (unsigned)number;
  return true;
}

static bool read_key_usages(const struct conf *conf, const struct line_value *value, void *field,
                            struct fault *f)
{
  uint32_t bits = 0, bit;
  (void)conf;
  for (size_t i = 0; i < value->n; i++) {
    if (!key_usage_named(bytes_of_text(value->items[i]), &bit))
      return fault_set(f, BAD_CONFIG, "\"%s\" is no key usage", value->items[i]);
    if ((bit & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0)
      return fault_set(f, BAD_CONFIG, "%s is never allowed: no CA is signed here", value->items[i]);
    bits |= bit;
  }
  *(uint32_t *)field = bits;
  return true;
}

static bool read_ext_key_usages(const struct conf *conf, const struct line_value *value,
                                void *field, struct fault *f)
{
  uint32_t bits = 0, bit;
  (void)conf;
  for (size_t i = 0; i < value->n; i++) {
    if (!ext_key_usage_named(bytes_of_text(value->items[i]), &bit))
      return fault_set(f, BAD_CONFIG, "\"%s\" is no extended key usage that is known here",
                       value->items[i]);
    bits |= bit;
  }
  *(uint32_t *)field = bits;
  return true;
}

static bool read_log_format(const struct conf *conf, const struct line_value *value, void *field,
                            struct fault *f)
{
  (void)conf;
  return log_format_named(value->items[0], field) ||
         fault_set(f, BAD_CONFIG, "\"%s\" is neither plain nor json", value->items[0]);
}

static bool read_user(const struct conf *conf, const struct line_value *value, void *field,
                      struct fault *f)
{
  uint64_t number;
  (void)conf;
  if (text_to_u64(bytes_of_text(value->items[0]), UINT32_MAX - 1, &number)) {
    *(uid_t *)field = (uid_t)number;
    return true;
  }
  const struct passwd *user = getpwnam(value->items[0]);
  if (user == NULL)
    return fault_set(f, BAD_CONFIG, "there is no user \"%s\"", value->items[0]);
  *(uid_t *)field = user->pw_uid;
  return true;
}

struct setting {
  const char *name;
  bool is_process_s; /* of the process, not of a key */
  size_t offset;     /* into struct conf, or else into struct conf_key */
  bool is_list;
  bool (*read)(const struct conf *conf, const struct line_value *value, void *field,
               struct fault *f);
};

#define AT(member)       true, offsetof(struct conf, member)
#define KEY_AT(member)   false, offsetof(struct conf_key, member)
#define LIMIT_AT(member) KEY_AT(limits.member)

static const struct setting settings[] = {
    {"certificate", KEY_AT(certificate), false, read_path},
    {"key", KEY_AT(key), false, read_path},
    {"passphrase_file", KEY_AT(passphrase_file), false, read_path},
    {"max_validity", LIMIT_AT(max_validity_s), false, read_duration},
    {"allow_no_expiry", LIMIT_AT(allow_no_expiry), false, read_bool},
    {"backdate", LIMIT_AT(backdate_s), false, read_duration},
    {"max_crl_validity", LIMIT_AT(max_crl_validity_s), false, read_duration},
    {"max_ocsp_validity", LIMIT_AT(max_ocsp_validity_s), false, read_duration},
    {"key_usages", LIMIT_AT(key_usages), true, read_key_usages},
    {"ext_key_usages", LIMIT_AT(ext_key_usages), true, read_ext_key_usages},
    {"signatures_per_hour", LIMIT_AT(signatures_per_hour), false, read_number},
    {"state", AT(state), false, read_path},
    {"threads", AT(threads), false, read_threads},
    {"socket", AT(socket), false, read_path},
    {"allow_user", AT(allow_user), false, read_user},
    {"log_format", AT(log_format), false, read_log_format},
};

_Static_assert(ARRAY_LEN(settings) <= 32, "struct reading has a bit for each");

/* --- the file --- */

struct reading {
  struct conf *conf;
  struct conf_key *key;                /* the one that the line is about */
  unsigned line;                       /* its number, from 1 */
  unsigned first_lines[CONF_KEYS_MAX]; /* of each key: where its part begins */
  uint32_t seen;                       /* a bit for each setting that this part has had */
};

static bool find_setting(struct bytes name, size_t *ret_index, struct fault *f)
{
  for (size_t i = 0; i < ARRAY_LEN(settings); i++)
    if (bytes_equal(name, bytes_of_text(settings[i].name))) {
      *ret_index = i;
      return true;
    }
  return fault_set(f, BAD_CONFIG, "there is no setting \"%.*s\"", (int)name.len,
                   (const char *)name.data);
}

static bool read_setting(struct reading *r, struct bytes line, struct fault *f)
{
  struct line_value value;
  size_t index = 0;
  struct bytes name = line_take_name(&line);
  if (name.len == 0 || !line_take_char(&line, '='))
    return fault_set(f, BAD_CONFIG, "not of the form: name = value");
  if (!find_setting(name, &index, f) || !line_take_value(&line, &value, f))
    return false;
  const struct setting *setting = &settings[index];
  if (setting->is_process_s && r->key != &r->conf->keys[0])
    return fault_set(f, BAD_CONFIG, "%s is of the whole process: set it before the first [NAME]",
                     setting->name);
  if ((r->seen >> index & 1) != 0)
    return fault_set(f, BAD_CONFIG, "%s stands here for the second time", setting->name);
  if (value.n > 1 && !setting->is_list)
    return fault_set(f, BAD_CONFIG, "%s takes one value", setting->name);
  r->seen |= UINT32_C(1) << index;
  void *object = setting->is_process_s ? (void *)r->conf : (void *)r->key;
  return setting->read(r->conf, &value, (char *)object + setting->offset, f);
}

static bool name_is_free(const struct conf *conf, struct bytes name, struct fault *f)
{
  for (size_t i = 0; i < conf->n_keys; i++)
    if (bytes_equal(name, bytes_of_text(conf->keys[i].name)))
      return fault_set(f, BAD_CONFIG, "%s %s", conf->keys[i].name,
                       i == 0 ? "is what the first key is called"
                              : "stands here for the second time");
  return true;
}

/* "[NAME]", behind the bracket: a further key, with the first one's limits until it sets its own.
 */
static bool begin_key(struct reading *r, struct bytes line, struct fault *f)
{
  struct conf *conf = r->conf;
  const uint8_t *end = memchr(line.data, ']', line.len);
  struct bytes name = bytes_of(line.data, end != NULL ? (size_t)(end - line.data) : 0);
  if (!text_is_token(name, NAME_MAX_LEN, "-_."))
    return fault_set(f, BAD_CONFIG,
                     "not of the form: [NAME], with up to %d letters, digits, '-', '_' and '.'",
                     NAME_MAX_LEN);
  struct bytes rest = bytes_of(end + 1, line.len - name.len - 1);
  if (!line_at_end(&rest))
    return fault_set(f, BAD_CONFIG, "something stands behind the ]");
  if (!name_is_free(conf, name, f))
    return false;
  if (conf->n_keys == CONF_KEYS_MAX)
    return fault_set(f, BAD_CONFIG, "more than %d keys", CONF_KEYS_MAX);
  r->key = &conf->keys[conf->n_keys];
  r->first_lines[conf->n_keys++] = r->line;
  r->key->limits = conf->keys[0].limits;
  r->seen = 0;
  r->key->name = strndup((const char *)name.data, name.len);
  return r->key->name != NULL || fault_no_memory(f);
}

static bool read_line(struct reading *r, struct bytes line, struct fault *f)
{
  if (line_at_end(&line))
    return true;
  if (memchr(line.data, '\0', line.len) != NULL)
    return fault_set(f, BAD_CONFIG, "a NUL character: this is not a text file");
  return line_take_char(&line, '[') ? begin_key(r, line, f) : read_setting(r, line, f);
}

/* The first key has defaults for these. */
static bool each_key_is_whole(const struct reading *r, struct fault *f)
{
  for (size_t i = 1; i < r->conf->n_keys; i++) {
    const struct conf_key *key = &r->conf->keys[i];
    if (key->certificate != NULL && key->key != NULL)
      continue;
    fault_set(f, BAD_CONFIG, "[%s] has no %s", key->name,
              key->certificate == NULL ? "certificate" : "key");
    return fault_prefix(f, "%s:%u", r->conf->path, r->first_lines[i]);
  }
  return true;
}

static bool read_lines(struct conf *conf, struct bytes text, struct fault *f)
{
  struct reading r = {.conf = conf, .key = &conf->keys[0]};
  while (text.len > 0) {
    const uint8_t *newline = memchr(text.data, '\n', text.len);
    size_t len = newline != NULL ? (size_t)(newline - text.data) : text.len;
    r.line++;
    if (!read_line(&r, bytes_of(text.data, len), f))
      return fault_prefix(f, "%s:%u", conf->path, r.line);
    size_t step = newline != NULL ? len + 1 : len;
    text = bytes_of(text.data + step, text.len - step);
  }
  return each_key_is_whole(&r, f);
}

static const struct guard_limits default_limits = {
    .max_validity_s = INT64_C(825) * DAY_S,
    .backdate_s = 3600,
    .max_crl_validity_s = INT64_C(31) * DAY_S,
    .max_ocsp_validity_s = INT64_C(31) * DAY_S,
    .key_usages = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
    .ext_key_usages = EKU_SERVER_AUTH | EKU_CLIENT_AUTH | EKU_OCSP_SIGNING,
    .signatures_per_hour = 360000,
};

/* Under systemd the folder that the unit may write to, which the one of the configuration is not.
 */
static char *default_state(const struct conf *conf)
{
  static const char name[] = "keyd.state";
  const char *folder = getenv("STATE_DIRECTORY");
  char *path = NULL;
  if (folder == NULL || folder[0] != '/')
    return file_beside(conf->path, name);
  int len = (int)strcspn(folder, ":"); /* the first of them */
  return asprintf(&path, "%.*s/%s", len, folder, name) < 0 ? NULL : path;
}

static bool set_defaults(struct conf *conf, struct fault *f)
{
  struct conf_key *key = &conf->keys[0];
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (conf->threads == 0)
    conf->threads = cores < 1 ? 1 : cores > CONF_THREADS_MAX ? CONF_THREADS_MAX : (unsigned)cores;
  if (key->certificate == NULL)
    key->certificate = file_beside(conf->path, "issuing.crt");
  if (key->key == NULL)
    key->key = file_beside(conf->path, "keys/issuing.key");
  if (conf->state == NULL)
    conf->state = default_state(conf);
  return (key->certificate != NULL && key->key != NULL && conf->state != NULL) ||
         fault_no_memory(f);
}

bool conf_load(const char *path, struct conf **ret_conf, struct fault *f)
{
  AUTO(buf) text = {0};
  AUTO(conf) conf = calloc(1, sizeof *conf);
  if (conf == NULL || (conf->path = strdup(path)) == NULL)
    return fault_no_memory(f);
  const struct passwd *daemon_user = getpwnam("mintmark");
  conf->allow_user = daemon_user != NULL ? daemon_user->pw_uid : CONF_NO_USER;
  conf->n_keys = 1;
  conf->keys[0] = (struct conf_key){.name = strdup("issuing"), .limits = default_limits};
  if (conf->keys[0].name == NULL)
    return fault_no_memory(f);
  if (!file_read(path, FILE_MAX, &text, f) || !read_lines(conf, buf_bytes(&text), f) ||
      !set_defaults(conf, f))
    return false;
  *ret_conf = TAKE(conf);
  return true;
}

void conf_free(struct conf *conf)
{
  if (conf == NULL)
    return;
  for (size_t i = 0; i < conf->n_keys; i++) {
    free(conf->keys[i].name);
    free(conf->keys[i].certificate);
    free(conf->keys[i].key);
    free(conf->keys[i].passphrase_file);
  }
  free(conf->path);
  free(conf->state);
  free(conf->socket);
  free(conf);
}
