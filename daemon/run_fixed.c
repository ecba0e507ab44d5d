/* run_fixed.c - see run_fixed.h. */
#include "daemon/run_fixed.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/log.h"

enum setting_kind { TEXT, NUMBER };

static const struct {
  const char *name;
  enum setting_kind kind;
  size_t at;
} fixed[] = {
    {"listen", TEXT, offsetof(struct conf, listen)},
    {"public_listen", TEXT, offsetof(struct conf, public_listen)},
    {"ledger", TEXT, offsetof(struct conf, ledger)},
    {"folder of section crl", TEXT, offsetof(struct conf, crl.folder)},
    {"key holder's socket", TEXT, offsetof(struct conf, key_holder_socket)},
    {"key holder's program", TEXT, offsetof(struct conf, key_holder_program)},
    {"key holder's configuration", TEXT, offsetof(struct conf, key_holder_config)},
    {"threads", NUMBER, offsetof(struct conf, threads)},
    {"workers", NUMBER, offsetof(struct conf, workers)},
    {"ocsp's cache", NUMBER, offsetof(struct conf, ocsp.cache)},
    {"connections", NUMBER, offsetof(struct conf, connections)},
    {"connections_per_address", NUMBER, offsetof(struct conf, connections_per_address)},
};

static bool is_same(const struct conf *a, const struct conf *b, size_t i)
{
  const void *at_a = (const char *)a + fixed[i].at, *at_b = (const char *)b + fixed[i].at;
  if (fixed[i].kind == NUMBER)
    return *(const unsigned *)at_a == *(const unsigned *)at_b;
  const char *text_a = *(char *const *)at_a, *text_b = *(char *const *)at_b;
  return text_a == text_b || (text_a != NULL && text_b != NULL && strcmp(text_a, text_b) == 0);
}

void run_warn_of_fixed(const struct conf *before, const struct conf *now)
{
  for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
    if (!is_same(before, now, i))
      log_say(LOG_LEVEL_WARNING, "a changed setting takes effect at the next restart only",
              LOG_TEXT("setting", fixed[i].name));
}
