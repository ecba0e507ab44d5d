/* conf_scan.c - see conf_scan.h. */
#include "lib/ca/conf_scan.h"

#include "lib/base/text.h"

enum { DEPTH_MAX = 2 }; /* a list in a section */

struct scan {
  const char *path;
  uint8_t *p, *end;
  unsigned line;
  unsigned opened[DEPTH_MAX], depth; /* lines of the braces that are open */
  struct fault *f;
};

static bool fail(const struct scan *s, unsigned line, const char *what)
{
  return fault_set(s->f, BAD_CONFIG, "%s:%u: %s", s->path, line, what);
}

static bool starts(const struct scan *s, const char *text)
{
  size_t len = strlen(text);
  return (size_t)(s->end - s->p) >= len && memcmp(s->p, text, len) == 0;
}

static void blank_line_comment(struct scan *s)
{
  while (s->p < s->end && *s->p != '\n')
    *s->p++ = ' ';
}

static bool blank_long_comment(struct scan *s)
{
  unsigned begun = s->line;
  s->p[0] = s->p[1] = ' '; /* so that it does not end itself */
  for (; s->p < s->end; s->p++) {
    if (starts(s, "*/")) {
      s->p[0] = s->p[1] = ' ';
      s->p += 2;
      return true;
    }
    if (*s->p == '\n')
      s->line++;
    else
      *s->p = ' ';
  }
  return fail(s, begun, "this comment does not end; write */ behind it");
}

static bool step_over_string(struct scan *s)
{
  uint8_t quote = *s->p++;
  for (; s->p < s->end && *s->p != '\n'; s->p++) {
    if (*s->p == quote) {
      s->p++;
      return true;
    }
    if (*s->p == '\\' && s->p + 1 < s->end && (s->p[1] == '\\' || s->p[1] == quote))
      s->p++;
    else if (*s->p == '\\')
      return fail(s, s->line, "a backslash stands before a quote or another backslash only");
    else if (starts(s, "${"))
      *s->p = CONF_SCAN_DOLLAR;
  }
  return fail(s, s->line, "this string does not end; write a quote at its end, on the same line");
}

/* libConfuse takes the end of the file for the end of a section. */
static bool count_brace(struct scan *s)
{
  if (*s->p == '}')
    s->depth -= s->depth > 0; /* one too many is libConfuse's matter */
  else if (s->depth == DEPTH_MAX)
    return fail(s, s->line, "a third { within two others; close the one before with }");
  else
    s->opened[s->depth++] = s->line;
  s->p++;
  return true;
}

static bool step(struct scan *s)
{
  uint8_t c = *s->p;
  if (c == '#' || starts(s, "//"))
    blank_line_comment(s);
  else if (starts(s, "/*"))
    return blank_long_comment(s);
  else if (c == '"' || c == '\'')
    return step_over_string(s);
  else if (c == '{' || c == '}')
    return count_brace(s);
  else if (c >= 0x80 || strchr("|$()+;\\`", c) != NULL)
    return fail(s, s->line, "this character means nothing here; write values in quotes");
  else {
    s->line += c == '\n';
    s->p++;
  }
  return true;
}

static bool look_at_octets(const struct scan *s, struct bytes text)
{
  unsigned line = 1;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.data[i];
    if ((c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
      return fail(s, line, "a control character; a configuration is plain text");
    line += c == '\n';
  }
  return text_is_utf8(text) || fail(s, 1, "this file is not UTF-8; save it as UTF-8 text");
}

bool conf_scan(const char *path, struct buf *text, struct fault *f)
{
  struct scan s = {.path = path, .p = text->data, .line = 1, .f = f};
  s.end = text->len > 0 ? text->data + text->len : text->data;
  if (!look_at_octets(&s, buf_bytes(text)))
    return false;
  while (s.p < s.end)
    if (!step(&s))
      return false;
  return s.depth == 0 ||
         fail(&s, s.opened[s.depth - 1], "this { is not closed; write } behind what it holds");
}

void conf_scan_restore(char *value)
{
  for (; *value != '\0'; value++)
    if (*value == CONF_SCAN_DOLLAR)
      *value = '$';
}
