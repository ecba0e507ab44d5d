/* cert_case.c - see cert_case.h. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/der.h"
#include "lib/pki/name.h"
#include "tests/unit/cert_case.h"

static struct {
  const char *kind;
  struct private_key *key;
} keys[] = {{"ec-p256", NULL},  {"ec-p384", NULL},  {"ec-p521", NULL},
            {"rsa-2048", NULL}, {"rsa-3072", NULL}, {"ed25519", NULL}};

const struct private_key *cert_case_key(const char *kind)
{
  AUTO(fault) f = {0};
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    if (strcmp(keys[i].kind, kind) != 0)
      continue;
    if (keys[i].key == NULL)
      assert_true(private_key_generate(kind, &keys[i].key, &f));
    return keys[i].key;
  }
  fail_msg("no key of kind %s", kind);
  return NULL;
}

void cert_case_free_keys(void)
{
  for (size_t i = 0; i < ARRAY_LEN(keys); i++)
    private_key_free(TAKE(keys[i].key));
}

/* --- fields --- */

static void put_subject(struct cert_case *c, const char *value)
{
  struct name_part parts[8];
  size_t n = 0;
  AUTO(fault) f = {0};
  char text[512];
  assert_true(TEXT_COPY(text, bytes_of_text(value)));
  for (char *save, *part = strtok_r(text, ";", &save); part; part = strtok_r(NULL, ";", &save)) {
    char *equals = strchr(part, '=');
    assert_non_null(equals);
    assert_true(n < ARRAY_LEN(parts));
    assert_true(attribute_named(bytes_of(part, (size_t)(equals - part)), &parts[n].attribute));
    parts[n++].value = bytes_of_text(equals + 1);
  }
  assert_true(name_write(parts, n, &c->subject, &f));
}

static void put_issuer(struct cert_case *c, const char *value)
{
  AUTO(fault) f = {0};
  struct name_part part = {ATTR_COMMON_NAME, bytes_of_text(value)};
  c->issuer_name = value;
  assert_true(name_write(&part, 1, &c->issuer, &f));
}

static void put_self(struct cert_case *c, const char *value)
{
  (void)value;
  buf_add_bytes(&c->issuer, buf_bytes(&c->subject));
}

static struct bytes unhex(const char *value, uint8_t *out, size_t max)
{
  size_t len;
  assert_true(text_unhex(bytes_of_text(value), out, max, &len));
  return bytes_of(out, len);
}

static void put_serial_number(struct cert_case *c, const char *value)
{
  c->spec.serial_number = unhex(value, c->serial_number, sizeof c->serial_number);
}

static void put_not_before(struct cert_case *c, const char *value)
{
  assert_true(when_read(bytes_of_text(value), &c->spec.not_before));
}

static void put_not_after(struct cert_case *c, const char *value)
{
  assert_true(when_read(bytes_of_text(value), &c->spec.not_after));
}

static void key_id(const struct private_key *key, uint8_t id[PUBKEY_ID_LEN])
{
  AUTO(buf) spki = {0};
  AUTO(fault) f = {0};
  struct pubkey pub;
  assert_true(private_key_spki(key, &spki, &f) && pubkey_read(buf_bytes(&spki), &pub, &f));
  pubkey_id(&pub, id);
}

static void put_key(struct cert_case *c, const char *value)
{
  AUTO(fault) f = {0};
  c->key = cert_case_key(value);
  assert_true(private_key_spki(c->key, &c->spki, &f));
  key_id(c->key, c->subject_key_id);
  c->spec.subject_key_id = bytes_of(c->subject_key_id, PUBKEY_ID_LEN);
}

static void put_issuer_key(struct cert_case *c, const char *value)
{
  c->issuer_kind = value;
  c->issuer_key = cert_case_key(value);
  c->spec.alg = private_key_alg(c->issuer_key);
  key_id(c->issuer_key, c->authority_key_id);
  c->spec.authority_key_id = bytes_of(c->authority_key_id, PUBKEY_ID_LEN);
}

static void put_no_authority_key_id(struct cert_case *c, const char *value)
{
  (void)value;
  c->spec.authority_key_id = (struct bytes){0};
}

static void put_key_usage(struct cert_case *c, const char *value)
{
  uint32_t bit;
  assert_true(key_usage_named(bytes_of_text(value), &bit));
  c->spec.key_usage |= bit;
}

static void put_ext_key_usage(struct cert_case *c, const char *value)
{
  uint32_t bit;
  assert_true(ext_key_usage_named(bytes_of_text(value), &bit));
  c->spec.ext_key_usage |= bit;
}

static void put_san(struct cert_case *c, enum san_kind kind, const char *value)
{
  AUTO(fault) f = {0};
  if (!sans_add(&c->names, kind, bytes_of_text(value), &f))
    fail_msg("%s: %s", value, f.n_items > 0 ? f.items[0].why : f.detail);
}

static void put_ip(struct cert_case *c, const char *value)
{
  put_san(c, SAN_IP, value);
}

