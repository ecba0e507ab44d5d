/* process_figures.c - see process_figures.h. */
#include "daemon/process_figures.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* The first two numbers of /proc/self/statm are pages. */
static bool read_memory(struct process_figures *figures)
{
  uint64_t all = 0, resident = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
  FILE *statm = fopen("/proc/self/statm", "re");
  if (statm == NULL)
    return false;
  bool ok = fscanf(statm, "%" SCNu64 " %" SCNu64, &all, &resident) == 2;
  fclose(statm);
  figures->virtual_octets = all * page;
  figures->resident_octets = resident * page;
  return ok;
}

/* Without the one that looks. */
static bool count_files(struct process_figures *figures)
{
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL)
    return false;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    figures->open_files += entry->d_name[0] != '.';
  closedir(folder);
  if (figures->open_files > 0)
    figures->open_files--;
  return true;
}

bool process_figures(struct process_figures *ret_figures)
{
  struct process_figures figures = {0};
  struct rusage usage;
  struct rlimit limit;
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    figures.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    figures.max_files = limit.rlim_cur;
  bool ok = read_memory(&figures);
  ok &= count_files(&figures);
  *ret_figures = figures;
  return ok;
}
