/* run_fixed.h - the settings that a running daemon cannot change. Threads: any. */
#pragma once
#include "lib/ca/conf.h"

/* Warns in the log of each that is another one now. */
void run_warn_of_fixed(const struct conf *before, const struct conf *now);
