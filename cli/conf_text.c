/* conf_text.c - see conf_text.h. */
#include "cli/conf_text.h"

struct line {
  size_t start, end; /* without the new line */
  size_t key;        /* where the key stands */
  size_t value;      /* behind "= " */
  bool commented;
};

static size_t skip(struct bytes text, size_t at, size_t end, const char *set)
{
  while (at < end && text.data[at] != '\0' && strchr(set, text.data[at]) != NULL)
    at++;
  return at;
}

/* Is the line from start to end "key = value", or that behind a '#'? */
static bool read_line(struct bytes text, struct line *line, const char *key)
{
  size_t len = strlen(key), at = skip(text, line->start, line->end, " \t");
  size_t behind = skip(text, at, line->end, "# \t");
  line->commented = behind != at;
  line->key = behind;
  if (line->end - behind < len || memcmp(text.data + behind, key, len) != 0)
    return false;
  at = skip(text, behind + len, line->end, " \t");
  if (at >= line->end || text.data[at] != '=')
    return false;
  line->value = skip(text, at + 1, line->end, " \t");
  return true;
}

/* The next line of this key at or behind *at, which is stepped behind it. */
static bool next_line(struct bytes text, size_t *at, const char *key, struct line *ret_line)
{
  while (*at < text.len) {
    const uint8_t *newline = memchr(text.data + *at, '\n', text.len - *at);
    struct line line = {.start = *at};
    line.end = newline != NULL ? (size_t)(newline - text.data) : text.len;
    *at = line.end + 1;
    if (read_line(text, &line, key)) {
      *ret_line = line;
      return true;
    }
  }
  return false;
}

/* The one line of this key: one that counts, or else one that is commented out. */
static bool one_line(struct bytes text, const char *key, struct line *ret_line)
{
  size_t n[2] = {0, 0};
  struct line line, found[2];
  for (size_t at = 0; next_line(text, &at, key, &line);) {
    found[line.commented] = line;
    n[line.commented]++;
  }
  bool commented = n[0] == 0;
  if (n[commented] != 1)
    return false;
  *ret_line = found[commented];
  return true;
}

bool conf_text_set(struct buf *text, const char *key, const char *value, struct fault *f)
{
  struct line line;
  if (!one_line(buf_bytes(text), key, &line))
    return fault_set(f, BAD_CONFIG, "the sample has not one line of '%s' to fill in", key);
  AUTO(buf) out = {0};
  buf_add(&out, text->data, line.start);
  size_t indent = skip(buf_bytes(text), line.start, line.end, " \t") - line.start;
  buf_add(&out, text->data + line.start, indent);
  buf_addf(&out, "%s = %s", key, value);
  buf_add(&out, text->data + line.end, text->len - line.end);
  if (!buf_ok(&out))
    return fault_no_memory(f);
  struct buf old = *text;
  *text = out;
  out = old; /* freed in place of the new one */
  return true;
}

bool conf_text_comment_out(struct buf *text, const char *key, struct fault *f)
{
  struct line line;
  if (!one_line(buf_bytes(text), key, &line))
    return fault_set(f, BAD_CONFIG, "the sample has not one line of '%s' to comment out", key);
  if (line.commented)
    return true;
  if (!buf_insert_gap(text, line.key, 2))
    return fault_no_memory(f);
  memcpy(text->data + line.key, "# ", 2);
  return true;
}

bool conf_text_set_within(struct buf *text, const char *section, const char *key, const char *value,
                          struct fault *f)
{
  const char *all = buf_text(text), *begin = strstr(all, section);
  const char *end = begin != NULL ? strstr(begin, "\n}") : NULL;
  if (end == NULL)
    return fault_set(f, BAD_CONFIG, "the sample has no section '%s'", section);
  AUTO(buf) part = {0};
  AUTO(buf) out = {0};
  buf_add(&part, begin, (size_t)(end - begin));
  if (!conf_text_set(&part, key, value, f))
    return false;
  buf_add(&out, all, (size_t)(begin - all));
  buf_add_bytes(&out, buf_bytes(&part));
  buf_add_text(&out, end);
  if (!buf_ok(&out))
    return fault_no_memory(f);
  struct buf old = *text;
  *text = out;
  out = old; /* freed in place of the new one */
  return true;
}

bool conf_text_get(struct bytes text, const char *key, struct buf *ret_value)
{
  struct line line;
  size_t at = 0;
  do {
    if (!next_line(text, &at, key, &line))
      return false;
  } while (line.commented);
  size_t end = line.end;
  bool quoted = line.value < end && text.data[line.value] == '"';
  const char *stop = quoted ? "\"" : " \t\r#";
  line.value += quoted;
  for (end = line.value; end < line.end && strchr(stop, text.data[end]) == NULL;)
    end++;
  buf_add(ret_value, text.data + line.value, end - line.value);
  return true;
}

void conf_text_quote(struct buf *out, const char *text)
{
  buf_add_text(out, "\"");
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      buf_add_text(out, "\\");
    buf_add(out, text, 1);
  }
  buf_add_text(out, "\"");
}
