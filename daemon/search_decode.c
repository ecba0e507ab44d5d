/* search_decode.c - see search_decode.h. */
#include "daemon/search_decode.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cursor.h"
#include "daemon/filter.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/san.h"

static bool put_ip(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct search *search = to;
  struct ip ip;
  if (!ip_read(text, &ip))
    return fault_set(f, BAD_FIELD, "%s must be an IPv4 or IPv6 address", field->name);
  /* Certificates have IPv4 addresses in four octets only: this is the one that is meant. */
  if (!ip_is_v4_mapped(&ip) || !ip_from_octets(bytes_of(ip.octets + 12, 4), &search->ip))
    search->ip = ip;
  search->query.ip = &search->ip;
  return true;
}

/* Brings a name to the form that the ledger keeps it in. */
static bool put_san(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  AUTO(sans) names = {0};
  AUTO(fault) reason = {0};
  struct buf *out = (struct buf *)((char *)to + field->at);
  if (!sans_add(&names, (enum san_kind)field->kind, text, &reason))
    return reason.code == FAULT_NO_MEMORY
               ? fault_no_memory(f)
               : fault_set(f, BAD_FIELD, "%s: %s", field->name,
                           reason.n_items > 0 ? reason.items[0].why : reason.detail);
  buf_clear(out);
  buf_add_bytes(out, sans_get(&names, 0).value);
  return buf_ok(out) || fault_no_memory(f);
}

static bool put_status(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct search *search = to;
  if (!certificate_status_named(text, &search->query.status) || search->query.status == STATUS_ANY)
    return fault_set(f, BAD_FIELD, "%s must be valid, expired, superseded or revoked", field->name);
  return true;
}

#define AT(member)      .at = offsetof(struct search, member)
#define LABEL_AT(field) .put = filter_put_label, AT(field)

static const struct field fields[] = {
    {"device_serial", LABEL_AT(device_serial)},
    {"ip", .put = put_ip},
    {"dns", .put = put_san, AT(dns), .kind = SAN_DNS},
    {"uri", .put = put_san, AT(uri), .kind = SAN_URI},
    {"station", LABEL_AT(station)},
    {"order", LABEL_AT(order)},
    {"model", LABEL_AT(model)},
    {"profile", LABEL_AT(profile)},
    {"status", .put = put_status},
    {"issued_after", .put = filter_put_time, AT(query.issued_after_ms), .kind = 1000},
    {"issued_before", .put = filter_put_time, AT(query.issued_before_ms), .kind = 1000},
    {"expires_before", .put = filter_put_time, AT(query.expires_before), .kind = 1},
    {"limit", .put = filter_put_limit, AT(query.limit)},
    {"cursor", .put = filter_put_cursor, AT(cursor)},
};

static const struct field_table table = {fields, ARRAY_LEN(fields), FAULT_BAD_FIELD};

bool search_sees_all(enum role role)
{
  static const bool sees_all[ROLE_COUNT] = {
      [ROLE_OPERATOR] = true, [ROLE_AUDITOR] = true, [ROLE_ADMIN] = true};
  return role < ROLE_COUNT && sees_all[role];
}

/* A device's certificates are its own whoever asked for them. */
static bool force_owner(const struct principal *principal, struct search *search, struct fault *f)
{
  char *filter = principal->role == ROLE_DEVICE ? search->device_serial : search->station;
  if (search_sees_all(principal->role))
    return true;
  if (filter[0] != '\0' && strcmp(filter, principal->name) != 0)
    return fault_set(f, FORBIDDEN, "a %s sees only what it was issued itself",
                     role_name(principal->role));
  snprintf(filter, LABEL_SIZE, "%s", principal->name);
  return true;
}

bool search_sees(const struct principal *principal, const struct issued *row)
{
  const char *owner = principal->role == ROLE_DEVICE ? row->device_serial : row->station;
  return search_sees_all(principal->role) ||
         (principal->name[0] != '\0' && strcmp(owner, principal->name) == 0);
}

static const char *given(const char *text)
{
  return text[0] != '\0' ? text : NULL;
}

static void link_texts(struct search *search)
{
  struct ledger_query *query = &search->query;
  query->device_serial = given(search->device_serial);
  query->station = given(search->station);
  query->order = given(search->order);
  query->model = given(search->model);
  query->profile = given(search->profile);
  query->dns = given(buf_text(&search->dns));
  query->uri = given(buf_text(&search->uri));
}

static void add_filter(struct buf *out, const char *text)
{
  buf_add_text(out, text != NULL ? text : "");
  buf_add_u8(out, '\0');
}

/* Each filter's normal form, with a NUL behind it, which no text has inside. */
static bool make_canonical(struct search *search, struct fault *f)
{
  const struct ledger_query *query = &search->query;
  struct buf *out = &search->filters;
  char ip[IP_TEXT_SIZE] = "";
  if (query->ip != NULL)
    ip_text(query->ip, ip);
  const char *texts[] = {query->device_serial, query->station, query->order, query->model,
                         query->profile,       query->dns,     query->uri,   ip};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    add_filter(out, texts[i]);
  buf_addf(out, "%d %lld %lld %lld", (int)query->status, (long long)query->issued_after_ms,
           (long long)query->issued_before_ms, (long long)query->expires_before);
  return (buf_ok(out) && buf_ok(&search->dns) && buf_ok(&search->uri)) || fault_no_memory(f);
}

static bool decode(const struct exchange *x, struct search *search, struct fault *f)
{
  if (!fields_from_query(&table, x->query, x->n_query, search, f) ||
      !force_owner(&x->principal, search, f))
    return false;
  link_texts(search);
  if (!make_canonical(search, f))
    return false;
  return search->cursor[0] == '\0' ||
         cursor_read(search->cursor, buf_bytes(&search->filters), &search->query.before_id, f);
}

bool search_decode(const struct exchange *x, struct search **ret_search, struct fault *f)
{
  AUTO(search) search = calloc(1, sizeof *search);
  if (search == NULL)
    return fault_no_memory(f);
  if (!decode(x, search, f))
    return false;
  *ret_search = TAKE(search);
  return true;
}

void search_free(struct search *search)
{
  if (search == NULL)
    return;
  buf_free(&search->dns);
  buf_free(&search->uri);
  buf_free(&search->filters);
  free(search);
}
