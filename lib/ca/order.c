/* order.c - see order.h. */
#include "lib/ca/order.h"

#include <string.h>

#include "lib/base/text.h"
#include "lib/base/when.h"

bool order_name_is_valid(struct bytes name)
{
  return text_is_token(name, ORDER_NAME_SIZE - 1, "-_");
}

/* --- what it is for --- */

static bool has_station(const struct order *order, struct bytes name)
{
  for (size_t i = 0; i < order->n_stations; i++)
    if (bytes_equal(name, bytes_of_text(order->stations[i])))
      return true;
  return false;
}

bool order_add_station(struct order *order, struct bytes name, struct fault *f)
{
  if (!principal_name_is_valid(name))
    return fault_set(f, BAD_FIELD, "a station's name is 1 to %d of A-Z a-z 0-9 - _",
                     PRINCIPAL_NAME_SIZE - 1);
  if (has_station(order, name))
    return true;
  if (order->n_stations == ORDER_STATIONS_MAX)
    return fault_set(f, BAD_FIELD, "an order names %d stations at the most", ORDER_STATIONS_MAX);
  TEXT_COPY(order->stations[order->n_stations++], name);
  return true;
}

bool order_add_range(struct order *order, struct bytes text, struct fault *f)
{
  struct ip_range range;
  if (!ip_range_read(text, &range) || ip_is_v4_mapped(&range.net))
    return fault_set(f, BAD_FIELD,
                     "a range is an address or a network as in 10.1.0.0/16 or fd00::/8, without "
                     "bits behind the prefix");
  if (order->n_ip_ranges == ORDER_RANGES_MAX)
    return fault_set(f, BAD_FIELD, "an order has %d ranges at the most", ORDER_RANGES_MAX);
  order->ip_ranges[order->n_ip_ranges++] = range;
  return true;
}

bool order_serves(const struct order *order, const char *station)
{
  return order->n_stations == 0 || has_station(order, bytes_of_text(station));
}

/* --- a request --- */

static bool ranges_have(const struct order *order, struct bytes octets)
{
  struct ip ip;
  if (!ip_from_octets(octets, &ip))
    return false;
  for (size_t i = 0; i < order->n_ip_ranges; i++)
    if (ip_range_has(&order->ip_ranges[i], &ip))
      return true;
  return false;
}

static void add_outsider(struct san name, const struct order *order, struct fault *f)
{
  AUTO(buf) text = {0};
  san_text(name, &text);
  fault_add_item(f, buf_text(&text), "no range of order %s has it", order->name);
}

bool order_check_names(const struct order *order, const struct sans *names, struct fault *f)
{
  size_t outside = 0;
  if (order->n_ip_ranges == 0)
    return true;
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    if (name.kind != SAN_IP || ranges_have(order, name.value))
      continue;
    add_outsider(name, order, f);
    outside++;
  }
  return outside == 0 || fault_set(f, ORDER_NOT_ALLOWED, "order %s is not for %s", order->name,
                                   outside == 1 ? "this address" : "these addresses");
}

static bool check_purpose(const struct order *order, const struct order_request *request,
                          struct fault *f)
{
  if (strcmp(order->profile, request->profile) != 0)
    return fault_set(f, ORDER_NOT_ALLOWED, "order %s is for profile %s, not %s", order->name,
                     order->profile, request->profile);
  if (order->model[0] != '\0' && strcmp(order->model, request->model) != 0)
    return fault_set(f, ORDER_NOT_ALLOWED, "order %s is for model %s", order->name, order->model);
  if (!order_serves(order, request->station))
    return fault_set(f, ORDER_NOT_ALLOWED, "order %s is not for station %s", order->name,
                     request->station);
  return order_check_names(order, request->names, f);
}

static bool check_open(const struct order *order, int64_t now, struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  if (order->closed_at != 0) {
    when_text(when, order->closed_at);
    return fault_set(f, ORDER_CLOSED, "order %s was closed at %s", order->name, when);
  }
  if (order->from != 0 && now < order->from) {
    when_text(when, order->from);
    return fault_set(f, ORDER_CLOSED, "order %s opens at %s", order->name, when);
  }
  if (order->until != 0 && now >= order->until) {
    when_text(when, order->until);
    return fault_set(f, ORDER_CLOSED, "order %s was open until %s", order->name, when);
  }
  return true;
}

static bool check_rest(const struct order *order, bool is_replacement, struct fault *f)
{
  if (is_replacement)
    return order->replaced < order->replacements ||
           fault_set(f, ORDER_EXHAUSTED, "order %s allows %lld replacements, and has had them",
                     order->name, (long long)order->replacements);
  return order->issued < order->quantity ||
         fault_set(f, ORDER_EXHAUSTED, "all %lld of order %s have been issued",
                   (long long)order->quantity, order->name);
}

bool order_check(const struct order *order, const struct order_request *request, int64_t now,
                 struct fault *f)
{
  return check_purpose(order, request, f) && check_open(order, now, f) &&
         check_rest(order, request->is_replacement, f);
}

/* --- extending --- */

/* A limit goes up, and not over the most there may be. */
static bool raise(const struct order *order, const char *what, int64_t wanted, int64_t *limit,
                  struct fault *f)
{
  if (wanted == 0)
    return true;
  if (wanted <= *limit)
    return fault_set(f, ORDER_NOT_ALLOWED, "%s of order %s is %lld already: an order only grows",
                     what, order->name, (long long)*limit);
  if (wanted > ORDER_QUANTITY_MAX)
    return fault_set(f, ORDER_NOT_ALLOWED, "%s may be %d at the most", what, ORDER_QUANTITY_MAX);
  *limit = wanted;
  return true;
}

static bool prolong(struct order *order, int64_t until, struct fault *f)
{
  if (until == 0)
    return true;
  if (order->until == 0)
    return fault_set(f, ORDER_NOT_ALLOWED, "order %s has no end that could be later", order->name);
  if (until <= order->until) {
    char when[WHEN_TEXT_SIZE];
    when_text(when, order->until);
    return fault_set(f, ORDER_NOT_ALLOWED, "order %s is open until %s already: an order only grows",
                     order->name, when);
  }
  order->until = until;
  return true;
}

bool order_extend(struct order *order, const struct order_extension *extension, struct fault *f)
{
  struct order extended = *order;
  int64_t quantity = extension->quantity;
  if (order->closed_at != 0)
    return fault_set(f, ORDER_CLOSED, "order %s was closed; make another one", order->name);
  if (quantity != 0 && extension->by != 0)
    return fault_set(f, ORDER_NOT_ALLOWED, "give the new quantity, or by how much more; not both");
  if (extension->by != 0)
    quantity = order->quantity + extension->by;
  if (quantity == 0 && extension->until == 0 && extension->replacements == 0)
    return fault_set(f, ORDER_NOT_ALLOWED, "say what is to grow: quantity, until, replacements");
  if (!raise(order, "quantity", quantity, &extended.quantity, f) ||
      !raise(order, "replacements", extension->replacements, &extended.replacements, f) ||
      !prolong(&extended, extension->until, f))
    return false;
  *order = extended;
  return true;
}
