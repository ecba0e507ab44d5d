/* profile.c - see profile.h. */
#include "lib/ca/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/profile_names.h"

void profile_free(struct profile *profile)
{
  for (size_t i = 0; i < profile->n_dns_patterns; i++)
    free(profile->dns_patterns[i]);
  for (size_t i = 0; i < profile->n_uri_prefixes; i++)
    free(profile->uri_prefixes[i]);
  free(profile->dns_patterns);
  free(profile->uri_prefixes);
  free(profile->ip_ranges);
}

/* A signature for verifiers, of a key that lives as long as the daemon does. Its status need not be
 * asked for, so that its life is short instead. */
void profile_make_ocsp(int64_t validity_s, struct profile *ret_profile)
{
  enum { BACKDATE_S = 300 };
  *ret_profile = (struct profile){
      .name = PROFILE_OCSP,
      .validity_s = validity_s,
      .backdate_s = validity_s / 10 < BACKDATE_S ? validity_s / 10 : BACKDATE_S,
      .ends_with_issuer = true,
      .key_types = UINT32_C(1) << KEY_EC_P256,
      .key_usage = KU_DIGITAL_SIGNATURE,
      .ext_key_usage = EKU_OCSP_SIGNING,
      .csr_names = CSR_NAMES_REFUSE,
      .subject = {{ATTR_COMMON_NAME, "OCSP responder"}},
      .n_subject = 1,
      .roles = UINT32_C(1) << ROLE_NONE,
      .ocsp_nocheck = true,
  };
}

void plan_free(struct plan *plan)
{
  sans_free(&plan->names);
  buf_free(&plan->subject);
}

void serial_number_make(uint8_t instance, int64_t now_ms, const uint8_t random[9],
                        uint8_t ret_serial_number[SERIAL_NUMBER_LEN])
{
  ret_serial_number[0] = instance;
  for (int i = 0; i < 6; i++)
    ret_serial_number[1 + i] = (uint8_t)((uint64_t)now_ms >> (40 - 8 * i));
  memcpy(ret_serial_number + 7, random, 9);
}

/* --- who --- */

/* Certificates that stand for a principal, or for this daemon, are not for whoever may issue for
 * devices: with one he would be another station, or stand between the daemon and its clients. So
 * this holds whatever the configuration says. */
static bool is_reserved(const struct profile *profile)
{
  return strcmp(profile->name, "station") == 0 || strcmp(profile->name, "server") == 0;
}

bool profile_takes_role(const struct profile *profile, enum role role)
{
  bool named = profile->roles == 0 ? role != ROLE_DEVICE : (profile->roles >> role & 1) != 0;
  return named && (role == ROLE_ADMIN || !is_reserved(profile));
}

static bool check_device_serial(const struct profile *profile, const char *device_serial,
                                struct fault *f)
{
  struct bytes text = bytes_of_text(device_serial);
  if (text.len == 0)
    return !profile->require_device_serial ||
           fault_set(f, DEVICE_SERIAL_REQUIRED, "profile %s needs a device_serial", profile->name);
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] < ' ' || text.data[i] == 0x7f)
      return fault_set(f, BAD_FIELD, "device_serial holds a control character");
  if (text.len > 64 || !text_is_utf8(text))
    return fault_set(f, BAD_FIELD, "device_serial must be UTF-8 of 1 to 64 octets");
  return true;
}

static bool check_order(const struct profile *profile, const char *order, struct fault *f)
{
  return !profile->require_order || order[0] != '\0' ||
         fault_set(f, ORDER_REQUIRED,
                   "profile %s is issued under a production order only: name one", profile->name);
}

/* --- the key --- */

static bool check_key_type(const struct profile *profile, const struct pubkey *key, struct fault *f)
{
  if ((profile->key_types & (UINT32_C(1) << key->type)) == 0)
    return fault_set(f, KEY_TYPE_NOT_ALLOWED, "profile %s does not allow %s keys", profile->name,
                     key_type_name(key->type));
  if (key->type == KEY_RSA && key->bits < profile->rsa_bits_min)
    return fault_set(f, WEAK_KEY, "RSA of %u bits; profile %s wants %u at least", key->bits,
                     profile->name, profile->rsa_bits_min);
  if (key->type == KEY_RSA && key->bits > profile->rsa_bits_max)
    return fault_set(f, KEY_TYPE_NOT_ALLOWED, "RSA of %u bits; profile %s allows %u at the most",
                     key->bits, profile->name, profile->rsa_bits_max);
  return true;
}

