/* main.c - mintmark-keyd: the process that has the authority's key. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keyd/conf.h"
#include "keyd/keys.h"
#include "keyd/sandbox.h"
#include "keyd/server.h"
#include "keyd/sockets.h"
#include "keyd/state.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
  const char *config, *socket;
  struct sockets connected; /* --fds */
  bool check;
};

static const struct option option_table[] = {
    {"config", required_argument, NULL, 'c'},
    {"socket", required_argument, NULL, 's'},
    {"fds", required_argument, NULL, 'f'},
    {"check", no_argument, NULL, 'C'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "usage: mintmark-keyd [OPTION]...\n"
    "Holds the key of a Mintmark authority, and signs with it what its guard allows.\n"
    "\n"
    "  --config FILE   the configuration (default " SYSCONFDIR "/mintmark/keyd.conf)\n"
    "  --socket PATH   listen at this Unix socket\n"
    "  --fds N,M,...   serve these inherited sockets, and end with the last of them\n"
    "  --check         load configuration, certificate and key, sign something, and end\n"
    "  --help          this text\n"
    "  --version       the version\n"
    "\n"
    "Without --socket and --fds it serves the socket that systemd hands over, or else that of\n"
    "the configuration. Exit codes: 0 done, 1 failed, 2 wrong usage.\n";

static int fail(const struct fault *f, int exit_code)
{
  log_say(LOG_LEVEL_ERROR, "mintmark-keyd cannot go on", LOG_TEXT("reason", f->detail));
  return exit_code;
}

static int wrong_usage(const char *why)
{
  fprintf(stderr, "mintmark-keyd: %s\nTry 'mintmark-keyd --help'.\n", why);
  return EXIT_USAGE;
}

/* Returns -1 to go on, or the exit code. */
static int read_option(int option, struct options *ret_options)
{
  AUTO(fault) fault = {0};
  switch (option) {
  case 'c':
    ret_options->config = optarg;
    return -1;
  case 's':
    ret_options->socket = optarg;
    return -1;
  case 'f':
    if (!sockets_read_list(optarg, &ret_options->connected, &fault))
      return wrong_usage(fault.detail);
    return -1;
  case 'C':
    ret_options->check = true;
    return -1;
  case 'h':
    fputs(help_text, stdout);
    return EXIT_OK;
  case 'V':
    puts("mintmark-keyd " PACKAGE_VERSION);
    return EXIT_OK;
  default: /* getopt has said why */
    return EXIT_USAGE;
  }
}

static int read_options(int argc, char **argv, struct options *ret_options)
{
  int option;
  while ((option = getopt_long(argc, argv, "", option_table, NULL)) != -1) {
    int code = read_option(option, ret_options);
    if (code >= 0)
      return code;
  }
  if (optind < argc)
    return wrong_usage("it takes options only");
  if (ret_options->socket != NULL && ret_options->connected.n > 0)
    return wrong_usage("--socket and --fds exclude each other");
  return -1;
}

/* The socket of the command line, of systemd, or of the configuration, in this order. */
static bool open_listener(const struct options *options, const struct conf *conf,
                          const struct sockets *from_systemd, int *ret_fd, struct fault *f)
{
  const char *path = options->socket;
  *ret_fd = -1;
  if (options->connected.n > 0)
    return true;
  if (path == NULL && from_systemd->n > 0) {
    *ret_fd = from_systemd->fds[0];
    return sockets_check(from_systemd, true, f) && sockets_unblock(*ret_fd, f);
  }
  path = path != NULL ? path : conf->socket;
  if (path == NULL)
    return fault_set(f, BAD_USAGE, "no socket: give --socket, or set socket in %s", conf->path);
  return sockets_listen(path, ret_fd, f);
}

/* The order matters: sockets, keys, threads, and only then the sandbox, without which nothing of a
 * peer's is read. */
static bool serve(const struct conf *conf, const struct keys *keys, int listener,
                  const struct sockets *connected, struct fault *f)
{
  struct server *server;
  struct server_setup setup = {.keys = keys,
                               .listener = listener,
                               .connected = *connected,
                               .allow_user = conf->allow_user,
                               .threads = conf->threads};
  int notify = connected->n > 0 ? -1 : notify_connect();
  sandbox_lock_memory();
  if (!server_new(&setup, &server, f))
    return false;
  bool ok = sandbox_enter(f);
  if (ok) {
    log_say(LOG_LEVEL_INFO, "ready to sign", LOG_NUMBER("threads", conf->threads));
    notify_ready(notify);
    server_run(server);
    AUTO(fault) why = {0};
    if (!state_sync(keys->state, &why))
      log_say(LOG_LEVEL_ERROR, "cannot keep the counts", LOG_TEXT("reason", why.detail));
    log_say(LOG_LEVEL_INFO, "ended");
  }
  server_free(server);
  return ok;
}

static int run(const struct options *options, const struct sockets *from_systemd)
{
  AUTO(fault) fault = {0};
  AUTO(conf) conf = NULL;
  AUTO(state) state = NULL;
  AUTO(keys) keys = NULL;
  int listener;
  if (!conf_load(options->config, &conf, &fault))
    return fail(&fault, EXIT_FAILED);
  log_setup(conf->log_format, LOG_LEVEL_INFO, STDERR_FILENO);
  if (options->check) {
    if (!keys_load(conf, when_now(), &keys, &fault) || !state_check(conf->state, &fault))
      return fail(&fault, EXIT_FAILED);
    puts("configuration, certificate and key are in order");
    return EXIT_OK;
  }
  if (!sockets_check(&options->connected, false, &fault) ||
      !open_listener(options, conf, from_systemd, &listener, &fault))
    return fail(&fault, fault.code == FAULT_BAD_USAGE ? EXIT_USAGE : EXIT_FAILED);
  if (!keys_load(conf, when_now(), &keys, &fault) || !state_open(conf->state, &state, &fault) ||
      !keys_count_in(keys, state, &fault) ||
      !serve(conf, keys, listener, &options->connected, &fault))
    return fail(&fault, EXIT_FAILED);
  return EXIT_OK;
}

int main(int argc, char **argv)
{
  AUTO(fault) fault = {0};
  struct options options = {.config = SYSCONFDIR "/mintmark/keyd.conf"};
  struct sockets from_systemd;
  int code = read_options(argc, argv, &options);
  if (code >= 0)
    return code;
  if (!sockets_from_systemd(&from_systemd, &fault))
    return fail(&fault, EXIT_USAGE);
  const struct sockets *keep = options.connected.n > 0 ? &options.connected : &from_systemd;
  if (!sandbox_prepare(keep->fds, keep->n, &fault))
    return fail(&fault, EXIT_FAILED);
  return run(&options, &from_systemd);
}
