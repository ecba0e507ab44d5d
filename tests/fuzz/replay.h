/* replay.h - main() of a fuzz target whose corpus is DER as text (tests/unit/dertext.h). Each input
 * is given whole, cut off at every octet, and with every octet changed, in memory of exactly its
 * size. Not there WITH_FUZZER, which brings a main() of its own. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "tests/unit/dertext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef WITH_FUZZER
static void replay_one(struct bytes input)
{
  uint8_t *exact = malloc(input.len > 0 ? input.len : 1);
  if (exact == NULL)
    abort();
  if (input.len > 0)
    memcpy(exact, input.data, input.len);
  LLVMFuzzerTestOneInput(exact, input.len);
  free(exact);
}

static void replay_der(struct buf *der)
{
  for (size_t len = 0; len <= der->len; len++)
    replay_one(bytes_of(der->data, len));
  for (size_t at = 0; at < der->len; at++) {
    uint8_t octet = der->data[at];
    const uint8_t others[] = {0, 0xff, 0x80, (uint8_t)(octet ^ 1), (uint8_t)(octet + 1)};
    for (size_t i = 0; i < sizeof others; i++) {
      der->data[at] = others[i];
      replay_one(buf_bytes(der));
    }
    der->data[at] = octet;
  }
}

int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    AUTO(buf) input = {0}, der = {0};
    AUTO(fault) f = {0};
    if (!file_read(argv[i], 4 << 20, &input, &f)) {
      fprintf(stderr, "%s\n", f.detail);
      return 2;
    }
    replay_one(buf_bytes(&input));
    if (dertext_read(buf_bytes(&input), &der))
      replay_der(&der);
  }
  printf("ok - %d inputs replayed\n", argc - 1);
  return argc > 1 ? 0 : 2;
}
#endif
