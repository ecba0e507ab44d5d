/* conditional.c - see conditional.h. */
#include "daemon/conditional.h"

#include "lib/base/http_date.h"
#include "lib/base/text.h"

/* Steps behind blanks and commas: empty elements of a list are fine (RFC 9110, 5.6.1.2). */
static const char *skip_between(const char *list)
{
  return list + strspn(list, " \t,");
}

/* One entity-tag, of which the weak mark is not looked at (RFC 9110, 8.8.3.2 and 13.1.2). What is
 * none ends the list: nothing behind it can be told apart for sure. */
static bool take_tag(const char **list, struct bytes *ret_tag)
{
  const char *at = *list;
  if (strncmp(at, "W/", 2) == 0)
    at += 2;
  const char *end = *at == '"' ? strchr(at + 1, '"') : NULL;
  if (end == NULL)
    return false;
  *ret_tag = bytes_of(at, (size_t)(end + 1 - at));
  *list = end + 1;
  return true;
}

static bool list_has(const char *list, const char *etag)
{
  struct bytes tag;
  if (strcmp(list, "*") == 0)
    return true;
  for (list = skip_between(list); take_tag(&list, &tag); list = skip_between(list))
    if (bytes_equal(tag, bytes_of_text(etag)))
      return true;
  return false;
}

/* If-None-Match goes before (RFC 9110, 13.2.2). */
static bool is_current(const struct exchange *x, const char *etag, int64_t modified_at)
{
  int64_t since;
  if (x->if_none_match[0] != '\0')
    return list_has(x->if_none_match, etag);
  return http_date_read(x->if_modified_since, &since) && modified_at <= since;
}

bool conditional_is_current(struct exchange *x, const char *etag, int64_t modified_at)
{
  TEXT_COPY(x->reply.etag, bytes_of_text(etag));
  x->reply.modified_at = modified_at;
  if (!is_current(x, etag, modified_at))
    return false;
  x->reply.status = 304;
  return true;
}
