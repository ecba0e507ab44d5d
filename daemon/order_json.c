/* order_json.c - see order_json.h. */
#include "daemon/order_json.h"

#include "daemon/json_text.h"
#include "lib/base/when.h"

static void add_time(struct buf *out, const char *name, int64_t instant)
{
  char text[WHEN_TEXT_SIZE] = "";
  if (instant != 0)
    when_text(text, instant);
  json_add_member(out, name, bytes_of_text(text));
}

static void add_stations(struct buf *out, const struct order *order)
{
  json_add_name(out, "stations");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < order->n_stations; i++) {
    json_add_comma(out);
    json_add_string(out, bytes_of_text(order->stations[i]));
  }
  buf_add_u8(out, ']');
}

static void add_ranges(struct buf *out, const struct order *order)
{
  json_add_name(out, "ip_ranges");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < order->n_ip_ranges; i++) {
    char net[IP_TEXT_SIZE];
    ip_text(&order->ip_ranges[i].net, net);
    json_add_comma(out);
    buf_addf(out, "\"%s/%u\"", net, order->ip_ranges[i].bits);
  }
  buf_add_u8(out, ']');
}

void order_json_add(const struct order *order, struct buf *out)
{
  json_add_member(out, "name", bytes_of_text(order->name));
  json_add_member(out, "state", bytes_of_text(order->closed_at == 0 ? "open" : "closed"));
  json_add_member(out, "profile", bytes_of_text(order->profile));
  json_add_member(out, "model", bytes_of_text(order->model));
  json_add_number(out, "quantity", order->quantity);
  json_add_number(out, "issued", order->issued);
  json_add_number(out, "remaining", order->quantity - order->issued);
  json_add_number(out, "replacements", order->replacements);
  json_add_number(out, "replaced", order->replaced);
  add_stations(out, order);
  add_ranges(out, order);
  add_time(out, "from", order->from);
  add_time(out, "until", order->until);
  add_time(out, "created_at", order->created_at);
  add_time(out, "closed_at", order->closed_at);
}
