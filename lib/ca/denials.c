/* denials.c - see denials.h. */
#include "lib/ca/denials.h"

#include "lib/base/text.h"

/* NULL when there is no room for another one. */
static struct denials_address *find_address(struct denials *denials, const char *source)
{
  for (unsigned i = 0; i < denials->n_addresses; i++)
    if (strcmp(denials->addresses[i].source, source) == 0)
      return &denials->addresses[i];
  if (denials->n_addresses == DENIALS_ADDRESSES)
    return NULL;
  struct denials_address *address = &denials->addresses[denials->n_addresses++];
  TEXT_COPY(address->source, bytes_of_text(source));
  return address;
}

bool denials_admit(struct denials *denials, const struct event *event, int64_t now_ms)
{
  if (denials->began_ms == 0 || now_ms >= denials->began_ms + DENIALS_WINDOW_MS)
    *denials = (struct denials){.began_ms = now_ms};
  struct denials_address *address = find_address(denials, event->source);
  if (address == NULL) {
    denials->n_elsewhere++;
    return false;
  }
  if (denials->n_recorded < DENIALS_IN_ALL && address->n_recorded < DENIALS_OF_ADDRESS) {
    denials->n_recorded++;
    address->n_recorded++;
    return true;
  }
  address->n_more++;
  address->code = event->code;
  return false;
}

int64_t denials_due_ms(const struct denials *denials)
{
  bool counted = denials->n_elsewhere > 0;
  for (unsigned i = 0; i < denials->n_addresses && !counted; i++)
    counted = denials->addresses[i].n_more > 0;
  return counted ? denials->began_ms + DENIALS_WINDOW_MS : INT64_MAX;
}

void denials_tell(struct denials *denials, int64_t now_ms,
                  void (*each)(const struct event *event, void *context), void *context)
{
  if (now_ms < denials_due_ms(denials))
    return;
  for (unsigned i = 0; i < denials->n_addresses; i++) {
    const struct denials_address *address = &denials->addresses[i];
    struct event event = {.kind = EVENT_DENIED, .code = address->code, .count = address->n_more};
    TEXT_COPY(event.source, bytes_of_text(address->source));
    if (address->n_more > 0)
      each(&event, context);
  }
  if (denials->n_elsewhere > 0)
    each(&(struct event){.kind = EVENT_DENIED, .count = denials->n_elsewhere}, context);
  *denials = (struct denials){0};
}
