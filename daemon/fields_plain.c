/* fields_plain.c - see fields_plain.h. */
#include "daemon/fields_plain.h"

struct scanner {
  const uint8_t *at, *end;
  struct buf *scratch; /* has room for all that is decoded: it never moves */
};

/* What stands for itself in a string. */
static const bool is_plain[256] = {
    [' '] = true, ['!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

/* RFC 8259, section 7; \b, \f and \u are for the full reader. */
static const uint8_t escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};

static void skip_space(struct scanner *s)
{
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
    s->at++;
}

static bool take(struct scanner *s, uint8_t c)
{
  skip_space(s);
  if (s->at == s->end || *s->at != c)
    return false;
  s->at++;
  return true;
}

static struct bytes take_run(struct scanner *s)
{
  const uint8_t *start = s->at, *at = start, *end = s->end;
  while (at < end && is_plain[*at])
    at++;
  s->at = at;
  return bytes_of(start, (size_t)(at - start));
}

/* Nothing may stand before it, not even white space. */
static bool take_closing_quote(struct scanner *s)
{
  if (s->at == s->end || *s->at != '"')
    return false;
  s->at++;
  return true;
}

/* From the first escape on; what stood before it is `run`. */
static bool take_escaped(struct scanner *s, struct bytes run, struct bytes *ret_text)
{
  size_t start = s->scratch->len;
  buf_add_bytes(s->scratch, run);
  while (s->end - s->at >= 2 && *s->at == '\\' && escapes[s->at[1]] != 0) {
    buf_add_u8(s->scratch, escapes[s->at[1]]);
    s->at += 2;
    buf_add_bytes(s->scratch, take_run(s));
  }
  *ret_text = bytes_of(s->scratch->data + start, s->scratch->len - start);
  return take_closing_quote(s);
}

static bool take_string(struct scanner *s, struct bytes *ret_text)
{
  if (!take(s, '"'))
    return false;
  struct bytes run = take_run(s);
  if (s->at < s->end && *s->at == '\\')
    return take_escaped(s, run, ret_text);
  *ret_text = run;
  return take_closing_quote(s);
}

static bool take_word(struct scanner *s, const char *word, struct bytes *ret_text)
{
  size_t len = strlen(word);
  skip_space(s);
  if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
    return false;
  *ret_text = bytes_of(s->at, len);
  s->at += len;
  return true;
}

static bool take_items(struct scanner *s, struct plain *plain)
{
  if (!take(s, '['))
    return false;
  if (take(s, ']'))
    return true;
  do
    if (plain->n_items == PLAIN_ITEMS_MAX || !take_string(s, &plain->items[plain->n_items++]))
      return false;
  while (take(s, ','));
  return take(s, ']');
}

static bool take_value(struct scanner *s, enum field_type type, struct plain *plain,
                       struct plain_value *value)
{
  if (type == FIELD_STRING)
    return take_string(s, &value->text);
  if (type == FIELD_BOOLEAN)
    return take_word(s, "true", &value->text) || take_word(s, "false", &value->text);
  if (type == FIELD_NUMBER)
    return false;
  value->first_item = plain->n_items;
  bool taken = take_items(s, plain);
  value->n_items = plain->n_items - value->first_item;
  return taken;
}

/* The name has no NUL in it: it is plain. */
static bool is_named(const struct field *field, struct bytes name)
{
  return name.len > 0 && field->name[0] == (char)name.data[0] &&
         strncmp(field->name, (const char *)name.data, name.len) == 0 &&
         field->name[name.len] == '\0';
}

static bool take_member(struct scanner *s, const struct field_table *table, struct plain *plain)
{
  struct bytes name;
  if (!take_string(s, &name) || !take(s, ':'))
    return false;
  for (size_t i = 0; i < table->n; i++) {
    struct plain_value *value = &plain->values[i];
    if (!is_named(&table->fields[i], name))
      continue;
    if (value->given)
      return false;
    value->given = true;
    return take_value(s, table->fields[i].type, plain, value);
  }
  return false;
}

bool fields_plain_read(const struct field_table *table, struct bytes body, struct buf *scratch,
                       struct plain *ret_plain)
{
  struct scanner s = {body.data, body.data + body.len, scratch};
  struct plain *plain = ret_plain;
  memset(plain->values, 0, sizeof plain->values);
  plain->n_items = 0;
  if (body.len == 0 || table->n > PLAIN_FIELDS_MAX || !buf_reserve(scratch, body.len) ||
      !take(&s, '{'))
    return false;
  if (!take(&s, '}')) {
    do
      if (!take_member(&s, table, plain))
        return false;
    while (take(&s, ','));
    if (!take(&s, '}'))
      return false;
  }
  skip_space(&s);
  return s.at == s.end;
}
