/* query.c - see query.h. */
#include "daemon/query.h"

#include <stdlib.h>

#include "lib/base/text.h"

/* The octets up to `stop`, which is stepped over. */
static struct bytes take_until(struct bytes *text, uint8_t stop)
{
  const uint8_t *end = text->len > 0 ? memchr(text->data, stop, text->len) : NULL;
  size_t len = end != NULL ? (size_t)(end - text->data) : text->len;
  size_t step = end != NULL ? len + 1 : len;
  struct bytes taken = bytes_of(text->data, len);
  *text = bytes_of(text->data + step, text->len - step);
  return taken;
}

/* One octet of the encoded text; false for a broken escape. */
static bool decode_octet(struct bytes *text, uint8_t *ret_octet)
{
  size_t len, step = 1;
  uint8_t octet = text->data[0];
  if (octet == '+') {
    octet = ' ';
  } else if (octet == '%') {
    if (text->len < 3 || !text_unhex(bytes_of(text->data + 1, 2), &octet, 1, &len))
      return false;
    step = 3;
  }
  *text = bytes_of(text->data + step, text->len - step);
  *ret_octet = octet;
  return true;
}

/* NULL when it is not well formed, or memory is short; f says which. */
static char *decode(struct bytes text, struct fault *f)
{
  char *out = malloc(text.len + 1);
  size_t len = 0;
  if (out == NULL) {
    fault_no_memory(f);
    return NULL;
  }
  while (text.len > 0) {
    uint8_t octet;
    if (!decode_octet(&text, &octet) || octet < 0x20 || octet == 0x7f) {
      free(out);
      fault_set(f, BAD_REQUEST, "the query has a broken escape or a control character");
      return NULL;
    }
    out[len++] = (char)octet;
  }
  out[len] = '\0';
  if (!text_is_utf8(bytes_of(out, len))) {
    free(out);
    fault_set(f, BAD_REQUEST, "the query is not UTF-8");
    return NULL;
  }
  return out;
}

static bool is_there(const struct parameter *parameters, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(parameters[i].name, name) == 0)
      return true;
  return false;
}

/* Adds "name=value"; the parameter counts as soon as its name is there, so that it is freed. */
static bool add(struct bytes piece, struct parameter *parameters, size_t *n, struct fault *f)
{
  struct bytes name = take_until(&piece, '=');
  if (name.len == 0)
    return fault_set(f, BAD_REQUEST, "the query has a parameter without a name");
  if (*n == QUERY_PARAMETERS_MAX)
    return fault_set(f, BAD_REQUEST, "the query has more than %d parameters", QUERY_PARAMETERS_MAX);
  struct parameter *parameter = &parameters[*n];
  parameter->name = decode(name, f);
  if (parameter->name == NULL)
    return false;
  (*n)++;
  parameter->value = decode(piece, f);
  if (parameter->value == NULL)
    return false;
  if (is_there(parameters, *n - 1, parameter->name))
    return fault_set(f, BAD_REQUEST, "the query has \"%s\" twice", parameter->name);
  return true;
}

bool query_read(struct bytes text, struct parameter **ret_parameters, size_t *ret_n,
                struct fault *f)
{
  size_t n = 0;
  struct parameter *parameters = NULL;
  if (text.len > 0) {
    parameters = calloc(QUERY_PARAMETERS_MAX, sizeof *parameters);
    if (parameters == NULL)
      return fault_no_memory(f);
  }
  while (text.len > 0)
    if (!add(take_until(&text, '&'), parameters, &n, f)) {
      query_free(parameters, n);
      return false;
    }
  *ret_parameters = parameters;
  *ret_n = n;
  return true;
}

void query_free(struct parameter *parameters, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    free(parameters[i].name);
    free(parameters[i].value);
  }
  free(parameters);
}
