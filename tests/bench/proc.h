/* proc.h - what other processes use, out of /proc. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct usage {
  double cpu_s;           /* to the microsecond, of all threads, ended ones too */
  double system_s;        /* the kernel's part of it, to 10 ms */
  uint64_t rss, rss_peak; /* octets */
};

/* False when there is no such process. */
bool proc_usage(pid_t pid, struct usage *ret_usage);
/* The child of this name, or 0. */
pid_t proc_child(pid_t parent, const char *name);
