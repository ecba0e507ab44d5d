/* rest.h - the REST interface, as rows of the table of routes: /v1, JSON in and out.
 *
 * Each handler fills x->reply, and the fields for the line of log. Who may call it and how large
 * the body may be is the route's matter; what a station may see is looked at here. Threads: any;
 * each exchange is one thread's. */
#pragma once
#include "daemon/exchange.h"

/* POST /v1/certificates. DEFERRED, unless the request is refused before it goes to the pipeline. */
handler rest_issue;
/* GET /v1/certificates */
handler rest_search;
/* GET /v1/certificates/:serial_number */
handler rest_show;

/* GET /v1/ca, /v1/ca/chain.pem, /v1/ca/root.crt: open to all. */
handler rest_ca;
handler rest_ca_chain;
handler rest_ca_root;

/* POST and GET /v1/orders, GET /v1/orders/:name, its close, extend and report. A station sees the
 * orders that are open for it. */
handler rest_add_order;
handler rest_list_orders;
handler rest_show_order;
handler rest_close_order;
handler rest_extend_order;
handler rest_report_order;

/* POST /v1/principals, GET /v1/principals: for administrators. */
handler rest_add_principal;
handler rest_list_principals;
