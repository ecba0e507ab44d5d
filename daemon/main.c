/* main.c - mintmarkd: the certificate authority's daemon. Options, hardening of the process,
 * signals. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "daemon/restore.h"
#include "daemon/run.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

enum { LOOK_MS = 1000 }; /* at the clock */

struct options {
  const char *config, *port_file, *public_port_file, *restore;
  bool check;
};

/* --- options --- */

enum {
  OPTION_CONFIG = 256,
  OPTION_CHECK,
  OPTION_RESTORE,
  OPTION_PORT_FILE,
  OPTION_PUBLIC_PORT_FILE,
  OPTION_HELP,
  OPTION_VERSION
};

static const struct {
  const char *name, *argument, *help;
  int value;
} option_rows[] = {
    {"config", "FILE", "the configuration [" SYSCONFDIR "/mintmark/mintmark.conf]", OPTION_CONFIG},
    {"check", NULL, "only check the configuration and the files it names", OPTION_CHECK},
    {"restore", "FILE", "only put this copy of the ledger in its place; see mintmark(1)",
     OPTION_RESTORE},
    {"port-file", "FILE", "write the port it listens on into FILE, once it answers",
     OPTION_PORT_FILE},
    {"public-port-file", "FILE", "likewise of the port for plain HTTP, when there is one",
     OPTION_PUBLIC_PORT_FILE},
    {"help", NULL, "print this", OPTION_HELP},
    {"version", NULL, "print the version", OPTION_VERSION},
};

static void print_help(FILE *to)
{
  fputs("usage: mintmarkd [OPTION]...\n\n"
        "Serves a certificate authority over HTTPS, in the foreground, and logs to standard "
        "error.\nSIGHUP reloads the configuration; SIGTERM answers what is under way and ends.\n\n",
        to);
  for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
    char left[40];
    snprintf(left, sizeof left, "--%s %s", option_rows[i].name,
             option_rows[i].argument != NULL ? option_rows[i].argument : "");
    fprintf(to, "  %-24s %s\n", left, option_rows[i].help);
  }
}

static void fill_long_options(struct option long_options[ARRAY_LEN(option_rows) + 1])
{
  for (size_t i = 0; i < ARRAY_LEN(option_rows); i++)
    long_options[i] = (struct option){.name = option_rows[i].name,
                                      .has_arg = option_rows[i].argument != NULL ? required_argument
                                                                                 : no_argument,
                                      .val = option_rows[i].value};
}

/* True to go on; otherwise *ret_exit is what to end with. */
static bool read_options(int argc, char **argv, struct options *options, int *ret_exit)
{
  struct option long_options[ARRAY_LEN(option_rows) + 1] = {0};
  int option;
  fill_long_options(long_options);
  *ret_exit = 0;
  while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
    switch (option) {
    case OPTION_CONFIG:
      options->config = optarg;
      break;
    case OPTION_CHECK:
      options->check = true;
      break;
    case OPTION_RESTORE:
      options->restore = optarg;
      break;
    case OPTION_PORT_FILE:
      options->port_file = optarg;
      break;
    case OPTION_PUBLIC_PORT_FILE:
      options->public_port_file = optarg;
      break;
    case OPTION_HELP:
      print_help(stdout);
      return false;
    case OPTION_VERSION:
      puts("mintmarkd " PACKAGE_VERSION);
      return false;
    default:
      *ret_exit = 2;
      return false;
    }
  }
  if (optind == argc)
    return true;
  fprintf(stderr, "mintmarkd: \"%s\" is no option; see mintmarkd --help\n", argv[optind]);
  *ret_exit = 2;
  return false;
}

/* --- the process --- */

