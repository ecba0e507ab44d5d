/* conf_value.c - the values of the options that are not a profile's; see conf_option.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/ip.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/conf_option.h"

enum { TEXT_MAX = 4095, CORES_MAX = 32 };

static void *field(const struct conf_option *option, void *object)
{
  return (char *)object + option->at;
}

static enum value_result set_owned(const struct conf_option *option, char *text, void *object)
{
  char **owned = field(option, object);
  if (text == NULL)
    return VALUE_NO_MEMORY;
  free(*owned);
  *owned = text;
  return VALUE_OK;
}

static bool is_sized(const char *text)
{
  return text[0] != '\0' && strnlen(text, TEXT_MAX + 1) <= TEXT_MAX;
}

enum value_result value_text(const struct conf_option *option, const char *text, void *object)
{
  return is_sized(text) ? set_owned(option, strdup(text), object) : VALUE_BAD;
}

enum value_result value_path(const struct conf_option *option, const char *text, void *object)
{
  const char *const *conf_path = object;
  return is_sized(text) ? set_owned(option, file_beside(*conf_path, text), object) : VALUE_BAD;
}

enum value_result value_program(const struct conf_option *option, const char *text, void *object)
{
  return strchr(text, '/') != NULL ? value_path(option, text, object)
                                   : value_text(option, text, object);
}

enum value_result value_listen(const struct conf_option *option, const char *text, void *object)
{
  const char *colon = strrchr(text, ':');
  uint64_t port;
  struct ip ip;
  if (colon == NULL || !text_to_u64(bytes_of_text(colon + 1), 65535, &port))
    return VALUE_BAD;
  struct bytes host = bytes_of(text, (size_t)(colon - text));
  bool bracketed = host.len >= 2 && text[0] == '[' && colon[-1] == ']';
  if (bracketed)
    host = bytes_of(text + 1, host.len - 2);
  if (!ip_read(host, &ip) || (ip.len == 16) != bracketed)
    return VALUE_BAD;
  return set_owned(option, strdup(text), object);
}

/* Goes into certificates as it is (an IA5String), with a path behind it. */
enum value_result value_url(const struct conf_option *option, const char *text, void *object)
{
  enum { URL_MAX = 200 };
  size_t scheme = strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) == 0 ? 8 : 0;
  size_t len = strlen(text);
  if (len > 0 && text[len - 1] == '/')
    len--;
  if (scheme == 0 || len <= scheme || len > URL_MAX)
    return VALUE_BAD;
  for (size_t i = 0; i < len; i++)
    if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>?#\\^`{|}", text[i]) != NULL)
      return VALUE_BAD;
  return set_owned(option, strndup(text, len), object);
}

enum value_result value_duration(const struct conf_option *option, const char *text, void *object)
{
  int64_t seconds, *to = field(option, object);
  if (!when_read_duration(bytes_of_text(text), &seconds) || seconds < option->least ||
      seconds > option->most)
    return VALUE_BAD;
  *to = seconds;
  return VALUE_OK;
}

enum value_result value_number(const struct conf_option *option, const char *text, void *object)
{
  uint64_t number;
  unsigned *to = field(option, object);
  if (!text_to_u64(bytes_of_text(text), option->most, &number) || number < option->least)
    return VALUE_BAD;
  *to = (unsigned)number;
  return VALUE_OK;
}

enum value_result value_instance(const struct conf_option *option, const char *text, void *object)
{
  uint64_t number;
  uint8_t *to = field(option, object);
  /* The first octet of serial numbers, which are positive and of 16 octets. */
  if (!text_to_u64(bytes_of_text(text), 0x7f, &number) || number == 0)
    return VALUE_BAD;
  *to = (uint8_t)number;
  return VALUE_OK;
}

static unsigned count_cores(void)
{
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > CORES_MAX ? CORES_MAX : (unsigned)n;
}

enum value_result value_cores(const struct conf_option *option, const char *text, void *object)
{
  enum value_result result = value_number(option, text, object);
  unsigned *to = field(option, object);
  if (result == VALUE_OK && *to == 0)
    *to = count_cores();
  return result;
}

enum value_result value_log_format(const struct conf_option *option, const char *text, void *object)
{
  return log_format_named(text, field(option, object)) ? VALUE_OK : VALUE_BAD;
}

enum value_result value_log_level(const struct conf_option *option, const char *text, void *object)
{
  return log_level_named(text, field(option, object)) ? VALUE_OK : VALUE_BAD;
}

enum value_result value_token_hash(const struct conf_option *option, const char *text, void *object)
{
  uint8_t digest[TOKEN_SHA256_LEN];
  size_t len;
  if (!text_unhex(bytes_of_text(text), digest, sizeof digest, &len) || len != sizeof digest)
    return VALUE_BAD;
  memcpy(field(option, object), digest, sizeof digest);
  return VALUE_OK;
}

enum value_result value_rate(const struct conf_option *option, const char *text, void *object)
{
  static const struct {
    const char *end;
    unsigned seconds;
  } units[] = {{"/s", 1}, {"/m", 60}, {"/h", 3600}};
  struct rate *to = field(option, object);
  size_t len = strlen(text);
  uint64_t number;
  if (strcmp(text, "none") == 0) {
    *to = (struct rate){0};
    return VALUE_OK;
  }
  for (size_t i = 0; len > 2 && i < ARRAY_LEN(units); i++)
    if (strcmp(text + len - 2, units[i].end) == 0 &&
        text_to_u64(bytes_of(text, len - 2), RATE_MAX, &number) && number > 0) {
      *to = (struct rate){.number = (unsigned)number, .seconds = units[i].seconds};
      return VALUE_OK;
    }
  return VALUE_BAD;
}
