/* fuzz_cert.c - anything at all, given to the readers of certificates: as our own, as a foreign
 * one, and as the to-be-signed octets that lint and the key holder's guard see. With a fuzzer's
 * driver
 * (-fsanitize=fuzzer -DWITH_FUZZER) it is a fuzz target; alone it replays the files it is given. */
#include "lib/pki/lint.h"
#include "lib/pki/name.h"
#include "tests/fuzz/replay.h"

static void use(const struct cert *cert)
{
  AUTO(buf) text = {0};
  name_text(cert->subject, &text);
  name_text(cert->issuer, &text);
  for (size_t i = 0; i < cert->names.n; i++)
    san_text(sans_get(&cert->names, i), &text);
  if (cert->serial_number.len == 0 || cert->serial_number.len > SERIAL_NUMBER_MAX)
    abort();
}

/* What is taken as our own is taken as a foreign one too. */
static void read_both(struct bytes der)
{
  AUTO(cert) own = {0}, foreign = {0};
  AUTO(fault) f = {0};
  bool is_own = cert_read(der, false, &own, &f);
  bool is_foreign = cert_read(der, true, &foreign, &f);
  if (is_own && !is_foreign)
    abort();
  if (is_own)
    use(&own);
  if (is_foreign)
    use(&foreign);
}

static void read_tbs(struct bytes tbs)
{
  AUTO(cert) cert = {0};
  AUTO(fault) f = {0};
  struct cert_spec spec = {.path_len = -1};
  if (tbs_read(tbs, &cert, &f))
    use(&cert);
  lint_leaf(tbs, &spec, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  AUTO(cert) cert = {0};
  AUTO(fault) f = {0};
  struct bytes input = bytes_of(data, size);
  read_both(input);
  read_tbs(input);
  if (cert_read(input, true, &cert, &f))
    read_tbs(cert.tbs);
  return 0;
}
