/* fuzz_ocsp.c - anything at all, given to the reader of OCSP requests. With a fuzzer's driver
 * (-fsanitize=fuzzer -DWITH_FUZZER) it is a fuzz target; alone it replays the files it is given. */
#include "lib/pki/ocsp_request.h"
#include "tests/fuzz/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  AUTO(fault) f = {0};
  struct ocsp_request request;
  if (!ocsp_request_read(bytes_of(data, size), &request, &f))
    return 0;
  /* What the reader promises. */
  if (request.n_asked < 1 || request.n_asked > OCSP_ASKED_MAX || request.nonce.len > OCSP_NONCE_MAX)
    abort();
  for (size_t i = 0; i < request.n_asked; i++) {
    const struct ocsp_cert_id *id = &request.asked[i];
    if (id->serial_number.len < 1 || id->serial_number.len > 20 || id->whole.data < data ||
        id->whole.data + id->whole.len > data + size)
      abort();
    if ((id->hash == OCSP_SHA1 && id->key_hash.len != 20) ||
        (id->hash == OCSP_SHA256 && id->name_hash.len != 32))
      abort();
  }
  return 0;
}
