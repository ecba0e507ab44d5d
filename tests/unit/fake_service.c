/* fake_service.c - see fake_service.h. */
#include "tests/unit/fake_service.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/background.h"
#include "lib/ca/issue.h"
#include "tests/unit/sample.h"

struct fake fake;
const struct service fake_service;

/* The sample alone. */
const struct authority *authorities_active(const struct authorities *authorities)
{
  (void)authorities;
  return sample_authority();
}

const struct authority *authorities_named(const struct authorities *authorities, const char *name)
{
  const struct authority *authority = authorities_active(authorities);
  return strcmp(authority->name, name) == 0 ? authority : NULL;
}

size_t authorities_n(const struct authorities *authorities)
{
  (void)authorities;
  return 1;
}

const struct authority *authorities_at(const struct authorities *authorities, size_t index)
{
  assert_int_equal(index, 0);
  return authorities_active(authorities);
}

enum authority_state authorities_state(const struct authorities *authorities, size_t index)
{
  (void)authorities, (void)index;
  return AUTHORITY_ACTIVE;
}

const char *authority_state_name(enum authority_state state)
{
  return state == AUTHORITY_ACTIVE ? "active" : "?";
}

void fake_add_row(const char *device_serial, const char *station, const char *names)
{
  assert_true(fake.n_rows < FAKE_ROWS_MAX);
  sample_row((int64_t)fake.n_rows + 1, device_serial, station, names, &fake.rows[fake.n_rows]);
  fake.n_rows++;
}

void fake_reset(void)
{
  for (size_t i = 0; i < fake.n_rows; i++)
    issued_free(&fake.rows[i]);
  buf_free(&fake.searched);
  memset(&fake, 0, sizeof fake);
}

static char *copy(const char *text, size_t len)
{
  char *to = malloc(len + 1);
  assert_non_null(to);
  memcpy(to, text, len);
  to[len] = '\0';
  return to;
}

void fake_exchange(struct exchange *x, enum role role, const char *const *query)
{
  *x = (struct exchange){.service = &fake_service, .principal = {.name = "line-3", .role = role}};
  x->query = calloc(16, sizeof *x->query);
  assert_non_null(x->query);
  for (; query != NULL && query[x->n_query] != NULL; x->n_query++) {
    const char *text = query[x->n_query], *equals = strchr(text, '=');
    x->query[x->n_query].name = copy(text, (size_t)(equals - text));
    x->query[x->n_query].value = copy(equals + 1, strlen(equals + 1));
  }
}

void fake_exchange_end(struct exchange *x)
{
  for (size_t i = 0; i < x->n_query; i++) {
    free(x->query[i].name);
    free(x->query[i].value);
  }
  free(x->query);
  buf_free(&x->body);
  buf_free(&x->reply.body);
  if (x->reply.stream.free != NULL)
    x->reply.stream.free(x->reply.stream.state);
}

/* --- the front --- */

enum handled exchange_fail(struct exchange *x, const struct fault *f)
{
  assert_int_not_equal(f->code, FAULT_NONE);
  assert_int_equal(x->reply.body.len, 0);
  assert_null(x->reply.stream.next);
  x->code = f->code;
  x->reply.status = (unsigned)fault_status(f->code);
  buf_add_text(&x->reply.body, f->detail);
  return HANDLED;
}

void exchange_finish(struct exchange *x)
{
  if (x->complete != NULL)
    x->complete(x);
  x->complete = NULL;
  fake.n_finished++;
}

/* --- the ledger --- */

const char *certificate_status_name(enum certificate_status status)
{
  return status == STATUS_VALID ? "valid" : "?";
}

bool certificate_status_named(struct bytes name, enum certificate_status *ret_status)
{
  *ret_status = STATUS_VALID;
  return bytes_equal(name, bytes_of_text("valid"));
}

void issued_free(struct issued *row)
{
  buf_free(&row->der);
}

void ledger_page_free(struct ledger_page *page)
{
  for (size_t i = 0; i < page->n; i++)
    issued_free(&page->rows[i]);
  free(page->rows);
  *page = (struct ledger_page){0};
}

static bool fails(struct fault *f)
{
  if (fake.fails_with != FAULT_NONE)
    fault_set_code(f, fake.fails_with, "told to");
  return fake.fails_with != FAULT_NONE;
}

static void copy_row(struct issued *to, const struct issued *from)
{
  *to = *from;
  to->der = (struct buf){0};
  buf_add_bytes(&to->der, buf_bytes(&from->der));
}

static void note_text(const char *name, const char *text)
{
  if (text != NULL)
    buf_addf(&fake.searched, "%s=%s\n", name, text);
}

static void note_number(const char *name, int64_t number)
{
  if (number != 0)
    buf_addf(&fake.searched, "%s=%lld\n", name, (long long)number);
}

