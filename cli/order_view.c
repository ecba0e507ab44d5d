/* order_view.c - see order_view.h. */
#include "cli/order_view.h"

#include <string.h>
#include <unistd.h>

#include "cli/json_out.h"
#include "cli/screen.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { LABEL_WIDTH = 12, BAR_WIDTH = 30 };

bool order_path(const struct args *args, const char *rest, struct buf *out, struct fault *f)
{
  const char *name = args->operands[0];
  if (!text_is_token(bytes_of_text(name), 64, "-_"))
    return fault_set(f, BAD_USAGE, "an order's name is 1 to 64 of A-Z a-z 0-9 - _, not '%s'", name);
  buf_addf(out, "/v1/orders/%s%s", name, rest);
  return buf_ok(out) || fault_no_memory(f);
}

int64_t order_number(const json_t *order, const char *name)
{
  return json_integer_value(json_object_get(order, name));
}

void order_progress(const json_t *order, size_t bar_width, struct buf *out)
{
  int64_t issued = order_number(order, "issued"), quantity = order_number(order, "quantity");
  if (isatty(STDOUT_FILENO)) {
    screen_bar(out, issued, quantity, bar_width);
    buf_add_u8(out, ' ');
  }
  buf_addf(out, "%lld of %lld", (long long)issued, (long long)quantity);
}

static void row(const char *label, struct buf *text)
{
  if (text->len > 0)
    screen_row(stdout, label, LABEL_WIDTH, buf_text(text));
  buf_clear(text);
}

static void add_list(struct buf *out, const json_t *list)
{
  size_t i;
  json_t *item;
  json_array_foreach(list, i, item)
      buf_addf(out, "%s%s", out->len > 0 ? ", " : "", json_string_value(item));
}

static void row_of_time(const char *label, const char *text, struct buf *line)
{
  int64_t instant;
  if (when_read(bytes_of_text(text), &instant))
    screen_when(line, instant, when_now());
  row(label, line);
}

static void print_limits(const json_t *order, struct buf *line)
{
  buf_add_text(line, json_text(order, "model"));
  row("Model", line);
  add_list(line, json_object_get(order, "stations"));
  row("Stations", line);
  add_list(line, json_object_get(order, "ip_ranges"));
  row("Addresses", line);
  row_of_time("From", json_text(order, "from"), line);
  row_of_time("Until", json_text(order, "until"), line);
}

static void print_order(const json_t *order, struct buf *line)
{
  printf("%s, %s\n", json_text(order, "name"), json_text(order, "state"));
  order_progress(order, BAR_WIDTH, line);
  buf_addf(line, ", %lld left", (long long)order_number(order, "remaining"));
  row("Issued", line);
  buf_addf(line, "%lld of %lld", (long long)order_number(order, "replaced"),
           (long long)order_number(order, "replacements"));
  row("Replaced", line);
  buf_add_text(line, json_text(order, "profile"));
  row("Profile", line);
  print_limits(order, line);
  row_of_time("Made", json_text(order, "created_at"), line);
  row_of_time("Closed", json_text(order, "closed_at"), line);
}

bool order_print(const struct args *args, json_t *order, struct fault *f)
{
  AUTO(buf) line = {0};
  if (args_has(args, "json"))
    return json_print(json_incref(order), f);
  print_order(order, &line);
  return true;
}
