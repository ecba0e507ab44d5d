/* fill.c - see fill.h. */
#include "tests/bench/fill.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/when.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger.h"
#include "lib/ca/order.h"
#include "lib/ca/profile.h"
#include "lib/pki/name.h"
#include "tests/bench/progress.h"

enum {
  BATCH = 512,
  DISTANCE_MS = 3000, /* a widget every three seconds */
  VALIDITY_S = 825 * 86400,
  P256_SPKI_LEN = 91,
  P256_POINT_LEN = 64,
  ORDER_SIZE = 5000,
  STATIONS = 8
};

/* SubjectPublicKeyInfo of a P-256 key, up to its point (RFC 5480). */
static const uint8_t spki_head[P256_SPKI_LEN - P256_POINT_LEN] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

/* Of one row. */
struct filler {
  uint64_t state; /* of the random numbers: xorshift64* */
  uint64_t number;
  int64_t issued_at_ms;
  struct buf issuer, subject, tbs;
  struct sans names;
  struct issued row;
};

static void filler_free(struct filler *filler)
{
  buf_free(&filler->issuer);
  buf_free(&filler->subject);
  buf_free(&filler->tbs);
  sans_free(&filler->names);
  issued_free(&filler->row);
}
AUTO_VALUE(filler, struct filler, filler_free)

/* Distinct, not secret: these certificates are nobody's. */
static void fill_random(struct filler *filler, uint8_t *out, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    if (i % 8 == 0) {
      filler->state ^= filler->state >> 12;
      filler->state ^= filler->state << 25;
      filler->state ^= filler->state >> 27;
    }
    out[i] = (uint8_t)(filler->state * UINT64_C(0x2545f4914f6cdd1d) >> 8 * (i % 8));
  }
}

static bool make_names(struct filler *filler, struct fault *f)
{
  char ip[24], dns[48];
  unsigned long long n = filler->number;
  sans_free(&filler->names);
  filler->names = (struct sans){0};
  snprintf(ip, sizeof ip, "10.%llu.%llu.%llu", n >> 16 & 255, n >> 8 & 255, n & 255);
  snprintf(dns, sizeof dns, "f-%07llu.widgets.example", n);
  return sans_add(&filler->names, SAN_IP, bytes_of_text(ip), f) &&
         sans_add(&filler->names, SAN_DNS, bytes_of_text(dns), f);
}

static void make_labels(struct filler *filler)
{
  struct issued *row = &filler->row;
  unsigned long long n = filler->number, order = n / ORDER_SIZE;
  snprintf(row->device_serial, LABEL_SIZE, "F-%07llu", n);
  snprintf(row->profile, LABEL_SIZE, "device-server");
  snprintf(row->station, LABEL_SIZE, "line-%llu", n % STATIONS);
  snprintf(row->order, LABEL_SIZE, "PO-%llu", order);
  snprintf(row->model, LABEL_SIZE, "WX-%llu", order % 5);
  snprintf(row->authority, LABEL_SIZE, "issuing");
}

static bool make_certificate(struct filler *filler, struct fault *f)
{
  struct issued *row = &filler->row;
  uint8_t spki[P256_SPKI_LEN], id[2 * PUBKEY_ID_LEN], signature[71];
  const struct name_part part = {ATTR_COMMON_NAME, bytes_of_text(row->device_serial)};
  memcpy(spki, spki_head, sizeof spki_head);
  fill_random(filler, spki + sizeof spki_head, P256_POINT_LEN);
  fill_random(filler, id, sizeof id);
  fill_random(filler, signature, sizeof signature);
  pubkey_sha256(bytes_of(spki, sizeof spki), row->spki_sha256);
  buf_clear(&filler->subject);
  buf_clear(&filler->tbs);
  buf_clear(&row->der);
  if (!name_write(&part, 1, &filler->subject, f))
    return false;
  const struct cert_spec spec = {.serial_number = bytes_of(row->serial_number, SERIAL_NUMBER_LEN),
                                 .alg = SIG_ECDSA_SHA256,
                                 .issuer = buf_bytes(&filler->issuer),
                                 .subject = buf_bytes(&filler->subject),
                                 .not_before = row->not_before,
                                 .not_after = row->not_after,
                                 .spki = bytes_of(spki, sizeof spki),
                                 .subject_key_id = bytes_of(id, PUBKEY_ID_LEN),
                                 .authority_key_id = bytes_of(id + PUBKEY_ID_LEN, PUBKEY_ID_LEN),
                                 .key_usage = KU_DIGITAL_SIGNATURE,
                                 .ext_key_usage = EKU_SERVER_AUTH,
                                 .names = &filler->names,
                                 .path_len = -1};
  return cert_build(&spec, &filler->tbs, f) &&
         cert_assemble(buf_bytes(&filler->tbs), SIG_ECDSA_SHA256,
                       bytes_of(signature, sizeof signature), &row->der, f);
}

