/* bench.c - mintmark-bench: how fast, and at what cost of CPU, a real daemon issues. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/base/file.h"
#include "tests/bench/fill.h"
#include "tests/bench/report.h"
#include "tests/bench/requests.h"
#include "tests/bench/revoke.h"
#include "tests/bench/target.h"

enum { KEYS_A_SECOND = 12000 };
static const double floor_seconds = 0.5, floor_part_seconds = 0.2;

/* Keys for the whole run, at the rate that is asked for or the most that can be hoped for. */
static size_t keys_wanted(const struct options *o)
{
  uint64_t seconds = o->seconds + o->warm_up, rate = o->rate > 0 ? o->rate : KEYS_A_SECOND;
  return (size_t)(o->skip + (o->requests > 0 ? o->requests : seconds * rate));
}

static bool load_keys(const struct options *o, struct keys *ret_keys, struct fault *f)
{
  char *beside = o->keys == NULL ? file_find_program("mintmark-bench.keys", ".") : NULL;
  const char *path = o->keys != NULL ? o->keys : beside;
  bool ok = path != NULL ? keys_load(path, keys_wanted(o), ret_keys, f) : fault_no_memory(f);
  free(beside);
  return ok;
}

static double own_cpu_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A moment of the run. */
struct look {
  int64_t at_ns;
  uint64_t answered;
  double client_cpu_s;
  struct usage usage;
};

static bool take_look(const struct target *target, struct load *load, struct look *ret_look,
                      struct fault *f)
{
  ret_look->at_ns = load_now_ns();
  ret_look->answered = load->answered;
  ret_look->client_cpu_s = own_cpu_s();
  return target_usage(target, &ret_look->usage, f);
}

/* Adds what happened in between. */
static void add_looks(const struct look *a, const struct look *b, struct measured *m)
{
  m->seconds += (double)(b->at_ns - a->at_ns) / 1e9;
  m->answered += b->answered - a->answered;
  m->cpu_s += b->usage.cpu_s - a->usage.cpu_s;
  m->system_s += b->usage.system_s - a->usage.system_s;
  m->client_cpu_s += b->client_cpu_s - a->client_cpu_s;
  m->rss = b->usage.rss;
  m->rss_peak = b->usage.rss_peak;
}

/* The mean of all that were measured. */
static bool add_floor(double seconds, struct measured *m, struct fault *f)
{
  struct floor floor;
  if (!floor_measure(seconds, &floor, f))
    return false;
  m->n_floors++;
  m->floor.verify_us += (floor.verify_us - m->floor.verify_us) / m->n_floors;
  m->floor.sign_us += (floor.sign_us - m->floor.sign_us) / m->n_floors;
  return true;
}

/* So many requests, or at a fixed rate: in one go. */
static bool run_through(const struct options *o, const struct target *target, struct loads *loads,
                        struct measured *m, struct fault *f)
{
  struct look before, after;
  struct load *load = loads->load;
  if (o->requests == 0)
    loads_wait(loads, load->start_ns);
  if (!take_look(target, load, &before, f))
    return false;
  loads_go_on(loads);
  loads_wait(loads, load->end_ns != 0 ? load->end_ns : INT64_MAX);
  if (!take_look(target, load, &after, f))
    return false;
  add_looks(&before, &after, m);
  return true;
}

/* The load of a part, until the last answer, and then the floor: what the machine gives changes
 * from one second to the next. */
static bool run_part(int64_t ns, const struct target *target, struct loads *loads,
                     struct measured *m, struct fault *f)
{
  struct look before, after;
  if (!take_look(target, loads->load, &before, f))
    return false;
  loads_go_on(loads);
  loads_wait(loads, before.at_ns + ns);
  if (!loads_pause(loads))
    return fault_set(f, UNREACHABLE, "the daemon does not answer any more");
  if (!take_look(target, loads->load, &after, f))
    return false;
  add_looks(&before, &after, m);
  return add_floor(floor_part_seconds, m, f);
}

static bool run_in_parts(const struct options *o, const struct target *target, struct loads *loads,
                         struct measured *m, struct fault *f)
{
  loads_wait(loads, loads->load->start_ns);
  if (!loads_pause(loads))
    return fault_set(f, UNREACHABLE, "the daemon does not answer any more");
  loads->load->start_ns = load_now_ns();
  for (uint64_t part = 0; part < o->seconds && loads->load->running > 0; part++)
    if (!run_part(1000000000, target, loads, m, f))
      return false;
  return true;
}

