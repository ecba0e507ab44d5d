/* conf_profile.c - the options of a profile; see conf_option.h. Closed by default: a profile that
 * says nothing of a kind of name allows none of it. */
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/conf_option.h"
#include "lib/pki/der.h"

/* Usages that a leaf may have: a profile cannot make a CA, nor speak for one. */
enum {
  LEAF_KEY_USAGES = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT |
                    KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT,
  LEAF_EXT_KEY_USAGES = EKU_SERVER_AUTH | EKU_CLIENT_AUTH,
  LIST_MAX = 1000
};

#define AT(field_) offsetof(struct profile, field_)

const struct conf_option conf_profile_options[] = {
    OPTION("validity", value_validity, 0, NULL,
           "a duration of a minute or more as in \"825d\" or \"12h\", or \"forever\"",
           .required = true),
    OPTION("backdate", value_backdate, AT(backdate_s), "0s",
           "a duration that is shorter than the validity, as in \"1h\""),
    OPTION("renew_from", value_renew_from, 0, "never",
           "a duration before a certificate's end as in \"30d\", or \"never\""),
    OPTION("renew_grace", value_duration, AT(renew_grace_s), "0s",
           "a duration after a certificate's end as in \"180d\", or \"0s\"", .most = UINT_MAX),
    OPTION("renew_key", value_renew_key, 0, "any", "\"any\", \"new\" or \"same\""),
    OPTION("may_outlive_issuer", value_flag, AT(may_outlive_issuer), "no", "\"yes\" or \"no\""),
    OPTION("key_types", value_key_type, AT(key_types), NULL,
           "some of \"ec-p256\", \"ec-p384\", \"ec-p521\", \"rsa\", \"ed25519\"", .required = true,
           .list = true),
    OPTION("rsa_bits_min", value_number, AT(rsa_bits_min), "2048", "a number from 2048 to 4096",
           .least = 2048, .most = 4096),
    OPTION("rsa_bits_max", value_number, AT(rsa_bits_max), "4096", "a number from 2048 to 4096",
           .least = 2048, .most = 4096),
    OPTION("key_usage", value_key_usage, AT(key_usage), NULL,
           "some of \"digitalSignature\", \"nonRepudiation\", \"keyEncipherment\", "
           "\"dataEncipherment\", \"keyAgreement\"",
           .required = true, .list = true),
    OPTION("ext_key_usage", value_ext_key_usage, AT(ext_key_usage), NULL,
           "\"serverAuth\", \"clientAuth\", or both", .required = true, .list = true),
    OPTION("ip_ranges", value_ip_range, AT(ip_ranges), NULL,
           "addresses and networks as in \"10.1.0.0/16\" or \"fd00::/8\", without bits behind the "
           "prefix",
           .list = true),
    OPTION("dns_patterns", value_dns_pattern, AT(dns_patterns), NULL,
           "DNS names; \"*.widgets.example\" allows one label more, \"**.widgets.example\" one or "
           "more",
           .list = true),
    OPTION("uri_prefixes", value_uri_prefix, AT(uri_prefixes), NULL,
           "beginnings of URIs that end with / or : as in \"urn:acme:widget:\"", .list = true),
    OPTION("wildcards", value_flag, AT(allow_wildcards), "no", "\"yes\" or \"no\""),
    OPTION("names_max", value_number, AT(names_max), "16", "a number from 0 to 1000", .least = 0,
           .most = SANS_MAX),
    OPTION("require_name", value_flag, AT(require_name), "no", "\"yes\" or \"no\""),
    OPTION("csr_names", value_csr_names, AT(csr_names), "refuse",
           "\"refuse\", \"ignore\" or \"copy\""),
    OPTION(
        "subject", value_subject, 0, NULL,
        "up to 8 attributes (CN, serialNumber, C, L, ST, O, OU) as in \"CN=${device_serial}\"; the "
        "variables are device_serial, model and station",
        .list = true),
    OPTION("require_device_serial", value_flag, AT(require_device_serial), "yes",
           "\"yes\" or \"no\""),
    OPTION("require_order", value_flag, AT(require_order), "no", "\"yes\" or \"no\""),
    OPTION("ip_proof", value_ip_proof, AT(ip_proof_peer), "none", "\"none\" or \"peer\""),
    OPTION("roles", value_role, AT(roles), NULL,
           "some of \"station\", \"device\", \"operator\", \"admin\"", .list = true),
    OPTION("hardware_type", value_hardware_type, 0, NULL, "an OID as in \"1.3.6.1.4.1.32473.1\""),
    {.name = NULL},
};