static bool make_row(struct filler *filler, struct fault *f)
{
  struct issued *row = &filler->row;
  uint8_t random[9];
  make_labels(filler);
  fill_random(filler, random, sizeof random);
  fill_random(filler, row->request_sha256, sizeof row->request_sha256);
  row->issued_at_ms = filler->issued_at_ms;
  row->not_before = filler->issued_at_ms / 1000;
  row->not_after = row->not_before + VALIDITY_S;
  serial_number_make(1, filler->issued_at_ms, random, row->serial_number);
  return make_names(filler, f) && make_certificate(filler, f);
}

/* As the daemon has one for each certificate. */
static bool add_event(struct ledger_batch *batch, const struct filler *filler, struct fault *f)
{
  const struct issued *row = &filler->row;
  struct event event = {.kind = EVENT_ISSUED,
                        .at_ms = filler->issued_at_ms,
                        .certificate = row->id,
                        .source = "10.1.0.9"};
  snprintf(event.principal, sizeof event.principal, "%s", row->station);
  snprintf(event.device_serial, sizeof event.device_serial, "%s", row->device_serial);
  snprintf(event.profile, sizeof event.profile, "%s", row->profile);
  snprintf(event.order, sizeof event.order, "%s", row->order);
  snprintf(event.request_id, sizeof event.request_id, "%016llx", (unsigned long long)row->id);
  return ledger_add_event(batch, &event, f);
}

static bool append(struct ledger_batch *batch, struct filler *filler, struct fault *f)
{
  AUTO(issued) earlier = {0};
  bool replayed;
  return make_row(filler, f) &&
         ledger_append(batch, &filler->row, &filler->names, false, filler->issued_at_ms / 1000,
                       &replayed, &earlier, f) &&
         add_event(batch, filler, f);
}

static bool write_batch(struct ledger *ledger, struct filler *filler, uint64_t n, struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  for (uint64_t i = 0; i < n; i++) {
    if (!append(batch, filler, f)) {
      ledger_roll_back(batch);
      return false;
    }
    filler->number++;
    filler->issued_at_ms += DISTANCE_MS;
  }
  return ledger_commit(batch, f);
}

static bool newest_id(struct ledger *ledger, uint64_t *ret_id, struct fault *f)
{
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.limit = 1};
  if (!ledger_search(ledger, &query, when_now(), &page, f))
    return false;
  *ret_id = page.n > 0 ? (uint64_t)page.rows[0].id : 0;
  return true;
}

/* Those that the next n rows name, unless an earlier run has made them. */
static bool add_orders(struct ledger *ledger, const struct filler *filler, uint64_t n,
                       struct fault *f)
{
  const struct event who = {.principal = "bench"};
  for (uint64_t i = filler->number / ORDER_SIZE; i <= (filler->number + n) / ORDER_SIZE; i++) {
    AUTO(fault) why = {0};
    struct order order = {
        .profile = "device-server", .quantity = ORDER_SIZE, .created_at = when_now()};
    snprintf(order.name, sizeof order.name, "PO-%llu", (unsigned long long)i);
    if (!ledger_add_order(ledger, &order, &who, &why) && why.code != FAULT_ORDER_EXISTS) {
      fault_move(f, &why);
      return false;
    }
  }
  return true;
}

static bool fill_open(struct ledger *ledger, uint64_t n, struct fault *f)
{
  AUTO(filler) filler = {.issued_at_ms = when_now_ms() - (int64_t)n * DISTANCE_MS};
  const struct name_part issuer = {ATTR_COMMON_NAME, bytes_of_text("Bench issuing CA")};
  if (!newest_id(ledger, &filler.number, f) || !add_orders(ledger, &filler, n, f) ||
      !name_write(&issuer, 1, &filler.issuer, f))
    return false;
  filler.state = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)when_now_ms() << 20 ^ filler.number;
  struct progress progress = progress_start("rows", n);
  bool ok = true;
  for (uint64_t done = 0; ok && done < n; progress_show(&progress, done)) {
    uint64_t some = n - done < BATCH ? n - done : BATCH;
    ok = write_batch(ledger, &filler, some, f);
    done += some;
  }
  progress_end(&progress);
  return ok;
}

bool fill_ledger(const char *path, uint64_t n, struct fault *f)
{
  struct ledger *ledger;
  if (!ledger_open(path, &ledger, f))
    return false;
  bool ok = fill_open(ledger, n, f);
  ledger_close(ledger);
  return ok;
}

bool fill_count(const char *path, uint64_t *ret_rows, struct fault *f)
{
  struct ledger *ledger;
  if (!ledger_open(path, &ledger, f))
    return false;
  bool ok = newest_id(ledger, ret_rows, f);
  ledger_close(ledger);
  return ok;
}
