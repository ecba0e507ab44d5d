/* help.c - see help.h. */
#include "cli/help.h"

#include <string.h>

#include "cli/screen.h"

static size_t option_width(const struct option *row)
{
  return 2 + strlen(row->name) + (row->value != NULL ? 1 + strlen(row->value) : 0);
}

static size_t widest_option(const struct option *row)
{
  size_t width = 0;
  for (; row->name != NULL; row++)
    width = option_width(row) > width ? option_width(row) : width;
  return width;
}

static void print_options(FILE *to, const char *title, const struct option *row, size_t width)
{
  if (row->name != NULL)
    fprintf(to, "\n%s\n", title);
  for (; row->name != NULL; row++) {
    char left[80];
    snprintf(left, sizeof left, "--%s%s%s", row->name, row->value != NULL ? " " : "",
             row->value != NULL ? row->value : "");
    screen_row(to, left, width + 1, row->help);
  }
}

static void print_usage(FILE *to, const struct verb *verb)
{
  fprintf(to, "usage: mintmark %s", verb->name);
  for (const struct option *row = verb->options; row->name != NULL; row++)
    if ((row->flags & OPTION_REQUIRED) != 0)
      fprintf(to, " --%s %s", row->name, row->value);
  fputs(" [OPTION...]", to);
  if (verb->operands != NULL)
    fprintf(to, " %s", verb->operands);
  fputc('\n', to);
}

void help_verb(const struct verb *verb, FILE *to)
{
  static const struct option help_row[] = {{"help", NULL, "print this", 0}, {0}};
  size_t width = widest_option(verb->options);
  if (verb->asks_daemon && widest_option(connection_options) > width)
    width = widest_option(connection_options);
  fprintf(to, "mintmark %s - %s\n\n", verb->name, verb->summary);
  print_usage(to, verb);
  if (verb->about != NULL) {
    fputc('\n', to);
    screen_wrap(to, verb->about, 0, 0, screen_width(to));
  }
  print_options(to, "Options:", verb->options, width);
  if (verb->asks_daemon)
    print_options(to, "Which daemon:", connection_options, width);
  print_options(to, "Always:", help_row, width);
  if (verb->examples != NULL && verb->examples[0] != NULL)
    fputs("\nExamples:\n", to);
  for (const char *const *e = verb->examples; e != NULL && e[0] != NULL; e += 2)
    fprintf(to, "%s  # %s\n  %s\n", e == verb->examples ? "" : "\n", e[0], e[1]);
}

void help_group(const char *word, FILE *to)
{
  size_t len = strlen(word);
  bool first = true;
  for (const struct verb *const *verb = verbs; *verb != NULL; verb++)
    if (strncmp((*verb)->name, word, len) == 0 && (*verb)->name[len] == ' ') {
      fputs(first ? "" : "\n\n", to);
      help_verb(*verb, to);
      first = false;
    }
}

static size_t widest_verb(void)
{
  size_t width = strlen("--version");
  for (const struct verb *const *verb = verbs; *verb != NULL; verb++)
    width = strlen((*verb)->name) > width ? strlen((*verb)->name) : width;
  return width;
}

void help_program(FILE *to)
{
  size_t width = widest_verb() + 1;
  fputs("mintmark - a certificate authority for the production line\n\n"
        "usage: mintmark COMMAND [OPTION...]\n\n"
        "Commands:\n",
        to);
  for (const struct verb *const *verb = verbs; *verb != NULL; verb++)
    screen_row(to, (*verb)->name, width, (*verb)->summary);
  fputs("\nOptions:\n", to);
  screen_row(to, "--help", width, "print this; after a command, what it takes");
  screen_row(to, "--version", width, "print the version");
  fputs("\nFirst steps:\n"
        "  mintmark init --dir acme --name \"Acme Widgets\"\n"
        "  mintmarkd --config acme/mintmark.conf &\n"
        "  mintmark issue --dir acme --serial W-1001 --ip 10.1.1.68\n"
        "\nThe exit code is 0 when it was done, 1 when it was refused, 2 for wrong usage,\n"
        "3 when the daemon cannot be reached or is not able now.\n",
        to);
}
