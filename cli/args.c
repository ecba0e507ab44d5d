/* args.c - see args.h. */
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/text.h"

const struct option connection_options[] = {
    {"dir", "DIR", "folder that init made: gives URL, token and CA of its daemon", 0},
    {"url", "URL", "the daemon, https://HOST:PORT [MINTMARK_URL]", 0},
    {"token-file", "FILE", "file with the token that says who you are [MINTMARK_TOKEN_FILE]", 0},
    {"client-cert", "FILE", "certificate that says it instead, with its chain [MINTMARK_CERT]", 0},
    {"client-key", "FILE", "its private key [MINTMARK_KEY]", 0},
    {"cacert", "FILE", "root certificate that the daemon's must lead to [MINTMARK_CACERT]", 0},
    {"timeout", "SECONDS", "how long to keep trying while the daemon is not able", 0},
    {0},
};

const struct verb *const verbs[] = {
    &verb_init,
    &verb_issue,
    &verb_renew,
    &verb_show,
    &verb_export,
    &verb_log,
    &verb_revoke,
    &verb_station_add,
    &verb_station_list,
    &verb_station_rotate,
    &verb_station_disable,
    &verb_station_enable,
    &verb_order_create,
    &verb_order_list,
    &verb_order_show,
    &verb_order_extend,
    &verb_order_close,
    &verb_order_report,
    &verb_device_import,
    &verb_device_list,
    &verb_device_show,
    &verb_device_reset,
    &verb_backup,
    &verb_restore,
    &verb_authority_add,
    &verb_authority_list,
    &verb_authority_activate,
    &verb_authority_retire,
    &verb_check_config,
    NULL,
};

/* Is `word` the first of this verb's two? */
static bool begins_with(const struct verb *verb, const char *word)
{
  const char *space = strchr(verb->name, ' ');
  size_t len = space != NULL ? (size_t)(space - verb->name) : 0;
  return len > 0 && strlen(word) == len && memcmp(verb->name, word, len) == 0;
}

bool verb_is_group(const char *word)
{
  for (const struct verb *const *verb = verbs; *verb != NULL; verb++)
    if (begins_with(*verb, word))
      return true;
  return false;
}

/* How many words of the command line are this verb's name; 0: another verb. */
static int words_matched(const struct verb *verb, int argc, char **argv)
{
  if (strcmp(verb->name, argv[0]) == 0)
    return 1;
  bool both =
      argc > 1 && begins_with(verb, argv[0]) && strcmp(strchr(verb->name, ' ') + 1, argv[1]) == 0;
  return both ? 2 : 0;
}

bool verb_find(int argc, char **argv, const struct verb **ret_verb, int *ret_words, struct fault *f)
{
  if (argc == 0)
    return fault_set(f, BAD_USAGE, "no command is given; 'mintmark --help' lists them");
  for (const struct verb *const *verb = verbs; *verb != NULL; verb++) {
    int words = words_matched(*verb, argc, argv);
    if (words > 0) {
      *ret_verb = *verb;
      *ret_words = words;
      return true;
    }
  }
  if (verb_is_group(argv[0]))
    return fault_set(f, BAD_USAGE, "%s what? 'mintmark %s --help' lists what there is", argv[0],
                     argv[0]);
  return fault_set(f, BAD_USAGE, "there is no command '%s'; 'mintmark --help' lists them", argv[0]);
}

static const struct option *find_in(const struct option *row, const char *name, size_t len)
{
  for (; row->name != NULL; row++)
    if (strlen(row->name) == len && memcmp(row->name, name, len) == 0)
      return row;
  return NULL;
}

static const struct option *find_option(const struct verb *verb, const char *name, size_t len)
{
  const struct option *row = find_in(verb->options, name, len);
  if (row == NULL && verb->asks_daemon)
    row = find_in(connection_options, name, len);
  return row;
}

static bool add_given(struct args *args, const struct option *option, const char *value,
                      struct fault *f)
{
  if (args_has(args, option->name) && (option->flags & OPTION_REPEATS) == 0)
    return fault_set(f, BAD_USAGE, "--%s is given twice", option->name);
  args->given[args->n_given++] = (struct given){option, value};
  return true;
}

