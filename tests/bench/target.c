/* target.c - see target.h. */
#include "tests/bench/target.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"

enum { START_MS = 30000, STOP_MS = 60000, POLL_US = 5000, SMALL_FILE = 64 * 1024, REMOVE_FDS = 16 };

extern char **environ;

/* The load comes from one address, with as many connections as are asked for. */
static const char limits[] = "\n# For mintmark-bench: all connections come from one address.\n"
                             "connections = 20100\nconnections_per_address = 20100\n";

const char *target_path(const struct target *target, const char *name, char out[320])
{
  snprintf(out, 320, "%s/%s", target->folder, name);
  return out;
}

/* --- programs --- */

/* What it says goes into `log` of the folder. */
static bool spawn(const struct target *target, const char *log, const char *const *arguments,
                  pid_t *ret_pid, struct fault *f)
{
  char path[320];
  posix_spawn_file_actions_t actions;
  char *program = file_find_program(arguments[0], SBINDIR);
  if (program == NULL || posix_spawn_file_actions_init(&actions) != 0) {
    free(program);
    return fault_no_memory(f);
  }
  target_path(target, log, path);
  int rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, path,
                                            O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (rc == 0)
    rc = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  if (rc == 0)
    rc =
        posix_spawn(ret_pid, program, &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  free(program);
  return rc == 0 || fault_set(f, FILE_ERROR, "cannot start %s: %s", arguments[0], strerror(rc));
}

static bool ended_well(const char *name, int status, const struct target *target, struct fault *f)
{
  return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
         fault_set(f, INTERNAL, "%s failed: see the *.log in %s", name, target->folder);
}

static bool run(const struct target *target, const char *log, const char *const *arguments,
                int *ret_status, struct fault *f)
{
  pid_t pid;
  if (!spawn(target, log, arguments, &pid, f))
    return false;
  while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
    ;
  return true;
}

static bool init_authority(struct target *target, struct fault *f)
{
  const char *const arguments[] = {"mintmark",     "init",        "--dir",
                                   target->folder, "--name",      "Bench",
                                   "--listen",     "127.0.0.1:0", NULL};
  char conf[320];
  int status;
  AUTO(buf) text = {0};
  if (!run(target, "init.log", arguments, &status, f) ||
      !ended_well("mintmark init", status, target, f) ||
      !file_read(target_path(target, "mintmark.conf", conf), SMALL_FILE, &text, f))
    return false;
  buf_add_text(&text, limits);
  return file_write(conf, buf_bytes(&text), 0600, true, f);
}

/* --- the folder --- */

static bool choose_folder(const struct options *options, struct target *target, struct fault *f)
{
  if (options->dir == NULL) {
    snprintf(target->folder, sizeof target->folder, "/var/tmp/mintmark-bench-XXXXXX");
    target->made = mkdtemp(target->folder) != NULL;
    return target->made || fault_set(f, FILE_ERROR, "/var/tmp: %s", strerror(errno));
  }
  if (strlen(options->dir) >= sizeof target->folder)
    return fault_set(f, BAD_USAGE, "--dir is too long");
  snprintf(target->folder, sizeof target->folder, "%s", options->dir);
  if (mkdir(target->folder, 0700) != 0 && errno != EEXIST)
    return fault_set(f, FILE_ERROR, "%s: %s", target->folder, strerror(errno));
  return true;
}

static bool read_line(const char *path, char *out, size_t size, struct fault *f)
{
  AUTO(secret_buf) text = {0};
  if (!file_read(path, size - 1, &text, f))
    return false;
  snprintf(out, size, "%s", buf_text(&text));
  out[strcspn(out, "\r\n")] = '\0';
  return true;
}

bool target_prepare(const struct options *options, struct target *ret_target, struct fault *f)
{
  char path[320];
  struct target *target = ret_target;
  *target = (struct target){0};
  if (!choose_folder(options, target, f) ||
      (!file_exists(target_path(target, "mintmark.conf", path)) && !init_authority(target, f)))
    return false;
  target_path(target, "admin.token", path);
  return read_line(options->token_file != NULL ? options->token_file : path, target->token,
                   sizeof target->token, f);
}

/* --- the daemon --- */

static bool take_port(struct target *target, const char *port_file, struct fault *f)
{
  char port[16];
  if (!read_line(port_file, port, sizeof port, f))
    return false;
  snprintf(target->host, sizeof target->host, "127.0.0.1:%s", port);
  return true;
}

static bool wait_for_port(struct target *target, const char *port_file, struct fault *f)
{
  int status;
  for (int64_t end = when_monotonic_ms() + START_MS; !file_exists(port_file); usleep(POLL_US)) {
    if (waitpid(target->daemon, &status, WNOHANG) == target->daemon) {
      target->daemon = 0;
      target->started = false;
      return fault_set(f, UNREACHABLE, "mintmarkd ended at once: see %s/daemon.log",
                       target->folder);
    }
    if (when_monotonic_ms() > end)
      return fault_set(f, UNREACHABLE, "mintmarkd does not answer: see %s/daemon.log",
                       target->folder);
  }
  return take_port(target, port_file, f);
}

static bool start_daemon(struct target *target, struct fault *f)
{
  char conf[320], port[320];
  const char *const arguments[] = {"mintmarkd",
                                   "--config",
                                   target_path(target, "mintmark.conf", conf),
                                   "--port-file",
                                   target_path(target, "port", port),
                                   NULL};
  unlink(port);
  if (!spawn(target, "daemon.log", arguments, &target->daemon, f))
    return false;
  target->started = true;
  return wait_for_port(target, port, f);
}

/* Where it listens is in its configuration; a port that it chose itself, in the file `port`. */
static bool find_host(struct target *target, struct fault *f)
{
  char path[320];
  AUTO(buf) text = {0};
  if (!file_read(target_path(target, "mintmark.conf", path), SMALL_FILE, &text, f))
    return false;
  const char *line = strstr(buf_text(&text), "\nlisten = \"");
  if (line == NULL || sscanf(line, "\nlisten = \"%79[^\"]", target->host) != 1)
    return fault_set(f, BAD_CONFIG, "%s does not say where the daemon listens", path);
  size_t len = strlen(target->host);
  bool is_free_port = len > 2 && strcmp(target->host + len - 2, ":0") == 0;
  return !is_free_port || take_port(target, target_path(target, "port", path), f);
}

bool target_start(struct target *target, const struct options *options, struct fault *f)
{
  target->daemon = (pid_t)options->pid;
  if (!(options->pid != 0 ? find_host(target, f) : start_daemon(target, f)))
    return false;
  target->keyd = proc_child(target->daemon, "mintmark-keyd");
  return true;
}

bool target_open_order(const struct target *target, const struct options *options, struct fault *f)
{
  char root[320], token[320];
  AUTO(buf) url = {0};
  int status;
  buf_addf(&url, "https://%s", target->host);
  target_path(target, "admin.token", token);
  const char *const arguments[] = {"mintmark",
                                   "order",
                                   "create",
                                   TARGET_ORDER,
                                   "--profile",
                                   options->profile,
                                   "--quantity",
                                   "1000000000",
                                   "--url",
                                   buf_text(&url),
                                   "--cacert",
                                   target_path(target, "root.crt", root),
                                   "--token-file",
                                   options->token_file != NULL ? options->token_file : token,
                                   NULL};
  if (!run(target, "order.log", arguments, &status, f))
    return false;
  /* 1: it is there already, or may not be made; the replies to the load tell which. */
  return (WIFEXITED(status) && WEXITSTATUS(status) == 1) ||
         ended_well("mintmark order create", status, target, f);
}

bool target_stop(struct target *target, struct fault *f)
{
  int status = 0;
  if (!target->started)
    return true;
  target->started = false;
  kill(target->daemon, SIGTERM);
  for (int64_t end = when_monotonic_ms() + STOP_MS; waitpid(target->daemon, &status, WNOHANG) == 0;
       usleep(POLL_US))
    if (when_monotonic_ms() > end)
      kill(target->daemon, SIGKILL);
  return ended_well("mintmarkd", status, target, f);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
  (void)st, (void)kind, (void)ftw;
  return remove(path);
}

void target_free(struct target *target, bool keep)
{
  AUTO(fault) f = {0};
  target_stop(target, &f);
  if (target->made && !keep)
    nftw(target->folder, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS);
  explicit_bzero(target->token, sizeof target->token);
}

/* --- what it uses --- */

bool target_usage(const struct target *target, struct usage *ret_usage, struct fault *f)
{
  struct usage daemon = {0}, keyd = {0};
  if (!proc_usage(target->daemon, &daemon) ||
      (target->keyd != 0 && !proc_usage(target->keyd, &keyd)))
    return fault_set(f, UNREACHABLE, "daemon or key holder is gone: see %s/daemon.log",
                     target->folder);
  *ret_usage = (struct usage){daemon.cpu_s + keyd.cpu_s, daemon.system_s + keyd.system_s,
                              daemon.rss + keyd.rss, daemon.rss_peak + keyd.rss_peak};
  return true;
}

uint64_t target_ledger_octets(const struct target *target)
{
  static const char *const names[] = {"mintmark.db", "mintmark.db-wal"};
  uint64_t sum = 0;
  char path[320];
  struct stat st;
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (stat(target_path(target, names[i], path), &st) == 0)
      sum += (uint64_t)st.st_size;
  return sum;
}
