/* json_out.c - see json_out.h. */
#include "cli/json_out.h"

static bool dump(const json_t *object, size_t flags, struct fault *f)
{
  if (json_dumpf(object, stdout, flags) != 0)
    return fault_set(f, FILE_ERROR, "cannot write to standard output: %m");
  fputc('\n', stdout);
  return true;
}

bool json_print(json_t *object, struct fault *f)
{
  if (object == NULL)
    return fault_no_memory(f);
  bool printed = dump(object, JSON_INDENT(2), f);
  json_decref(object);
  return printed;
}

bool json_print_line(const json_t *object, struct fault *f)
{
  return dump(object, JSON_COMPACT, f);
}

json_t *json_of_outputs(const struct outputs *outputs)
{
  json_t *paths = json_array();
  for (size_t i = 0; i < outputs->n; i++)
    json_array_append_new(paths, json_string(outputs->items[i].path));
  return paths;
}

const char *json_text(const json_t *object, const char *name)
{
  const char *text = json_string_value(json_object_get(object, name));
  return text != NULL ? text : "";
}
