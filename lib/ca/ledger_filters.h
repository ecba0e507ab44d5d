/* ledger_filters.h - what a listing of certificates, or of events, can be asked for: one row of SQL
 * for each filter. ledger_select.c puts a statement together from them. */
#pragma once
#include "lib/ca/ledger_sql.h"

/* --- the listing --- */

/* Parameters have fixed numbers; a statement has those that its fragments name. */
enum search_parameter {
  PARAMETER_NOW = 1,
  PARAMETER_BEFORE_ID,
  PARAMETER_LIMIT,
  PARAMETER_DEVICE_SERIAL,
  PARAMETER_STATION,
  PARAMETER_ORDER,
  PARAMETER_MODEL,
  PARAMETER_PROFILE,
  PARAMETER_IP,
  PARAMETER_DNS,
  PARAMETER_URI,
  PARAMETER_ISSUED_AFTER,
  PARAMETER_ISSUED_BEFORE,
  PARAMETER_EXPIRES_BEFORE,
  PARAMETER_SERIAL_NUMBERS,
  PARAMETER_END
};

/* One filter of struct ledger_query. One filter drives a search: the statement walks along its
 * index, from the newest row on. The others are held against each row that it comes upon. */
struct ledger_filter {
  const char *from;     /* what to walk along; NULL: this filter cannot drive */
  const char *position; /* the certificate's id there */
  const char *drive;    /* the condition when it drives */
  const char *check;    /* the condition when another one does */
  const char *span;     /* what a row of spans, called s, must fulfil to have a match; or NULL */
};

#define LABEL_ID(parameter) "(SELECT id FROM labels WHERE text = " parameter ")"
#define LABEL_FILTER(kind, column, parameter)                                                      \
  {                                                                                                \
    MARKED(kind, LABEL_ID(parameter), "certificates c", "c.id"), "t.id",                           \
        "c." column " = " LABEL_ID(parameter), "c." column " = " LABEL_ID(parameter), NULL         \
  }
#define HAS_NAME(kind, parameter) "has_name(c.der, " kind ", " parameter ")"
#define NAME_FILTER(kind, parameter)                                                               \
  {                                                                                                \
    TAGGED(kind, parameter, "certificates c", "c.id"), "t.id", HAS_NAME(kind, parameter),          \
        HAS_NAME(kind, parameter), NULL                                                            \
  }

/* Each of the serial numbers that stand one behind the other in ?15. */
#define SERIAL_NUMBERS                                                                             \
  "c.serial_number IN (WITH RECURSIVE each (at) AS (SELECT 1 UNION ALL"                            \
  " SELECT at + 16 FROM each WHERE at + 16 < length(?15)) SELECT substr(?15, at, 16) FROM each)"
/* Along the certificates that were ever revoked. */
#define REVOKED_FROM                                                                               \
  "revocations v INDEXED BY revocations_certificate"                                               \
  " CROSS JOIN certificates c NOT INDEXED ON c.id = v.certificate"
/* A row of spans has certificates that are not expired, or not revoked. */
#define SPAN_LASTS     "s.not_after_max >= ?1"
#define SPAN_UNREVOKED "s.revoked < " SPAN

/* The most selective first: the first one that was given and can drive does. */
enum ledger_filter_id {
  FILTER_SERIAL_NUMBERS,
  FILTER_DNS,
  FILTER_URI,
  FILTER_IP,
  FILTER_DEVICE_SERIAL,
  FILTER_ORDER,
  FILTER_ON_HOLD,
  FILTER_REVOKED,
  FILTER_SUPERSEDED,
  FILTER_STATION,
  FILTER_MODEL,
  FILTER_PROFILE,
  FILTER_VALID,
  FILTER_EXPIRED,
  FILTER_GOOD,
  FILTER_ISSUED_AFTER,
  FILTER_ISSUED_BEFORE,
  FILTER_EXPIRES_BEFORE,
  FILTER_COUNT
};