static void *field(const struct conf_option *option, void *object)
{
  return (char *)object + option->at;
}

enum value_result value_flag(const struct conf_option *option, const char *text, void *object)
{
  static const struct {
    const char *text;
    bool flag;
  } words[] = {{"yes", true}, {"no", false}, {"true", true}, {"false", false}};
  bool *to = field(option, object);
  for (size_t i = 0; i < ARRAY_LEN(words); i++)
    if (strcmp(text, words[i].text) == 0) {
      *to = words[i].flag;
      return VALUE_OK;
    }
  return VALUE_BAD;
}

enum value_result value_validity(const struct conf_option *option, const char *text, void *object)
{
  struct profile *profile = object;
  int64_t seconds;
  (void)option;
  if (strcmp(text, "forever") == 0) {
    profile->never_expires = true;
    return VALUE_OK;
  }
  if (!when_read_duration(bytes_of_text(text), &seconds) || seconds < 60)
    return VALUE_BAD;
  profile->validity_s = seconds;
  return VALUE_OK;
}

enum value_result value_backdate(const struct conf_option *option, const char *text, void *object)
{
  return when_read_duration(bytes_of_text(text), field(option, object)) ? VALUE_OK : VALUE_BAD;
}

enum value_result value_renew_from(const struct conf_option *option, const char *text, void *object)
{
  struct profile *profile = object;
  int64_t seconds = 0;
  (void)option;
  if (strcmp(text, "never") != 0 &&
      (!when_read_duration(bytes_of_text(text), &seconds) || seconds == 0))
    return VALUE_BAD;
  profile->renew_from_s = seconds;
  return VALUE_OK;
}

enum value_result value_renew_key(const struct conf_option *option, const char *text, void *object)
{
  static const char *const names[] = {
      [RENEW_KEY_ANY] = "any", [RENEW_KEY_NEW] = "new", [RENEW_KEY_SAME] = "same"};
  struct profile *profile = object;
  (void)option;
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (strcmp(text, names[i]) == 0) {
      profile->renew_key = (enum renew_key)i;
      return VALUE_OK;
    }
  return VALUE_BAD;
}

enum value_result value_key_type(const struct conf_option *option, const char *text, void *object)
{
  enum key_type type;
  uint32_t *set = field(option, object);
  if (!key_type_named(bytes_of_text(text), &type))
    return VALUE_BAD;
  *set |= UINT32_C(1) << type;
  return VALUE_OK;
}

enum value_result value_key_usage(const struct conf_option *option, const char *text, void *object)
{
  uint32_t bit, *set = field(option, object);
  if (!key_usage_named(bytes_of_text(text), &bit) || (bit & LEAF_KEY_USAGES) == 0)
    return VALUE_BAD;
  *set |= bit;
  return VALUE_OK;
}

enum value_result value_ext_key_usage(const struct conf_option *option, const char *text,
                                      void *object)
{
  uint32_t bit, *set = field(option, object);
  if (!ext_key_usage_named(bytes_of_text(text), &bit) || (bit & LEAF_EXT_KEY_USAGES) == 0)
    return VALUE_BAD;
  *set |= bit;
  return VALUE_OK;
}

