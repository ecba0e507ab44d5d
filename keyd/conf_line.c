/* conf_line.c - see conf_line.h. */
#include "keyd/conf_line.h"

#include <string.h>

#include "lib/base/text.h"

static void skip_space(struct bytes *text)
{
  while (text->len > 0 && (text->data[0] == ' ' || text->data[0] == '\t' || text->data[0] == '\r'))
    *text = bytes_of(text->data + 1, text->len - 1);
}

bool line_take_char(struct bytes *text, char c)
{
  skip_space(text);
  if (text->len == 0 || text->data[0] != (uint8_t)c)
    return false;
  *text = bytes_of(text->data + 1, text->len - 1);
  return true;
}

bool line_at_end(struct bytes *text)
{
  skip_space(text);
  return text->len == 0 || text->data[0] == '#';
}

struct bytes line_take_name(struct bytes *text)
{
  size_t n = 0;
  skip_space(text);
  while (n < text->len && text_is_token(bytes_of(text->data + n, 1), 1, "_"))
    n++;
  struct bytes name = bytes_of(text->data, n);
  *text = bytes_of(text->data + n, text->len - n);
  return name;
}

/* Behind the opening quote. A backslash takes the next character as it is. */
static bool take_quoted(struct bytes *text, char item[LINE_ITEM_SIZE], struct fault *f)
{
  size_t n = 0;
  for (size_t i = 0; i < text->len; i++) {
    if (text->data[i] == '"') {
      *text = bytes_of(text->data + i + 1, text->len - i - 1);
      item[n] = '\0';
      return true;
    }
    if (text->data[i] == '\\' && i + 1 < text->len)
      i++;
    if (n + 1 == LINE_ITEM_SIZE)
      return fault_set(f, BAD_CONFIG, "the value is longer than %d characters", LINE_ITEM_SIZE - 1);
    item[n++] = (char)text->data[i];
  }
  return fault_set(f, BAD_CONFIG, "the closing quote is missing");
}

static bool take_bare(struct bytes *text, char item[LINE_ITEM_SIZE], struct fault *f)
{
  size_t n = 0;
  while (n < text->len && strchr(" \t\r#,{}\"=", text->data[n]) == NULL)
    n++;
  if (n == 0)
    return fault_set(f, BAD_CONFIG, "a value is missing");
  if (!text_copy(item, LINE_ITEM_SIZE, bytes_of(text->data, n)))
    return fault_set(f, BAD_CONFIG, "the value is longer than %d characters", LINE_ITEM_SIZE - 1);
  *text = bytes_of(text->data + n, text->len - n);
  return true;
}

bool line_take_value(struct bytes *text, struct line_value *ret_value, struct fault *f)
{
  bool braces = line_take_char(text, '{');
  ret_value->n = 0;
  do {
    if (ret_value->n == LINE_ITEMS_MAX)
      return fault_set(f, BAD_CONFIG, "more than %d values", LINE_ITEMS_MAX);
    char *item = ret_value->items[ret_value->n++];
    if (!(line_take_char(text, '"') ? take_quoted(text, item, f) : take_bare(text, item, f)))
      return false;
  } while (line_take_char(text, ','));
  if (braces && !line_take_char(text, '}'))
    return fault_set(f, BAD_CONFIG, "the closing brace is missing");
  return line_at_end(text) || fault_set(f, BAD_CONFIG, "something stands behind the value");
}
