/* routes.c - every request that the daemon answers. */
#include "daemon/backups.h"
#include "daemon/crl_serve.h"
#include "daemon/health.h"
#include "daemon/rest.h"
#include "daemon/route.h"

enum { KiB = 1024, MiB = 1024 * KiB };

/* A device issues for itself only: the pipeline sees to that. */
#define MAY_ISSUE (MAY(STATION) | MAY(DEVICE) | MAY(OPERATOR) | MAY(ADMIN))
/* A station sees only what it issued itself, a device what is its own: the handlers see to that. */
#define MAY_READ (MAY(STATION) | MAY(DEVICE) | MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))
/* A station sees the orders that are for it, likewise. */
#define MAY_PLAN    (MAY(STATION) | MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))
#define MAY_OPERATE (MAY(OPERATOR) | MAY(ADMIN))
#define MAY_INSPECT (MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))
/* Its own certificate: every role, as long as the profile allows it. */
#define MAY_RENEW                                                                                  \
  (AS_HOLDER | MAY(STATION) | MAY(DEVICE) | MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))
#define MAY_READ_EVENTS (MAY(STATION) | MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))

static const char *const requests[] = {"application/json", "application/pkcs10", NULL};
static const char *const ndjson[] = {"application/x-ndjson", NULL};
static const char *const ocsp_requests[] = {"application/ocsp-request", NULL};
static const char *const json[] = {"application/json", NULL};
static const char *const crl[] = {"application/pkix-crl", NULL};

/* Who may issue for others, as it comes: a batch has no limit but that of its lines. */
#define MAY_ISSUE_BATCHES (AS_IT_COMES | MAY(STATION) | MAY(OPERATOR) | MAY(ADMIN))
#define ANY_LENGTH        SIZE_MAX

