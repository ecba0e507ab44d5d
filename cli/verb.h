/* verb.h - what the command line can do: one row for each verb, one row for each of its options.
 * Parsing, --help and the checks of usage all follow from the rows. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"
#include "lib/base/fault.h"

enum exit_code { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_UNREACHABLE };

enum option_flag { OPTION_REQUIRED = 1 << 0, OPTION_REPEATS = 1 << 1 };

struct option {
  const char *name;  /* without the dashes; NULL behind the last */
  const char *value; /* what stands for the value in --help; NULL: the option has none */
  const char *help;
  unsigned flags;
};

struct args;

struct verb {
  const char *name;     /* "issue", or of two words: "station add" */
  const char *operands; /* "FILE..."; NULL: none are taken */
  unsigned min_operands, max_operands;
  const char *summary; /* for the list of verbs */
  const char *about;   /* a paragraph for the verb's own --help; NULL: none */
  const struct option *options;
  bool asks_daemon;            /* also takes connection_options */
  const char *const *examples; /* pairs of a comment and a command line; NULL behind the last */
  bool (*run)(const struct args *args, struct fault *f);
};

/* How the daemon is found. */
extern const struct option connection_options[];

extern const struct verb verb_init, verb_issue, verb_show, verb_export, verb_log, verb_station_add,
    verb_station_list, verb_station_rotate, verb_station_disable, verb_station_enable,
    verb_order_create, verb_order_list, verb_order_show, verb_order_extend, verb_order_close,
    verb_order_report, verb_device_import, verb_device_list, verb_device_show, verb_device_reset,
    verb_authority_add, verb_authority_list, verb_authority_activate, verb_authority_retire,
    verb_backup, verb_restore, verb_revoke, verb_renew, verb_check_config;
/* All of them; NULL behind the last. */
extern const struct verb *const verbs[];
