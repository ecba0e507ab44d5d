/* floor.h - what no certificate can cost less than: one bare ECDSA P-256 verification and one
 * signature, both of a digest that is there already, with contexts that are set up already. On
 * every core at once, because cores that share their units slow each other. */
#pragma once
#include <stdbool.h>

#include "lib/base/fault.h"

struct floor {
  double verify_us, sign_us; /* CPU time of each */
};

/* Runs for so many seconds of time on every core. */
bool floor_measure(double seconds, struct floor *ret_floor, struct fault *f);
