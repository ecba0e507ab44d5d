/* profile_renewal.c - when a certificate may be renewed by its holder; see profile.h. */
#include "lib/base/when.h"
#include "lib/ca/profile.h"

static bool check_time(const struct profile *profile, int64_t not_after, int64_t now,
                       struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  int64_t from = not_after - profile->renew_from_s;
  when_text(when, now < from ? from : not_after);
  if (now < from)
    return fault_set(f, RENEWAL_TOO_EARLY, "it may be renewed from %s on", when);
  if (now <= not_after || now - not_after <= profile->renew_grace_s)
    return true;
  if (profile->renew_grace_s == 0)
    return fault_set(f, RENEWAL_NOT_ALLOWED, "it expired at %s", when);
  return fault_set(f, RENEWAL_NOT_ALLOWED,
                   "it expired at %s, which is longer ago than profile %s allows", when,
                   profile->name);
}

static bool check_key(const struct profile *profile, bool same_key, struct fault *f)
{
  if (profile->renew_key == RENEW_KEY_NEW && same_key)
    return fault_set(f, RENEWAL_NOT_ALLOWED, "profile %s wants a new key", profile->name);
  if (profile->renew_key == RENEW_KEY_SAME && !same_key)
    return fault_set(f, RENEWAL_NOT_ALLOWED, "profile %s wants the same key", profile->name);
  return true;
}

bool profile_check_renewal(const struct profile *profile, int64_t not_after, bool same_key,
                           int64_t now, struct fault *f)
{
  if (profile->renew_from_s == 0)
    return fault_set(f, RENEWAL_NOT_ALLOWED, "profile %s does not allow it", profile->name);
  return check_time(profile, not_after, now, f) && check_key(profile, same_key, f);
}
