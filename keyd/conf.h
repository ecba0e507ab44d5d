/* conf.h - keyd.conf: one `name = value` on a line, # comments; what stands before the first
 * `[NAME]` is of the process and the first key, what follows it of a further key. Threads:
 * read-only once it is loaded. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "keyd/guard.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"

enum { CONF_KEYS_MAX = 16, CONF_THREADS_MAX = 256 };

#define CONF_NO_USER ((uid_t)-1)

/* One signing key, and what may be signed with it. Paths stand against the configuration's folder.
 */
struct conf_key {
  char *name; /* for logs, and of its credential; the first one's is "issuing" */
  char *certificate, *key;
  char *passphrase_file; /* NULL: the systemd credential "NAME-passphrase", or none */
  struct guard_limits limits;
};

struct conf {
  char *path;
  struct conf_key keys[CONF_KEYS_MAX];
  size_t n_keys;
  char *state;      /* the file of keyd/state.h */
  unsigned threads; /* at least 1: zero in the file is one for each core */
  char *socket;     /* NULL: given on the command line or by systemd */
  uid_t allow_user; /* may connect besides root and our own user; the user "mintmark" by
                       default; CONF_NO_USER: nobody */
  enum log_format log_format;
};

/* BAD_CONFIG with "FILE:LINE: what is wrong and what would be right"; FILE_ERROR. */
bool conf_load(const char *path, struct conf **ret_conf, struct fault *f);
void conf_free(struct conf *conf);

AUTO_POINTER(conf, struct conf, conf_free)
