/* conf.c - see conf.h. */
#include "keyd/conf.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { FILE_MAX = 64 * 1024, ITEMS_MAX = 16, ITEM_SIZE = 1024, DAY_S = 86400 };

/* What stands behind the '=': one item, or several divided by commas, in braces or not. */
struct value {
  char items[ITEMS_MAX][ITEM_SIZE];
  size_t n;
};

/* --- a line --- */

static void skip_space(struct bytes *text)
{
  while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t' || text->data[0] == '\r'))
    *text = bytes_of(text->data + 1, text->len - 1);
}

static bool take_char(struct bytes *text, char c)
{
  skip_space(text);
  if (text->len == 0 || text->data[0] != (uint8_t)c)
    return false;
  *text = bytes_of(text->data + 1, text->len - 1);
  return true;
}

static bool at_line_end(struct bytes *text)
{
  skip_space(text);
  return text->len == 0 || text->data[0] == '#';
}

static struct bytes take_name(struct bytes *text)
{
  size_t n = 0;
  skip_space(text);
  while (n < text->len && text_is_token(bytes_of(text->data + n, 1), 1, "_"))
    n++;
  struct bytes name = bytes_of(text->data, n);
  *text = bytes_of(text->data + n, text->len - n);
  return name;
}

/* Behind the opening quote. A backslash takes the next character as it is. */
static bool take_quoted(struct bytes *text, char item[ITEM_SIZE], struct fault *f)
{
  size_t n = 0;
  for (size_t i = 0; i < text->len; i++) {
    if (text->data[i] == '"') {
      *text = bytes_of(text->data + i + 1, text->len - i - 1);
      item[n] = '\0';
      return true;
    }
    if (text->data[i] == '\\' && i + 1 < text->len)
      i++;
    if (n + 1 == ITEM_SIZE)
      return fault_set(f, BAD_CONFIG, "the value is longer than %d characters", ITEM_SIZE - 1);
    item[n++] = (char)text->data[i];
  }
  return fault_set(f, BAD_CONFIG, "the closing quote is missing");
}

static bool take_bare(struct bytes *text, char item[ITEM_SIZE], struct fault *f)
{
  size_t n = 0;
  while (n < text->len && strchr(" \t\r#,{}\"=", text->data[n]) == NULL)
    n++;
  if (n == 0)
    return fault_set(f, BAD_CONFIG, "a value is missing");
  if (!text_copy(item, ITEM_SIZE, bytes_of(text->data, n)))
    return fault_set(f, BAD_CONFIG, "the value is longer than %d characters", ITEM_SIZE - 1);
  *text = bytes_of(text->data + n, text->len - n);
  return true;
}

static bool take_value(struct bytes *text, struct value *ret_value, struct fault *f)
{
  bool braces = take_char(text, '{');
  ret_value->n = 0;
  do {
    if (ret_value->n == ITEMS_MAX)
      return fault_set(f, BAD_CONFIG, "more than %d values", ITEMS_MAX);
    char *item = ret_value->items[ret_value->n++];
    if (!(take_char(text, '"') ? take_quoted(text, item, f) : take_bare(text, item, f)))
      return false;
  } while (take_char(text, ','));
  if (braces && !take_char(text, '}'))
    return fault_set(f, BAD_CONFIG, "the closing brace is missing");
  return at_line_end(text) || fault_set(f, BAD_CONFIG, "something stands behind the value");
}

/* --- the settings: each type's reader --- */

static bool read_path(const struct conf *conf, const struct value *value, void *field,
                      struct fault *f)
{
  char **path = field;
  if (value->items[0][0] == '\0')
    return fault_set(f, BAD_CONFIG, "the path is empty");
  *path = file_beside(conf->path, value->items[0]);
  return *path != NULL || fault_no_memory(f);
}

static bool read_duration(const struct conf *conf, const struct value *value, void *field,
                          struct fault *f)
{
  (void)conf;
  return when_read_duration(bytes_of_text(value->items[0]), field) ||
         fault_set(f, BAD_CONFIG, "\"%s\" is no duration: write a number and s, m, h, d or w",
                   value->items[0]);
}

static bool read_bool(const struct conf *conf, const struct value *value, void *field,
                      struct fault *f)
{
  (void)conf;
  bool is_true = strcmp(value->items[0], "true") == 0;
  if (!is_true && strcmp(value->items[0], "false") != 0)
    return fault_set(f, BAD_CONFIG, "\"%s\" is neither true nor false", value->items[0]);
  *(bool *)field = is_true;
  return true;
}

static bool read_number(const struct conf *conf, const struct value *value, void *field,
                        struct fault *f)
{
  (void)conf;
  return text_to_u64(bytes_of_text(value->items[0]), UINT32_MAX, field) ||
         fault_set(f, BAD_CONFIG, "\"%s\" is no number of at most %u", value->items[0], UINT32_MAX);
}

