/* test_cli_args.c - command lines, read against the rows of their verbs. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/args.h"

enum { WORDS_MAX = 16 };

/* Splits a command line at its blanks; "~" stands for an empty word. */
static int split(char *line, char **words)
{
  int n = 0;
  for (char *word = strtok(line, " "); word != NULL && n < WORDS_MAX; word = strtok(NULL, " "))
    words[n++] = strcmp(word, "~") == 0 ? word + 1 : word;
  return n;
}

static bool read_line(const char *text, struct args *args, struct fault *f)
{
  static char line[256];
  static char *words[WORDS_MAX];
  const struct verb *verb;
  int n_words;
  snprintf(line, sizeof line, "%s", text);
  int n = split(line, words);
  return verb_find(n, words, &verb, &n_words, f) &&
         args_read(verb, n - n_words, words + n_words, args, f);
}

static void values_stand_behind_their_option_or_an_equal_sign(void **state)
{
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(
      read_line("issue --serial W-1 --ip=10.1.1.68 --ip ::1 --out=a=b --replace", &args, &f));
  assert_string_equal(args_get(&args, "serial"), "W-1");
  assert_string_equal(args_nth(&args, "ip", 0), "10.1.1.68");
  assert_string_equal(args_nth(&args, "ip", 1), "::1");
  assert_null(args_nth(&args, "ip", 2));
  assert_string_equal(args_get(&args, "out"), "a=b");
  assert_true(args_has(&args, "replace"));
  assert_false(args_has(&args, "force"));
  assert_string_equal(args_get_or(&args, "profile", "none"), "none");
}

static void a_value_may_be_empty_and_may_begin_with_dashes(void **state)
{
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(read_line("issue --serial ~ --model --force", &args, &f));
  assert_string_equal(args_get(&args, "serial"), "");
  assert_string_equal(args_get(&args, "model"), "--force");
  assert_false(args_has(&args, "force"));
}

static void operands_may_stand_anywhere_and_behind_two_dashes(void **state)
{
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(read_line("show a.crt --json - -- --json -x", &args, &f));
  assert_int_equal(args.n_operands, 4);
  assert_string_equal(args.operands[1], "-");
  assert_string_equal(args.operands[2], "--json");
  assert_string_equal(args.operands[3], "-x");
}

static void verbs_of_two_words_are_found(void **state)
{
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(read_line("station add line-3 --url https://x:1", &args, &f));
  assert_ptr_equal(args.verb, &verb_station_add);
  assert_string_equal(args.operands[0], "line-3");
  assert_string_equal(args_get(&args, "url"), "https://x:1");
  assert_true(verb_is_group("station"));
  assert_false(verb_is_group("issue"));
  assert_false(verb_is_group("stat"));
}

static void help_counts_before_everything_that_is_missing(void **state)
{
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(read_line("init --help", &args, &f));
  assert_true(args.help);
}

static void wrong_usage_is_told_with_a_way_out(void **state)
{
  static const struct {
    const char *line, *says;
  } cases[] = {
      {"", "no command"},
      {"isue", "'mintmark --help'"},
      {"station", "'mintmark station --help'"},
      {"station remove x", "'mintmark station --help'"},
      {"issue --serail W-1", "no option --serail"},
      {"issue --replace=yes", "--replace takes no value"},
      {"issue --serial", "--serial wants a value: SERIAL"},
      {"issue --serial A --serial B", "--serial is given twice"},
      {"issue -v", "--v"},
      {"issue W-1001", "'W-1001' is more"},
      {"init --dir x", "needs --name NAME"},
      {"show", "needs FILE..."},
      {"show --url https://x x", "no option --url"},
      {"station add", "needs NAME"},
      {"station add a b", "'b' is more"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(args) args = {0};
    AUTO(fault) f = {0};
    if (read_line(cases[i].line, &args, &f) || f.code != FAULT_BAD_USAGE ||
        strstr(f.detail, cases[i].says) == NULL)
      fail_msg("'%s': %s", cases[i].line, f.detail);
  }
}

static void numbers_have_bounds(void **state)
{
  static const struct {
    const char *line;
    bool good;
    unsigned number;
  } cases[] = {
      {"log", true, 7},
      {"log --limit 1", true, 1},
      {"log --limit 1000", true, 1000},
      {"log --limit 0", false, 0},
      {"log --limit 1001", false, 0},
      {"log --limit 1x", false, 0},
      {"log --limit -1", false, 0},
      {"log --limit ~", false, 0},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(args) args = {0};
    AUTO(fault) f = {0};
    unsigned number = 0;
    assert_true(read_line(cases[i].line, &args, &f));
    assert_int_equal(args_number(&args, "limit", 1000, 7, &number, &f), cases[i].good);
    assert_int_equal(number, cases[i].number);
    assert_int_equal(f.code, cases[i].good ? FAULT_NONE : FAULT_BAD_USAGE);
  }
}

static void a_day_stands_for_its_first_second(void **state)
{
  static const struct {
    const char *line, *time; /* NULL: wrong usage */
  } cases[] = {
      {"log", ""},
      {"log --issued-after 2026-11-23", "2026-11-23T00:00:00Z"},
      {"log --issued-after 2026-11-23T09:30:00+01:00", "2026-11-23T08:30:00Z"},
      {"log --issued-after 2026-02-30", NULL},
      {"log --issued-after yesterday", NULL},
      {"log --issued-after 2026-11-23T08:00", NULL},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(args) args = {0};
    AUTO(fault) f = {0};
    char time[WHEN_TEXT_SIZE] = "untouched";
    assert_true(read_line(cases[i].line, &args, &f));
    assert_int_equal(args_time(&args, "issued-after", time, &f), cases[i].time != NULL);
    assert_string_equal(time, cases[i].time != NULL ? cases[i].time : "untouched");
    assert_int_equal(f.code, cases[i].time != NULL ? FAULT_NONE : FAULT_BAD_USAGE);
  }
}

/* The rows themselves: no name stands twice, and nothing is without its help. */
static void every_option_is_named_once_and_explained(void **state)
{
  (void)state;
  for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
    assert_non_null((*verb)->summary);
    assert_non_null((*verb)->run);
    for (const struct option *row = (*verb)->options; row->name != NULL; row++) {
      assert_non_null(row->help);
      for (const struct option *other = row + 1; other->name != NULL; other++)
        assert_string_not_equal(row->name, other->name);
      for (const struct option *other = connection_options; other->name != NULL; other++)
        assert_false((*verb)->asks_daemon && strcmp(row->name, other->name) == 0);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_stand_behind_their_option_or_an_equal_sign),
      cmocka_unit_test(a_value_may_be_empty_and_may_begin_with_dashes),
      cmocka_unit_test(operands_may_stand_anywhere_and_behind_two_dashes),
      cmocka_unit_test(verbs_of_two_words_are_found),
      cmocka_unit_test(help_counts_before_everything_that_is_missing),
      cmocka_unit_test(wrong_usage_is_told_with_a_way_out),
      cmocka_unit_test(numbers_have_bounds),
      cmocka_unit_test(a_day_stands_for_its_first_second),
      cmocka_unit_test(every_option_is_named_once_and_explained),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
