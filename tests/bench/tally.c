/* tally.c - what was counted: see load.h. */
#include <stdio.h>
#include <string.h>

#include "tests/bench/load.h"

void tally_code(struct tally *tally, const char *code, uint64_t n)
{
  struct code_count *last = &tally->codes[CODES_MAX - 1];
  for (struct code_count *slot = tally->codes; slot <= last; slot++) {
    if (slot->n == 0)
      snprintf(slot->code, sizeof slot->code, "%s", slot == last ? "others" : code);
    if (slot == last || strncmp(slot->code, code, sizeof slot->code - 1) == 0) {
      slot->n += n;
      return;
    }
  }
}

void tally_merge(struct tally *to, const struct tally *from)
{
  histogram_merge(&to->latency, &from->latency);
  to->issued += from->issued;
  to->received_octets += from->received_octets;
  for (size_t i = 0; i < CODES_MAX && from->codes[i].n > 0; i++)
    tally_code(to, from->codes[i].code, from->codes[i].n);
}
