/* route.c - see route.h. */
#include "daemon/route.h"

#include "lib/base/text.h"

static const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET", [METHOD_HEAD] = "HEAD", [METHOD_POST] = "POST"};

/* Methods are case-sensitive and matched whole (RFC 9110, 9.1): "GETX" is not GET. */
static bool method_is(enum method method, const char *name)
{
  return strcmp(method_names[method], name) == 0;
}

/* What stands before ":name" and behind it must be the same; between them is the value. */
static bool pattern_takes(const char *pattern, const char *path, char value[129])
{
  const char *colon = strchr(pattern, ':');
  value[0] = '\0';
  if (colon == NULL)
    return strcmp(pattern, path) == 0;
  size_t before = (size_t)(colon - pattern);
  if (strncmp(pattern, path, before) != 0)
    return false;
  const char *part = path + before;
  struct bytes text = bytes_of(part, strcspn(part, "/"));
  return strcmp(colon + strcspn(colon, "/"), part + text.len) == 0 &&
         text_is_token(text, 128, "-_") && text_copy(value, 129, text);
}

/* A set of methods as the Allow header has it. */
static const char *allow_text(unsigned methods)
{
  static const char *const texts[] = {"", "GET, HEAD", "POST", "GET, HEAD, POST"};
  return texts[(methods & 1U << METHOD_GET ? 1 : 0) + (methods & 1U << METHOD_POST ? 2 : 0)];
}

bool route_find(const struct route *rows, size_t n, const char *method, const char *path,
                const struct route **ret_route, enum method *ret_method, char ret_path_value[129],
                const char **ret_allow, struct fault *f)
{
  bool is_head = method_is(METHOD_HEAD, method);
  unsigned allowed = 0;
  char value[129];
  for (size_t i = 0; i < n; i++) {
    if (!pattern_takes(rows[i].pattern, path, value))
      continue;
    if (method_is(rows[i].method, method) || (is_head && rows[i].method == METHOD_GET)) {
      *ret_route = &rows[i];
      *ret_method = is_head ? METHOD_HEAD : rows[i].method;
      memcpy(ret_path_value, value, sizeof value);
      return true;
    }
    allowed |= 1U << rows[i].method;
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
