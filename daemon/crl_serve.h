/* crl_serve.h - GET /crl/NAME: the published lists of revoked certificates, to anybody. Threads:
 * any. */
#pragma once
#include "daemon/exchange.h"

/* The file as it is, or 304. A reply holds for some minutes, and never longer than the list. */
handler crl_serve;