/* clang-format off */
const struct route routes[] = {
  {METHOD_POST, "/v1/certificates",                MAY_ISSUE,   32 * KiB, requests, rest_issue},
  {METHOD_GET,  "/v1/certificates",                MAY_READ,    0,        NULL,     rest_search},
  {METHOD_GET,  "/v1/certificates/:serial_number", MAY_READ,    0,        NULL,     rest_show},
  {METHOD_POST, "/v1/certificates/:serial_number/revoke", MAY_OPERATE, 4 * KiB, json, rest_revoke},
  {METHOD_POST, "/v1/batches",                     MAY_ISSUE_BATCHES, ANY_LENGTH, ndjson, rest_take_batch},
  {METHOD_GET,  "/v1/batches",                     MAY_PLAN,    0,        NULL,     rest_list_batches},
  {METHOD_GET,  "/v1/batches/:id",                 MAY_PLAN,    0,        NULL,     rest_show_batch},
  {METHOD_POST, "/v1/revocations",                 MAY_OPERATE, 64 * KiB, json,     rest_revocations},
  {METHOD_POST, "/v1/renew",                       MAY_RENEW,   32 * KiB, requests, rest_renew},
  {METHOD_GET,  "/v1/events",                      MAY_READ_EVENTS, 0,    NULL,     rest_events},
  {METHOD_GET,  "/v1/ca",                          OPEN_TO_ALL, 0,        NULL,     rest_ca},
  {METHOD_GET,  "/v1/ca/chain.pem",                OPEN_TO_ALL, 0,        NULL,     rest_ca_chain},
  {METHOD_GET,  "/v1/ca/root.crt",                 PUBLIC,      0,        NULL,     rest_ca_root},
  {METHOD_GET,  "/v1/ca/:name/chain.pem",          OPEN_TO_ALL, 0,        NULL,     rest_ca_chain},
  {METHOD_GET,  "/v1/ca/:name/root.crt",           PUBLIC,      0,        NULL,     rest_ca_root},
  {METHOD_GET,  "/ca/roots.pem",                   PUBLIC,      0,        NULL,     rest_ca_roots},
  {METHOD_GET,  "/ca/:name.crt",                   PUBLIC,      0,        NULL,     rest_ca_certificate},
  {METHOD_GET,  "/ca/:name.pem",                   PUBLIC,      0,        NULL,     rest_ca_certificate_pem},
  {METHOD_GET,  "/v1/authorities",                 MAY_INSPECT, 0,        NULL,     rest_list_authorities},
  {METHOD_POST, "/v1/authorities/:name/activate",  MAY(ADMIN),  0,        NULL,     rest_activate_authority},
  {METHOD_POST, "/v1/authorities/:name/retire",    MAY(ADMIN),  0,        NULL,     rest_retire_authority},
  {METHOD_POST, "/v1/reload",                      MAY(ADMIN),  0,        NULL,     rest_reload},
  {METHOD_POST, "/v1/orders",                      MAY_OPERATE, 16 * KiB, json,     rest_add_order},
  {METHOD_GET,  "/v1/orders",                      MAY_PLAN,    0,        NULL,     rest_list_orders},
  {METHOD_GET,  "/v1/orders/:name",                MAY_PLAN,    0,        NULL,     rest_show_order},
  {METHOD_POST, "/v1/orders/:name/close",          MAY_OPERATE, 0,        NULL,     rest_close_order},
  {METHOD_POST, "/v1/orders/:name/extend",         MAY_OPERATE, 4 * KiB,  json,     rest_extend_order},
  {METHOD_GET,  "/v1/orders/:name/report",         MAY_INSPECT, 0,        NULL,     rest_report_order},
  {METHOD_POST, "/v1/principals",                  MAY(ADMIN),  4 * KiB,  json,     rest_add_principal},
  {METHOD_GET,  "/v1/principals",                  MAY(ADMIN),  0,        NULL,     rest_list_principals},
  {METHOD_POST, "/v1/principals/:name/rotate",     MAY(ADMIN),  4 * KiB,  json,     rest_rotate_principal},
  {METHOD_POST, "/v1/principals/:name/disable",    MAY(ADMIN),  4 * KiB,  json,     rest_disable_principal},
  {METHOD_POST, "/v1/principals/:name/enable",     MAY(ADMIN),  4 * KiB,  json,     rest_enable_principal},
  {METHOD_GET,  "/v1/devices",                     MAY_INSPECT, 0,        NULL,     rest_list_devices},
  {METHOD_POST, "/v1/device-resets",               MAY_OPERATE, 4 * KiB,  json,     rest_reset_device},
  {METHOD_POST, "/v1/device-imports",              MAY_OPERATE, 0,        NULL,     rest_begin_import},
  {METHOD_POST, "/v1/device-imports/:id/rows",     MAY_OPERATE, MiB,      ndjson,   rest_import_rows},
  {METHOD_POST, "/v1/device-imports/:id/commit",   MAY_OPERATE, 0,        NULL,     rest_commit_import},
  {METHOD_POST, "/v1/device-imports/:id/abort",    MAY_OPERATE, 0,        NULL,     rest_abort_import},
  {METHOD_GET,  "/v1/standing",                    MAY_INSPECT, 0,        NULL,     rest_standing},
  {METHOD_POST, "/v1/standing/crl",                MAY(ADMIN),  64 * MiB, crl,      rest_standing_crl},
  {METHOD_POST, "/v1/standing/accept",             MAY(ADMIN),  4 * KiB,  json,     rest_standing_accept},
  {METHOD_POST, "/v1/backups",                     MAY(ADMIN),  0,        NULL,     backups_make},
  {METHOD_GET,  "/metrics",                        MAY_INSPECT, 0,        NULL,     rest_metrics},
  {METHOD_GET,  "/crl/*name",                      PUBLIC,      0,        NULL,     crl_serve},
  {METHOD_POST, "/ocsp",                           PUBLIC,      4 * KiB,  ocsp_requests, rest_ocsp},
  {METHOD_GET,  "/ocsp/*request",                  PUBLIC,      0,        NULL,     rest_ocsp_get},
  {METHOD_GET,  "/healthz",                        OPEN_TO_ALL, 0,        NULL,     health_live},
  {METHOD_GET,  "/readyz",                         OPEN_TO_ALL, 0,        NULL,     health_ready},
};
/* clang-format on */
const size_t n_routes = ARRAY_LEN(routes);