static void put_dns(struct cert_case *c, const char *value)
{
  put_san(c, SAN_DNS, value);
}

static void put_uri(struct cert_case *c, const char *value)
{
  put_san(c, SAN_URI, value);
}

/* "300 10.20": that many addresses under it. */
static void put_many_ips(struct cert_case *c, const char *value)
{
  unsigned n, a, b;
  assert_int_equal(sscanf(value, "%u %u.%u", &n, &a, &b), 3);
  for (unsigned i = 0; i < n; i++) {
    char text[64];
    snprintf(text, sizeof text, "%u.%u.%u.%u", a, b, i / 256, i % 256);
    put_san(c, SAN_IP, text);
  }
}

static void put_hardware_type(struct cert_case *c, const char *value)
{
  c->spec.hardware.type = unhex(value, c->hardware_type, sizeof c->hardware_type);
}

static void put_hardware_serial(struct cert_case *c, const char *value)
{
  c->spec.hardware.serial = unhex(value, c->hardware_serial, sizeof c->hardware_serial);
}

static void put_ca(struct cert_case *c, const char *value)
{
  c->spec.is_ca = true;
  c->spec.path_len = strcmp(value, "unbounded") == 0 ? -1 : atoi(value);
}

static void put_ocsp_nocheck(struct cert_case *c, const char *value)
{
  (void)value;
  c->spec.ocsp_nocheck = true;
}

static void put_crl_url(struct cert_case *c, const char *value)
{
  assert_true(TEXT_COPY(c->crl_url, bytes_of_text(value)));
  c->spec.crl_url = c->crl_url;
}

static void put_ocsp_url(struct cert_case *c, const char *value)
{
  assert_true(TEXT_COPY(c->ocsp_url, bytes_of_text(value)));
  c->spec.ocsp_url = c->ocsp_url;
}

static void put_ca_issuers_url(struct cert_case *c, const char *value)
{
  assert_true(TEXT_COPY(c->ca_issuers_url, bytes_of_text(value)));
  c->spec.ca_issuers_url = c->ca_issuers_url;
}

static const struct {
  const char *name;
  void (*put)(struct cert_case *c, const char *value);
} fields[] = {
    {"serial_number", put_serial_number},
    {"subject", put_subject},
    {"issuer", put_issuer},
    {"self", put_self},
    {"not_before", put_not_before},
    {"not_after", put_not_after},
    {"key", put_key},
    {"issuer_key", put_issuer_key},
    {"no_authority_key_id", put_no_authority_key_id},
    {"key_usage", put_key_usage},
    {"ext_key_usage", put_ext_key_usage},
    {"ip", put_ip},
    {"dns", put_dns},
    {"uri", put_uri},
    {"many_ips", put_many_ips},
    {"hardware_type", put_hardware_type},
    {"hardware_serial", put_hardware_serial},
    {"ca", put_ca},
    {"ocsp_nocheck", put_ocsp_nocheck},
    {"crl_url", put_crl_url},
    {"ocsp_url", put_ocsp_url},
    {"ca_issuers_url", put_ca_issuers_url},
};

static void put_line(struct cert_case *c, char *line)
{
  char *space = strchr(line, ' ');
  const char *value = space != NULL ? space + 1 : "";
  if (space != NULL)
    *space = '\0';
  for (size_t i = 0; i < ARRAY_LEN(fields); i++)
    if (strcmp(fields[i].name, line) == 0) {
      fields[i].put(c, value);
      return;
    }
  fail_msg("a case has an unknown field: %s", line);
}

void cert_case_read(struct bytes text, struct cert_case *ret_case)
{
  struct cert_case *c = ret_case;
  buf_add_bytes(&c->text, text);
  buf_text(&c->text);
  c->spec.path_len = -1;
  char *save, *line = strtok_r((char *)c->text.data, "\n", &save);
  for (; line != NULL; line = strtok_r(NULL, "\n", &save))
    put_line(c, line);
  if (c->subject.len == 0)
    put_subject(c, "");
  c->spec.issuer = buf_bytes(&c->issuer);
  c->spec.subject = buf_bytes(&c->subject);
  c->spec.spki = buf_bytes(&c->spki);
  c->spec.names = &c->names;
}

void cert_case_make(const struct cert_case *c, struct buf *ret_der)
{
  AUTO(buf) tbs = {0};
  AUTO(buf) signature = {0};
  AUTO(fault) f = {0};
  if (!cert_build(&c->spec, &tbs, &f) ||
      !private_key_sign(c->issuer_key, buf_bytes(&tbs), &signature, &f) ||
      !cert_assemble(buf_bytes(&tbs), c->spec.alg, buf_bytes(&signature), ret_der, &f))
    fail_msg("%s", f.detail);
}

void cert_case_free(struct cert_case *c)
{
  buf_free(&c->issuer);
  buf_free(&c->subject);
  buf_free(&c->spki);
  buf_free(&c->text);
  sans_free(&c->names);
}
