/* routes.c - every request that the daemon answers. */
#include "daemon/health.h"
#include "daemon/rest.h"
#include "daemon/route.h"

enum { KiB = 1024 };

#define MAY_ISSUE (MAY(STATION) | MAY(OPERATOR) | MAY(ADMIN))
/* A station sees only what it issued itself: the handlers see to that. */
#define MAY_READ   (MAY(STATION) | MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))

#define MAY_ORDER  (MAY(OPERATOR) | MAY(ADMIN))
#define MAY_REPORT (MAY(OPERATOR) | MAY(AUDITOR) | MAY(ADMIN))

static const char *const requests[] = {"application/json", "application/pkcs10", NULL};
static const char *const json[] = {"application/json", NULL};

/* clang-format off */
const struct route routes[] = {
  {METHOD_POST, "/v1/certificates",                MAY_ISSUE,   32 * KiB, requests, rest_issue},
  {METHOD_GET,  "/v1/certificates",                MAY_READ,    0,        NULL,     rest_search},
  {METHOD_GET,  "/v1/certificates/:serial_number", MAY_READ,    0,        NULL,     rest_show},
  {METHOD_GET,  "/v1/ca",                          OPEN_TO_ALL, 0,        NULL,     rest_ca},
  {METHOD_GET,  "/v1/ca/chain.pem",                OPEN_TO_ALL, 0,        NULL,     rest_ca_chain},
  {METHOD_GET,  "/v1/ca/root.crt",                 OPEN_TO_ALL, 0,        NULL,     rest_ca_root},
  {METHOD_POST, "/v1/orders",                      MAY_ORDER,   16 * KiB, json,     rest_add_order},
  {METHOD_GET,  "/v1/orders",                      MAY_READ,    0,        NULL,     rest_list_orders},
  {METHOD_GET,  "/v1/orders/:name",                MAY_READ,    0,        NULL,     rest_show_order},
  {METHOD_POST, "/v1/orders/:name/close",          MAY_ORDER,   0,        NULL,     rest_close_order},
  {METHOD_POST, "/v1/orders/:name/extend",         MAY_ORDER,   4 * KiB,  json,     rest_extend_order},
  {METHOD_GET,  "/v1/orders/:name/report",         MAY_REPORT,  0,        NULL,     rest_report_order},
  {METHOD_POST, "/v1/principals",                  MAY(ADMIN),  4 * KiB,  json,     rest_add_principal},
  {METHOD_GET,  "/v1/principals",                  MAY(ADMIN),  0,        NULL,     rest_list_principals},
  {METHOD_GET,  "/healthz",                        OPEN_TO_ALL, 0,        NULL,     health_live},
  {METHOD_GET,  "/readyz",                         OPEN_TO_ALL, 0,        NULL,     health_ready},
};
/* clang-format on */
const size_t n_routes = ARRAY_LEN(routes);
