/* restore.c - see restore.h. */
#include "daemon/restore.h"

#include "lib/base/when.h"
#include "lib/ca/ledger_backup.h"

static void say_facts(const struct ledger_facts *facts, FILE *to)
{
  char when[WHEN_TEXT_SIZE];
  fprintf(to, "%lld certificates", (long long)facts->certificates);
  if (facts->certificates > 0) {
    when_text(when, facts->last_issued_at_ms / 1000);
    fprintf(to, ", the last one issued at %s", when);
  }
  fprintf(to, "; %lld revocations", (long long)facts->revocations);
}

bool restore_ledger(const struct conf *conf, const char *file, FILE *to, struct fault *f)
{
  AUTO(ledger_restored) restored = {0};
  if (!ledger_restore(file, conf->ledger, when_now(), &restored, f))
    return false;
  fprintf(to, "%s is now what %s was: ", conf->ledger, file);
  say_facts(&restored.facts, to);
  fputs(".\n", to);
  if (restored.aside.len > 0)
    fprintf(to, "The ledger that was there is kept as %s.\n", buf_text(&restored.aside));
  fputs(
      "Start mintmarkd. If certificates were issued after the copy was made, it says how many are "
      "missing, and issues none until 'mintmark restore --accept'.\n",
      to);
  return true;
}