/* Secrets (tokens in memory) must not end in a core file or in another process's hands. */
static void harden(void)
{
  umask(077);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef WITH_SANITIZERS
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* A request sets memory aside on one thread and gives it back on another: without this, malloc
 * hands the ends of its heaps to the kernel and asks for them again, many times a second. */
static void keep_memory(void)
{
  mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
  mallopt(M_TOP_PAD, 256 * 1024);
}

/* Room for each connection of each front (and its lingering), the ledger's readers and the key
 * holder's slots. */
static void raise_file_limit(const struct conf *conf)
{
  struct rlimit limit;
  rlim_t fronts = conf->public_listen != NULL ? 2 : 1;
  rlim_t wanted = fronts * conf->connections + conf->workers + 512;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
    log_say(LOG_LEVEL_WARNING, "fewer files may be open than the limits on connections want",
            LOG_NUMBER("may", (int64_t)limit.rlim_cur), LOG_NUMBER("wanted", (int64_t)wanted));
}

static void fail(const char *message, const struct fault *f)
{
  log_say(LOG_LEVEL_ERROR, message, LOG_TEXT("code", fault_problem_code(f->code)),
          LOG_TEXT("detail", f->detail));
}

/* --- signals --- */

/* Before any thread is there: all inherit the mask, and the main thread alone waits for them. */
static void block_signals(sigset_t *ret_signals)
{
  sigemptyset(ret_signals);
  sigaddset(ret_signals, SIGTERM);
  sigaddset(ret_signals, SIGINT);
  sigaddset(ret_signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
  signal(SIGPIPE, SIG_IGN);
}

#ifndef WITH_SANITIZERS
/* The kernel then does what it would have done: the handler is there for one signal only. */
static void save_log(int signal_number)
{
  log_save();
  raise(signal_number);
}

/* What waits to be logged is what led to the fault. */
static void save_log_at_faults(void)
{
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  const struct sigaction action = {.sa_handler = save_log,
                                   .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
  for (size_t i = 0; i < ARRAY_LEN(faults); i++)
    sigaction(faults[i], &action, NULL);
}
#else
/* They have handlers of their own. */
static void save_log_at_faults(void) {}
#endif

static void reload(struct run *run)
{
  AUTO(fault) fault = {0};
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
  if (run_reload(run, &fault))
    log_say(LOG_LEVEL_INFO, "configuration reloaded");
  else
    fail("configuration not reloaded, the old one goes on", &fault);
  sd_notify(0, "READY=1");
}

static void give_sign_of_life(struct run *run)
{
  if (run_is_alive(run))
    sd_notify(0, "WATCHDOG=1");
  else
    log_say(LOG_LEVEL_ERROR, "the way through the ledger is stuck: no sign of life to systemd");
}

/* Until SIGTERM or SIGINT. */
static void serve(struct run *run, const sigset_t *signals)
{
  uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) <= 0)
    watchdog_us = UINT64_C(120) * 1000000;
  /* Twice in each period of the watchdog, or a little less. */
  int64_t sign_every_ms = (int64_t)watchdog_us / 2000, sign_at_ms = 0;
  int64_t look_ms = sign_every_ms / 2 < LOOK_MS ? sign_every_ms / 2 : LOOK_MS;
  const struct timespec pause = {look_ms / 1000, look_ms % 1000 * 1000000};
  for (;;) {
    int signal_number = sigtimedwait(signals, NULL, &pause);
    if (signal_number == SIGTERM || signal_number == SIGINT)
      return;
    if (signal_number == SIGHUP)
      reload(run);
    run_look_at_clock(run);
    if (when_monotonic_ms() < sign_at_ms)
      continue;
    give_sign_of_life(run);
    sign_at_ms = when_monotonic_ms() + sign_every_ms;
  }
}

/* --- run --- */

static bool write_port_file(const char *path, unsigned port, struct fault *f)
{
  AUTO(buf) text = {0};
  if (path == NULL)
    return true;
  buf_addf(&text, "%u\n", port);
  return buf_ok(&text) ? file_write(path, buf_bytes(&text), 0644, true, f) : fault_no_memory(f);
}

/* The public one first: whoever waits for the other finds both. */
static bool write_port_files(const struct options *options, const struct listeners *listeners,
                             struct fault *f)
{
  return (listeners->plain.fd < 0 ||
          write_port_file(options->public_port_file, listeners->plain.port, f)) &&
         write_port_file(options->port_file, listeners->tls.port, f);
}

static bool start(const struct options *options, struct conf *conf, struct run **ret_run,
                  struct fault *f)
{
  struct listeners listeners;
  struct run *run;
  raise_file_limit(conf);
  if (!listen_open(conf->listen, conf->public_listen, &listeners, f)) {
    conf_release(conf);
    return false;
  }
  if (!run_start(conf, &listeners, &run, f))
    return false;
  if (!write_port_files(options, &listeners, f)) {
    run_stop(run);
    return false;
  }
  const char *public_address = listeners.plain.fd >= 0 ? listeners.plain.address : NULL;
  log_say(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", listeners.tls.address),
          LOG_TEXT("public_address", public_address));
  sd_notifyf(0, "READY=1\nSTATUS=Listening on %s%s%s", listeners.tls.address,
             public_address != NULL ? " and, by plain HTTP, on " : "",
             public_address != NULL ? public_address : "");
  *ret_run = run;
  return true;
}

static bool run_to_the_end(const struct options *options, struct conf *conf,
                           const sigset_t *signals, struct fault *f)
{
  struct run *run;
  if (!start(options, conf, &run, f))
    return false;
  serve(run, signals);
  sd_notify(0, "STOPPING=1\nSTATUS=Answering what is under way");
  log_say(LOG_LEVEL_INFO, "stopping");
  run_stop(run);
  log_say(LOG_LEVEL_INFO, "stopped");
  return true;
}

static int run_daemon(const struct options *options, struct conf *conf)
{
  AUTO(fault) fault = {0};
  sigset_t signals;
  log_setup(conf->log_format, conf->log_level, STDERR_FILENO);
  block_signals(&signals);
  save_log_at_faults();
  if (!log_gather(&fault))
    conf_release(conf);
  else if (run_to_the_end(options, conf, &signals, &fault))
    fault.code = FAULT_NONE;
  log_gather_end();
  if (fault.code == FAULT_NONE)
    return 0;
  fail("mintmarkd did not start", &fault);
  return 1;
}

static int check(const struct conf *conf, const char *path)
{
  AUTO(fault) fault = {0};
  if (!run_check(conf, &fault)) {
    fprintf(stderr, "%s: %s\n", path, fault.detail);
    return 1;
  }
  printf("%s: ok\n", path);
  return 0;
}

static int restore(const struct conf *conf, const char *file)
{
  AUTO(fault) fault = {0};
  if (restore_ledger(conf, file, stdout, &fault))
    return fflush(stdout) == 0 ? 0 : 1;
  fprintf(stderr, "mintmarkd: %s\n", fault.detail);
  return 1;
}

int main(int argc, char **argv)
{
  AUTO(fault) fault = {0};
  struct options options = {.config = SYSCONFDIR "/mintmark/mintmark.conf"};
  struct conf *conf;
  int exit_code;
  if (!read_options(argc, argv, &options, &exit_code))
    return exit_code;
  harden();
  keep_memory();
  if (!conf_load(options.config, &conf, &fault)) {
    fprintf(stderr, "mintmarkd: %s\n", fault.detail);
    return 1;
  }
  if (!options.check && options.restore == NULL)
    return run_daemon(&options, conf);
  exit_code = options.check ? check(conf, options.config) : restore(conf, options.restore);
  conf_release(conf);
  return exit_code;
}
