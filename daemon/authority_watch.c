/* authority_watch.c - see authority_watch.h. */
#include "daemon/authority_watch.h"

#include "daemon/json_text.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"

enum { ANNOUNCE_EVERY_S = 86400 };

bool authority_is_expiring(enum authority_state state, int64_t not_after, int64_t now)
{
  return state != AUTHORITY_RETIRED && not_after - AUTHORITY_EXPIRING_S <= now;
}

static bool is_expiring(const struct authorities *authorities, size_t i, int64_t now)
{
  return authority_is_expiring(authorities_state(authorities, i),
                               authorities_at(authorities, i)->certificate.not_after, now);
}

/* --- events --- */

/* What the ledger has of the last day: so that a restart announces nothing anew. What it has of a
 * later time is of a clock that was set back since, and keeps nothing from being announced. */
static bool read_last_day(struct ledger *ledger, int64_t now, struct event_page *ret_page,
                          struct fault *f)
{
  const struct event_query query = {.kind = EVENT_AUTHORITY_EXPIRING,
                                    .after_ms = (now - ANNOUNCE_EVERY_S) * 1000,
                                    .before_ms = (now + ANNOUNCE_EVERY_S) * 1000,
                                    .limit = 1000};
  return ledger_search_events(ledger, &query, ret_page, f);
}

static bool is_among(const struct event_page *page, const char *name)
{
  for (size_t i = 0; i < page->n; i++)
    if (strcmp(page->rows[i].about, name) == 0)
      return true;
  return false;
}

static bool record(struct ledger *ledger, const struct authority *authority, int64_t now,
                   struct fault *f)
{
  struct event event = {.kind = EVENT_AUTHORITY_EXPIRING, .at_ms = now * 1000};
  struct ledger_batch *batch;
  TEXT_COPY(event.about, bytes_of_text(authority->name));
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (ledger_add_event(batch, &event, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

static bool announce(struct ledger *ledger, const struct authority *authority, int64_t now,
                     struct fault *f)
{
  char not_after[WHEN_TEXT_SIZE];
  if (!record(ledger, authority, now, f))
    return false;
  when_text(not_after, authority->certificate.not_after);
  log_say(LOG_LEVEL_WARNING, "an authority expires: let another take its place in time",
          LOG_TEXT("authority", authority->name), LOG_TEXT("not_after", not_after));
  return true;
}

bool authority_watch_look(const struct authorities *authorities, struct ledger *ledger, int64_t now,
                          struct fault *f)
{
  AUTO(event_page) page = {0};
  bool has_page = false;
  for (size_t i = 0; i < authorities_n(authorities); i++) {
    const struct authority *authority = authorities_at(authorities, i);
    if (!is_expiring(authorities, i, now))
      continue;
    if (!has_page && !read_last_day(ledger, now, &page, f))
      return false;
    has_page = true;
    if (!is_among(&page, authority->name) && !announce(ledger, authority, now, f))
      return false;
  }
  return true;
}

/* --- warnings --- */

static void add_warning(struct buf *out, const struct authority *authority)
{
  AUTO(buf) why = {0};
  char not_after[WHEN_TEXT_SIZE];
  when_text(not_after, authority->certificate.not_after);
  buf_addf(&why, "this authority expires at %s", not_after);
  json_add_comma(out);
  buf_add_u8(out, '{');
  json_add_member(out, "name", bytes_of_text(authority->name));
  json_add_member(out, "why", buf_bytes(&why));
  buf_add_u8(out, '}');
  out->failed |= why.failed;
}

void authority_watch_add_warnings(const struct authorities *authorities, int64_t now,
                                  struct buf *out)
{
  buf_add_u8(out, '[');
  for (size_t i = 0; i < authorities_n(authorities); i++)
    if (is_expiring(authorities, i, now))
      add_warning(out, authorities_at(authorities, i));
  buf_add_u8(out, ']');
}
