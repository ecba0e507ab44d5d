/* order.h - a production order: a profile and a quantity that may be issued under it, no more.
 *
 * The first part is pure: what stands in the ledger, and the time, are handed in. The second part
 * is the ledger's. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/base/ip.h"
#include "lib/ca/principal.h"
#include "lib/pki/san.h"

enum {
  ORDER_NAME_SIZE = 65,
  ORDER_STATIONS_MAX = 32,
  ORDER_RANGES_MAX = 32,
  ORDER_QUANTITY_MAX = 1000000000
};

/* All zero is an order of nothing. What an order is for never changes; it can be extended and, once
 * and for all, closed. */
struct order {
  int64_t id; /* set by the ledger: the later the larger */
  char name[ORDER_NAME_SIZE], profile[ORDER_NAME_SIZE];
  char model[ORDER_NAME_SIZE]; /* "": any */
  char stations[ORDER_STATIONS_MAX][PRINCIPAL_NAME_SIZE];
  size_t n_stations; /* 0: any */
  struct ip_range ip_ranges[ORDER_RANGES_MAX];
  size_t n_ip_ranges;             /* 0: what the profile allows */
  int64_t from, until;            /* seconds; open from `from` on and before `until`; 0: no bound */
  int64_t quantity, issued;       /* 0 <= issued <= quantity */
  int64_t replacements, replaced; /* 0 <= replaced <= replacements: what rework may have besides */
  int64_t created_at;
  int64_t closed_at; /* 0: not closed */
};

/* 1 to 64 of A-Z a-z 0-9 - _ */
bool order_name_is_valid(struct bytes name);

/* Adds a principal's name; one that is there already is not added twice. BAD_FIELD. */
bool order_add_station(struct order *order, struct bytes name, struct fault *f);
/* Adds "10.1.0.0/16", "fd00::/8" or one address; IPv4-mapped ones are refused. BAD_FIELD. */
bool order_add_range(struct order *order, struct bytes text, struct fault *f);

/* May this principal issue under it, as far as its list of stations goes? */
bool order_serves(const struct order *order, const char *station);

/* What an order looks at. */
struct order_request {
  const char *profile, *model, *station;
  const struct sans *names;
  bool is_replacement; /* in place of an earlier certificate of the same device and profile */
};

/* May this be issued under the order? What the order is for comes first (ORDER_NOT_ALLOWED; with
 * an item for every address outside its ranges), then whether it is open now (ORDER_CLOSED), then
 * what is left of it (ORDER_EXHAUSTED): of its quantity, or for a replacement of its replacements.
 */
bool order_check(const struct order *order, const struct order_request *request, int64_t now,
                 struct fault *f);
/* The part of it that is about names. */
bool order_check_names(const struct order *order, const struct sans *names, struct fault *f);

/* What is to become of an order; 0: stays as it is. */
struct order_extension {
  int64_t quantity, by; /* the new quantity, or how much more; not both */
  int64_t until;
  int64_t replacements; /* the new limit */
};
/* An order only grows. ORDER_CLOSED; ORDER_NOT_ALLOWED for what would make it smaller or shorter,
 * too large, or changes nothing; the order is then as before. */
bool order_extend(struct order *order, const struct order_extension *extension, struct fault *f);

/* --- in the ledger: those that write do so in a transaction of their own, with an event --- */

struct event; /* who it is that asks: principal, source and request_id are taken of it */
struct ledger;

/* What an order is for, its limits and created_at are taken; nothing is issued as yet.
 * ORDER_EXISTS. */
bool ledger_add_order(struct ledger *ledger, const struct order *order, const struct event *who,
                      struct fault *f);
/* UNKNOWN_ORDER. */
bool ledger_get_order(struct ledger *ledger, const char *name, struct order *ret_order,
                      struct fault *f);
/* Whoever is issuing under it at this moment is before it or behind it, never both. UNKNOWN_ORDER,
 * and the faults of order_extend(). */
bool ledger_extend_order(struct ledger *ledger, const char *name,
                         const struct order_extension *extension, const struct event *who,
                         struct order *ret_order, struct fault *f);
/* From now on nothing is issued under it. One that is closed stays as it is, and there is no event.
 * UNKNOWN_ORDER. */
bool ledger_close_order(struct ledger *ledger, const char *name, int64_t now,
                        const struct event *who, struct order *ret_order, struct fault *f);

enum order_state { ORDER_ANY, ORDER_OPEN, ORDER_WAS_CLOSED };

/* NULL and ORDER_ANY: no filter. */
struct order_query {
  enum order_state state;
  const char *station; /* only orders that serve it */
  int64_t before_id;   /* keyset: only orders with a smaller id; 0: from the newest */
  unsigned limit;      /* 1 to 1000 */
};
/* Calls `each` for the orders, newest first. *ret_more: there are orders behind the last one. */
bool ledger_each_order(struct ledger *ledger, const struct order_query *query,
                       void (*each)(const struct order *order, void *context), void *context,
                       bool *ret_more, struct fault *f);
