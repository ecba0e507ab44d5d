/* log.c - see log.h. */
#include "lib/base/log.h"

#include <stdatomic.h>

#include "lib/base/buf.h"
#include "lib/base/log_out.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

static _Atomic int log_least = LOG_LEVEL_INFO;
static _Atomic int log_form = LOG_FORMAT_PLAIN;

enum { LINE_USUAL = 512 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const char *const format_names[] = {"plain", "json"};

void log_setup(enum log_format format, enum log_level least, int fd)
{
  log_form = (int)format;
  log_least = (int)least;
  log_out_to(fd);
}

static bool named(const char *const *names, size_t n, const char *name, int *ret_index)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0) {
      *ret_index = (int)i;
      return true;
    }
  return false;
}

bool log_level_named(const char *name, enum log_level *ret_level)
{
  int index;
  if (!named(level_names, ARRAY_LEN(level_names), name, &index))
    return false;
  *ret_level = (enum log_level)index;
  return true;
}

bool log_format_named(const char *name, enum log_format *ret_format)
{
  int index;
  if (!named(format_names, ARRAY_LEN(format_names), name, &index))
    return false;
  *ret_format = (enum log_format)index;
  return true;
}

static void add_quoted(struct buf *line, const char *text)
{
  buf_add_u8(line, '"');
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      buf_add_u8(line, '\\');
    buf_add_u8(line, (uint8_t)*p);
  }
  buf_add_u8(line, '"');
}

/* The text from `at` to the end of the line, anew with its quotes. */
static void quote_end(struct buf *line, size_t at)
{
  AUTO(buf) copy = {0};
  buf_add_text(&copy, buf_text(line) + at);
  line->len = at;
  line->failed |= copy.failed;
  add_quoted(line, buf_text(&copy));
}

/* Text of a peer may hold anything: make it printable, so that no line can be forged. */
static void add_text(struct buf *line, const char *text, bool quote)
{
  size_t at = line->len;
  buf_add_text(line, text);
  (void)buf_text(line); /* the NUL behind it */
  if (!buf_ok(line))
    return;
  char *added = (char *)line->data + at;
  text_make_printable(added);
  if (quote || *added == '\0' || strpbrk(added, " \"\\=") != NULL)
    quote_end(line, at);
}

static void add_number(struct buf *line, int64_t number)
{
  char digits[24], *at = digits + sizeof digits;
  uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
  do
    *--at = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (number < 0)
    *--at = '-';
  buf_add(line, at, (size_t)(digits + sizeof digits - at));
}

static void add_field(struct buf *line, const struct log_field *field, bool json)
{
  if (field->name == NULL || (!field->is_number && field->text == NULL))
    return;
  buf_add_text(line, json ? ",\"" : " ");
  buf_add_text(line, field->name);
  buf_add_text(line, json ? "\":" : "=");
  if (field->is_number)
    add_number(line, field->number);
  else
    add_text(line, field->text, json);
}

/* "2026-11-23T08:00:00.000Z" */
static void add_time(struct buf *line, int64_t now_ms)
{
  char now[WHEN_TEXT_SIZE];
  int ms = (int)(now_ms % 1000);
  when_text(now, now_ms / 1000);
  buf_add(line, now, strlen("2026-11-23T08:00:00"));
  buf_add(line,
          (const char[]){'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                         (char)('0' + ms % 10), 'Z'},
          5);
}

static void add_head(struct buf *line, enum log_level level, const char *message, bool json)
{
  buf_add_text(line, json ? "{\"time\":\"" : "");
  add_time(line, when_now_ms());
  buf_add_text(line, json ? "\",\"level\":\"" : " ");
  buf_add_text(line, level_names[level]);
  buf_add_text(line, json ? "\",\"message\":" : " ");
  if (json)
    add_text(line, message, true);
  else
    buf_add_text(line, message);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
  AUTO(buf) line = {0};
  bool json = log_form == LOG_FORMAT_JSON;
  if ((int)level < log_least)
    return;
  buf_reserve(&line, LINE_USUAL);
  add_head(&line, level, message, json);
  for (size_t i = 0; i < n; i++)
    add_field(&line, &fields[i], json);
  buf_add_text(&line, json ? "}\n" : "\n");
  if (buf_ok(&line))
    log_out_line(buf_bytes(&line), level >= LOG_LEVEL_WARNING);
}

bool log_gather(struct fault *f)
{
  return log_out_gather(f);
}

void log_gather_end(void)
{
  log_out_gather_end();
}

void log_save(void)
{
  log_out_save();
}
