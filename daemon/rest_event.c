/* rest_event.c - GET /v1/events: what happened. */
#include <stdlib.h>

#include "daemon/accept.h"
#include "daemon/event_decode.h"
#include "daemon/event_form.h"
#include "daemon/json_text.h"
#include "daemon/paged.h"
#include "daemon/rest.h"
#include "daemon/service.h"

enum { LIMIT_DEFAULT = 100 };

/* --- a page of JSON --- */

static bool add_next_cursor(const struct event_search *search, const struct event_page *page,
                            struct buf *out, struct fault *f)
{
  char cursor[CURSOR_TEXT_SIZE];
  json_add_name(out, "next_cursor");
  if (!page->more) {
    buf_add_text(out, "null}");
    return true;
  }
  if (!cursor_write(page->rows[page->n - 1].id, buf_bytes(&search->filters), cursor, f))
    return false;
  json_add_string(out, bytes_of_text(cursor));
  buf_add_u8(out, '}');
  return true;
}

static bool add_page(const struct event_search *search, const struct event_page *page,
                     struct buf *out, struct fault *f)
{
  buf_add_text(out, "{\"events\":[");
  for (size_t i = 0; i < page->n; i++) {
    json_add_comma(out);
    event_json_add(&page->rows[i], out);
  }
  buf_add_u8(out, ']');
  return add_next_cursor(search, page, out, f) && (buf_ok(out) || fault_no_memory(f));
}

static bool reply_page(struct exchange *x, struct event_search *search, struct fault *f)
{
  AUTO(event_page) page = {0};
  if (search->query.limit == 0)
    search->query.limit = LIMIT_DEFAULT;
  if (!ledger_search_events(x->service->ledger, &search->query, &page, f))
    return false;
  if (!add_page(search, &page, &x->reply.body, f)) {
    buf_free(&x->reply.body);
    return false;
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return true;
}

/* --- all of them, while they are sent --- */

struct event_listing {
  struct ledger *ledger;
  struct event_search *search; /* owned */
  struct event_page page;
};

static void listing_free(void *state)
{
  struct event_listing *listing = state;
  event_search_free(listing->search);
  event_page_free(&listing->page);
  free(listing);
}

static bool fetch(void *state, unsigned limit, size_t *ret_n, bool *ret_more, struct fault *f)
{
  struct event_listing *listing = state;
  struct event_query *query = &listing->search->query;
  query->limit = limit;
  event_page_free(&listing->page);
  if (!ledger_search_events(listing->ledger, query, &listing->page, f))
    return false;
  *ret_n = listing->page.n;
  *ret_more = listing->page.more;
  if (listing->page.n > 0)
    query->before_id = listing->page.rows[listing->page.n - 1].id;
  return true;
}

static bool add_csv(void *state, struct buf *out, struct fault *f)
{
  const struct event_listing *listing = state;
  for (size_t i = 0; i < listing->page.n; i++)
    event_csv_add(&listing->page.rows[i], out);
  return buf_ok(out) || fault_no_memory(f);
}

static bool add_ndjson(void *state, struct buf *out, struct fault *f)
{
  const struct event_listing *listing = state;
  for (size_t i = 0; i < listing->page.n; i++) {
    event_json_add(&listing->page.rows[i], out);
    buf_add_u8(out, '\n');
  }
  return buf_ok(out) || fault_no_memory(f);
}

/* --- the handler --- */

enum form { FORM_JSON, FORM_CSV, FORM_NDJSON, FORM_COUNT };

static const char *const content_types[FORM_COUNT] = {
    [FORM_JSON] = "application/json",
    [FORM_CSV] = "text/csv; charset=utf-8; header=present",
    [FORM_NDJSON] = "application/x-ndjson",
};
static const struct paged_rows listings[FORM_COUNT] = {
    [FORM_CSV] = {event_csv_begin, fetch, add_csv, listing_free},
    [FORM_NDJSON] = {NULL, fetch, add_ndjson, listing_free},
};

static bool start_listing(size_t form, struct exchange *x, struct event_search *search,
                          struct fault *f)
{
  unsigned limit = search->query.limit;
  struct event_listing *listing = calloc(1, sizeof *listing);
  if (listing == NULL) {
    event_search_free(search);
    return fault_no_memory(f);
  }
  *listing = (struct event_listing){.ledger = x->service->ledger, .search = search};
  return paged_start(&listings[form], listing, content_types[form], limit, &x->reply, f);
}

static bool search_and_reply(struct exchange *x, struct fault *f)
{
  AUTO(event_search) search = NULL;
  size_t form = FORM_JSON;
  if (!accept_choose(x->accept, content_types, FORM_COUNT, &form, f) ||
      !event_decode(x, &search, f))
    return false;
  return form == FORM_JSON ? reply_page(x, search, f) : start_listing(form, x, TAKE(search), f);
}

enum handled rest_events(struct exchange *x)
{
  AUTO(fault) f = {0};
  return search_and_reply(x, &f) ? HANDLED : exchange_fail(x, &f);
}
