/* sample.c - see sample.h. */
#include "tests/unit/sample.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "lib/pki/private_key.h"

enum { START = 1790000000, YEAR = 31536000 };

static struct authority authority;
static struct private_key *ca_key;
static struct buf ca_spki, ca_subject, root_subject;

static void check(bool done, struct fault *f)
{
  if (!done)
    fail_msg("%s", f->detail);
}

static void make_name(const char *common_name, struct buf *out)
{
  AUTO(fault) f = {0};
  struct name_part parts[] = {{ATTR_COMMON_NAME, bytes_of_text(common_name)},
                              {ATTR_ORGANIZATION, bytes_of_text("Acme \"Widgets\"")}};
  check(name_write(parts, ARRAY_LEN(parts), out, &f), &f);
}

static void sign(const struct cert_spec *spec, struct buf *out)
{
  AUTO(fault) f = {0};
  AUTO(buf) tbs = {0}, signature = {0};
  check(cert_build(spec, &tbs, &f), &f);
  check(private_key_sign(ca_key, buf_bytes(&tbs), &signature, &f), &f);
  check(cert_assemble(buf_bytes(&tbs), spec->alg, buf_bytes(&signature), out, &f), &f);
}

/* Root and issuing CA have one key here: nobody looks. */
static void make_ca(struct bytes subject, uint8_t id, struct buf *out)
{
  uint8_t serial_number[SERIAL_NUMBER_LEN] = {id}, key_id[PUBKEY_ID_LEN] = {id};
  struct cert_spec spec = {
      .serial_number = bytes_of(serial_number, sizeof serial_number),
      .alg = private_key_alg(ca_key),
      .issuer = buf_bytes(&root_subject),
      .subject = subject,
      .not_before = START,
      .not_after = START + 20LL * YEAR,
      .spki = buf_bytes(&ca_spki),
      .subject_key_id = bytes_of(key_id, sizeof key_id),
      .authority_key_id = bytes_of(key_id, sizeof key_id),
      .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
      .is_ca = true,
      .path_len = -1,
  };
  sign(&spec, out);
}

const struct authority *sample_authority(void)
{
  AUTO(fault) f = {0};
  if (ca_key != NULL)
    return &authority;
  check(private_key_generate("ec-p256", &ca_key, &f), &f);
  check(private_key_spki(ca_key, &ca_spki, &f), &f);
  make_name("Acme Root", &root_subject);
  make_name("Acme Issuing", &ca_subject);
  make_ca(buf_bytes(&root_subject), 1, &authority.root_der);
  make_ca(buf_bytes(&ca_subject), 2, &authority.certificate_der);
  snprintf(authority.name, sizeof authority.name, "Acme \"Widgets\"");
  check(cert_read(buf_bytes(&authority.root_der), false, &authority.root, &f), &f);
  check(cert_read(buf_bytes(&authority.certificate_der), false, &authority.certificate, &f), &f);
  authority.n_chain = 1;
  buf_add_bytes(&authority.chain_der[0], buf_bytes(&authority.certificate_der));
  pem_add(&authority.chain_pem, "CERTIFICATE", buf_bytes(&authority.certificate_der));
  pem_add(&authority.root_pem, "CERTIFICATE", buf_bytes(&authority.root_der));
  return &authority;
}

void sample_end(void)
{
  struct buf *bufs[] = {&authority.certificate_der,
                        &authority.root_der,
                        &authority.chain_der[0],
                        &authority.chain_pem,
                        &authority.root_pem,
                        &ca_spki,
                        &ca_subject,
                        &root_subject};
  for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
    buf_free(bufs[i]);
  cert_free(&authority.certificate);
  cert_free(&authority.root);
  private_key_free(ca_key);
  ca_key = NULL;
}

static void read_names(const char *text, struct sans *names)
{
  AUTO(fault) f = {0};
  static const struct {
    const char *prefix;
    enum san_kind kind;
  } kinds[] = {{"ip:", SAN_IP}, {"dns:", SAN_DNS}, {"uri:", SAN_URI}};
  for (size_t len; *text != '\0'; text += len + (text[len] == ' ')) {
    len = strcspn(text, " ");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
      size_t skip = strlen(kinds[i].prefix);
      if (strncmp(text, kinds[i].prefix, skip) == 0)
        check(sans_add(names, kinds[i].kind, bytes_of(text + skip, len - skip), &f), &f);
    }
  }
}

static void make_leaf(const struct issued *row, const char *name_texts, struct buf *out)
{
  AUTO(sans) names = {0};
  AUTO(buf) subject = {0};
  read_names(name_texts, &names);
  make_name(row->device_serial, &subject);
  uint8_t key_id[PUBKEY_ID_LEN] = {9};
  struct cert_spec spec = {
      .serial_number = bytes_of(row->serial_number, sizeof row->serial_number),
      .alg = private_key_alg(ca_key),
      .issuer = buf_bytes(&ca_subject),
      .subject = buf_bytes(&subject),
      .not_before = row->not_before,
      .not_after = row->not_after,
      .spki = buf_bytes(&ca_spki),
      .subject_key_id = bytes_of(key_id, sizeof key_id),
      .authority_key_id = authority.certificate.subject_key_id,
      .key_usage = KU_DIGITAL_SIGNATURE,
      .ext_key_usage = EKU_SERVER_AUTH,
      .names = &names,
      .path_len = -1,
  };
  sign(&spec, out);
}

void sample_row(int64_t id, const char *device_serial, const char *station, const char *names,
                struct issued *ret_row)
{
  sample_authority();
  struct issued row = {.id = id,
                       .serial_number = {1},
                       .profile = "device-server",
                       .order = "PO-7781",
                       .model = "WX-4",
                       .issued_at_ms = (START + id) * 1000 + 789,
                       .not_before = START + id - 60,
                       .not_after = START + id + YEAR,
                       .status = STATUS_VALID};
  snprintf(row.device_serial, sizeof row.device_serial, "%s", device_serial);
  snprintf(row.station, sizeof row.station, "%s", station);
  snprintf(row.authority, sizeof row.authority, "%s", authority.name);
  for (size_t i = 0; i < 4; i++)
    row.serial_number[SERIAL_NUMBER_LEN - 1 - i] = (uint8_t)(id >> (8 * i));
  make_leaf(&row, names, &row.der);
  *ret_row = row;
}
