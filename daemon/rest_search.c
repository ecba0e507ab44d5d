/* rest_search.c - GET /v1/certificates and GET /v1/certificates/:serial_number: what was issued. */
#include <string.h>

#include "daemon/accept.h"
#include "daemon/cert_find.h"
#include "daemon/cert_form.h"
#include "daemon/cert_json.h"
#include "daemon/cursor.h"
#include "daemon/json_text.h"
#include "daemon/listing.h"
#include "daemon/rest.h"
#include "daemon/search_decode.h"
#include "daemon/service.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { LIMIT_DEFAULT = 100 };

static bool add_rows(const struct exchange *x, const struct ledger_page *page, struct buf *out,
                     struct fault *f)
{
  buf_add_text(out, "{\"certificates\":[");
  for (size_t i = 0; i < page->n; i++) {
    json_add_comma(out);
    const struct issued *row = &page->rows[i];
    if (!cert_json_add(row, authorities_named(x->service->authorities, row->authority), out, f))
      return false;
  }
  buf_add_u8(out, ']');
  return true;
}

static bool add_next_cursor(const struct search *search, const struct ledger_page *page,
                            struct buf *out, struct fault *f)
{
  char cursor[CURSOR_TEXT_SIZE];
  json_add_name(out, "next_cursor");
  if (!page->more || page->n == 0) {
    buf_add_text(out, "null}");
  } else {
    if (!cursor_write(page->rows[page->n - 1].id, buf_bytes(&search->filters), cursor, f))
      return false;
    json_add_string(out, bytes_of_text(cursor));
    buf_add_u8(out, '}');
  }
  return buf_ok(out) || fault_no_memory(f);
}

static bool reply_page(struct exchange *x, struct search *search, struct fault *f)
{
  AUTO(ledger_page) page = {0};
  if (search->query.limit == 0)
    search->query.limit = LIMIT_DEFAULT;
  if (!ledger_search(x->service->ledger, &search->query, when_now(), &page, f))
    return false;
  if (!add_rows(x, &page, &x->reply.body, f) ||
      !add_next_cursor(search, &page, &x->reply.body, f)) {
    buf_free(&x->reply.body);
    return false;
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return true;
}

enum form { FORM_JSON, FORM_CSV, FORM_NDJSON, FORM_COUNT };

static bool search_and_reply(struct exchange *x, struct fault *f)
{
  static const struct listing_form *const listings[FORM_COUNT] = {
      [FORM_CSV] = &listing_csv, [FORM_NDJSON] = &listing_ndjson};
  const char *offers[FORM_COUNT] = {[FORM_JSON] = "application/json",
                                    [FORM_CSV] = listing_csv.content_type,
                                    [FORM_NDJSON] = listing_ndjson.content_type};
  AUTO(search) search = NULL;
  size_t form = FORM_JSON;
  if (!accept_choose(x->accept, offers, FORM_COUNT, &form, f) || !search_decode(x, &search, f))
    return false;
  if (listings[form] == NULL)
    return reply_page(x, search, f);
  return listing_start(listings[form], x->service, TAKE(search), &x->reply, f);
}

enum handled rest_search(struct exchange *x)
{
  AUTO(fault) f = {0};
  return search_and_reply(x, &f) ? HANDLED : exchange_fail(x, &f);
}

static bool find_and_reply(struct exchange *x, struct fault *f)
{
  const struct cert_form *form;
  AUTO(issued) row = {0};
  if (!cert_form_choose(x->accept, &form, f) || !cert_find(x, &row, f))
    return false;
  TEXT_COPY(x->device_serial, bytes_of_text(row.device_serial));
  text_hex(x->serial_number, row.serial_number, sizeof row.serial_number);
  return cert_form_reply(form, &row, authorities_named(x->service->authorities, row.authority), 200,
                         &x->reply, f);
}

enum handled rest_show(struct exchange *x)
{
  AUTO(fault) f = {0};
  return find_and_reply(x, &f) ? HANDLED : exchange_fail(x, &f);
}
