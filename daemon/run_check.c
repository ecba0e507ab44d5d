/* run_check.c - what can be looked at without starting anything; see run.h. */
#include <stdlib.h>
#include <unistd.h>

#include "daemon/run.h"
#include "daemon/tls.h"
#include "daemon/webhook_setup.h"
#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/ca/authorities.h"
#include "lib/ca/trust.h"

static bool check_key_holder(const struct conf *conf, struct fault *f)
{
  if (conf->key_holder_socket != NULL)
    return true; /* its unit may be started later */
  char *program = file_find_program(conf->key_holder_program, SBINDIR);
  bool there = program != NULL && access(program, X_OK) == 0;
  free(program);
  if (!there)
    return fault_set(f, BAD_FILE, "key holder: %s cannot be executed", conf->key_holder_program);
  return file_exists(conf->key_holder_config) ||
         fault_set(f, BAD_FILE, "key holder: %s is not there", conf->key_holder_config);
}

static bool check_listen(const char *text, struct fault *f)
{
  struct sockaddr_storage address;
  socklen_t len;
  return text == NULL || listen_read(text, &address, &len, f);
}

bool run_check(const struct conf *conf, struct fault *f)
{
  AUTO(trust) trust = NULL;
  AUTO(webhook_setups) webhooks = NULL;
  return authorities_check(conf, when_now(), f) && trust_load(conf, NULL, &trust, f) &&
         tls_check(conf->tls_certificate, conf->tls_key, f) && check_listen(conf->listen, f) &&
         check_listen(conf->public_listen, f) && check_key_holder(conf, f) &&
         webhook_setups_load(conf, &webhooks, f);
}