#define LEDGER_FILTERS                                                                             \
  {                                                                                                \
    [FILTER_SERIAL_NUMBERS] = {"certificates c INDEXED BY certificates_serial_number", "c.id",     \
                               SERIAL_NUMBERS, SERIAL_NUMBERS, NULL},                              \
    [FILTER_DNS] = NAME_FILTER("2", "?10"), [FILTER_URI] = NAME_FILTER("3", "?11"),                \
    [FILTER_IP] = NAME_FILTER("1", "?9"),                                                          \
    [FILTER_DEVICE_SERIAL] = {"certificates c INDEXED BY certificates_device", "c.id",             \
                              "c.device_serial = ?4", "c.device_serial = ?4", NULL},               \
    [FILTER_ORDER] = LABEL_FILTER("3", "production_order", "?6"),                                  \
    [FILTER_ON_HOLD] = {REVOKED_FROM, "v.certificate",                                             \
                        "v.reason = 6 AND " IS_NEWEST_REVOCATION " AND c.not_after >= ?1",         \
                        "c.not_after >= ?1 AND EXISTS (SELECT 1 FROM revocations v"                \
                        " INDEXED BY revocations_certificate WHERE v.certificate = c.id"           \
                        " AND v.reason = 6 AND " IS_NEWEST_REVOCATION ")",                         \
                        SPAN_LASTS},                                                               \
    [FILTER_REVOKED] = {REVOKED_FROM, "v.certificate", IS_REVOCATION, IS_REVOKED("c.id"), NULL},   \
    [FILTER_SUPERSEDED] = {"certificates r INDEXED BY certificates_replaces"                       \
                           " CROSS JOIN certificates c NOT INDEXED ON c.id = r.replaces",          \
                           "r.replaces", "NOT " IS_REVOKED("r.replaces") " AND c.not_after >= ?1", \
                           "c.not_after >= ?1 AND NOT " IS_REVOKED("c.id") " AND " IS_REPLACED,    \
                           SPAN_LASTS " AND " SPAN_UNREVOKED},                                     \
    [FILTER_STATION] = LABEL_FILTER("2", "station", "?5"),                                         \
    [FILTER_MODEL] = LABEL_FILTER("4", "model", "?7"),                                             \
    [FILTER_PROFILE] = LABEL_FILTER("1", "profile", "?8"),                                         \
    [FILTER_VALID] = {NULL, NULL, NULL,                                                            \
                      "c.not_after >= ?1 AND NOT " IS_REPLACED " AND NOT " IS_REVOKED("c.id"),     \
                      SPAN_LASTS " AND " SPAN_UNREVOKED},                                          \
    [FILTER_EXPIRED] = {NULL, NULL, NULL, "c.not_after < ?1 AND NOT " IS_REVOKED("c.id"),          \
                        "s.not_after_min < ?1 AND " SPAN_UNREVOKED},                               \
    [FILTER_GOOD] = {NULL, NULL, NULL, "c.not_after >= ?1 AND NOT " IS_REVOKED("c.id"),            \
                     SPAN_LASTS " AND " SPAN_UNREVOKED},                                           \
    [FILTER_ISSUED_AFTER] = {NULL, NULL, NULL, "c.issued_at > ?12", "s.issued_max > ?12"},         \
    [FILTER_ISSUED_BEFORE] = {NULL, NULL, NULL, "c.issued_at < ?13", "s.issued_min < ?13"},        \
    [FILTER_EXPIRES_BEFORE] = {NULL, NULL, NULL, "c.not_after < ?14", "s.not_after_min < ?14"},    \
  }

/* A listing: which columns of which table, and its filters. */
struct ledger_select {
  const char *columns; /* "SELECT ..." */
  const char *table;   /* with its name in the filters: "certificates c" */
  const char *id;      /* "c.id" */
  const char *spans;   /* the table of what SPAN_ROWS neighbours span */
  const struct ledger_filter *filters;
  size_t n_filters;
};

