/* cert_find.c - see cert_find.h. */
#include "daemon/cert_find.h"

#include "daemon/search_decode.h"
#include "daemon/service.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

static bool refuse_unknown(struct fault *f)
{
  return fault_set(f, UNKNOWN_SERIAL_NUMBER,
                   "no certificate of this serial number is yours to see");
}

bool cert_find(const struct exchange *x, struct issued *ret_row, struct fault *f)
{
  AUTO(issued) row = {0};
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  size_t len = 0;
  if (!text_unhex(bytes_of_text(x->path_value), serial_number, sizeof serial_number, &len) ||
      len != SERIAL_NUMBER_LEN)
    return refuse_unknown(f);
  if (!ledger_get(x->service->ledger, bytes_of(serial_number, len), when_now(), &row, f))
    return f->code == FAULT_UNKNOWN_SERIAL_NUMBER ? refuse_unknown(f) : false;
  if (!search_sees(&x->principal, &row))
    return refuse_unknown(f);
  *ret_row = row;
  row = (struct issued){0};
  return true;
}
