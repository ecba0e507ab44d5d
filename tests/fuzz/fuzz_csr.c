/* fuzz_csr.c - anything at all, given to the CSR reader. With a fuzzer's driver
 * (-fsanitize=fuzzer -DWITH_FUZZER) it is a fuzz target; alone it replays the files it is given. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/pki/csr.h"
#include "lib/pki/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the daemon does with a request before it knows whether it is one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  AUTO(buf) der = {0}, text = {0}, names = {0};
  AUTO(csr) csr = {0};
  AUTO(sans) again = {0};
  AUTO(fault) f = {0};
  if (!csr_decode(bytes_of(data, size), &der, &f) || !csr_read(buf_bytes(&der), &csr, &f))
    return 0;
  csr_verify(&csr, &f);
  pubkey_check_strength(&csr.key, &f);
  name_text(csr.subject, &text);
  sans_write(&csr.names, NULL, &names);
  /* What was taken is taken again, and is the same. */
  if (csr.names.n > 0 && buf_ok(&names)) {
    AUTO(fault) why = {0};
    bool same = sans_read(&again, buf_bytes(&names), false, &why) && sans_equal(&again, &csr.names);
    if (!same && why.code != FAULT_NO_MEMORY)
      abort();
  }
  return 0;
}

#ifndef WITH_FUZZER
int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    AUTO(buf) input = {0};
    AUTO(fault) f = {0};
    if (!file_read(argv[i], 4 << 20, &input, &f)) {
      fprintf(stderr, "%s\n", f.detail);
      return 2;
    }
    LLVMFuzzerTestOneInput(input.data, input.len);
  }
  printf("ok - %d inputs replayed\n", argc - 1);
  return argc > 1 ? 0 : 2;
}
#endif
