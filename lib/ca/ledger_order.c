/* ledger_order.c - production orders, as rows; see order.h. */
#include <stdint.h>

#include "lib/base/text.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_private.h"
#include "lib/ca/order.h"

/* ORDER_COLUMNS. */
enum {
  COLUMN_ID,
  COLUMN_NAME,
  COLUMN_PROFILE,
  COLUMN_MODEL,
  COLUMN_STATIONS,
  COLUMN_IP_RANGES,
  COLUMN_FROM,
  COLUMN_UNTIL,
  COLUMN_QUANTITY,
  COLUMN_ISSUED,
  COLUMN_REPLACEMENTS,
  COLUMN_REPLACED,
  COLUMN_CREATED_AT,
  COLUMN_CLOSED_AT
};

/* --- reading --- */

/* Words with a space between them. */
static bool each_word(struct bytes words, struct order *order,
                      bool (*add)(struct order *order, struct bytes word, struct fault *f))
{
  AUTO(fault) damaged = {0};
  while (words.len > 0) {
    const uint8_t *space = memchr(words.data, ' ', words.len);
    size_t len = space != NULL ? (size_t)(space - words.data) : words.len;
    if (!add(order, bytes_of(words.data, len), &damaged))
      return false;
    len += space != NULL;
    words = bytes_of(words.data + len, words.len - len);
  }
  return true;
}

static bool read_order(const struct ledger_call *call, struct order *ret_order, struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  struct order *order = ret_order;
  *order = (struct order){.id = sqlite3_column_int64(s, COLUMN_ID),
                          .from = sqlite3_column_int64(s, COLUMN_FROM),
                          .until = sqlite3_column_int64(s, COLUMN_UNTIL),
                          .quantity = sqlite3_column_int64(s, COLUMN_QUANTITY),
                          .issued = sqlite3_column_int64(s, COLUMN_ISSUED),
                          .replacements = sqlite3_column_int64(s, COLUMN_REPLACEMENTS),
                          .replaced = sqlite3_column_int64(s, COLUMN_REPLACED),
                          .created_at = sqlite3_column_int64(s, COLUMN_CREATED_AT),
                          .closed_at = sqlite3_column_int64(s, COLUMN_CLOSED_AT)};
  /* What cannot be read must not read as "any". */
  if (TEXT_COPY(order->name, ledger_call_column(call, COLUMN_NAME)) &&
      TEXT_COPY(order->profile, ledger_call_column(call, COLUMN_PROFILE)) &&
      TEXT_COPY(order->model, ledger_call_column(call, COLUMN_MODEL)) &&
      each_word(ledger_call_column(call, COLUMN_STATIONS), order, order_add_station) &&
      each_word(ledger_call_column(call, COLUMN_IP_RANGES), order, order_add_range))
    return true;
  return fault_set(f, LEDGER, "%s: order %lld is damaged", call->connection->path,
                   (long long)order->id);
}

bool ledger_order_find(struct ledger_connection *c, const char *name, bool *ret_found,
                       struct order *ret_order, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_GET_ORDER, &call, f))
    return false;
  ledger_call_text(&call, name);
  if (!ledger_call_step(&call, &found, f) || (found && !read_order(&call, ret_order, f)))
    return false;
  *ret_found = found;
  return true;
}

static bool get(struct ledger_connection *c, const char *name, struct order *ret_order,
                struct fault *f)
{
  bool found;
  if (!ledger_order_find(c, name, &found, ret_order, f))
    return false;
  return found || fault_set(f, UNKNOWN_ORDER, "there is no order %s", name);
}

bool ledger_get_order(struct ledger *ledger, const char *name, struct order *ret_order,
                      struct fault *f)
{
  struct ledger_connection *reader;
  struct ledger_order_use *use;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = ledger_order_use(ledger, reader, name, &use, f) &&
              (use != NULL || fault_set(f, UNKNOWN_ORDER, "there is no order %s", name));
  if (done)
    *ret_order = use->order;
  ledger_give_back(ledger, reader);
  return done;
}

static bool each_row(struct ledger_connection *reader, const struct order_query *query,
                     void (*each)(const struct order *order, void *context), void *context,
                     bool *ret_more, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_EACH_ORDER, &call, f))
    return false;
  ledger_call_number(&call, query->before_id != 0 ? query->before_id : INT64_MAX);
  if (query->state == ORDER_ANY)
    ledger_call_null(&call);
  else
    ledger_call_number(&call, query->state == ORDER_OPEN);
  ledger_call_text(&call, query->station);
  ledger_call_number(&call, (int64_t)query->limit + 1);
  for (unsigned n = 0;; n++) {
    struct order order;
    bool row;
    if (!ledger_call_step(&call, &row, f))
      return false;
    if (!row || n == query->limit) {
      *ret_more = row;
      return true;
    }
    if (!read_order(&call, &order, f))
      return false;
    each(&order, context);
  }
}

bool ledger_each_order(struct ledger *ledger, const struct order_query *query,
                       void (*each)(const struct order *order, void *context), void *context,
                       bool *ret_more, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = each_row(reader, query, each, context, ret_more, f);
  ledger_give_back(ledger, reader);
  return done;
}

/* --- writing --- */