static bool run_load(const struct options *o, const struct target *target, struct load *load,
                     struct measured *m, struct fault *f)
{
  struct loads loads;
  bool closed_loop = o->requests == 0 && o->rate == 0;
  load->begin_ns = load_now_ns();
  load->start_ns = load->begin_ns;
  load->paused = o->requests != 0; /* each of them is to be measured */
  if (o->requests == 0)
    load->start_ns += (int64_t)o->warm_up * 1000000000;
  if (o->requests == 0 && !closed_loop)
    load->end_ns = load->start_ns + (int64_t)o->seconds * 1000000000;
  bool ok = loads_start(load, &loads, f) && (closed_loop ? run_in_parts(o, target, &loads, m, f)
                                                         : run_through(o, target, &loads, m, f));
  if (!ok || closed_loop)
    load->end_ns = load_now_ns();
  loads_go_on(&loads);
  loads_end(&loads, &m->tally);
  m->released = load->answered;
  return ok;
}

static bool drive(const struct options *o, const struct keys *keys, struct target *target,
                  struct measured *m, struct fault *f)
{
  char root[320];
  AUTO(requests) requests = {0};
  if (!target_start(target, o, f) || !target_open_order(target, o, f))
    return false;
  const struct request_form form = {target->host, target->token, o->profile, o->handshake,
                                    (size_t)o->skip};
  if (!requests_make(keys, &form, &requests, f))
    return false;
  struct load load = {.requests = &requests,
                      .host = target->host,
                      .root_file = target_path(target, "root.crt", root),
                      .connections = (size_t)o->connections,
                      .threads = (size_t)o->threads,
                      .handshake = o->handshake,
                      .rate = (double)o->rate};
  return add_floor(floor_seconds, m, f) && run_load(o, target, &load, m, f) &&
         add_floor(floor_seconds, m, f);
}

/* The ledger is looked at while no daemon has it. The daemon's own certificate is a row of its
 * first start. */
static bool look_at_ledger(const struct options *o, const struct target *target, bool after,
                           struct measured *m, struct fault *f)
{
  char path[320];
  uint64_t octets = target_ledger_octets(target);
  if (o->pid != 0 || !file_exists(target_path(target, "mintmark.db", path)))
    return true;
  if (!fill_count(path, &m->rows, f))
    return false;
  if (!after)
    m->rows_before = m->rows, m->ledger_octets_added = octets;
  else {
    m->has_rows = true;
    m->rows_added = m->rows - m->rows_before - (m->rows_before == 0);
    m->ledger_octets_added = octets - m->ledger_octets_added;
  }
  return true;
}

static bool check(const struct measured *m, struct fault *f)
{
  if (m->answered == 0)
    return fault_set(f, UNREACHABLE, "no certificate was issued");
  if (m->has_rows && m->rows_added < m->released)
    return fault_set(f, LEDGER, "%llu certificates were released, but the ledger has only %llu",
                     (unsigned long long)m->released, (unsigned long long)m->rows_added);
  return true;
}

static bool measure(const struct options *o, struct target *target, struct fault *f)
{
  static struct measured m;
  AUTO(keys) keys = {0};
  if (!load_keys(o, &keys, f))
    return false;
  if (!look_at_ledger(o, target, false, &m, f) || !drive(o, &keys, target, &m, f) ||
      !target_stop(target, f) || !look_at_ledger(o, target, true, &m, f))
    return false;
  if (o->json)
    report_json(o, &m, stdout);
  else
    report_text(o, &m, stdout);
  return check(&m, f);
}

static bool write_lines(const struct options *o, struct fault *f)
{
  AUTO(keys) keys = {0};
  const struct request_form form = {.profile = o->profile, .first = (size_t)o->skip};
  return load_keys(o, &keys, f) && requests_write_lines(&keys, &form, o->lines, f);
}

static bool run(const struct options *o, struct fault *f)
{
  struct target target = {0};
  char path[320];
  if (o->lines != NULL)
    return write_lines(o, f);
  bool ok = target_prepare(o, &target, f);
  if (ok && o->fill > 0)
    ok = fill_ledger(target_path(&target, "mintmark.db", path), o->fill, f);
  if (ok && o->revoke > 0)
    ok = revoke_ledger(target_path(&target, "mintmark.db", path), o->revoke, f);
  else if (ok && o->fill == 0)
    ok = measure(o, &target, f);
  target_free(&target, o->keep || !ok);
  return ok;
}

/* Sockets for all connections. */
static void raise_limit(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int main(int argc, char **argv)
{
  AUTO(fault) f = {0};
  struct options options;
  signal(SIGPIPE, SIG_IGN);
  raise_limit();
  bool ok = options_read(argc, argv, &options, &f);
  if (ok && options.help)
    options_help();
  else if (ok)
    ok = run(&options, &f);
  if (!ok)
    fprintf(stderr, "mintmark-bench: %s\n", f.detail[0] != '\0' ? f.detail : fault_title(f.code));
  return ok ? 0 : f.code == FAULT_BAD_USAGE ? 2 : 1;
}