static void note(const struct ledger_query *query)
{
  char ip[IP_TEXT_SIZE];
  buf_clear(&fake.searched);
  note_text("device_serial", query->device_serial);
  note_text("station", query->station);
  note_text("order", query->order);
  note_text("model", query->model);
  note_text("profile", query->profile);
  note_text("dns", query->dns);
  note_text("uri", query->uri);
  if (query->ip != NULL)
    ip_text(query->ip, ip);
  note_text("ip", query->ip != NULL ? ip : NULL);
  note_number("status", (int64_t)query->status);
  note_number("issued_after_ms", query->issued_after_ms);
  note_number("issued_before_ms", query->issued_before_ms);
  note_number("expires_before", query->expires_before);
  note_number("serial_numbers", (int64_t)query->serial_numbers.len / SERIAL_NUMBER_LEN);
  note_number("only_good", query->only_good);
  note_number("only_on_hold", query->only_on_hold);
  note_number("limit", query->limit);
  fake.n_searches++;
}

static bool is_sought(const struct issued *row, const struct ledger_query *query)
{
  return (query->before_id == 0 || row->id < query->before_id) &&
         (query->station == NULL || strcmp(query->station, row->station) == 0);
}

bool ledger_search(struct ledger *ledger, const struct ledger_query *query, int64_t now,
                   struct ledger_page *ret_page, struct fault *f)
{
  (void)ledger;
  assert_true(now > 0);
  assert_in_range(query->limit, 1, 1000);
  note(query);
  if (fails(f))
    return false;
  struct ledger_page page = {.rows = calloc(query->limit, sizeof *page.rows)};
  assert_non_null(page.rows);
  for (size_t i = fake.n_rows; i-- > 0 && !page.more;) {
    if (!is_sought(&fake.rows[i], query))
      continue;
    page.more = page.n == query->limit;
    if (!page.more)
      copy_row(&page.rows[page.n++], &fake.rows[i]);
  }
  *ret_page = page;
  return true;
}

bool ledger_get(struct ledger *ledger, struct bytes serial_number, int64_t now,
                struct issued *ret_row, struct fault *f)
{
  (void)ledger, (void)now;
  if (fails(f))
    return false;
  for (size_t i = 0; i < fake.n_rows; i++)
    if (bytes_equal(serial_number, bytes_of(fake.rows[i].serial_number, SERIAL_NUMBER_LEN))) {
      copy_row(ret_row, &fake.rows[i]);
      return true;
    }
  return fault_set(f, UNKNOWN_SERIAL_NUMBER, "the ledger's own words");
}

/* --- revocations --- */

void revoke_select(struct ledger_query *query, enum revocation_reason reason)
{
  query->only_on_hold = reason == REASON_REMOVE_FROM_CRL;
  query->only_good = !query->only_on_hold;
}

/* Every row counts, whatever is asked for. */
bool ledger_count(struct ledger *ledger, const struct ledger_query *query, int64_t now,
                  struct ledger_count *ret_count, struct fault *f)
{
  (void)ledger, (void)now;
  note(query);
  if (fails(f))
    return false;
  *ret_count = (struct ledger_count){(int64_t)fake.n_rows, (int64_t)fake.n_rows, 99};
  return true;
}

bool revoke_one(struct ledger *ledger, struct bytes serial_number, const struct revoke_order *order,
                struct issued *ret_row, struct fault *f)
{
  fake.revoked = *order;
  fake.n_revoked++;
  if (!ledger_get(ledger, serial_number, order->now, ret_row, f))
    return false;
  ret_row->status = STATUS_REVOKED;
  ret_row->revoked_at = order->now;
  ret_row->revocation_reason = order->reason;
  return true;
}

bool revoke_many(struct ledger *ledger, const struct ledger_query *query, int64_t newest_id,
                 const struct revoke_order *order, const atomic_bool *stop, int64_t *ret_n,
                 struct fault *f)
{
  (void)ledger, (void)query;
  assert_false(atomic_load(stop));
  if (fails(f))
    return false;
  fake.revoked = *order;
  fake.n_revoked++;
  *ret_n = newest_id;
  return true;
}

/* At once. */
bool background_run(struct background *background,
                    void (*work)(void *context, const atomic_bool *stop), void *context,
                    struct fault *f)
{
  static const atomic_bool stop = false;
  (void)background;
  if (fake.is_busy)
    return fault_set(f, BUSY, "told to be");
  work(context, &stop);
  return true;
}

/* --- principals --- */

const char *role_name(enum role role)
{
  static const char *const names[] = {"", "station", "device", "operator", "auditor", "admin"};
  return names[role];
}

bool role_named(struct bytes name, enum role *ret_role)
{
  for (int i = ROLE_STATION; i < ROLE_COUNT; i++)
    if (bytes_equal(name, bytes_of_text(role_name((enum role)i)))) {
      *ret_role = (enum role)i;
      return true;
    }
  return false;
}

const char *proof_name(enum proof proof)
{
  static const char *const names[] = {"token", "certificate", "trust"};
  return names[proof];
}

