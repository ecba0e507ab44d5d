/* ledger_sql.h - every statement of the ledger, by name. Values are bound, always. */
#pragma once
#include <stddef.h>

/* What only grows, each row behind the last one. */
enum ledger_log { LOG_CERTIFICATES, LOG_EVENTS, LOG_COUNT };

/* How many certificates a row of spans stands for: in SQL and in C. Rows that are there rest on it.
 */
#define SPAN "128"
enum { SPAN_ROWS = 128 };

/* Rows that have a label; see sql/0012-marks.sql, which has these numbers too. */
enum mark_kind {
  MARK_NONE,
  MARK_PROFILE,
  MARK_STATION,
  MARK_ORDER,
  MARK_MODEL,
  MARK_EVENT_KIND,
  MARK_EVENT_CODE,
  MARK_EVENT_PRINCIPAL,
  MARK_EVENT_ORDER
};
/* One row of marks tells of so many; so many are marked at once; each has so many labels. */
enum { MARK_ROWS = 64, MARK_RUN_ROWS = 1024, MARK_LABELS = 4 };

/* What is on record of a certificate's revocation in one number, so that one look into the index
 * answers: since when, times 16, and the CRLReason. NULL: it was never revoked. */
#define REVOCATION_OF(id)                                                                          \
  "(SELECT v.at * 16 + v.reason FROM revocations v INDEXED BY revocations_certificate"             \
  " WHERE v.certificate = " id " ORDER BY v.id DESC LIMIT 1)"
/* Of a row of revocations that is called v: nothing came behind it; and it is not a hold that was
 * lifted (8). */
#define IS_NEWEST_REVOCATION                                                                       \
  "NOT EXISTS (SELECT 1 FROM revocations w INDEXED BY revocations_follows WHERE w.follows = v.id)"
#define IS_REVOCATION "v.reason <> 8 AND " IS_NEWEST_REVOCATION
#define IS_REVOKED(id)                                                                             \
  "EXISTS (SELECT 1 FROM revocations v INDEXED BY revocations_certificate"                         \
  " WHERE v.certificate = " id " AND " IS_REVOCATION ")"

/* A later certificate took the place of c. */
#define IS_REPLACED "EXISTS (SELECT 1 FROM certificates r WHERE r.replaces = c.id)"

/* One certificate as ledger_row_read() takes it, from a row that is called c. */
#define ROW_COLUMNS                                                                                \
  "c.id, c.serial_number, c.device_serial,"                                                        \
  " (SELECT text FROM labels WHERE id = c.profile),"                                               \
  " (SELECT text FROM labels WHERE id = c.station),"                                               \
  " (SELECT text FROM labels WHERE id = c.production_order),"                                      \
  " (SELECT text FROM labels WHERE id = c.model),"                                                 \
  " (SELECT text FROM labels WHERE id = c.authority),"                                             \
  " c.issued_at, c.not_before, c.not_after,"                                                       \
  " EXISTS (SELECT 1 FROM certificates r WHERE r.replaces = c.id),"                                \
  " " REVOCATION_OF("c.id") ", c.spki_sha256, c.request_sha256, c.der, c.shard"

/* Rows that may have a value, or a label (ledger_candidates.h), to walk along by t.id. */
#define TAGGED(kind, value, table, id)                                                             \
  "tagged(" kind ", " value ") t CROSS JOIN " table " NOT INDEXED ON " id " = t.id"
#define MARKED(kind, label, table, id)                                                             \
  "marked(" kind ", " label ") t CROSS JOIN " table " NOT INDEXED ON " id " = t.id"

/* The rows, called c, of a key. ?1 spki_sha256. */
#define OF_KEY " FROM " TAGGED("0", "?1", "certificates c", "c.id") " WHERE c.spki_sha256 = ?1"

/* One event as ledger_event_read() takes it, from a row that is called e. */
#define EVENT_COLUMNS                                                                              \
  "e.id, e.at,"                                                                                    \
  " (SELECT text FROM labels WHERE id = e.kind),"                                                  \
  " (SELECT text FROM labels WHERE id = e.code),"                                                  \
  " (SELECT text FROM labels WHERE id = e.principal),"                                             \
  " e.source, e.request_id, e.device_serial,"                                                      \
  " (SELECT text FROM labels WHERE id = coalesce(e.profile,"                                       \
  " (SELECT profile FROM certificates WHERE id = e.certificate))),"                                \
  " (SELECT text FROM labels WHERE id = e.production_order),"                                      \
  " (SELECT text FROM labels WHERE id = e.about),"                                                 \
  " e.certificate, (SELECT serial_number FROM certificates WHERE id = e.certificate),"             \
  " (SELECT not_after FROM certificates WHERE id = e.certificate), e.amount"

