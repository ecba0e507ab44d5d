/* revocation.c - the names of reasons; see revocation.h. */
#include "lib/ca/revocation.h"

#include "lib/base/text.h"

static const struct {
  enum revocation_reason reason;
  bool leaf;
  const char *name;
} reasons[] = {
#define X(reason, number, leaf, name) {REASON_##reason, leaf, name},
    REVOCATION_REASONS(X)
#undef X
};

const char *revocation_reason_name(enum revocation_reason reason)
{
  for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
    if (reasons[i].reason == reason)
      return reasons[i].name;
  return "";
}

bool revocation_reason_is_known(int64_t number)
{
  for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
    if ((int64_t)reasons[i].reason == number)
      return true;
  return false;
}

bool revocation_reason_named(struct bytes name, enum revocation_reason *ret_reason)
{
  for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
    if (reasons[i].leaf && bytes_equal(name, bytes_of_text(reasons[i].name))) {
      *ret_reason = reasons[i].reason;
      return true;
    }
  return false;
}
