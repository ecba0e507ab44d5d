/* lint.c - see lint.h. */
#include "lib/pki/lint.h"

#include "lib/pki/name.h"

enum { RANDOM_SERIAL_MIN = 8 }; /* octets: room for the 64 random bits */

/* --- the rules: each looks at what was read from the octets, and at what was wanted --- */

static struct bytes without_zeros(struct bytes n)
{
  while (n.len > 0 && n.data[0] == 0)
    n = bytes_of(n.data + 1, n.len - 1);
  return n;
}

static bool serial_number(const struct cert *c, const struct cert_spec *s)
{
  return c->serial_number.len >= RANDOM_SERIAL_MIN &&
         bytes_equal(c->serial_number, without_zeros(s->serial_number));
}

static bool algorithm(const struct cert *c, const struct cert_spec *s)
{
  return c->alg == s->alg;
}

static bool issuer(const struct cert *c, const struct cert_spec *s)
{
  return bytes_equal(c->issuer, s->issuer);
}

static bool subject(const struct cert *c, const struct cert_spec *s)
{
  return bytes_equal(c->subject, s->subject);
}

static bool validity(const struct cert *c, const struct cert_spec *s)
{
  return c->not_before == s->not_before && c->not_after == s->not_after &&
         c->not_before <= c->not_after;
}

static bool public_key(const struct cert *c, const struct cert_spec *s)
{
  return bytes_equal(c->key.spki, s->spki);
}

static bool subject_key_id(const struct cert *c, const struct cert_spec *s)
{
  return c->subject_key_id.len > 0 && bytes_equal(c->subject_key_id, s->subject_key_id);
}

static bool authority_key_id(const struct cert *c, const struct cert_spec *s)
{
  return c->authority_key_id.len > 0 && bytes_equal(c->authority_key_id, s->authority_key_id);
}

static bool key_usage(const struct cert *c, const struct cert_spec *s)
{
  return c->has_key_usage && c->key_usage == s->key_usage;
}

/* A leaf signs neither certificates nor lists. */
static bool leaf_usage(const struct cert *c, const struct cert_spec *s)
{
  (void)s;
  return (c->key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0;
}

/* Elliptic keys sign; only RSA carries keys (RFC 8813, section 3; RFC 8410, section 5). */
static bool key_fits_usage(const struct cert *c, const struct cert_spec *s)
{
  (void)s;
  return c->key.type == KEY_RSA ||
         ((c->key_usage & KU_DIGITAL_SIGNATURE) != 0 &&
          (c->key_usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)) == 0);
}

static bool ext_key_usage(const struct cert *c, const struct cert_spec *s)
{
  return c->has_ext_key_usage && !c->has_unknown_eku && c->ext_key_usage != 0 &&
         c->ext_key_usage == s->ext_key_usage;
}

static bool not_a_ca(const struct cert *c, const struct cert_spec *s)
{
  return !s->is_ca && !c->is_ca && !c->has_basic_constraints;
}

/* sans_equal looks both ways at every name. */
static bool names(const struct cert *c, const struct cert_spec *s)
{
  const struct sans none = {0}, *wanted = s->names != NULL ? s->names : &none;
  bool wants_any = wanted->n > 0 || s->hardware.type.len > 0;
  return c->has_names == wants_any && sans_equal(&c->names, wanted);
}

static bool hardware_name(const struct cert *c, const struct cert_spec *s)
{
  return bytes_equal(c->hardware_type, s->hardware.type) &&
         (s->hardware.type.len == 0 || bytes_equal(c->hardware_serial, s->hardware.serial));
}

/* RFC 5280, 4.2.1.6 */
static bool names_critical(const struct cert *c, const struct cert_spec *s)
{
  bool anonymous = name_is_empty(c->subject);
  (void)s;
  return c->names_critical == anonymous && (c->has_names || !anonymous);
}

static bool is_url(struct bytes found, const char *wanted)
{
  return bytes_equal(found, wanted != NULL ? bytes_of_text(wanted) : (struct bytes){0});
}

static bool urls(const struct cert *c, const struct cert_spec *s)
{
  return is_url(c->crl_url, s->crl_url) && is_url(c->ocsp_url, s->ocsp_url) &&
         is_url(c->ca_issuers_url, s->ca_issuers_url);
}

/* Only a responder's certificate may say that nobody need ask for its status; and ours, which is
 * for nothing else, always says so. */
static bool ocsp_nocheck(const struct cert *c, const struct cert_spec *s)
{
  bool responds = (c->ext_key_usage & EKU_OCSP_SIGNING) != 0;
  return c->ocsp_nocheck == s->ocsp_nocheck && c->ocsp_nocheck == responds &&
         (!responds || c->ext_key_usage == EKU_OCSP_SIGNING);
}

static bool known_extensions(const struct cert *c, const struct cert_spec *s)
{
  (void)s;
  return !c->has_unknown && !c->has_unknown_critical;
}

static const struct {
  const char *name;
  bool (*holds)(const struct cert *c, const struct cert_spec *s);
  const char *why;
} rules[] = {
    {"serial_number", serial_number, "not the one that was asked for, or under 8 octets"},
    {"algorithm", algorithm, "not the one of the issuer's key"},
    {"issuer", issuer, "not octet for octet the CA's subject"},
    {"subject", subject, "not the one that was asked for"},
    {"validity", validity, "not the one that was asked for, or it ends before it begins"},
    {"public_key", public_key, "not the one that was asked for"},
    {"subject_key_id", subject_key_id, "missing, or not the one of the public key"},
    {"authority_key_id", authority_key_id, "missing, or not the one of the issuer"},
    {"key_usage", key_usage, "missing, or not the one that was asked for"},
    {"leaf_usage", leaf_usage, "keyCertSign or cRLSign in a certificate that is no CA's"},
    {"key_fits_usage", key_fits_usage, "a usage that keys of this type do not have"},
    {"ext_key_usage", ext_key_usage, "missing, or not exactly the one that was asked for"},
    {"not_a_ca", not_a_ca, "basicConstraints in a certificate that is no CA's"},
    {"names", names, "not exactly the subject alternative names that were asked for"},
    {"hardware_name", hardware_name, "not the one that was asked for"},
    {"names_critical", names_critical, "critical with a subject, or not critical without one"},
    {"urls", urls, "not the ones that were asked for"},
    {"ocsp_nocheck", ocsp_nocheck,
     "not as it was asked for, or not in a responder's, and only there"},
    {"known_extensions", known_extensions, "an extension that nobody asked for"},
};

bool lint_leaf(struct bytes tbs, const struct cert_spec *spec, struct fault *f)
{
  AUTO(cert) cert = {0};
  const char *first = NULL;
  size_t n_broken = 0;
  if (!tbs_read(tbs, &cert, f)) {
    if (f->code == FAULT_NO_MEMORY)
      return false;
    fault_add_item(f, "form", "%s", f->detail);
    f->code = FAULT_LINT;
    return false;
  }
  for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
    if (rules[i].holds(&cert, spec))
      continue;
    fault_add_item(f, rules[i].name, "%s", rules[i].why);
    first = first != NULL ? first : rules[i].name;
    n_broken++;
  }
  if (n_broken == 0)
    return true;
  return fault_set(f, LINT, "%zu rule%s broken, the first is %s", n_broken,
                   n_broken == 1 ? " is" : "s are", first);
}