static bool check_key_is_not_ours(const struct authority *authority, const struct pubkey *key,
                                  struct fault *f)
{
  if (bytes_equal(key->spki, authority->certificate.key.spki) ||
      bytes_equal(key->spki, authority->root.key.spki))
    return fault_set(f, KEY_NOT_ALLOWED, "this is the authority's own key");
  return true;
}

/* --- the subject --- */

struct variable {
  const char *name, *value;
};

/* The variable that `text` begins with, or NULL. */
static const struct variable *variable_at(const struct variable *variables, const char *text)
{
  for (; variables->name != NULL; variables++)
    if (strncmp(text, variables->name, strlen(variables->name)) == 0)
      return variables;
  return NULL;
}

static bool expand(const struct subject_part *part, const struct variable *variables,
                   struct buf *out, struct fault *f)
{
  for (const char *p = part->template; *p != '\0';) {
    const struct variable *variable = variable_at(variables, p);
    if (variable == NULL) {
      buf_add_u8(out, (uint8_t)*p++);
      continue;
    }
    if (variable->value[0] == '\0')
      return fault_set(f, BAD_SUBJECT, "the subject has %s=%s, and the request gives no such value",
                       attribute_name(part->attribute), part->template);
    buf_add_text(out, variable->value);
    p += strlen(variable->name);
  }
  return buf_ok(out) || fault_no_memory(f);
}

static bool make_subject(const struct profile *profile, const struct profile_request *request,
                         struct buf *out, struct fault *f)
{
  const struct variable variables[] = {{"${device_serial}", request->device_serial},
                                       {"${model}", request->model},
                                       {"${station}", request->station},
                                       {NULL, NULL}};
  struct name_part parts[ARRAY_LEN(profile->subject)];
  size_t ends[ARRAY_LEN(profile->subject)];
  AUTO(buf) values = {0};
  for (size_t i = 0; i < profile->n_subject; i++) {
    if (!expand(&profile->subject[i], variables, &values, f))
      return false;
    ends[i] = values.len;
  }
  /* Now that the values do not move any more. */
  for (size_t i = 0, at = 0; i < profile->n_subject; at = ends[i++])
    parts[i] =
        (struct name_part){profile->subject[i].attribute, bytes_of(values.data + at, ends[i] - at)};
  return name_write(parts, profile->n_subject, out, f);
}

/* --- the time --- */

/* A validity of 825 days is over in the last second of the 825th: notAfter is still within it
 * (RFC 5280, 4.1.2.5), so both ends count. */
static bool make_validity(const struct profile *profile, bool ends_with_issuer,
                          const struct cert *issuer, int64_t now, struct cert_spec *spec,
                          struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  int64_t not_before = now - profile->backdate_s;
  if (not_before < issuer->not_before)
    not_before = issuer->not_before;
  int64_t not_after = profile->never_expires ? WHEN_NEVER : not_before + profile->validity_s - 1;
  if (not_after > WHEN_NEVER)
    not_after = WHEN_NEVER;
  if (not_after > issuer->not_after && ends_with_issuer)
    not_after = issuer->not_after;
  when_text(when, issuer->not_after);
  if (now > issuer->not_after)
    return fault_set(f, OUTLIVES_ISSUER, "the issuing certificate expired at %s", when);
  if (not_after > issuer->not_after && !profile->may_outlive_issuer)
    return fault_set(f, OUTLIVES_ISSUER, "the issuing certificate expires at %s", when);
  spec->not_before = not_before;
  spec->not_after = not_after;
  return true;
}

/* --- the certificate to be --- */

/* What a key of this type can be used for (RFC 3279, 2.3.1; RFC 8813, section 3; RFC 8410,
 * section 5). */