static void add_word(struct buf *words, const char *word)
{
  buf_addf(words, "%s%s", words->len > 0 ? " " : "", word);
}

static void add_range(struct buf *words, const struct ip_range *range)
{
  char text[IP_TEXT_SIZE];
  ip_text(&range->net, text);
  buf_addf(words, "%s%s/%u", words->len > 0 ? " " : "", text, range->bits);
}

static bool insert(struct ledger_connection *c, const struct order *order, struct fault *f)
{
  AUTO(buf) stations = {0};
  AUTO(buf) ranges = {0};
  AUTO(ledger_call) call = {0};
  for (size_t i = 0; i < order->n_stations; i++)
    add_word(&stations, order->stations[i]);
  for (size_t i = 0; i < order->n_ip_ranges; i++)
    add_range(&ranges, &order->ip_ranges[i]);
  /* A list that is cut off would be another order. */
  if (!buf_ok(&stations) || !buf_ok(&ranges))
    return fault_no_memory(f);
  if (!ledger_call_open(c, SQL_ADD_ORDER, &call, f))
    return false;
  ledger_call_text(&call, order->name);
  ledger_call_text(&call, order->profile);
  ledger_call_text(&call, order->model);
  ledger_call_text(&call, buf_text(&stations));
  ledger_call_text(&call, buf_text(&ranges));
  ledger_call_id(&call, order->from);
  ledger_call_id(&call, order->until);
  ledger_call_number(&call, order->quantity);
  ledger_call_number(&call, order->replacements);
  ledger_call_number(&call, order->created_at);
  return ledger_call_run(&call, f);
}

static bool record(struct ledger_batch *batch, enum event_kind kind, const char *name,
                   const struct event *who, struct fault *f)
{
  struct event event = *who;
  event.kind = kind;
  TEXT_COPY(event.order, bytes_of_text(name));
  return ledger_add_event(batch, &event, f);
}

static bool add(struct ledger_batch *batch, const struct order *order, const struct event *who,
                struct fault *f)
{
  struct ledger_connection *writer = batch->ledger->writer;
  struct order other;
  bool found;
  if (!ledger_order_find(writer, order->name, &found, &other, f))
    return false;
  if (found)
    return fault_set(f, ORDER_EXISTS, "%s: choose another name", order->name);
  return insert(writer, order, f) && record(batch, EVENT_ORDER_CREATED, order->name, who, f);
}

/* Commits what was done, or undoes it. */
static bool end(struct ledger_batch *batch, bool done, struct fault *f)
{
  struct ledger *ledger = batch->ledger;
  if (done) {
    done = ledger_commit(batch, f);
    ledger_orders_forget(ledger);
    return done;
  }
  ledger_roll_back(batch);
  return false;
}

bool ledger_add_order(struct ledger *ledger, const struct order *order, const struct event *who,
                      struct fault *f)
{
  struct ledger_batch *batch;
  return ledger_begin(ledger, &batch, f) && end(batch, add(batch, order, who, f), f);
}

static bool extend(struct ledger_batch *batch, const char *name,
                   const struct order_extension *extension, const struct event *who,
                   struct order *ret_order, struct fault *f)
{
  struct ledger_connection *writer = batch->ledger->writer;
  struct order *order = ret_order;
  AUTO(ledger_call) call = {0};
  if (!get(writer, name, order, f) || !order_extend(order, extension, f) ||
      !ledger_call_open(writer, SQL_EXTEND_ORDER, &call, f))
    return false;
  ledger_call_number(&call, order->id);
  ledger_call_number(&call, order->quantity);
  ledger_call_number(&call, order->replacements);
  ledger_call_id(&call, order->until);
  return ledger_call_run(&call, f) && record(batch, EVENT_ORDER_EXTENDED, name, who, f);
}

bool ledger_extend_order(struct ledger *ledger, const char *name,
                         const struct order_extension *extension, const struct event *who,
                         struct order *ret_order, struct fault *f)
{
  struct ledger_batch *batch;
  struct order order;
  if (!ledger_begin(ledger, &batch, f) ||
      !end(batch, extend(batch, name, extension, who, &order, f), f))
    return false;
  *ret_order = order;
  return true;
}

static bool close_now(struct ledger_batch *batch, const char *name, int64_t now,
                      const struct event *who, struct order *ret_order, struct fault *f)
{
  struct ledger_connection *writer = batch->ledger->writer;
  AUTO(ledger_call) call = {0};
  if (!get(writer, name, ret_order, f))
    return false;
  if (ret_order->closed_at != 0)
    return true;
  ret_order->closed_at = now;
  if (!ledger_call_open(writer, SQL_CLOSE_ORDER, &call, f))
    return false;
  ledger_call_number(&call, ret_order->id);
  ledger_call_number(&call, now);
  return ledger_call_run(&call, f) && record(batch, EVENT_ORDER_CLOSED, name, who, f);
}

bool ledger_close_order(struct ledger *ledger, const char *name, int64_t now,
                        const struct event *who, struct order *ret_order, struct fault *f)
{
  struct ledger_batch *batch;
  struct order order;
  if (!ledger_begin(ledger, &batch, f) ||
      !end(batch, close_now(batch, name, now, who, &order, f), f))
    return false;
  *ret_order = order;
  return true;
}
