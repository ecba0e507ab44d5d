/* lint.h - the last look at a TBSCertificate before it is signed: is it what RFC 5280 and the
 * CA/Browser practice ask of a leaf, and does it say exactly what the specification said? Reads the
 * octets that will be signed, not the objects they were made from. Threads: any. Pure. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"

/* Fails with LINT, and an item in `f` for each rule that is broken (name: the rule, why: what was
 * found). */
bool lint_leaf(struct bytes tbs, const struct cert_spec *spec, struct fault *f);
