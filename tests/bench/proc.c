/* proc.c - see proc.h. */
#include "tests/bench/proc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STAT_MAX = 1024 };

/* What stands behind the name in parentheses (which may hold anything); NULL: no such process. */
static const char *read_stat(pid_t pid, char text[STAT_MAX])
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return NULL;
  size_t n = fread(text, 1, STAT_MAX - 1, file);
  fclose(file);
  text[n] = '\0';
  const char *end = strrchr(text, ')');
  return end != NULL ? end + 1 : NULL;
}

static uint64_t status_field(pid_t pid, const char *name)
{
  char path[64], line[256];
  unsigned long long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return 0;
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0)
      kib = strtoull(line + strlen(name), NULL, 10);
  fclose(file);
  return kib * 1024;
}

/* The process's CPU clock is what /proc/PID/stat has in hundredths of a second. */
bool proc_usage(pid_t pid, struct usage *ret_usage)
{
  char text[STAT_MAX];
  struct timespec cpu;
  clockid_t clock;
  unsigned long system;
  const char *fields = read_stat(pid, text);
  if (fields == NULL || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0 ||
      sscanf(fields, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %lu", &system) != 1)
    return false;
  *ret_usage = (struct usage){
      .cpu_s = (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9,
      .system_s = (double)system / (double)sysconf(_SC_CLK_TCK),
      .rss = status_field(pid, "VmRSS:"),
      .rss_peak = status_field(pid, "VmHWM:"),
  };
  return true;
}

static bool is_child(pid_t pid, pid_t parent, const char *name)
{
  char text[STAT_MAX];
  int found;
  const char *fields = read_stat(pid, text), *open = fields != NULL ? strchr(text, '(') : NULL;
  return open != NULL && sscanf(fields, " %*c %d", &found) == 1 && found == parent &&
         strncmp(open + 1, name, strlen(name)) == 0;
}

pid_t proc_child(pid_t parent, const char *name)
{
  pid_t child = 0;
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (pid > 0 && is_child(pid, parent, name))
      child = pid;
  }
  if (proc != NULL)
    closedir(proc);
  return child;
}
