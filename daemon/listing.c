/* listing.c - see listing.h. */
#include "daemon/listing.h"

#include <stdlib.h>

#include "daemon/cert_fields.h"
#include "daemon/cert_json.h"
#include "daemon/csv.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

enum { PAGE_ROWS = 500 };

struct listing {
  const struct listing_form *form;
  const struct service *service;
  struct search *search; /* owned */
  int64_t now;           /* one for the whole listing, so that its statuses fit each other */
  unsigned left;         /* rows still to send; 0: no limit was given */
  struct ledger_page page;
  bool begun;
};

static void listing_free(struct listing *listing)
{
  if (listing == NULL)
    return;
  search_free(listing->search);
  ledger_page_free(&listing->page);
  free(listing);
}

AUTO_POINTER(listing, struct listing, listing_free)

static void csv_begin(struct buf *out)
{
  for (size_t i = 0; i < CERT_FIELD_COUNT; i++)
    csv_add_cell(out, bytes_of_text(cert_fields[i].name));
  csv_end_line(out);
}

/* The names of one kind, with a space between two: no name has one inside. */
static void add_names(const struct cert_view *view, enum san_kind kind, struct buf *out)
{
  for (size_t i = 0; i < view->cert.names.n; i++) {
    struct san name = sans_get(&view->cert.names, i);
    if (name.kind != kind)
      continue;
    if (out->len > 0)
      buf_add_u8(out, ' ');
    san_text(name, out);
  }
}

static bool csv_add(const struct issued *row, const struct authority *authority, struct buf *out,
                    struct fault *f)
{
  AUTO(cert_view) view = {0};
  AUTO(buf) text = {0};
  (void)authority;
  if (!cert_view_read(row, &view, f))
    return false;
  for (size_t i = 0; i < CERT_FIELD_COUNT; i++) {
    const struct cert_field *field = &cert_fields[i];
    buf_clear(&text);
    if (field->add != NULL)
      field->add(field, &view, &text);
    else
      add_names(&view, field->kind, &text);
    out->failed |= text.failed;
    csv_add_cell(out, buf_bytes(&text));
  }
  csv_end_line(out);
  return buf_ok(out) || fault_no_memory(f);
}

static bool ndjson_add(const struct issued *row, const struct authority *authority, struct buf *out,
                       struct fault *f)
{
  if (!cert_json_add(row, authority, out, f))
    return false;
  buf_add_u8(out, '\n');
  return buf_ok(out) || fault_no_memory(f);
}

const struct listing_form listing_csv = {"text/csv; charset=utf-8; header=present", csv_begin,
                                         csv_add};
const struct listing_form listing_ndjson = {"application/x-ndjson", NULL, ndjson_add};

static bool fetch(struct listing *listing, struct fault *f)
{
  struct ledger_query *query = &listing->search->query;
  bool ends_here = listing->left > 0 && listing->left < PAGE_ROWS;
  query->limit = ends_here ? listing->left : PAGE_ROWS;
  ledger_page_free(&listing->page);
  listing->page = (struct ledger_page){0};
  return ledger_search(listing->service->ledger, query, listing->now, &listing->page, f);
}

static bool add_page(struct listing *listing, struct buf *out, struct fault *f)
{
  const struct ledger_page *page = &listing->page;
  for (size_t i = 0; i < page->n; i++)
    if (!listing->form->add(&page->rows[i], listing->service->authority, out, f))
      return false;
  return true;
}

/* Steps behind the page that was sent; false when it was the last. */
static bool step(struct listing *listing)
{
  const struct ledger_page *page = &listing->page;
  if (!page->more || page->n == 0)
    return false;
  listing->search->query.before_id = page->rows[page->n - 1].id;
  if (listing->left == 0)
    return true;
  listing->left -= (unsigned)page->n < listing->left ? (unsigned)page->n : listing->left;
  return listing->left > 0;
}

static bool add_more(struct listing *listing, struct buf *out, bool *ret_end, struct fault *f)
{
  if (!listing->begun && listing->form->begin != NULL)
    listing->form->begin(out);
  listing->begun = true;
  if (!add_page(listing, out, f))
    return false;
  *ret_end = !step(listing);
  return *ret_end || fetch(listing, f);
}

/* The reply's status has gone out: all that can be done about a fault is to break off, so that the
 * client does not take a part for the whole, and to say so in the log. */
static bool next(void *state, struct buf *out, bool *ret_end)
{
  AUTO(fault) f = {0};
  if (add_more(state, out, ret_end, &f))
    return true;
  log_say(LOG_LEVEL_ERROR, "a listing was broken off", LOG_TEXT("code", fault_problem_code(f.code)),
          LOG_TEXT("detail", f.detail));
  return false;
}

static void free_state(void *state)
{
  listing_free(state);
}

bool listing_start(const struct listing_form *form, const struct service *service,
                   struct search *search, struct reply *reply, struct fault *f)
{
  AUTO(search) owned = search;
  AUTO(listing) listing = calloc(1, sizeof *listing);
  if (listing == NULL)
    return fault_no_memory(f);
  listing->form = form;
  listing->service = service;
  listing->search = TAKE(owned);
  listing->left = listing->search->query.limit;
  listing->now = when_now();
  if (!fetch(listing, f))
    return false;
  reply->status = 200;
  reply->content_type = form->content_type;
  reply->stream = (struct reply_stream){.next = next, .free = free_state, .state = TAKE(listing)};
  return true;
}