/* One order as ledger_order.c reads it. */
#define ORDER_COLUMNS                                                                              \
  "id, name, profile, model, stations, ip_ranges, open_from, open_until, quantity, issued,"        \
  " replacements, replaced, created_at, closed_at"
/* One authority as ledger_authority.c reads it. */
#define AUTHORITY_COLUMNS "name, state, changed_at, issued, missing, crl_number"
/* One batch as ledger_batches.c reads it, from a row that is called b. */
#define BATCH_COLUMNS                                                                              \
  "b.id, b.name, (SELECT text FROM labels WHERE id = b.principal), b.begun_at, b.ended_at,"        \
  " b.cut_off, b.issued, b.replayed, b.refused"
/* One device, from a row of devices that is called d and one of device_imports that is called i. */
#define DEVICE_COLUMNS                                                                             \
  "d.id, d.device_serial, d.model, d.production_order, d.names, d.secret_no, d.secret_salt,"       \
  " d.secret_hash, d.wrong_tries, d.used_spki_sha256, d.used_at, i.committed_at"
/* DEVICE_TRIES_MAX, in SQL. */
#define TRIES_MAX "10"

/* clang-format off */
#define LEDGER_STATEMENTS(X)                                                                       \
  X(BEGIN,     "BEGIN IMMEDIATE")                                                                  \
  X(BEGIN_READ, "BEGIN")                                                                           \
  X(COMMIT,    "COMMIT")                                                                           \
  X(ROLLBACK,  "ROLLBACK")                                                                         \
  X(LAST_ID,   "SELECT coalesce(max(id), 0) FROM certificates")                                    \
  X(PROBE,     "UPDATE probe SET written = written + 1 WHERE id = 1")                              \
                                                                                                   \
  X(LABEL,     "SELECT id FROM labels WHERE text = ?1")                                            \
  X(ADD_LABEL, "INSERT INTO labels (text) VALUES (?1)")                                            \
                                                                                                   \
  X(GUARDS,                                                                                        \
    "SELECT sql FROM sqlite_schema WHERE type = 'trigger'"                                         \
    " AND name NOT IN ('certificates_insert', 'events_insert')")                   \
  /* Tags (sql/0015-tags.sql): how many runs are in the table; those of one bucket, or none; one more\
   * bucket; the rows themselves. ?1 id, or behind ?1 up to ?2 */                                  \
  X(CERTIFICATE_RUNS, "SELECT coalesce(max(id) / 1024 + 1, 0) FROM certificate_tags")               \
  X(CERTIFICATE_TAGS, "SELECT entries FROM certificate_tags WHERE id = ?1")                        \
  X(ADD_CERTIFICATE_TAGS, "INSERT INTO certificate_tags (id, entries) VALUES (?1, ?2)")            \
  X(TAGGED_CERTIFICATES,                                                                           \
    "SELECT id, spki_sha256, der FROM certificates WHERE id > ?1 AND id <= ?2 ORDER BY id")        \
  X(EVENT_RUNS, "SELECT coalesce(max(id) / 1024 + 1, 0) FROM event_tags")                           \
  X(EVENT_TAGS, "SELECT entries FROM event_tags WHERE id = ?1")                                    \
  X(ADD_EVENT_TAGS, "INSERT INTO event_tags (id, entries) VALUES (?1, ?2)")                        \
  X(TAGGED_EVENTS,                                                                                 \
    "SELECT id, device_serial, source FROM events WHERE id > ?1 AND id <= ?2 ORDER BY id")         \
  /* All keys: those of runs in the table, and the newest. */                                      \
  X(EACH_KEYS,                                                                                     \
    "WITH RECURSIVE runs (run) AS (SELECT 0 WHERE EXISTS (SELECT 1 FROM certificate_tags)"         \
    " UNION ALL SELECT run + 1 FROM runs WHERE run < (SELECT max(id) / 1024 FROM certificate_tags))"\
    " SELECT k.id & 511, k.entries FROM runs CROSS JOIN certificate_tags k"                        \
    " ON k.id BETWEEN runs.run * 1024 AND runs.run * 1024 + 511")                                    \
  X(EACH_NEW_KEY,                                                                                  \
    "SELECT spki_sha256 FROM certificates"                                                         \
    " WHERE id >= (SELECT coalesce(max(id) / 1024 + 1, 0) FROM certificate_tags) * 65536")          \
  /* Along an index that has all that is asked for. */                                             \
  X(EACH_DEVICE,                                                                                   \
    "SELECT device_serial FROM certificates INDEXED BY certificates_device"                        \
    " WHERE device_serial IS NOT NULL")                                                            \
  /* ?1 device_serial, ?2 profile */                                                               \
  X(NEWEST_OF_DEVICE,                                                                              \
    "SELECT " ROW_COLUMNS " FROM certificates c INDEXED BY certificates_device"                    \
    " WHERE c.device_serial = ?1 AND c.profile = (SELECT id FROM labels WHERE text = ?2)"          \
    " ORDER BY c.id DESC LIMIT 1")                                                                 \
  /* ?1 spki_sha256, ?2 request_sha256 */                                                          \
  X(NEWEST_OF_REQUEST,                                                                             \
    "SELECT " ROW_COLUMNS OF_KEY                                                              \
    " AND c.device_serial IS NULL AND c.request_sha256 = ?2"                                       \
    " ORDER BY c.id DESC LIMIT 1")                                                                 \
  /* Why may this key not be certified? A certificate that has it, and 1 when it was revoked for    \
   * keyCompromise (1), which comes before being another device's: max() takes the row with it.     \
   * ?1 spki_sha256, ?2 request_sha256, ?3 device_serial or NULL */                                \
  X(KEY_REFUSED,                                                                                   \
    "SELECT serial_number, max(compromised) FROM (SELECT c.serial_number, c.device_serial,"        \
    " c.request_sha256, EXISTS (SELECT 1 FROM revocations v INDEXED BY revocations_certificate"    \
    " WHERE v.certificate = c.id AND v.reason = 1) AS compromised"                                 \
    OF_KEY ")"                                                                                     \
    " WHERE compromised"                                                                           \
    " OR NOT (device_serial IS ?3 AND (?3 IS NOT NULL OR request_sha256 = ?2))")                   \
  /* The one that a certificate took the place of. */                                              \
  X(BEFORE,                                                                                        \
    "SELECT " ROW_COLUMNS " FROM certificates c"                                                   \
    " WHERE c.id = (SELECT replaces FROM certificates WHERE id = ?1)")                             \
  X(ADD,                                                                                           \
    "INSERT OR ROLLBACK INTO certificates (id, serial_number, device_serial, profile, station,"    \
    " production_order, model, authority, issued_at, not_before, not_after, replaces,"             \
    " spki_sha256, spki_prefix, request_sha256, der, shard)"                                       \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, ?16)")            \
  X(ADD_MARK,                                                                                      \
    "INSERT INTO marks (kind, label, span, bits) VALUES (?1, ?2, ?3, ?4)"                          \
    " ON CONFLICT (kind, label, span) DO UPDATE SET bits = bits | excluded.bits")                  \
  /* ?1 kind, ?2 label, ?3 from this span on, downwards */                                         \
  X(MARKS,                                                                                         \
    "SELECT span, bits FROM marks WHERE kind = ?1 AND label = ?2 AND span BETWEEN 0 AND ?3"                   \
    " ORDER BY span DESC")                                                                         \
  /* ?1 enum ledger_log */                                                                         \
  X(MARKED_ROWS, "SELECT rows FROM marked_rows WHERE log = ?1")                                    \
  X(SET_MARKED_ROWS, "UPDATE OR ROLLBACK marked_rows SET rows = ?2 WHERE log = ?1")                \
  /* From row ?1 to row ?2. */                                                                     \
  X(LABELS_OF_CERTIFICATES,                                                                        \
    "SELECT id, profile, station, production_order, model FROM certificates"                       \
    " WHERE id BETWEEN ?1 AND ?2")                                                                 \
  X(LABELS_OF_EVENTS,                                                                              \
    "SELECT id, kind, code, principal, production_order FROM events WHERE id BETWEEN ?1 AND ?2")   \
  /* What a span holds already is widened. */                                                      \
  X(ADD_SPAN,                                                                                      \
    "INSERT INTO spans (id, issued_min, issued_max, not_after_min, not_after_max)"                 \
    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET"                                  \
    " issued_min = min(issued_min, excluded.issued_min),"                                          \
    " issued_max = max(issued_max, excluded.issued_max),"                                          \
    " not_after_min = min(not_after_min, excluded.not_after_min),"                                 \
    " not_after_max = max(not_after_max, excluded.not_after_max)")                                 \
                                                                                                   \
  X(LAST_REVOCATION, "SELECT coalesce(max(id), 0) FROM revocations")                               \
  /* The newest row of a certificate. ?1 serial_number, ?2 authority */                            \
  X(NEWEST_REVOCATION,                                                                             \
    "SELECT v.id, v.at, v.reason FROM revocations v INDEXED BY revocations_serial_number"          \
    " WHERE v.serial_number = ?1 AND v.authority = (SELECT id FROM labels WHERE text = ?2)"        \
    " ORDER BY v.id DESC LIMIT 1")                                                                 \
  /* ?1 serial_number, ?2 authority */                                                             \
  X(CERTIFICATE_OF,                                                                                \
    "SELECT c.id, c.not_after, c.shard FROM certificates c WHERE c.serial_number = ?1"             \
    " AND c.authority = (SELECT id FROM labels WHERE text = ?2)")                                  \
  X(ADD_REVOCATION,                                                                                \
    "INSERT OR ROLLBACK INTO revocations (id, certificate, serial_number, authority, shard,"       \
    " not_after, at, reason, follows) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                \
  X(COUNT_REVOKED, "UPDATE OR ROLLBACK spans SET revoked = revoked + ?2 WHERE id = ?1")            \
  /* Of one authority. ?1 authority, ?2 shard or 0 for any, ?3 seconds: those that expired before   \
   * it are left out. */                                                                           \
  X(REVOCATIONS,                                                                                   \
    "SELECT v.id, v.serial_number, v.at, v.reason FROM revocations v NOT INDEXED"                  \
    " WHERE v.authority = (SELECT id FROM labels WHERE text = ?1) AND (?2 = 0 OR v.shard = ?2)"    \
    " AND (v.not_after = 0 OR v.not_after >= ?3) AND " IS_REVOCATION " ORDER BY v.id")             \
  /* The same of one shard, without a look at the others'. */                                      \
  X(REVOCATIONS_OF_SHARD,                                                                          \
    "SELECT v.id, v.serial_number, v.at, v.reason FROM revocations v"                              \
    " INDEXED BY revocations_shard WHERE v.shard = ?2 AND v.shard > 0"                             \
    " AND v.authority = (SELECT id FROM labels WHERE text = ?1)"                                   \
    " AND (v.not_after = 0 OR v.not_after >= ?3) AND " IS_REVOCATION " ORDER BY v.id")             \
  /* The same behind the row ?3, lifted ones included, whether or not the hold is behind it, too:   \
   * a delta in between may have told of it (X.509, 8.5.2.2). */                                   \
  X(REVOCATIONS_SINCE,                                                                             \
    "SELECT v.id, v.serial_number, v.at, v.reason FROM revocations v NOT INDEXED WHERE v.id > ?3"  \
    " AND v.authority = (SELECT id FROM labels WHERE text = ?1) AND (?2 = 0 OR v.shard = ?2)"      \
    " AND " IS_NEWEST_REVOCATION " ORDER BY v.id")                                                 \
                                                                                                   \
  X(DEVICE_OF_CERTIFICATE,                                                                         \
    "SELECT id, device_serial FROM certificates WHERE serial_number = ?1")                         \
  X(LAST_EVENT, "SELECT coalesce(max(id), 0) FROM events")                                         \
  X(ADD_EVENT,                                                                                     \
    "INSERT OR ROLLBACK INTO events (id, at, kind, code, principal, source, request_id,"           \
    " device_serial, profile, production_order, about, certificate, amount)"                       \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")                            \
  X(ADD_EVENT_SPAN,                                                                                \
    "INSERT INTO event_spans (id, at_min, at_max) VALUES (?1, ?2, ?3)"                             \
    " ON CONFLICT (id) DO UPDATE SET"                                                              \
    " at_min = min(at_min, excluded.at_min), at_max = max(at_max, excluded.at_max)")               \
  X(COUNT_TALLY,                                                                                   \
    "UPDATE tallies SET n = n + ?5 WHERE production_order = ?1 AND station = ?2 AND hour = ?3"     \
    " AND outcome = ?4")                                                                           \
  X(ADD_TALLY,                                                                                     \
    "INSERT OR ROLLBACK INTO tallies (production_order, station, hour, outcome, n)"                \
    " VALUES (?1, ?2, ?3, ?4, ?5)")                                                                \
  /* ?1 order or NULL */                                                                           \
  X(TALLIES_OF_ORDER,                                                                              \
    "SELECT s.text, t.hour, o.text, t.n FROM tallies t"                                            \
    " CROSS JOIN labels s ON s.id = t.station CROSS JOIN labels o ON o.id = t.outcome"             \
    " WHERE t.production_order ="                                                                  \
    " CASE WHEN ?1 IS NULL THEN 0 ELSE (SELECT id FROM labels WHERE text = ?1) END"                \
    " ORDER BY s.text, t.hour, o.text")                                                            \
                                                                                                   \
  X(FIND_WEBHOOK, "SELECT last_event FROM webhooks WHERE name = ?1")                               \
  X(ADD_WEBHOOK,                                                                                   \
    "INSERT INTO webhooks (name, last_event, updated_at)"                                          \
    " SELECT ?1, coalesce(max(id), 0), ?2 FROM events WHERE true ON CONFLICT DO NOTHING")          \
  X(MOVE_WEBHOOK, "UPDATE webhooks SET last_event = ?2, updated_at = ?3 WHERE name = ?1")          \
  /* ?1 behind this one, ?2 up to this one, ?3 names of kinds: " issued revoked ", ?4 limit */     \
  X(EVENTS_BEHIND,                                                                                 \
    "SELECT " EVENT_COLUMNS " FROM events e NOT INDEXED WHERE e.id > ?1 AND e.id <= ?2"            \
    " AND instr(?3, ' ' || coalesce((SELECT text FROM labels WHERE id = e.kind), 'issued')"        \
    " || ' ') > 0 ORDER BY e.id LIMIT ?4")                                                         \
                                                                                                   \
  /* ?1 behind this one, ?2 up to this one, ?3 and ?4 when it ends, ?5 limit */                    \
  X(EXPIRING,                                                                                      \
    "SELECT c.id, c.device_serial, (SELECT text FROM labels WHERE id = c.production_order)"        \
    " FROM spans s CROSS JOIN certificates c NOT INDEXED"                                          \
    " ON c.id BETWEEN s.id * " SPAN " AND s.id * " SPAN " + (" SPAN " - 1)"                        \
    " WHERE s.id BETWEEN ?1 / " SPAN " AND ?2 / " SPAN " AND c.id > ?1 AND c.id <= ?2"             \
    " AND s.not_after_max >= ?3 AND s.not_after_min <= ?4 AND c.not_after BETWEEN ?3 AND ?4"       \
    " AND NOT EXISTS (SELECT 1 FROM expiring x WHERE x.certificate = c.id)"                        \
    " AND c.profile IS NOT coalesce((SELECT id FROM labels WHERE text = '@ocsp'), -1)"             \
    " AND NOT " IS_REPLACED " AND NOT " IS_REVOKED("c.id")                                         \
    " ORDER BY s.id, c.id LIMIT ?5")                                                               \
  X(ADD_EXPIRING, "INSERT INTO expiring (certificate) VALUES (?1)")                                \
                                                                                                   \
  X(GET,       "SELECT " ROW_COLUMNS " FROM certificates c WHERE c.serial_number = ?1")            \
  X(GET_AT,    "SELECT " ROW_COLUMNS " FROM certificates c WHERE c.id = ?1")                       \
                                                                                                   \
  X(FIND_AUTHORITY, "SELECT " AUTHORITY_COLUMNS " FROM authorities WHERE name = ?1")               \
  X(EACH_AUTHORITY, "SELECT " AUTHORITY_COLUMNS " FROM authorities ORDER BY name")                 \
  X(ADD_AUTHORITY,                                                                                 \
    "INSERT INTO authorities (name, state, changed_at, issued, missing)"                           \
    " VALUES (?1, 'standby', ?2, ?3, 0)")                                                          \
  X(COUNT_AUTHORITY, "UPDATE OR ROLLBACK authorities SET issued = issued + ?2 WHERE name = ?1")    \
  /* ?1 seconds, ?2 name: whoever else issues does so no more */                                   \
  X(STAND_BY,                                                                                      \
    "UPDATE OR ROLLBACK authorities SET state = 'standby', changed_at = ?1"                        \
    " WHERE state = 'active' AND name <> ?2")                                                      \
  X(ACTIVATE_AUTHORITY,                                                                            \
    "UPDATE OR ROLLBACK authorities SET state = 'active', changed_at = ?1 WHERE name = ?2")        \
  X(RETIRE_AUTHORITY,                                                                              \
    "UPDATE OR ROLLBACK authorities SET state = 'retired', changed_at = ?1 WHERE name = ?2")       \
  /* ?1 name, ?2 a number that it is to be above */                                                \
  X(TAKE_CRL_NUMBER,                                                                               \
    "UPDATE OR ROLLBACK authorities SET crl_number = max(crl_number, ?2) + 1 WHERE name = ?1"      \
    " RETURNING crl_number")                                                                       \
  /* ?1 name, ?2 how many more, ?3 the highest crl_number */                                       \
  X(ACCEPT_MISSING,                                                                                \
    "UPDATE OR ROLLBACK authorities SET missing = missing + ?2, crl_number = max(crl_number, ?3)"  \
    " WHERE name = ?1")                                                                            \
                                                                                                   \
  X(FIND_DEVICE,                                                                                   \
    "SELECT " DEVICE_COLUMNS " FROM devices d JOIN device_imports i ON i.id = d.import"            \
    " WHERE d.device_serial = ?1 AND i.committed_at IS NOT NULL")                                  \
  /* ?1 after_id, ?2 production_order, ?3 model, ?4 enum device_state, ?5 device_serial, ?6 limit */\
  X(SEARCH_DEVICES,                                                                                \
    "SELECT " DEVICE_COLUMNS " FROM devices d JOIN device_imports i ON i.id = d.import"            \
    " WHERE d.id > ?1 AND i.committed_at IS NOT NULL"                                              \
    " AND (?2 IS NULL OR d.production_order = ?2) AND (?3 IS NULL OR d.model = ?3)"                \
    " AND (?4 = 0 OR ?4 = CASE WHEN d.wrong_tries >= " TRIES_MAX " THEN 3"                         \
    " WHEN d.used_at IS NULL THEN 1 ELSE 2 END)"                                                   \
    " AND (?5 IS NULL OR d.device_serial = ?5) ORDER BY d.id LIMIT ?6")                            \
  X(WRONG_TRY,                                                                                     \
    "UPDATE devices SET wrong_tries = wrong_tries + 1 WHERE device_serial = ?1"                    \
    " RETURNING wrong_tries")                                                                      \
  X(COUNT_WRONG_TRY, "UPDATE wrong_tries SET counted = counted + 1 WHERE id = 1")                  \
  X(RESET_DEVICE,                                                                                  \
    "UPDATE devices SET secret_no = secret_no + 1, secret_salt = ?2, secret_hash = ?3,"            \
    " wrong_tries = 0, used_spki_sha256 = NULL, used_at = NULL WHERE device_serial = ?1"           \
    " AND import IN (SELECT id FROM device_imports WHERE committed_at IS NOT NULL)")               \
  X(SECRET, "SELECT secret_no, used_spki_sha256 FROM devices WHERE device_serial = ?1")            \
  X(USE_SECRET,                                                                                    \
    "UPDATE devices SET used_spki_sha256 = ?2, used_at = ?3, wrong_tries = 0"                      \
    " WHERE device_serial = ?1 AND secret_no = ?4 AND used_at IS NULL")                            \
  X(BEGIN_IMPORT,                                                                                  \
    "INSERT INTO device_imports (principal, begun_at, touched_at, devices) VALUES (?1, ?2, ?2, 0)")\
  X(FIND_IMPORT, "SELECT committed_at, devices, first_device FROM device_imports WHERE id = ?1")   \
  X(IDLE_IMPORT,                                                                                   \
    "SELECT id FROM device_imports WHERE committed_at IS NULL AND touched_at < ?1 LIMIT 1")        \
  X(TOUCH_IMPORT,                                                                                  \
    "UPDATE device_imports SET touched_at = ?2,"                                                   \
    " first_device = coalesce(first_device, (SELECT coalesce(max(id), 0) + 1 FROM devices))"       \
    " WHERE id = ?1 AND committed_at IS NULL")                                                     \
  X(ADD_DEVICE,                                                                                    \
    "INSERT INTO devices (device_serial, import, line, model, production_order, names, secret_no," \
    " secret_salt, secret_hash, wrong_tries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, 0)"        \
    " ON CONFLICT (device_serial) DO UPDATE SET model = excluded.model,"                           \
    " production_order = excluded.production_order, names = excluded.names,"                       \
    " secret_salt = excluded.secret_salt, secret_hash = excluded.secret_hash"                      \
    " WHERE import = excluded.import AND line = excluded.line")                                    \
  X(WHOSE_DEVICE,                                                                                  \
    "SELECT d.import, d.line, i.committed_at FROM devices d JOIN device_imports i"                 \
    " ON i.id = d.import WHERE d.device_serial = ?1")                                              \
  X(COMMIT_IMPORT,                                                                                 \
    "UPDATE device_imports SET committed_at = ?2, devices ="                                       \
    " (SELECT count(*) FROM devices WHERE id >= first_device AND import = ?1)"                     \
    " WHERE id = ?1 AND committed_at IS NULL")                                                     \
  X(DROP_DEVICES,                                                                                  \
    "DELETE FROM devices WHERE id IN (SELECT id FROM devices WHERE id >= ?2 AND import = ?1"       \
    " ORDER BY id LIMIT 5000)")                                                                    \
  X(DROP_IMPORT, "DELETE FROM device_imports WHERE id = ?1 AND committed_at IS NULL")              \
                                                                                                   \
  X(ADD_CRL,                                                                                       \
    "INSERT OR ROLLBACK INTO crls (id, authority, shard, number, base_number, this_update,"        \
    " next_update, revocation, entries, octets, sha256)"                                           \
    " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM crls), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"    \
    " ?10)")                                                                                       \
  /* ?1 authority, ?2 number */                                                                    \
  X(FIND_CRL,                                                                                      \
    "SELECT shard, base_number, this_update, next_update, revocation, entries, octets, sha256"     \
    " FROM crls WHERE authority = (SELECT id FROM labels WHERE text = ?1) AND number = ?2")        \
  X(CRL_EXTENT,                                                                                    \
    "SELECT (SELECT max(number) FROM crls WHERE authority = a.id),"                                \
    " (SELECT max(shard) FROM crls WHERE authority = a.id)"                                        \
    " FROM (SELECT (SELECT id FROM labels WHERE text = ?1) AS id) a")                              \
                                                                                                   \
  /* ?1 name, ?2 principal, ?3 seconds */                                                          \
  X(ADD_BATCH,                                                                                     \
    "INSERT INTO batches (name, principal, begun_at, cut_off, issued, replayed, refused)"          \
    " VALUES (?1, ?2, ?3, 0, 0, 0, 0) ON CONFLICT DO NOTHING")                                     \
  /* ?1 id or NULL for all, ?2 seconds, ?3 cut_off */                                              \
  X(END_BATCHES,                                                                                   \
    "UPDATE OR ROLLBACK batches SET ended_at = ?2, cut_off = ?3"                                   \
    " WHERE ended_at IS NULL AND (?1 IS NULL OR id = ?1)")                                         \
  X(COUNT_BATCH,                                                                                   \
    "UPDATE OR ROLLBACK batches SET issued = issued + ?2, replayed = replayed + ?3,"               \
    " refused = refused + ?4 WHERE id = ?1")                                                       \
  X(ADD_BATCH_LINE,                                                                                \
    "INSERT OR ROLLBACK INTO batch_lines (batch, line, certificate, replayed, code, detail, names)"\
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                                        \
  X(FIND_BATCH, "SELECT " BATCH_COLUMNS " FROM batches b WHERE b.name = ?1")                       \
  /* ?1 below this id, ?2 limit, ?3 principal */                                                   \
  X(BATCHES,                                                                                       \
    "SELECT " BATCH_COLUMNS " FROM batches b NOT INDEXED WHERE b.id < ?1"                          \
    " ORDER BY b.id DESC LIMIT ?2")                                                                \
  X(BATCHES_OF,                                                                                    \
    "SELECT " BATCH_COLUMNS " FROM batches b INDEXED BY batches_principal WHERE b.id < ?1"         \
    " AND b.principal = (SELECT id FROM labels WHERE text = ?3) ORDER BY b.id DESC LIMIT ?2")      \
  /* ?1 batch, ?2 behind this line, ?3 limit */                                                    \
  X(BATCH_LINES,                                                                                   \
    "SELECT " ROW_COLUMNS ", b.line, b.replayed, (SELECT text FROM labels WHERE id = b.code),"     \
    " b.detail, b.names FROM batch_lines b LEFT JOIN certificates c ON c.id = b.certificate"       \
    " WHERE b.batch = ?1 AND b.line > ?2 ORDER BY b.line LIMIT ?3")                                \
                                                                                                   \
  X(ADD_PRINCIPAL,                                                                                 \
    "INSERT INTO principals (name, role, proof, proof_sha256, created_at)"                         \
    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")                                         \
  X(ROTATE_PRINCIPAL,                                                                              \
    "UPDATE principals SET proof = ?1, proof_sha256 = ?2 WHERE name = ?3")                         \
  /* ?1 name, ?2 id of a certificate: is its key what the principal shows? */                      \
  X(SHOWS_CERTIFICATE,                                                                             \
    "SELECT 1 FROM principals WHERE name = ?1 AND proof = 'certificate' AND disabled_at IS NULL"   \
    " AND proof_sha256 = (SELECT spki_sha256 FROM certificates WHERE id = ?2)")                    \
  /* ?1 seconds or NULL */                                                                         \
  X(DISABLE_PRINCIPAL, "UPDATE principals SET disabled_at = ?1 WHERE name = ?2")                   \
  X(FIND_PRINCIPAL,                                                                                \
    "SELECT name, role, created_at, disabled_at, proof, proof_sha256 FROM principals"              \
    " WHERE name = ?1")                                                                            \
  X(EACH_PRINCIPAL,                                                                                \
    "SELECT name, role, created_at, disabled_at, proof, proof_sha256 FROM principals"              \
    " ORDER BY name")                                                                              \
                                                                                                   \
  X(ADD_ORDER,                                                                                     \
    "INSERT INTO orders (name, profile, model, stations, ip_ranges, open_from, open_until,"        \
    " quantity, issued, replacements, replaced, created_at, closed_at)"                            \
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, 0, ?10, NULL)")                               \
  X(GET_ORDER, "SELECT " ORDER_COLUMNS " FROM orders WHERE name = ?1")                             \
  /* ?1 id, ?2 how many more were issued, ?3 how many more replaced others */                      \
  X(COUNT_ORDER,                                                                                   \
    "UPDATE OR ROLLBACK orders SET issued = issued + ?2, replaced = replaced + ?3 WHERE id = ?1")  \
  X(EXTEND_ORDER,                                                                                  \
    "UPDATE OR ROLLBACK orders SET quantity = ?2, replacements = ?3, open_until = ?4"              \
    " WHERE id = ?1")                                                                              \
  X(CLOSE_ORDER, "UPDATE OR ROLLBACK orders SET closed_at = ?2 WHERE id = ?1")                     \
  /* ?1 a larger id, ?2 1: open, 0: closed, NULL: both, ?3 station or NULL, ?4 how many */         \
  X(EACH_ORDER,                                                                                    \
    "SELECT " ORDER_COLUMNS " FROM orders WHERE id < ?1"                                           \
    " AND (?2 IS NULL OR (closed_at IS NULL) = ?2)"                                                \
    " AND (?3 IS NULL OR stations IS NULL OR instr(' ' || stations || ' ', ' ' || ?3 || ' ') > 0)" \
    " ORDER BY id DESC LIMIT ?4")
/* clang-format on */

enum ledger_sql {
#define X(name, text) SQL_##name,
  LEDGER_STATEMENTS(X)
#undef X
      SQL_COUNT
};