/* --- the listing of events --- */

enum event_parameter {
  EVENT_PARAMETER_CERTIFICATE = 1,
  EVENT_PARAMETER_BEFORE_ID,
  EVENT_PARAMETER_LIMIT,
  EVENT_PARAMETER_DEVICE_SERIAL,
  EVENT_PARAMETER_PRINCIPAL,
  EVENT_PARAMETER_ORDER,
  EVENT_PARAMETER_KIND,
  EVENT_PARAMETER_CODE,
  EVENT_PARAMETER_SOURCE,
  EVENT_PARAMETER_REQUEST_ID,
  EVENT_PARAMETER_AFTER,
  EVENT_PARAMETER_BEFORE,
  EVENT_PARAMETER_END
};

enum event_filter_id {
  EVENT_FILTER_REQUEST_ID,
  EVENT_FILTER_CERTIFICATE_ALONE, /* one without device_serial */
  EVENT_FILTER_DEVICE_SERIAL,
  EVENT_FILTER_CODE,
  EVENT_FILTER_SOURCE,
  EVENT_FILTER_ORDER,
  EVENT_FILTER_KIND,
  EVENT_FILTER_PRINCIPAL,
  EVENT_FILTER_CERTIFICATE,
  EVENT_FILTER_ISSUED,
  EVENT_FILTER_AFTER,
  EVENT_FILTER_BEFORE,
  EVENT_FILTER_COUNT
};

#define EVENT_FILTER(index, condition)                                                             \
  {                                                                                                \
    "events e INDEXED BY " index, "e.id", condition, condition, NULL                               \
  }
#define EVENT_TAG_FILTER(kind, parameter, condition)                                               \
  {                                                                                                \
    TAGGED(kind, parameter, "events e", "e.id"), "t.id", condition, condition, NULL                \
  }
#define EVENT_LABEL_FILTER(kind, column, parameter)                                                \
  {                                                                                                \
    MARKED(kind, LABEL_ID(parameter), "events e", "e.id"), "t.id",                                 \
        "e." column " = " LABEL_ID(parameter), "e." column " = " LABEL_ID(parameter), NULL         \
  }

#define EVENT_FILTERS                                                                              \
  {                                                                                                \
    [EVENT_FILTER_REQUEST_ID] =                                                                    \
        EVENT_FILTER("events_request", "e.request_id = ?10 AND e.code IS NOT NULL"),               \
    [EVENT_FILTER_CERTIFICATE_ALONE] =                                                             \
        EVENT_FILTER("events_certificate", "e.certificate = ?1 AND e.device_serial IS NULL"),      \
    [EVENT_FILTER_DEVICE_SERIAL] = EVENT_TAG_FILTER("4", "?4", "e.device_serial = ?4"),            \
    [EVENT_FILTER_CODE] = EVENT_LABEL_FILTER("6", "code", "?8"),                                   \
    [EVENT_FILTER_SOURCE] = EVENT_TAG_FILTER("5", "?9", "e.source = ?9"),                          \
    [EVENT_FILTER_ORDER] = EVENT_LABEL_FILTER("8", "production_order", "?6"),                      \
    [EVENT_FILTER_KIND] = EVENT_LABEL_FILTER("5", "kind", "?7"),                                   \
    [EVENT_FILTER_PRINCIPAL] = EVENT_LABEL_FILTER("7", "principal", "?5"),                         \
    [EVENT_FILTER_CERTIFICATE] = {NULL, NULL, NULL, "e.certificate = ?1", NULL},                   \
    [EVENT_FILTER_ISSUED] = {NULL, NULL, NULL, "e.kind IS NULL", NULL},                            \
    [EVENT_FILTER_AFTER] = {NULL, NULL, NULL, "e.at > ?11", "s.at_max > ?11"},                     \
    [EVENT_FILTER_BEFORE] = {NULL, NULL, NULL, "e.at < ?12", "s.at_min < ?12"},                    \
  }
