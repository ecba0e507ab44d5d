/* profile.h - what may be issued, and the one place where a request is held against it.
 * Pure: time, serial number and issuer are handed in. Threads: any; a profile is read-only once it
 * is loaded. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/base/ip.h"
#include "lib/ca/authority.h"
#include "lib/ca/principal.h"
#include "lib/pki/cert.h"
#include "lib/pki/csr.h"
#include "lib/pki/name.h"

/* What becomes of names that the CSR has and the request has not. */
enum csr_names { CSR_NAMES_REFUSE, CSR_NAMES_IGNORE, CSR_NAMES_COPY };

/* Which key a renewed certificate may have. */
enum renew_key { RENEW_KEY_ANY, RENEW_KEY_NEW, RENEW_KEY_SAME };

/* One attribute of the subject: "CN=${device_serial}". */
struct subject_part {
  enum attribute attribute;
  char template[129];
};

struct profile {
  char name[65];
  int64_t validity_s; /* WHEN_NEVER as not_after when never_expires */
  bool never_expires; /* 99991231235959Z */
  int64_t backdate_s; /* not_before lies this much before now, for devices whose clock is behind */
  int64_t renew_from_s;  /* its holder may renew it from so long before its end on; 0: never */
  int64_t renew_grace_s; /* and so long after its end */
  enum renew_key renew_key;
  bool may_outlive_issuer;
  bool ends_with_issuer; /* one that would outlive its issuer is made shorter instead of refused */
  uint32_t key_types;    /* bit (1 << enum key_type) */
  unsigned rsa_bits_min, rsa_bits_max;
  uint32_t key_usage; /* keyEncipherment is left out for keys that are not RSA */
  uint32_t ext_key_usage;
  struct ip_range *ip_ranges;
  size_t n_ip_ranges;
  char **dns_patterns; /* "widget.example", "*.widgets.example" (one label), "**.example" (one or
                          more labels) */
  size_t n_dns_patterns;
  char **uri_prefixes;
  size_t n_uri_prefixes;
  bool allow_wildcards; /* may a DNS name itself be "*.x"? It must then match a pattern all the same
                         */
  unsigned names_max;   /* SANs in one certificate */
  bool require_name;    /* at least one SAN */
  enum csr_names csr_names;
  struct subject_part subject[8]; /* none: an empty subject */
  size_t n_subject;
  bool require_device_serial;
  bool require_order;
  bool ip_proof_peer; /* a device may only name the IP address that it asks from */
  uint32_t roles;     /* bit (1 << enum role): who may ask under it; 0: see profile_takes_role */
  uint8_t hardware_type[64]; /* OID content octets of hardwareModuleName; len 0: none */
  size_t hardware_type_len;
  bool ocsp_nocheck; /* RFC 6960, 4.2.2.2.1 */
};

/* The profile of this daemon's own OCSP responders: no file can have one of this name, and no
 * principal may ask under it. */
#define PROFILE_OCSP "@ocsp"
void profile_make_ocsp(int64_t validity_s, struct profile *ret_profile);

/* May a principal of this role ask under this profile? A profile that does not say takes stations,
 * operators and administrators: a device only where its role is named. The profiles "station" and
 * "server" take administrators alone. */
bool profile_takes_role(const struct profile *profile, enum role role);

/* May the holder of a certificate of this profile, which is valid until not_after, renew it now,
 * with the same key or another one? RENEWAL_NOT_ALLOWED, or RENEWAL_TOO_EARLY with the instant from
 * which on. */
bool profile_check_renewal(const struct profile *profile, int64_t not_after, bool same_key,
                           int64_t now, struct fault *f);

void profile_free(struct profile *profile); /* what it owns, not the object itself */

/* What is asked, without who asks and how. */
struct profile_request {
  const struct csr *csr;                               /* read, not yet verified */
  const char *device_serial, *model, *station, *order; /* "": not given */
  const struct sans *names;
  const struct sans *only; /* NULL, or the only names that whoever asks may have */
  const struct ip *peer;   /* NULL, or where it asks from: ip_proof goes by it */
  bool names_are_all;      /* a CSR cannot add to them, whatever the profile says */
  bool ends_with_issuer;   /* as of a profile, whatever this one says */
  const char *public_url;  /* NULL, or where verifiers find lists, OCSP and the issuer */
  unsigned crl_shards;     /* of the issuer's revocation lists; 0 and 1: one list of all */
};

/* A public_url of 200 octets, the name of an authority, and a path. */
enum { PLAN_URL_SIZE = 320 };

/* The certificate to be. `spec` points into the plan (which therefore stays where it is), the
 * profile, the authority, and the request's texts, names and CSR. */
struct plan {
  struct cert_spec spec;
  struct sans names; /* when the CSR's are copied: all of them; otherwise empty. See spec.names */
  struct buf subject;
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  uint8_t subject_key_id[PUBKEY_ID_LEN];
  unsigned shard; /* 0: the list of all */
  char crl_url[PLAN_URL_SIZE], ocsp_url[PLAN_URL_SIZE], ca_issuers_url[PLAN_URL_SIZE];
};

/* The policy: everything that the profile and the CSR checklist ask for, in a fixed order:
 * device_serial, whether there is an order, key type and whose key it is, every name one by one
 * (each rejected one is an item of the fault), subject, validity, then what costs most: the key's
 * strength and the proof of possession. now is in seconds. plan must be all zero and wants
 * plan_free in every case. */
bool profile_check(const struct profile *profile, const struct profile_request *request,
                   const struct authority *authority, int64_t now,
                   const uint8_t serial_number[SERIAL_NUMBER_LEN], struct plan *ret_plan,
                   struct fault *f);
void plan_free(struct plan *plan);

AUTO_VALUE(plan, struct plan, plan_free)

enum { SERIAL_NUMBER_RANDOM_LEN = 9 };
/* 1 octet instance (0x01 to 0x7f), 6 octets of milliseconds, 9 octets of randomness. */
void serial_number_make(uint8_t instance, int64_t now_ms,
                        const uint8_t random[SERIAL_NUMBER_RANDOM_LEN],
                        uint8_t ret_serial_number[SERIAL_NUMBER_LEN]);