enum value_result value_ip_range(const struct conf_option *option, const char *text, void *object)
{
  struct profile *profile = object;
  struct ip_range range;
  (void)option;
  if (profile->n_ip_ranges >= LIST_MAX || !ip_range_read(bytes_of_text(text), &range) ||
      ip_is_v4_mapped(&range.net))
    return VALUE_BAD;
  struct ip_range *ranges =
      realloc(profile->ip_ranges, (profile->n_ip_ranges + 1) * sizeof *ranges);
  if (ranges == NULL)
    return VALUE_NO_MEMORY;
  profile->ip_ranges = ranges;
  ranges[profile->n_ip_ranges++] = range;
  return VALUE_OK;
}

static enum value_result add_text(char ***texts, size_t *n, const char *text)
{
  if (*n >= LIST_MAX)
    return VALUE_BAD;
  char **more = realloc(*texts, (*n + 1) * sizeof *more);
  if (more == NULL)
    return VALUE_NO_MEMORY;
  *texts = more;
  more[*n] = strdup(text);
  if (more[*n] == NULL)
    return VALUE_NO_MEMORY;
  ++*n;
  return VALUE_OK;
}

/* The name in its normal form, or "" when it is none. */
static bool normal_name(enum san_kind kind, const char *text, struct buf *ret_text)
{
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  if (!sans_add(&names, kind, bytes_of_text(text), &f))
    return false;
  buf_add_bytes(ret_text, sans_get(&names, 0).value);
  return buf_ok(ret_text);
}

enum value_result value_dns_pattern(const struct conf_option *option, const char *text,
                                    void *object)
{
  struct profile *profile = object;
  AUTO(buf) pattern = {0};
  size_t stars = strspn(text, "*");
  (void)option;
  if (stars > 2 || (stars > 0 && text[stars] != '.'))
    return VALUE_BAD;
  if (stars > 0)
    buf_addf(&pattern, "%.*s.", (int)stars, "**");
  const char *name = text + (stars > 0 ? stars + 1 : 0);
  if (name[0] == '*' || !normal_name(SAN_DNS, name, &pattern))
    return VALUE_BAD;
  return add_text(&profile->dns_patterns, &profile->n_dns_patterns, buf_text(&pattern));
}

/* "https://acme.example" would also allow "https://acme.example.evil.example". */
enum value_result value_uri_prefix(const struct conf_option *option, const char *text, void *object)
{
  struct profile *profile = object;
  AUTO(buf) whole = {0};
  AUTO(buf) normal = {0};
  size_t len = strlen(text);
  (void)option;
  buf_addf(&whole, "%sx", text);
  if (len == 0 || strchr("/:", text[len - 1]) == NULL ||
      !normal_name(SAN_URI, buf_text(&whole), &normal))
    return VALUE_BAD;
  return add_text(&profile->uri_prefixes, &profile->n_uri_prefixes, text);
}

enum value_result value_csr_names(const struct conf_option *option, const char *text, void *object)
{
  static const char *const names[] = {
      [CSR_NAMES_REFUSE] = "refuse", [CSR_NAMES_IGNORE] = "ignore", [CSR_NAMES_COPY] = "copy"};
  enum csr_names *to = field(option, object);
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (strcmp(text, names[i]) == 0) {
      *to = (enum csr_names)i;
      return VALUE_OK;
    }
  return VALUE_BAD;
}

enum value_result value_ip_proof(const struct conf_option *option, const char *text, void *object)
{
  bool peer = strcmp(text, "peer") == 0, *to = field(option, object);
  if (!peer && strcmp(text, "none") != 0)
    return VALUE_BAD;
  *to = peer;
  return VALUE_OK;
}

enum value_result value_role(const struct conf_option *option, const char *text, void *object)
{
  enum role role;
  uint32_t *set = field(option, object);
  if (!role_named(bytes_of_text(text), &role) || role == ROLE_AUDITOR)
    return VALUE_BAD;
  *set |= UINT32_C(1) << role;
  return VALUE_OK;
}

/* Every "${" begins a variable that there is. */
static bool template_is_valid(const char *text)
{
  static const char *const variables[] = {"${device_serial}", "${model}", "${station}"};
  while ((text = strstr(text, "${")) != NULL) {
    size_t i = 0;
    while (i < ARRAY_LEN(variables) && strncmp(text, variables[i], strlen(variables[i])) != 0)
      i++;
    if (i == ARRAY_LEN(variables))
      return false;
    text += strlen(variables[i]);
  }
  return true;
}

