/* fronts.c - see fronts.h. */
#include "daemon/fronts.h"

#include <stdlib.h>

#include "daemon/front.h"
#include "lib/base/when.h"

struct fronts {
  struct front *all[2];
  size_t n;
};

static bool start_one(struct fronts *fronts, const struct front_options *options,
                      const struct listener *listener, struct fault *f)
{
  if (!listen_begin(listener, f) || !front_start(options, &fronts->all[fronts->n], f))
    return false;
  fronts->n++;
  return true;
}

static bool start_all(struct fronts *fronts, const struct listeners *listeners,
                      struct front_options *options, struct fault *f)
{
  options->listen_fd = listeners->tls.fd;
  if (!start_one(fronts, options, &listeners->tls, f))
    return false;
  options->listen_fd = listeners->plain.fd;
  options->plain = true;
  return listeners->plain.fd < 0 || start_one(fronts, options, &listeners->plain, f);
}

bool fronts_start(const struct conf *conf, const struct listeners *listeners,
                  const struct service *service, const char *client_authorities,
                  struct fronts **ret_fronts, struct fault *f)
{
  struct front_options options = {
      .service = service,
      .routes = routes,
      .n_routes = n_routes,
      .threads = conf->threads,
      .connections = conf->connections,
      .connections_per_address = conf->connections_per_address,
      .request_seconds = conf->request_seconds,
      .idle_seconds = conf->idle_seconds,
      .client_authorities = client_authorities,
  };
  struct fronts *fronts = calloc(1, sizeof *fronts);
  if (fronts == NULL)
    return fault_no_memory(f);
  if (!start_all(fronts, listeners, &options, f)) {
    fronts_stop(fronts);
    return false;
  }
  *ret_fronts = fronts;
  return true;
}

void fronts_set_seconds(struct fronts *fronts, unsigned request_seconds, unsigned idle_seconds)
{
  for (size_t i = 0; i < fronts->n; i++)
    front_set_seconds(fronts->all[i], request_seconds, idle_seconds);
}

void fronts_quiesce(struct fronts *fronts)
{
  for (size_t i = 0; i < fronts->n; i++)
    front_quiesce(fronts->all[i]);
}

bool fronts_wait(struct fronts *fronts, unsigned timeout_ms)
{
  int64_t until_ms = when_monotonic_ms() + timeout_ms;
  bool ended = true;
  for (size_t i = 0; i < fronts->n; i++) {
    int64_t left_ms = until_ms - when_monotonic_ms();
    ended &= front_wait(fronts->all[i], left_ms > 0 ? (unsigned)left_ms : 0);
  }
  return ended;
}

void fronts_close_doors(struct fronts *fronts)
{
  for (size_t i = 0; i < fronts->n; i++)
    front_close_doors(fronts->all[i]);
}

void fronts_stop(struct fronts *fronts)
{
  if (fronts == NULL)
    return;
  for (size_t i = 0; i < fronts->n; i++)
    front_stop(fronts->all[i]);
  free(fronts);
}
