/* accept.c - see accept.h. */
#include "daemon/accept.h"

#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"

enum { WEIGHT_MAX = 1000 };

/* How well an offer is matched: by nothing, by a range of types, by its own type, and by its type
 * with parameters (section 12.5.1: the most specific range takes precedence). */
enum { NO_MATCH, MATCH_ANY, MATCH_TYPE, MATCH_SUBTYPE };

struct range {
  struct bytes type, subtype, parameters;
  unsigned weight;
};

struct match {
  unsigned precision, weight;
};

static struct bytes behind(struct bytes text, size_t n)
{
  return bytes_of(text.data + n, text.len - n);
}

static void skip_space(struct bytes *text)
{
  while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t'))
    *text = behind(*text, 1);
}

static bool take_char(struct bytes *text, char c)
{
  if (text->len == 0 || text->data[0] != (uint8_t)c)
    return false;
  *text = behind(*text, 1);
  return true;
}

/* Section 5.6.2. */
static bool take_token(struct bytes *text, struct bytes *ret_token)
{
  size_t n = 0;
  while (n < text->len && text_is_token(bytes_of(text->data + n, 1), 1, "!#$%&'*+-.^_`|~"))
    n++;
  *ret_token = bytes_of(text->data, n);
  *text = behind(*text, n);
  return n > 0;
}

/* Section 5.6.4. What stands between the quotes; a value with an escape in it is none of ours. */
static bool take_quoted(struct bytes *text, struct bytes *ret_value)
{
  size_t n = 1;
  while (n < text->len && text->data[n] != '"')
    n += text->data[n] == '\\' ? 2 : 1;
  if (n >= text->len)
    return false;
  *ret_value = bytes_of(text->data + 1, n - 1);
  *text = behind(*text, n + 1);
  return true;
}

/* OWS ";" OWS [ name "=" value ], section 5.6.6. An empty one has an empty name. */
static bool take_parameter(struct bytes *text, struct bytes *ret_name, struct bytes *ret_value)
{
  *ret_name = *ret_value = bytes_of(NULL, 0);
  skip_space(text);
  if (!take_char(text, ';'))
    return false;
  skip_space(text);
  if (text->len == 0 || text->data[0] == ';')
    return true;
  if (!take_token(text, ret_name) || !take_char(text, '='))
    return false;
  bool quoted = text->len > 0 && text->data[0] == '"';
  return quoted ? take_quoted(text, ret_value) : take_token(text, ret_value);
}

static bool is_text(struct bytes a, const char *b)
{
  return a.len == strlen(b) && strncasecmp((const char *)a.data, b, a.len) == 0;
}

static bool is_same(struct bytes a, struct bytes b)
{
  return a.len == b.len &&
         (a.len == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0);
}

/* Section 12.4.2: "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3("0") ], in thousandths. */
static bool read_weight(struct bytes text, unsigned *ret_weight)
{
  if (text.len == 0 || text.len > 5 || (text.len > 1 && text.data[1] != '.'))
    return false;
  unsigned weight = 0;
  for (size_t i = 0; i < 5; i++) {
    uint8_t c = i < text.len && i != 1 ? text.data[i] : '0';
    if (c < '0' || c > '9')
      return false;
    if (i != 1)
      weight = weight * 10 + (unsigned)(c - '0');
  }
  if (weight > WEIGHT_MAX)
    return false;
  *ret_weight = weight;
  return true;
}

/* type "/" subtype, and where its parameters begin. */
static bool take_type(struct bytes *text, struct range *ret_range)
{
  return take_token(text, &ret_range->type) && take_char(text, '/') &&
         take_token(text, &ret_range->subtype) &&
         (!is_text(ret_range->type, "*") || is_text(ret_range->subtype, "*"));
}