void proof_of_trust(const char *trust_name, uint8_t ret_sha256[TOKEN_SHA256_LEN])
{
  assert_string_equal(trust_name, "acme");
  memset(ret_sha256, 7, TOKEN_SHA256_LEN);
}

bool principal_name_is_valid(struct bytes name)
{
  return name.len > 0 && name.len < PRINCIPAL_NAME_SIZE && memchr(name.data, ' ', name.len) == NULL;
}

bool principal_make_token(const char *name, struct buf *ret_token,
                          uint8_t ret_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  (void)f;
  buf_addf(ret_token, "%s.SECRET", name);
  memset(ret_sha256, 7, TOKEN_SHA256_LEN);
  return true;
}

bool ledger_add_principal(struct ledger *ledger, const struct principal *principal,
                          const uint8_t proof_sha256[TOKEN_SHA256_LEN], const struct event *who,
                          struct fault *f)
{
  (void)ledger;
  if (fails(f))
    return false;
  fake.who = *who;
  fake.proof_octet = proof_sha256[0];
  fake.principals[fake.n_principals++] = *principal;
  return true;
}

static struct principal *principal_named(const char *name)
{
  for (size_t i = 0; i < fake.n_principals; i++)
    if (strcmp(fake.principals[i].name, name) == 0)
      return &fake.principals[i];
  return NULL;
}

bool ledger_find_principal(struct ledger *ledger, const char *name, bool *ret_found,
                           struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  (void)ledger;
  if (fails(f))
    return false;
  const struct principal *principal = principal_named(name);
  *ret_found = principal != NULL;
  if (principal != NULL) {
    *ret_principal = *principal;
    memset(ret_proof_sha256, 7, TOKEN_SHA256_LEN);
  }
  return true;
}

bool ledger_rotate_principal(struct ledger *ledger, const char *name, enum proof proof,
                             const uint8_t proof_sha256[TOKEN_SHA256_LEN], const struct event *who,
                             struct fault *f)
{
  (void)ledger, (void)who;
  if (fails(f))
    return false;
  fake.proof_octet = proof_sha256[0];
  principal_named(name)->proof = proof;
  return true;
}

bool ledger_disable_principal(struct ledger *ledger, const char *name, int64_t disabled_at,
                              const struct event *who, struct fault *f)
{
  (void)ledger, (void)who;
  if (fails(f))
    return false;
  principal_named(name)->disabled_at = disabled_at;
  return true;
}

bool ledger_each_principal(struct ledger *ledger,
                           void (*each)(const struct principal *principal, void *context),
                           void *context, struct fault *f)
{
  (void)ledger;
  if (fails(f))
    return false;
  for (size_t i = 0; i < fake.n_principals; i++)
    each(&fake.principals[i], context);
  return true;
}

/* --- events --- */

void recorder_note(struct recorder *recorder, const struct event *event)
{
  (void)recorder;
  assert_true(fake.n_events < ARRAY_LEN(fake.events));
  fake.events[fake.n_events++] = *event;
}

/* Of those that were recorded, oldest first; the query's filters are looked at by their tests. */
bool ledger_search_events(struct ledger *ledger, const struct event_query *query,
                          struct event_page *ret_page, struct fault *f)
{
  struct event_page page = {.rows = calloc(query->limit, sizeof page.rows[0])};
  (void)ledger;
  fake.n_searches++;
  if (page.rows == NULL)
    return fault_no_memory(f);
  if (fails(f)) {
    event_page_free(&page);
    return false;
  }
  size_t from = query->before_id > 0 ? fake.n_events - (size_t)query->before_id + 1 : 0;
  for (size_t i = from; i < fake.n_events && page.n < query->limit; i++) {
    page.rows[page.n] = fake.events[i];
    page.rows[page.n++].id = (int64_t)(fake.n_events - i);
  }
  page.more = from + page.n < fake.n_events;
  *ret_page = page;
  return true;
}

/* --- the issuer --- */

void issue_job_free(struct issue_job *job)
{
  if (job == NULL)
    return;
  buf_free(&job->request.csr);
  sans_free(&job->request.names);
  issued_free(&job->result.row);
  fault_free(&job->fault);
  free(job);
}

/* Answers at once: with the last row, or with a fault of its own for CSRs of one octet. */
bool issuer_submit(struct issuer *issuer, struct issue_job *job, struct fault *f)
{
  (void)issuer;
  if (fails(f))
    return false;
  fake.n_submitted++;
  assert_string_equal(job->request.station, "line-3");
  if (strcmp(job->request.device_serial, "W-refused") == 0) {
    fault_set(&job->fault, KEY_ALREADY_USED, "told to");
  } else {
    copy_row(&job->result.row, &fake.rows[fake.n_rows - 1]);
    job->result.row.status = STATUS_ANY;
    job->result.replayed = fake.replays;
  }
  job->done(job);
  return true;
}
