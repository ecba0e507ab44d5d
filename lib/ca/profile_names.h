/* profile_names.h - the names of a request, held against a profile one by one; for profile.c alone.
 * Threads: any. Pure. */
#pragma once
#include "lib/ca/profile.h"

/* Sets plan->spec.names, to the request's or (when names of the CSR are copied) to the plan's.
 * NAME_NOT_ALLOWED or NAME_NOT_REQUESTED with an item for each name that is not, TOO_MANY_NAMES,
 * NAME_REQUIRED, NO_MEMORY. */
bool profile_check_names(const struct profile *profile, const struct profile_request *request,
                         struct plan *plan, struct fault *f);