static uint32_t usable(enum key_type type)
{
  static const uint32_t signing = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
  switch (type) {
  case KEY_RSA:
    return signing | KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT;
  case KEY_ED25519:
    return signing;
  default:
    return signing | KU_KEY_AGREEMENT;
  }
}

static void fill_spec(const struct profile *profile, const struct profile_request *request,
                      const struct authority *authority, struct plan *plan)
{
  struct cert_spec *spec = &plan->spec;
  const struct pubkey *key = &request->csr->key;
  pubkey_id(key, plan->subject_key_id);
  spec->serial_number = bytes_of(plan->serial_number, sizeof plan->serial_number);
  spec->alg = authority->alg;
  spec->issuer = authority->certificate.subject;
  spec->subject = buf_bytes(&plan->subject);
  spec->spki = key->spki;
  spec->subject_key_id = bytes_of(plan->subject_key_id, sizeof plan->subject_key_id);
  spec->authority_key_id = authority->certificate.subject_key_id;
  spec->key_usage = profile->key_usage & usable(key->type);
  spec->ext_key_usage = profile->ext_key_usage;
  spec->ocsp_nocheck = profile->ocsp_nocheck;
  spec->path_len = -1;
  if (profile->hardware_type_len > 0) {
    spec->hardware.type = bytes_of(profile->hardware_type, profile->hardware_type_len);
    spec->hardware.serial = bytes_of_text(request->device_serial);
  }
}

/* Where verifiers look (RFC 5280, 4.2.1.13 and 4.2.2.1). Which shard is a matter of the random part
 * of the serial number, so that all grow alike. */
static bool fill_urls(const struct profile_request *request, const struct authority *authority,
                      struct plan *plan, struct fault *f)
{
  const char *url = request->public_url, *name = authority->name;
  const uint8_t *random = plan->serial_number + SERIAL_NUMBER_LEN - 2;
  char shard[16] = "";
  /* Nobody need look for news of a responder: that is what ocsp-nocheck says. */
  if (plan->spec.ocsp_nocheck)
    return true;
  if (request->crl_shards > 1) {
    plan->shard = 1 + ((unsigned)random[0] << 8 | random[1]) % request->crl_shards;
    snprintf(shard, sizeof shard, "/%u", plan->shard);
  }
  if (url == NULL)
    return true;
  size_t n = (size_t)snprintf(plan->crl_url, PLAN_URL_SIZE, "%s/crl/%s%s.crl", url, name, shard);
  snprintf(plan->ocsp_url, PLAN_URL_SIZE, "%s/ocsp", url);
  snprintf(plan->ca_issuers_url, PLAN_URL_SIZE, "%s/ca/%s.crt", url, name);
  if (n >= PLAN_URL_SIZE)
    return fault_set(f, INTERNAL, "public_url is too long for a certificate");
  plan->spec.crl_url = plan->crl_url;
  plan->spec.ocsp_url = plan->ocsp_url;
  plan->spec.ca_issuers_url = plan->ca_issuers_url;
  return true;
}

bool profile_check(const struct profile *profile, const struct profile_request *request,
                   const struct authority *authority, int64_t now,
                   const uint8_t serial_number[SERIAL_NUMBER_LEN], struct plan *ret_plan,
                   struct fault *f)
{
  const struct pubkey *key = &request->csr->key;
  /* What needs no public-key operation comes first. */
  if (!check_device_serial(profile, request->device_serial, f) ||
      !check_order(profile, request->order, f) || !check_key_type(profile, key, f) ||
      !check_key_is_not_ours(authority, key, f) ||
      !profile_check_names(profile, request, ret_plan, f) ||
      !make_subject(profile, request, &ret_plan->subject, f) ||
      !make_validity(profile, profile->ends_with_issuer || request->ends_with_issuer,
                     &authority->certificate, now, &ret_plan->spec, f))
    return false;
  if (!pubkey_check_strength(key, f) || !csr_verify(request->csr, f))
    return false;
  memcpy(ret_plan->serial_number, serial_number, SERIAL_NUMBER_LEN);
  fill_spec(profile, request, authority, ret_plan);
  return fill_urls(request, authority, ret_plan, f);
}
