/* client_problem.c - see client_problem.h. */
#include "cli/client_problem.h"

#include "cli/json_out.h"

static enum fault_code code_named(const char *name)
{
  for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++)
    if (strcmp(fault_problem_code((enum fault_code)code), name) == 0)
      return (enum fault_code)code;
  return FAULT_NONE;
}

static enum fault_code code_of_status(long status)
{
  static const struct {
    long status;
    enum fault_code code;
  } rows[] = {
      {401, FAULT_UNAUTHENTICATED}, {403, FAULT_FORBIDDEN},         {404, FAULT_NOT_FOUND},
      {408, FAULT_UNREACHABLE},     {429, FAULT_TOO_MANY_REQUESTS}, {503, FAULT_BUSY},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    if (rows[i].status == status)
      return rows[i].code;
  return status >= 400 && status < 500 ? FAULT_BAD_REQUEST : FAULT_INTERNAL;
}

/* Faults of our own side of the wire mean something else when the daemon has them. */
static bool is_only_ours(enum fault_code code)
{
  return code == FAULT_NONE || code == FAULT_BAD_USAGE || code == FAULT_UNREACHABLE;
}

bool problem_read(struct bytes body, bool is_problem, long status, struct fault *f)
{
  AUTO(json) problem = is_problem ? json_loadb((const char *)body.data, body.len, 0, NULL) : NULL;
  enum fault_code code = code_named(json_text(problem, "code"));
  if (is_only_ours(code))
    code = code_of_status(status);
  if (problem == NULL)
    return fault_set_code(f, code, "the answer was HTTP status %ld, without an explanation",
                          status);
  const char *title = json_text(problem, "title"), *detail = json_text(problem, "detail");
  bool both = detail[0] != '\0' && strcmp(title, detail) != 0;
  fault_set_code(f, code, "%s%s%s", title[0] != '\0' ? title : fault_title(code), both ? ": " : "",
                 both ? detail : "");
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(problem, "errors"), i, item)
      fault_add_item(f, json_text(item, "name"), "%s", json_text(item, "why"));
  return false;
}