static bool read_threads(const struct conf *conf, const struct value *value, void *field,
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

static bool read_key_usages(const struct conf *conf, const struct value *value, void *field,
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

static bool read_ext_key_usages(const struct conf *conf, const struct value *value, void *field,
                                struct fault *f)
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

static bool read_log_format(const struct conf *conf, const struct value *value, void *field,
                            struct fault *f)
{
  (void)conf;
  return log_format_named(value->items[0], field) ||
         fault_set(f, BAD_CONFIG, "\"%s\" is neither plain nor json", value->items[0]);
}

static bool read_user(const struct conf *conf, const struct value *value, void *field,
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
  size_t offset;
  bool is_list;
  bool (*read)(const struct conf *conf, const struct value *value, void *field, struct fault *f);
};

#define AT(member)       offsetof(struct conf, member)
#define KEY_AT(member)   AT(keys[0].member)
#define LIMIT_AT(member) AT(keys[0].limits.member)

static const struct setting settings[] = {
    {"certificate", KEY_AT(certificate), false, read_path},
    {"key", KEY_AT(key), false, read_path},
    {"passphrase_file", KEY_AT(passphrase_file), false, read_path},
    {"max_validity", LIMIT_AT(max_validity_s), false, read_duration},
    {"allow_no_expiry", LIMIT_AT(allow_no_expiry), false, read_bool},
    {"backdate", LIMIT_AT(backdate_s), false, read_duration},
    {"max_crl_validity", LIMIT_AT(max_crl_validity_s), false, read_duration},
    {"key_usages", LIMIT_AT(key_usages), true, read_key_usages},
    {"ext_key_usages", LIMIT_AT(ext_key_usages), true, read_ext_key_usages},
    {"signatures_per_hour", LIMIT_AT(signatures_per_hour), false, read_number},
    {"threads", AT(threads), false, read_threads},
    {"socket", AT(socket), false, read_path},
    {"allow_user", AT(allow_user), false, read_user},
    {"log_format", AT(log_format), false, read_log_format},
};

_Static_assert(ARRAY_LEN(settings) <= 32, "read_lines has a bit for each");

/* --- the file --- */

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

/* `seen` has a bit for each setting that the lines before had. */
static bool read_line(struct conf *conf, struct bytes line, uint32_t *seen, struct fault *f)
{
  struct value value;
  size_t index = 0;
  if (at_line_end(&line))
    return true;
  if (memchr(line.data, '\0', line.len) != NULL)
    return fault_set(f, BAD_CONFIG, "a NUL character: this is not a text file");
  struct bytes name = take_name(&line);
  if (name.len == 0 || !take_char(&line, '='))
    return fault_set(f, BAD_CONFIG, "not of the form: name = value");
  if (!find_setting(name, &index, f) || !take_value(&line, &value, f))
    return false;
  const struct setting *setting = &settings[index];
  if ((*seen >> index & 1) != 0)
    return fault_set(f, BAD_CONFIG, "%s stands here for the second time", setting->name);
  if (value.n > 1 && !setting->is_list)
    return fault_set(f, BAD_CONFIG, "%s takes one value", setting->name);
  *seen |= UINT32_C(1) << index;
  return setting->read(conf, &value, (char *)conf + setting->offset, f);
}

static bool read_lines(struct conf *conf, struct bytes text, struct fault *f)
{
  uint32_t seen = 0;
  for (unsigned number = 1; text.len > 0; number++) {
    const uint8_t *newline = memchr(text.data, '\n', text.len);
    size_t len = newline != NULL ? (size_t)(newline - text.data) : text.len;
    if (!read_line(conf, bytes_of(text.data, len), &seen, f))
      return fault_prefix(f, "%s:%u", conf->path, number);
    size_t step = newline != NULL ? len + 1 : len;
    text = bytes_of(text.data + step, text.len - step);
  }
  return true;
}

static const struct conf_key default_key = {
    .limits =
        {
            .max_validity_s = INT64_C(825) * DAY_S,
            .backdate_s = 3600,
            .max_crl_validity_s = INT64_C(31) * DAY_S,
            .key_usages = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
            .ext_key_usages = EKU_SERVER_AUTH | EKU_CLIENT_AUTH,
            .signatures_per_hour = 360000,
        },
};

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
  return (key->certificate != NULL && key->key != NULL) || fault_no_memory(f);
}

bool conf_load(const char *path, struct conf **ret_conf, struct fault *f)
{
  AUTO(buf) text = {0};
  AUTO(conf) conf = calloc(1, sizeof *conf);
  if (conf == NULL || (conf->path = strdup(path)) == NULL)
    return fault_no_memory(f);
  const struct passwd *daemon_user = getpwnam("mintmark");
  conf->allow_user = daemon_user != NULL ? daemon_user->pw_uid : CONF_NO_USER;
  conf->keys[0] = default_key;
  conf->n_keys = 1;
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
    free(conf->keys[i].certificate);
    free(conf->keys[i].key);
    free(conf->keys[i].passphrase_file);
  }
  free(conf->path);
  free(conf->socket);
  free(conf);
}
