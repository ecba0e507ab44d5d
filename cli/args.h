/* args.h - a command line, read against the rows of its verb. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cli/verb.h"
#include "lib/base/when.h"

struct given {
  const struct option *option;
  const char *value; /* borrowed from argv; NULL for an option without a value */
};

struct args {
  const struct verb *verb;
  bool help;           /* --help was given: nothing else counts */
  struct given *given; /* owned */
  size_t n_given;
  const char **operands; /* owned array of borrowed texts */
  size_t n_operands;
};

/* Finds the verb at the front of a command line; *ret_words tells how many words name it.
 * BAD_USAGE, saying what there is, when there is none. */
bool verb_find(int argc, char **argv, const struct verb **ret_verb, int *ret_words,
               struct fault *f);

/* Is this the first word of verbs that have two? */
bool verb_is_group(const char *word);

/* Reads what follows the verb. BAD_USAGE for an option that the verb has not, a value that is
 * missing or too much, an option given twice that does not repeat, one that is required and is not
 * there, or a wrong number of operands. ret_args must be all zero; wants args_free in every case.
 */
bool args_read(const struct verb *verb, int argc, char **argv, struct args *ret_args,
               struct fault *f);
void args_free(struct args *args);
AUTO_VALUE(args, struct args, args_free)

/* The value of an option, or NULL when it was not given. `name` is one of the verb's. */
const char *args_get(const struct args *args, const char *name);
/* The same with another text in place of NULL. */
const char *args_get_or(const struct args *args, const char *name, const char *otherwise);
bool args_has(const struct args *args, const char *name);
/* The n-th value (from 0) of an option that repeats; NULL behind the last. */
const char *args_nth(const struct args *args, const char *name, size_t n);
/* The instant that an option gives, as the daemon takes it; "" when it was not given. A day stands
 * for its first second, UTC. BAD_USAGE for what is none. */
bool args_time(const struct args *args, const char *name, char ret_text[WHEN_TEXT_SIZE],
               struct fault *f);
/* A number from 1 to max; `otherwise` when the option was not given. BAD_USAGE for what is none. */
bool args_number(const struct args *args, const char *name, unsigned max, unsigned otherwise,
                 unsigned *ret_number, struct fault *f);
