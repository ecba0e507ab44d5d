/* event.c - see event.h. */
#include "lib/ca/event.h"

#include <stdlib.h>

static const char *const names[EVENT_KIND_COUNT] = {[EVENT_NONE] = "",
#define X(kind, name) [EVENT_##kind] = name,
                                                    EVENT_KINDS(X)
#undef X
};

const char *event_kind_name(enum event_kind kind)
{
  return names[kind < EVENT_KIND_COUNT ? kind : EVENT_NONE];
}

bool event_kind_named(struct bytes name, enum event_kind *ret_kind)
{
  for (size_t i = EVENT_NONE + 1; i < EVENT_KIND_COUNT; i++)
    if (bytes_equal(name, bytes_of_text(names[i]))) {
      *ret_kind = (enum event_kind)i;
      return true;
    }
  return false;
}

void event_page_free(struct event_page *page)
{
  free(page->rows);
  *page = (struct event_page){0};
}
