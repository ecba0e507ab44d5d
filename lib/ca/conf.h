/* conf.h - mintmark.conf, read by libConfuse and checked. Threads: read-only once it is loaded;
 * counted references. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/ca/principal.h"
#include "lib/ca/profile.h"

/* So many in so many seconds; number 0: no limit. */
struct rate {
  unsigned number, seconds;
};
enum { RATE_MAX = 1000000 };

/* A section `trust`: see trust.h. */
struct conf_trust {
  const char *conf_path; /* borrowed from struct conf */
  char name[65];
  char *certificates, *crl; /* paths; crl may be NULL */
  enum role role;           /* station or device */
  enum attribute name_from;
};

/* A section `authority`: see authorities.h. */
struct conf_authority {
  const char *conf_path; /* borrowed from struct conf */
  char name[65];
  char *certificate, *chain, *root; /* paths */
  char *cross;                      /* path: the root, signed by an older one; NULL: none */
};
enum { AUTHORITIES_MAX = 16 };

/* Section `crl`: the lists of revoked certificates. */
struct conf_crl {
  int64_t validity_s;    /* from this_update to next_update */
  int64_t every_s;       /* a new one at least so often; less than validity_s */
  int64_t delay_s;       /* a revocation is on a new one after this time: so many go onto one */
  int64_t delta_every_s; /* 0: no delta CRLs */
  unsigned shards; /* 1: one list of all; more: each certificate names the list of its shard */
  char *folder;    /* where they are written */
};

/* Section `ocsp`. */
struct conf_ocsp {
  int64_t validity_s;           /* of an answer */
  int64_t responder_validity_s; /* of the certificate that signs answers */
  unsigned cache;               /* answers that are kept */
};

/* A section `webhook`: see daemon/webhook.h. */
struct conf_webhook {
  const char *conf_path; /* borrowed from struct conf */
  char name[65];
  char *url;
  char *secret_file, *cacert; /* paths; cacert NULL: what the system trusts */
  uint64_t kinds;             /* of events: event_bit() */
  int64_t timeout_s;          /* from the connection to the answer's end */
};
enum { WEBHOOKS_MAX = 16 };

struct conf {
  char *path;
  char *listen;        /* "127.0.0.1:8443", "[::]:8443" */
  char *public_listen; /* plain HTTP, for what verifiers fetch; NULL: none */
  char *public_url; /* what certificates say of where that is, "http://..." without a slash at the
                       end; NULL: they say nothing */
  char *ledger;     /* paths are made absolute against the configuration's folder */
  uint8_t instance; /* first octet of serial numbers */
  char *tls_certificate, *tls_key;
  struct conf_authority authorities[AUTHORITIES_MAX];
  size_t n_authorities;    /* at least one */
  char *key_holder_socket; /* NULL: start key_holder_program as a child */
  char *key_holder_program, *key_holder_config;
  char admin_name[PRINCIPAL_NAME_SIZE]; /* "": none; the first administrator, put into an empty
                                           ledger */
  uint8_t admin_token_sha256[TOKEN_SHA256_LEN];
  struct conf_crl crl;
  struct conf_ocsp ocsp;
  enum log_format log_format;
  enum log_level log_level;
  unsigned threads; /* HTTP threads; 0 in the file: one for each core */
  unsigned workers; /* issue workers; likewise */
  unsigned connections, connections_per_address;
  unsigned request_seconds;               /* from the first octet of a request to its last */
  unsigned idle_seconds;                  /* a keep-alive connection without a request */
  unsigned work_seconds;                  /* a job in the issue pipeline */
  unsigned queue;                         /* jobs that wait at the most */
  struct rate per_principal, per_address; /* requests */
  struct rate failed_per_address;         /* authentications that failed */
  struct profile *profiles;
  size_t n_profiles;
  struct conf_trust *trusts;
  size_t n_trusts;
  struct profile ocsp_profile; /* PROFILE_OCSP: made, not read */
  struct conf_webhook *webhooks;
  size_t n_webhooks;
  int64_t expiring_s; /* so long before its end a certificate is announced; 0: none is */
  const struct profile *default_profile; /* NULL: a request must name one */
  _Atomic int references;
};

/* BAD_CONFIG with "FILE:LINE: what is wrong and what would be right". */
bool conf_load(const char *path, struct conf **ret_conf, struct fault *f);
/* NULL when there is none. */
const struct profile *conf_profile(const struct conf *conf, const char *name);
struct conf *conf_hold(struct conf *conf);
void conf_release(struct conf *conf); /* accepts NULL */

AUTO_POINTER(conf, struct conf, conf_release)
