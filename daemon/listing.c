/* listing.c - see listing.h. */
#include "daemon/listing.h"

#include <stdlib.h>

#include "daemon/cert_fields.h"
#include "daemon/cert_json.h"
#include "daemon/csv.h"
#include "lib/base/when.h"

struct listing {
  const struct listing_form *form;
  const struct service *service;
  struct search *search; /* owned */
  int64_t now;           /* one for the whole listing, so that its statuses fit each other */
  struct ledger_page page;
};

static void listing_free(void *state)
{
  struct listing *listing = state;
  search_free(listing->search);
  ledger_page_free(&listing->page);
  free(listing);
}

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

static bool fetch(void *state, unsigned limit, size_t *ret_n, bool *ret_more, struct fault *f)
{
  struct listing *listing = state;
  struct ledger_query *query = &listing->search->query;
  query->limit = limit;
  ledger_page_free(&listing->page);
  if (!ledger_search(listing->service->ledger, query, listing->now, &listing->page, f))
    return false;
  *ret_n = listing->page.n;
  *ret_more = listing->page.more;
  if (listing->page.n > 0)
    query->before_id = listing->page.rows[listing->page.n - 1].id;
  return true;
}

static bool add_page(void *state, struct buf *out, struct fault *f)
{
  const struct listing *listing = state;
  const struct authorities *authorities = listing->service->authorities;
  for (size_t i = 0; i < listing->page.n; i++) {
    const struct issued *row = &listing->page.rows[i];
    if (!listing->form->add(row, authorities_named(authorities, row->authority), out, f))
      return false;
  }
  return true;
}

const struct listing_form listing_csv = {
    "text/csv; charset=utf-8; header=present", {csv_begin, fetch, add_page, listing_free}, csv_add};
const struct listing_form listing_ndjson = {
    "application/x-ndjson", {NULL, fetch, add_page, listing_free}, ndjson_add};

bool listing_start(const struct listing_form *form, const struct service *service,
                   struct search *search, struct reply *reply, struct fault *f)
{
  struct listing *listing = calloc(1, sizeof *listing);
  if (listing == NULL) {
    search_free(search);
    return fault_no_memory(f);
  }
  *listing =
      (struct listing){.form = form, .service = service, .search = search, .now = when_now()};
  return paged_start(&form->rows, listing, form->content_type, search->query.limit, reply, f);
}
