/* report.c - see report.h. */
#include "tests/bench/report.h"

#include <jansson.h>
#include <unistd.h>

static const struct {
  const char *name;
  double part;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};

static double per_certificate_us(double cpu_s, uint64_t n)
{
  return n > 0 ? cpu_s * 1e6 / (double)n : 0;
}

double report_cpu_us(const struct measured *m)
{
  return per_certificate_us(m->cpu_s, m->answered);
}

static double floor_us(const struct measured *m)
{
  return m->floor.verify_us + m->floor.sign_us;
}

static double rate_of(const struct measured *m)
{
  return (double)m->answered / m->seconds;
}

static double octets_per_row(const struct measured *m)
{
  return m->rows_added > 0 ? (double)m->ledger_octets_added / (double)m->rows_added : 0;
}

static double in_ms(const struct measured *m, double part)
{
  return (double)histogram_quantile(&m->tally.latency, part) / 1e6;
}

static double mib(uint64_t octets)
{
  return (double)octets / (1 << 20);
}

/* --- charts --- */

enum { BAR_MAX = 50, BUCKET_FIRST_NS = 62500 };

static void bar(FILE *to, double part, const char *mark)
{
  for (int i = 0; i < (int)(part * BAR_MAX + 0.5); i++)
    fputs(mark, to);
}

/* One line for each doubling of the latency that was seen. */
static void chart_latency(const struct measured *m, FILE *to)
{
  const struct histogram *h = &m->tally.latency;
  uint64_t most = 1;
  for (uint64_t from = BUCKET_FIRST_NS; from <= h->max_ns; from *= 2)
    if (histogram_count(h, from, 2 * from) > most)
      most = histogram_count(h, from, 2 * from);
  fputs("\n  latency\n", to);
  for (uint64_t from = BUCKET_FIRST_NS; from <= h->max_ns; from *= 2) {
    uint64_t n = histogram_count(h, from, 2 * from);
    if (n == 0)
      continue;
    fprintf(to, "  %7.2f - %-7.2f ms %8llu ", (double)from / 1e6, (double)from / 5e5,
            (unsigned long long)n);
    bar(to, (double)n / (double)most, "▇");
    fputc('\n', to);
  }
}

static void chart_cpu(const struct measured *m, FILE *to)
{
  const double all = report_cpu_us(m), verify = m->floor.verify_us, sign = m->floor.sign_us;
  const struct {
    const char *name, *mark;
    double us;
  } parts[] = {
      {"verify", "▇", verify}, {"sign", "▇", sign}, {"all else", "░", all - verify - sign}};
  if (all <= 0)
    return;
  fputs("\n  CPU of a certificate\n", to);
  for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
    fprintf(to, "  %-18s %5.0f us ", parts[i].name, parts[i].us);
    bar(to, parts[i].us / all, parts[i].mark);
    fputc('\n', to);
  }
}

/* --- text --- */

static void print_head(const struct options *o, const struct measured *m, FILE *to)
{
  fprintf(to, "%llu connections, %s, ", (unsigned long long)o->connections,
          o->handshake ? "a TLS handshake for each request" : "TLS keep-alive");
  if (o->rate > 0)
    fprintf(to, "%llu requests a second", (unsigned long long)o->rate);
  else
    fputs("closed loop", to);
  fprintf(to, ", %.1f s\n\n", m->seconds);
}

static void print_latency(const struct measured *m, FILE *to)
{
  fputs("  latency           ", to);
  for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
    fprintf(to, "  %s %.2f", quantiles[i].name, in_ms(m, quantiles[i].part));
  fputs(" ms\n", to);
}

static void print_errors(const struct measured *m, FILE *to)
{
  const struct code_count *codes = m->tally.codes;
  for (size_t i = 0; i < CODES_MAX && codes[i].n > 0; i++)
    fprintf(to, "  not issued          %llu x %s\n", (unsigned long long)codes[i].n, codes[i].code);
  if (codes[0].n == 0)
    fputs("  not issued          0\n", to);
}

void report_text(const struct options *o, const struct measured *m, FILE *to)
{
  double cpu = report_cpu_us(m), least = floor_us(m);
  print_head(o, m, to);
  fprintf(to, "  certificates        %llu, %.0f a second\n", (unsigned long long)m->answered,
          rate_of(m));
  print_errors(m, to);
  print_latency(m, to);
  fprintf(to,
          "  CPU                 %.1f us a certificate (daemon and key holder; kernel %.0f%%)\n",
          cpu, m->cpu_s > 0 ? 100 * m->system_s / m->cpu_s : 0);
  fprintf(to, "  floor               %.1f us (verify %.1f, sign %.1f; on every core at once)\n",
          least, m->floor.verify_us, m->floor.sign_us);
  fprintf(to, "  ratio               %.2f\n", cpu / least);
  fprintf(to, "  load generator      %.1f us a certificate, %.0f%% of a core\n",
          per_certificate_us(m->client_cpu_s, m->answered), 100 * m->client_cpu_s / m->seconds);
  fprintf(to, "  memory              %.1f MiB (peak %.1f)\n", mib(m->rss), mib(m->rss_peak));
  if (m->has_rows)
    fprintf(to, "  ledger              %.0f octets a certificate; %llu rows for %llu released\n",
            octets_per_row(m), (unsigned long long)m->rows_added, (unsigned long long)m->released);
  if (isatty(fileno(to))) {
    chart_latency(m, to);
    chart_cpu(m, to);
  }
}

/* --- JSON --- */

static json_t *latency_json(const struct measured *m)
{
  json_t *latency = json_object();
  for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
    json_object_set_new(latency, quantiles[i].name, json_real(in_ms(m, quantiles[i].part)));
  return latency;
}

static json_t *errors_json(const struct measured *m)
{
  json_t *errors = json_object();
  for (size_t i = 0; i < CODES_MAX && m->tally.codes[i].n > 0; i++)
    json_object_set_new(errors, m->tally.codes[i].code,
                        json_integer((json_int_t)m->tally.codes[i].n));
  return errors;
}

bool report_json(const struct options *o, const struct measured *m, FILE *to)
{
  double cpu = report_cpu_us(m);
  json_t *all = json_pack(
      "{s:I, s:b, s:I, s:f, s:I, s:f, s:o, s:o, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}",
      "connections", (json_int_t)o->connections, "handshake", o->handshake, "rate",
      (json_int_t)o->rate, "seconds", m->seconds, "certificates", (json_int_t)m->answered,
      "certificates_per_second", rate_of(m), "latency_ms", latency_json(m), "errors",
      errors_json(m), "cpu_us", cpu, "system_us", per_certificate_us(m->system_s, m->answered),
      "floor_verify_us", m->floor.verify_us, "floor_sign_us", m->floor.sign_us, "ratio",
      cpu / floor_us(m), "client_cpu_us", per_certificate_us(m->client_cpu_s, m->answered),
      "rss_octets", (json_int_t)m->rss, "rss_peak_octets", (json_int_t)m->rss_peak);
  if (all != NULL && m->has_rows) {
    json_object_set_new(all, "rows_before", json_integer((json_int_t)m->rows_before));
    json_object_set_new(all, "rows_added", json_integer((json_int_t)m->rows_added));
    json_object_set_new(all, "octets_per_row", json_real(octets_per_row(m)));
  }
  bool ok = all != NULL && json_dumpf(all, to, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0;
  fputc('\n', to);
  json_decref(all);
  return ok;
}
