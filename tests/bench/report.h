/* report.h - what a run has shown: for a person or a program. Threads: one. */
#pragma once
#include <stdio.h>

#include "tests/bench/floor.h"
#include "tests/bench/load.h"
#include "tests/bench/options.h"

struct measured {
  double seconds;
  struct tally tally;
  uint64_t answered;      /* new certificates between the two looks at the CPU clocks */
  double cpu_s, system_s; /* daemon and key holder */
  double client_cpu_s;    /* this program */
  struct floor floor;     /* the mean of n_floors */
  int n_floors;
  uint64_t rss, rss_peak;
  bool has_rows; /* the ledger could be looked at, before and after */
  uint64_t rows_before, rows, rows_added, ledger_octets_added, released; /* over the whole run */
};

/* Microseconds of CPU for one certificate; 0 when there was none. */
double report_cpu_us(const struct measured *m);
void report_text(const struct options *options, const struct measured *m, FILE *to);
bool report_json(const struct options *options, const struct measured *m, FILE *to);
