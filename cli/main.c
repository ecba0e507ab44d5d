/* main.c - mintmark: the command line. Finds the verb, runs it, says what went wrong. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "cli/args.h"
#include "cli/help.h"
#include "cli/screen.h"

static enum exit_code exit_code_of(enum fault_code code)
{
  switch (code) {
  case FAULT_BAD_USAGE:
    return EXIT_USAGE;
  case FAULT_UNREACHABLE:
  case FAULT_TOO_MANY_REQUESTS:
  case FAULT_SIGNER_DOWN:
  case FAULT_LEDGER:
  case FAULT_LEDGER_BEHIND:
  case FAULT_BUSY:
  case FAULT_STOPPING:
  case FAULT_DEADLINE:
    return EXIT_UNREACHABLE;
  default:
    return EXIT_REFUSED;
  }
}

static void say_plain(const struct fault *f)
{
  size_t width = 0;
  for (size_t i = 0; i < f->n_items; i++)
    if (screen_text_width(f->items[i].name) > width)
      width = screen_text_width(f->items[i].name);
  fputs("mintmark: ", stderr);
  screen_wrap(stderr, f->detail[0] != '\0' ? f->detail : fault_title(f->code), 10, 10,
              screen_width(stderr));
  for (size_t i = 0; i < f->n_items; i++)
    screen_row(stderr, f->items[i].name, width < 40 ? width + 1 : 41, f->items[i].why);
}

static void say_json(const struct fault *f)
{
  json_t *errors = json_array();
  for (size_t i = 0; i < f->n_items; i++)
    json_array_append_new(
        errors, json_pack("{s:s, s:s}", "name", f->items[i].name, "detail", f->items[i].why));
  json_t *problem = json_pack("{s:s, s:s, s:s, s:o}", "code", fault_problem_code(f->code), "title",
                              fault_title(f->code), "detail", f->detail, "errors", errors);
  if (problem != NULL)
    json_dumpf(problem, stderr, JSON_COMPACT);
  fputc('\n', stderr);
  json_decref(problem);
}

static enum exit_code fail(const struct fault *f, bool json)
{
  fflush(stdout);
  if (json)
    say_json(f);
  else
    say_plain(f);
  return exit_code_of(f->code);
}

/* What was printed must have reached its file or pipe. */
static bool flush_output(struct fault *f)
{
  if (fflush(stdout) == 0 && ferror(stdout) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "cannot write to standard output: %m");
}

static bool is_help(const char *word)
{
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static enum exit_code run(int argc, char **argv)
{
  AUTO(fault) f = {0};
  AUTO(args) args = {0};
  const struct verb *verb;
  int words;
  if (!verb_find(argc, argv, &verb, &words, &f) ||
      !args_read(verb, argc - words, argv + words, &args, &f))
    return fail(&f, false);
  if (args.help)
    help_verb(verb, stdout);
  else if (!verb->run(&args, &f))
    return fail(&f, args_has(&args, "json"));
  return flush_output(&f) ? EXIT_DONE : fail(&f, false);
}

/* Keys pass through this memory: no core file, no other process of this user looks in. */
static void guard_memory(void)
{
  setrlimit(RLIMIT_CORE, &(struct rlimit){0});
#ifndef WITH_SANITIZERS /* the search for leaks looks in from another process */
  prctl(PR_SET_DUMPABLE, 0);
#endif
}

int main(int argc, char **argv)
{
  guard_memory();
  if (argc > 1 && (is_help(argv[1]) || strcmp(argv[1], "help") == 0)) {
    help_program(stdout);
    return EXIT_DONE;
  }
  if (argc > 2 && is_help(argv[2]) && verb_is_group(argv[1])) {
    help_group(argv[1], stdout);
    return EXIT_DONE;
  }
  if (argc > 1 && strcmp(argv[1], "--version") == 0) {
    puts("mintmark " PACKAGE_VERSION);
    return EXIT_DONE;
  }
  return (int)run(argc - 1, argv + 1);
}
