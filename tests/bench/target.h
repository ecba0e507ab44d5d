/* target.h - the daemon under load: an authority's folder, made where there is none, and a daemon
 * over it, started here or running already. Threads: one. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "tests/bench/options.h"
#include "tests/bench/proc.h"

/* The production order that all requests name. */
#define TARGET_ORDER "bench"

struct target {
  char folder[256];
  bool made;          /* the folder is ours to remove */
  pid_t daemon, keyd; /* keyd 0: it is a service of its own */
  bool started;       /* the daemon is ours to stop */
  char host[80];      /* "127.0.0.1:40123" */
  char token[256];
};

/* Finds or makes the authority. */
bool target_prepare(const struct options *options, struct target *ret_target, struct fault *f);
/* Starts its daemon, or finds the one that runs. */
bool target_start(struct target *target, const struct options *options, struct fault *f);
/* Creates the order, unless it is there from an earlier run. */
bool target_open_order(const struct target *target, const struct options *options, struct fault *f);
/* Stops a daemon that was started, by SIGTERM. */
bool target_stop(struct target *target, struct fault *f);
/* Removes a folder that was made; stops what still runs. */
void target_free(struct target *target, bool keep);
/* Daemon and key holder together. */
bool target_usage(const struct target *target, struct usage *ret_usage, struct fault *f);
/* Octets of the ledger with its log. */
uint64_t target_ledger_octets(const struct target *target);
const char *target_path(const struct target *target, const char *name, char out[320]);
