/* rest.h - the REST interface, as rows of the table of routes: /v1, JSON in and out.
 *
 * Each handler fills x->reply, and the fields for the line of log. Who may call it and how large
 * the body may be is the route's matter; what a station may see is looked at here. Threads: any;
 * each exchange is one thread's. */
#pragma once
#include "daemon/exchange.h"

/* POST /v1/certificates. DEFERRED, unless the request is refused before it goes to the pipeline. */
handler rest_issue;
/* POST /v1/renew: another certificate in the place of the one that the client shows. DEFERRED
 * likewise. */
handler rest_renew;
/* GET /v1/certificates */
handler rest_search;
/* GET /v1/certificates/:serial_number */
handler rest_show;

/* POST /v1/batches: requests for certificates, a line for each (AS_IT_COMES; see intakes.h).
 * GET /v1/batches, GET /v1/batches/:id: how far they are, or what became of each line. A station
 * sees its own. */
handler rest_take_batch;
handler rest_list_batches;
handler rest_show_batch;

/* POST /v1/certificates/:serial_number/revoke: {"reason": ...}; 200 as well when it is so already.
 * POST /v1/revocations: a filter; with "dry_run" how many and which, then with that "count" they
 * are revoked. DEFERRED: on a thread of its own. */
handler rest_revoke;
handler rest_revocations;

/* GET /v1/events: a station sees its own. */
handler rest_events;

/* GET /v1/ca, /v1/ca/chain.pem, /v1/ca/root.crt: of the authority that issues;
 * /v1/ca/:name/chain.pem, /v1/ca/:name/root.crt: of another one. Open to all. */
handler rest_ca;
handler rest_ca_chain;
handler rest_ca_root;
/* GET /ca/:name.crt, /ca/:name.pem: one authority's certificate, in DER and PEM.
 * GET /ca/roots.pem: the roots of all. */
handler rest_ca_certificate;
handler rest_ca_certificate_pem;
handler rest_ca_roots;

/* GET /v1/authorities; POST /v1/authorities/:name/activate, retire: see authorities.h.
 * POST /v1/reload: has the configuration read again, as SIGHUP does. */
handler rest_list_authorities;
handler rest_activate_authority;
handler rest_retire_authority;
handler rest_reload;

/* GET /metrics: Prometheus's text format. */
handler rest_metrics;

/* POST and GET /v1/orders, GET /v1/orders/:name, its close, extend and report. A station sees the
 * orders that are open for it. */
handler rest_add_order;
handler rest_list_orders;
handler rest_show_order;
handler rest_close_order;
handler rest_extend_order;
handler rest_report_order;

/* POST /v1/principals, GET /v1/principals, POST /v1/principals/:name/rotate, disable, enable: for
 * administrators. From the reply on it is so, for open connections too. */
handler rest_add_principal;
handler rest_list_principals;
handler rest_rotate_principal;
handler rest_disable_principal;
handler rest_enable_principal;

/* GET /v1/devices */
handler rest_list_devices;
/* POST /v1/device-resets: a new secret for one device. Its serial is in the body, because it may
 * have characters that a path may not. */
handler rest_reset_device;

/* GET /v1/standing: is the ledger an older copy, and what does it lack?
 * POST /v1/standing/crl: takes in what a published list revokes, which the folder of lists has not.
 * POST /v1/standing/accept: takes what is missing as lost; `missing` is the number that was seen.
 * All are DEFERRED. */
handler rest_standing;
handler rest_standing_crl;
handler rest_standing_accept;

/* POST /v1/device-imports: opens an import.
 * POST /v1/device-imports/:id/rows: NDJSON, one device on a line; ?line=N is the number of the
 *   first one, ?partial=true leaves bad rows out instead of refusing all of this request. The same
 *   lines may be sent again after a lost answer; their secrets are then other ones.
 * POST /v1/device-imports/:id/commit, POST /v1/device-imports/:id/abort */
handler rest_begin_import;
handler rest_import_rows;
handler rest_commit_import;
handler rest_abort_import;

/* POST /ocsp: an OCSPRequest (RFC 6960). GET /ocsp/BASE64: the same in base64, the URL's escapes
 * taken (RFC 5019, 5); the reply may be kept by caches on the way. See ocsp.h. */
handler rest_ocsp;
handler rest_ocsp_get;
