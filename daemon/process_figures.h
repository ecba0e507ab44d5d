/* process_figures.h - what the process uses, as the kernel counts it. Linux. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct process_figures {
  double cpu_seconds;
  uint64_t resident_octets, virtual_octets;
  uint64_t open_files, max_files;
};

/* False when /proc is not there: what it would tell is then 0. */
bool process_figures(struct process_figures *ret_figures);
