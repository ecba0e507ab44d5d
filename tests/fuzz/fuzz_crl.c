/* fuzz_crl.c - anything at all, given to the reader of revocation lists. With a fuzzer's driver
 * (-fsanitize=fuzzer -DWITH_FUZZER) it is a fuzz target; alone it replays the files it is given. */
#include "lib/pki/crl.h"
#include "lib/pki/name.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  AUTO(buf) text = {0};
  AUTO(fault) f = {0};
  struct crl crl;
  if (!crl_tbs_read(bytes_of(data, size), &crl, &f))
    return 0;
  name_text(crl.issuer, &text);
  /* What the reader promises. */
  if (crl.crl_number.len == 0 || crl.authority_key_id.len == 0 || crl.n_revoked > size ||
      crl.next_update < crl.this_update)
    abort();
  return 0;
}