static bool read_range(struct bytes element, struct range *ret_range)
{
  struct bytes name, value;
  *ret_range = (struct range){.weight = WEIGHT_MAX};
  skip_space(&element);
  if (!take_type(&element, ret_range))
    return false;
  ret_range->parameters = element;
  for (skip_space(&element); element.len > 0; skip_space(&element)) {
    if (!take_parameter(&element, &name, &value))
      return false;
    if (is_text(name, "q") && !read_weight(value, &ret_range->weight))
      return false;
  }
  return true;
}

static bool has_parameter(struct bytes parameters, struct bytes name, struct bytes value)
{
  struct bytes its_name, its_value;
  while (take_parameter(&parameters, &its_name, &its_value))
    if (is_same(its_name, name) && is_same(its_value, value))
      return true;
  return false;
}

/* How many of the range's parameters the offer has; false when it lacks one. */
static bool match_parameters(const struct range *range, const struct range *offer, unsigned *ret_n)
{
  struct bytes rest = range->parameters, name, value;
  *ret_n = 0;
  while (take_parameter(&rest, &name, &value)) {
    bool free_for_all = name.len == 0 || is_text(name, "q") ||
                        (is_text(name, "charset") && is_text(value, "utf-8"));
    if (free_for_all)
      continue;
    if (!has_parameter(offer->parameters, name, value))
      return false;
    ++*ret_n;
  }
  return true;
}

static unsigned precision_of(const struct range *range, const struct range *offer)
{
  unsigned n;
  if (!match_parameters(range, offer, &n))
    return NO_MATCH;
  if (is_text(range->type, "*"))
    return MATCH_ANY;
  if (!is_same(range->type, offer->type))
    return NO_MATCH;
  if (is_text(range->subtype, "*"))
    return MATCH_TYPE;
  return is_same(range->subtype, offer->subtype) ? MATCH_SUBTYPE + n : NO_MATCH;
}

/* The next element of the list; commas between quotes do not divide. */
static struct bytes take_element(struct bytes *list)
{
  size_t n = 0;
  for (bool quoted = false; n < list->len && (quoted || list->data[n] != ','); n++) {
    if (list->data[n] == '"')
      quoted = !quoted;
    else if (quoted && list->data[n] == '\\' && n + 1 < list->len)
      n++;
  }
  struct bytes element = bytes_of(list->data, n);
  *list = behind(*list, n < list->len ? n + 1 : n);
  return element;
}

static struct match match_offer(struct bytes list, const char *content_type)
{
  struct match best = {NO_MATCH, 0};
  struct range range, offer;
  if (!read_range(bytes_of_text(content_type), &offer))
    return best;
  while (list.len > 0) {
    if (!read_range(take_element(&list), &range))
      continue;
    unsigned precision = precision_of(&range, &offer);
    if (precision > best.precision)
      best = (struct match){precision, range.weight};
  }
  return best;
}

static bool is_better(struct match a, struct match b)
{
  return a.weight > b.weight || (a.weight == b.weight && a.precision > b.precision);
}

static bool refuse(const char *const *offers, size_t n, struct fault *f)
{
  AUTO(buf) list = {0};
  for (size_t i = 0; i < n; i++)
    buf_addf(&list, "%s%s", i > 0 ? ", " : "", offers[i]);
  return fault_set(f, NOT_ACCEPTABLE, "a reply can be made as: %s", buf_text(&list));
}

bool accept_choose(const char *accept, const char *const *offers, size_t n, size_t *ret_index,
                   struct fault *f)
{
  /* Whoever takes anything gets the first. "Accept: ," is an empty list too. */
  if (accept[strspn(accept, " \t,")] == '\0' || strcmp(accept, "*/*") == 0) {
    *ret_index = 0;
    return true;
  }
  struct match best = {NO_MATCH, 0};
  for (size_t i = 0; i < n; i++) {
    struct match match = match_offer(bytes_of_text(accept), offers[i]);
    if (match.weight == 0 || !is_better(match, best))
      continue;
    best = match;
    *ret_index = i;
  }
  return best.precision != NO_MATCH || refuse(offers, n, f);
}
