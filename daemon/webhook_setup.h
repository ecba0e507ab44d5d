/* webhook_setup.h - what a webhook is told with, read from the configuration and its files. A plain
 * object with its own copies, so that it outlives the configuration. Threads: read-only. */
#pragma once
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/conf.h"

struct webhook_setup {
  char name[65];
  char *url, *cacert; /* owned; cacert NULL: what the system trusts */
  struct buf secret;  /* owned; wiped at the end */
  uint64_t kinds;     /* of events: event_bit() */
  int64_t timeout_ms;
};

/* Reads the secret, whose file nobody else may read or write (of 32 octets at least; a line's end
 * behind it is not part of it), and looks at the certificates of cacert. BAD_FILE, FILE_ERROR. */
bool webhook_setup_load(const struct conf_webhook *conf, struct webhook_setup *ret_setup,
                        struct fault *f);
void webhook_setup_free(struct webhook_setup *setup);
AUTO_VALUE(webhook_setup, struct webhook_setup, webhook_setup_free)

/* Those of a configuration. */
struct webhook_setups {
  struct webhook_setup rows[WEBHOOKS_MAX];
  size_t n;
};
bool webhook_setups_load(const struct conf *conf, struct webhook_setups **ret_setups,
                         struct fault *f);
void webhook_setups_free(struct webhook_setups *setups); /* accepts NULL */
AUTO_POINTER(webhook_setups, struct webhook_setups, webhook_setups_free)