enum value_result value_subject(const struct conf_option *option, const char *text, void *object)
{
  struct profile *profile = object;
  const char *equals = strchr(text, '=');
  struct subject_part part;
  (void)option;
  if (profile->n_subject >= ARRAY_LEN(profile->subject) || equals == NULL || equals[1] == '\0' ||
      !attribute_named(bytes_of(text, (size_t)(equals - text)), &part.attribute) ||
      !TEXT_COPY(part.template, bytes_of_text(equals + 1)) || !template_is_valid(equals + 1))
    return VALUE_BAD;
  profile->subject[profile->n_subject++] = part;
  return VALUE_OK;
}

enum value_result value_hardware_type(const struct conf_option *option, const char *text,
                                      void *object)
{
  struct profile *profile = object;
  AUTO(buf) oid = {0};
  (void)option;
  if (!der_oid_read(bytes_of_text(text), &oid) || oid.len > sizeof profile->hardware_type)
    return VALUE_BAD;
  memcpy(profile->hardware_type, oid.data, oid.len);
  profile->hardware_type_len = oid.len;
  return VALUE_OK;
}

/* A subject of constants alone is written once, to see that it can be. */
static bool subject_is_well_formed(const struct profile *profile, struct fault *f)
{
  struct name_part parts[ARRAY_LEN(profile->subject)];
  AUTO(buf) name = {0};
  for (size_t i = 0; i < profile->n_subject; i++) {
    const struct subject_part *part = &profile->subject[i];
    bool variable = strstr(part->template, "${") != NULL;
    parts[i] = (struct name_part){part->attribute, bytes_of_text(variable ? "x" : part->template)};
    if (variable && part->attribute == ATTR_COUNTRY)
      return fault_set(f, BAD_SUBJECT, "C is a constant of two letters, as in \"C=DE\"");
  }
  return name_write(parts, profile->n_subject, &name, f);
}

static bool renewal_makes_sense(const struct profile *profile, struct fault *f)
{
  if (profile->renew_from_s > 0 && profile->never_expires)
    return fault_set(f, BAD_CONFIG,
                     "its certificates never expire; leave renew_from out, or write a validity "
                     "that ends");
  return profile->renew_grace_s == 0 || profile->renew_from_s > 0 ||
         fault_set(f, BAD_CONFIG,
                   "renew_grace is for certificates that may be renewed; write renew_from, as in "
                   "\"30d\"");
}

bool conf_profile_is_whole(const struct profile *profile, struct fault *f)
{
  bool named = profile->n_subject > 0 || profile->require_name || profile->hardware_type_len > 0;
  if (profile->rsa_bits_min > profile->rsa_bits_max)
    return fault_set(f, BAD_CONFIG, "rsa_bits_min is larger than rsa_bits_max; write it smaller");
  if (!profile->never_expires && profile->backdate_s >= profile->validity_s)
    return fault_set(f, BAD_CONFIG,
                     "backdate is not shorter than validity; write a shorter backdate");
  if (profile->key_types != UINT32_C(1) << KEY_RSA &&
      (profile->key_usage & KU_DIGITAL_SIGNATURE) == 0)
    return fault_set(f, BAD_CONFIG,
                     "its keys are for signatures; add \"digitalSignature\" to key_usage");
  if (!renewal_makes_sense(profile, f))
    return false;
  if (!subject_is_well_formed(profile, f))
    return fault_prefix(f, "subject cannot be written; correct it");
  if (!named)
    return fault_set(f, BAD_CONFIG,
                     "its certificates would name nothing; give it a subject, as in subject = "
                     "{ \"CN=${device_serial}\" }, or require_name = yes");
  if (profile->hardware_type_len > 0 && !profile->require_device_serial)
    return fault_set(f, BAD_CONFIG,
                     "hardware_type needs a device serial; write require_device_serial = yes");
  return true;
}
