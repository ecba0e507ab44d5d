/* client_problem.h - problem documents (RFC 9457), read back into the faults they were made from.
 * Threads: any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Sets the fault that a reply other than 200 and 201 tells of; a reply without a problem document
 * (a proxy's, say) gives a fault by its status alone. Returns false. */
bool problem_read(struct bytes body, bool is_problem, long status, struct fault *f);
