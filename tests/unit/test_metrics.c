/* test_metrics.c - what is counted, and how a number is written. */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "daemon/metrics.h"
#include "daemon/metrics_text.h"
#include "daemon/process_figures.h"

static const struct route rows[] = {
    {METHOD_GET, "/a", OPEN_TO_ALL, 0, NULL, NULL},
    {METHOD_GET, "/b", OPEN_TO_ALL, 0, NULL, NULL},
};

static struct metrics *metrics;

static int begin(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  return metrics_new(rows, ARRAY_LEN(rows), &metrics, &f) ? 0 : -1;
}

static int end(void **state)
{
  (void)state;
  metrics_free(metrics);
  return 0;
}

static struct route_figures figures_of(size_t i)
{
  struct route_figures figures;
  metrics_figures(metrics, i, &figures);
  return figures;
}

static void a_request_counts_for_its_route_and_status(void **state)
{
  (void)state;
  metrics_count_request(metrics, &rows[1], 201, 1000);
  metrics_count_request(metrics, &rows[1], 404, 2500);
  metrics_count_request(metrics, &rows[1], 0, 10);
  metrics_count_request(metrics, &rows[1], 999, 10);
  metrics_count_request(metrics, NULL, 404, 10);
  assert_int_equal(metrics_n(metrics), 3);
  assert_ptr_equal(metrics_route(metrics, 1), &rows[1]);
  assert_null(metrics_route(metrics, 2));
  struct route_figures b = figures_of(1);
  assert_int_equal(b.by_status[2], 1);
  assert_int_equal(b.by_status[4], 1);
  assert_int_equal(b.by_status[0], 2);
  assert_int_equal(b.sum_us, 3520);
  assert_int_equal(figures_of(2).by_status[4], 1);
  assert_int_equal(figures_of(0).by_status[2], 0);
}

static void each_request_is_in_one_bucket(void **state)
{
  (void)state;
  static const int64_t took_us[] = {-5, 0, 1000, 1001, 24000, 2500000, 2500001, INT64_C(1) << 40};
  for (size_t i = 0; i < ARRAY_LEN(took_us); i++)
    metrics_count_request(metrics, &rows[0], 200, took_us[i]);
  struct route_figures a = figures_of(0);
  static const uint64_t wanted[SECONDS_BUCKETS] = {3, 1, 1, 0, 0, 1, 2};
  for (size_t i = 0; i < SECONDS_BUCKETS; i++)
    assert_int_equal(a.by_seconds[i], wanted[i]);
}

static void *count(void *context)
{
  (void)context;
  for (int i = 0; i < 10000; i++) {
    metrics_count_request(metrics, &rows[0], 200, 1);
    metrics_count_connection(metrics, LISTENER_PLAIN, true);
    metrics_count_connection(metrics, LISTENER_PLAIN, false);
  }
  metrics_count_connection(metrics, LISTENER_TLS, true);
  return NULL;
}

static void no_count_is_lost_among_threads(void **state)
{
  (void)state;
  pthread_t threads[4];
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(figures_of(0).by_status[2], 40000);
  assert_int_equal(metrics_connections(metrics, LISTENER_PLAIN), 0);
  assert_int_equal(metrics_connections(metrics, LISTENER_TLS), 4);
}

static void without_an_object_nothing_is_counted(void **state)
{
  (void)state;
  metrics_count_request(NULL, &rows[0], 200, 1);
  metrics_count_connection(NULL, LISTENER_TLS, true);
  metrics_free(NULL);
}

static void a_sample_is_one_line(void **state)
{
  (void)state;
  AUTO(buf) out = {0};
  struct metrics_label labels[] = {{"a", "x"}, {"b", "\"\\\n\xc3\xa4"}};
  metrics_add_family(&out, "some_total", "counter", "How many.");
  metrics_add_sample(&out, "some_total", "", NULL, 0, 9007199254740992.0);
  metrics_add_sample(&out, "some", "_sum", labels, 2, 0.25);
  metrics_add_sample(&out, "some", "", labels, 1, 1764108930);
  assert_string_equal(buf_text(&out), "# HELP some_total How many.\n# TYPE some_total counter\n"
                                      "some_total 9007199254740992\n"
                                      "some_sum{a=\"x\",b=\"\\\"\\\\\\n\xc3\xa4\"} 0.25\n"
                                      "some{a=\"x\"} 1764108930\n");
}

static void the_process_uses_something(void **state)
{
  (void)state;
  struct process_figures figures;
  assert_true(process_figures(&figures));
  assert_true(figures.cpu_seconds >= 0);
  assert_true(figures.resident_octets > 0 && figures.resident_octets <= figures.virtual_octets);
  assert_true(figures.open_files >= 1 && figures.open_files <= figures.max_files);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(a_request_counts_for_its_route_and_status),
      TEST(each_request_is_in_one_bucket),
      TEST(no_count_is_lost_among_threads),
      TEST(without_an_object_nothing_is_counted),
      TEST(a_sample_is_one_line),
      TEST(the_process_uses_something),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
