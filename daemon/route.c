/* route.c - see route.h. */
#include "daemon/route.h"

#include "lib/base/text.h"

static const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST"};

/* The name behind ':' in a pattern. */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz_"

const char *method_name(enum method method)
{
  return method_names[method];
}

/* Methods are case-sensitive and matched whole (RFC 9110, 9.1): "GETX" is not GET. */
static bool method_is(enum method method, const char *name)
{
  return strcmp(method_names[method], name) == 0;
}

/* A path with these is somebody's way up a tree, whatever the handler makes of its value. */
static bool is_dots(const char *value)
{
  return strcmp(value, ".") == 0 || strcmp(value, "..") == 0;
}

/* What stands before ":name" and behind it must be the same; between them is the value. */
static bool takes_value(const char *pattern, const char *colon, const char *path,
                        struct route_match *match)
{
  size_t before = (size_t)(colon - pattern), len = strlen(path);
  const char *behind = colon + 1 + strspn(colon + 1, NAME_LETTERS);
  size_t around = before + strlen(behind);
  return len > around && strncmp(pattern, path, before) == 0 &&
         strcmp(path + before + len - around, behind) == 0 &&
         text_is_token(bytes_of(path + before, len - around), PATH_VALUE_SIZE - 1, "-_.") &&
         TEXT_COPY(match->value, bytes_of(path + before, len - around)) && !is_dots(match->value);
}

static bool takes_rest(const char *pattern, const char *star, const char *path,
                       struct route_match *match)
{
  size_t before = (size_t)(star - pattern);
  if (strncmp(pattern, path, before) != 0)
    return false;
  match->rest = path + before;
  size_t len = strlen(match->rest);
  return len >= 1 && len <= PATH_REST_MAX;
}

static bool pattern_takes(const char *pattern, const char *path, struct route_match *match)
{
  const char *mark = strpbrk(pattern, ":*");
  match->value[0] = '\0';
  match->rest = "";
  if (mark == NULL)
    return strcmp(pattern, path) == 0;
  return *mark == ':' ? takes_value(pattern, mark, path, match)
                      : takes_rest(pattern, mark, path, match);
}

/* A set of methods as the Allow header has it. */
static const char *allow_text(unsigned methods)
{
  static const char *const texts[] = {"", "GET, HEAD", "POST", "GET, HEAD, POST"};
  return texts[(methods & 1U << METHOD_GET ? 1 : 0) + (methods & 1U << METHOD_POST ? 2 : 0)];
}

static bool is_served(const struct route_table *table, const struct route *row)
{
  return !table->public_only || (row->roles & ON_PLAIN_TOO) != 0;
}

bool route_find(const struct route_table *table, const char *method, const char *path,
                struct route_match *ret_match, const char **ret_allow, struct fault *f)
{
  bool is_head = method_is(METHOD_HEAD, method);
  unsigned allowed = 0;
  struct route_match match;
  for (size_t i = 0; i < table->n; i++) {
    const struct route *row = &table->rows[i];
    if (!is_served(table, row) || !pattern_takes(row->pattern, path, &match))
      continue;
    if (method_is(row->method, method) || (is_head && row->method == METHOD_GET)) {
      match.route = row;
      match.method = is_head ? METHOD_HEAD : row->method;
      *ret_match = match;
      return true;
    }
    allowed |= 1U << row->method;
  }
  if (allowed == 0)
    return fault_set(f, NOT_FOUND, "there is nothing at this path");
  *ret_allow = allow_text(allowed);
  return fault_set(f, METHOD_NOT_ALLOWED, "what is allowed here: %s", *ret_allow);
}

static bool is_taken(const struct route *route, const char *content_type)
{
  for (const char *const *type = route->content_types; type != NULL && *type != NULL; type++)
    if (strcmp(*type, content_type) == 0)
      return true;
  return false;
}

bool route_check_body(const struct route *route, uint64_t length, const char *content_type,
                      struct fault *f)
{
  if (length > route->limit_octets && route->limit_octets == 0)
    return fault_set(f, BODY_TOO_LARGE, "no body is taken here");
  if (length > route->limit_octets)
    return fault_set(f, BODY_TOO_LARGE, "at most %zu octets are taken here", route->limit_octets);
  if (route->content_types != NULL && !is_taken(route, content_type))
    return fault_set(f, UNSUPPORTED_MEDIA_TYPE, "Content-Type must be %s%s%s",
                     route->content_types[0], route->content_types[1] != NULL ? " or " : "",
                     route->content_types[1] != NULL ? route->content_types[1] : "");
  return true;
}
