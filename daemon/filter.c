/* filter.c - see filter.h. */
#include "daemon/filter.h"

#include "lib/base/text.h"
#include "lib/base/when.h"

static void *place(const struct field *field, void *to)
{
  return (char *)to + field->at;
}

bool filter_put_label(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  if (text.len == 0)
    return fault_set(f, BAD_FIELD, "%s is empty: leave it out", field->name);
  return field_put_label(field, text, to, f);
}

bool filter_put_cursor(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  if (text.len == 0 || !text_copy(place(field, to), CURSOR_TEXT_SIZE, text))
    return fault_set(f, BAD_CURSOR, "%s: take next_cursor as the listing gave it", field->name);
  return true;
}

/* 0 would mean "no filter" to the ledger. */
bool filter_put_time(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  int64_t instant;
  if (!when_read(text, &instant) || instant <= 0)
    return fault_set(f, BAD_FIELD, "%s must be a time like 2026-11-23T08:00:00Z", field->name);
  *(int64_t *)place(field, to) = instant * field->kind;
  return true;
}

bool filter_put_limit(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  uint64_t limit;
  if (!text_to_u64(text, FILTER_LIMIT_MAX, &limit) || limit == 0)
    return fault_set(f, BAD_FIELD, "%s must be a number from 1 to %d", field->name,
                     FILTER_LIMIT_MAX);
  *(unsigned *)place(field, to) = (unsigned)limit;
  return true;
}