/* One "--name", "--name value" or "--name=value"; *at is stepped over a value of its own. */
static bool read_option(struct args *args, int argc, char **argv, int *at, struct fault *f)
{
  const char *word = argv[*at] + 2, *equals = strchr(word, '=');
  size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
  const struct option *option = find_option(args->verb, word, len);
  if (option == NULL)
    return fault_set(f, BAD_USAGE, "'mintmark %s' has no option --%.*s; its --help lists them",
                     args->verb->name, (int)len, word);
  if (option->value == NULL && equals != NULL)
    return fault_set(f, BAD_USAGE, "--%s takes no value", option->name);
  if (option->value == NULL)
    return add_given(args, option, NULL, f);
  if (equals != NULL)
    return add_given(args, option, equals + 1, f);
  if (*at + 1 >= argc)
    return fault_set(f, BAD_USAGE, "--%s wants a value: %s", option->name, option->value);
  return add_given(args, option, argv[++*at], f);
}

static bool check_required(const struct args *args, struct fault *f)
{
  for (const struct option *row = args->verb->options; row->name != NULL; row++)
    if ((row->flags & OPTION_REQUIRED) != 0 && !args_has(args, row->name))
      return fault_set(f, BAD_USAGE, "'mintmark %s' needs --%s %s", args->verb->name, row->name,
                       row->value);
  const struct verb *verb = args->verb;
  if (args->n_operands < verb->min_operands)
    return fault_set(f, BAD_USAGE, "'mintmark %s' needs %s", verb->name, verb->operands);
  if (args->n_operands > verb->max_operands)
    return fault_set(f, BAD_USAGE, "'%s' is more than 'mintmark %s' takes",
                     args->operands[verb->max_operands], verb->name);
  return true;
}

static bool is_help(const char *word)
{
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

bool args_read(const struct verb *verb, int argc, char **argv, struct args *ret_args,
               struct fault *f)
{
  ret_args->verb = verb;
  /* Each word is at most one option or one operand. */
  ret_args->given = calloc((size_t)argc + 1, sizeof *ret_args->given);
  ret_args->operands = calloc((size_t)argc + 1, sizeof *ret_args->operands);
  if (ret_args->given == NULL || ret_args->operands == NULL)
    return fault_no_memory(f);
  bool options = true;
  for (int i = 0; i < argc; i++) {
    if (options && is_help(argv[i])) {
      ret_args->help = true;
      return true;
    }
    if (options && strcmp(argv[i], "--") == 0)
      options = false;
    else if (options && strncmp(argv[i], "--", 2) == 0) {
      if (!read_option(ret_args, argc, argv, &i, f))
        return false;
    } else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
      return fault_set(f, BAD_USAGE, "options are written with two dashes: --%s", argv[i] + 1);
    else
      ret_args->operands[ret_args->n_operands++] = argv[i];
  }
  return check_required(ret_args, f);
}

void args_free(struct args *args)
{
  free(args->given);
  free(args->operands);
  *args = (struct args){0};
}

const char *args_nth(const struct args *args, const char *name, size_t n)
{
  for (size_t i = 0; i < args->n_given; i++)
    if (strcmp(args->given[i].option->name, name) == 0 && n-- == 0)
      return args->given[i].value;
  return NULL;
}

const char *args_get(const struct args *args, const char *name)
{
  return args_nth(args, name, 0);
}

const char *args_get_or(const struct args *args, const char *name, const char *otherwise)
{
  const char *value = args_get(args, name);
  return value != NULL ? value : otherwise;
}

bool args_has(const struct args *args, const char *name)
{
  for (size_t i = 0; i < args->n_given; i++)
    if (strcmp(args->given[i].option->name, name) == 0)
      return true;
  return false;
}

bool args_number(const struct args *args, const char *name, unsigned max, unsigned otherwise,
                 unsigned *ret_number, struct fault *f)
{
  const char *text = args_get(args, name);
  uint64_t number = otherwise;
  if (text != NULL && (!text_to_u64(bytes_of_text(text), max, &number) || number == 0))
    return fault_set(f, BAD_USAGE, "--%s is a number from 1 to %u, not '%s'", name, max, text);
  *ret_number = (unsigned)number;
  return true;
}

bool args_time(const struct args *args, const char *name, char ret_text[WHEN_TEXT_SIZE],
               struct fault *f)
{
  AUTO(buf) full = {0};
  const char *text = args_get(args, name);
  int64_t instant;
  if (text == NULL) {
    ret_text[0] = '\0';
    return true;
  }
  buf_addf(&full, strlen(text) == 10 ? "%sT00:00:00Z" : "%s", text);
  if (!when_read(buf_bytes(&full), &instant))
    return fault_set(f, BAD_USAGE, "--%s is a day or a time, 2026-11-23 or 2026-11-23T08:00:00Z",
                     name);
  when_text(ret_text, instant);
  return true;
}
