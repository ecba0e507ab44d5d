/* options.c - see options.h: one table gives the options, their bounds, and the help. */
#include "tests/bench/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/text.h"

enum kind { NUMBER, TEXT, FLAG };

static const struct row {
  const char *name, *value, *help;
  size_t at;
  uint64_t least, most;
  enum kind kind;
  char letter;
} rows[] = {
#define N(member, least, most) offsetof(struct options, member), least, most, NUMBER
#define T(member)              offsetof(struct options, member), 0, 0, TEXT
#define F(member)              offsetof(struct options, member), 0, 0, FLAG
    {"connections", "C", "connections at a time [64]", N(connections, 1, 20000), 'c'},
    {"seconds", "T", "measure for so long [10]", N(seconds, 1, 86400), 'T'},
    {"requests", "N", "measure so many requests, whatever it takes", N(requests, 1, 10000000), 'n'},
    {"rate", "R",
     "send R requests a second; latency counts from when each was due [as fast as replies come]",
     N(rate, 1, 1000000), 'r'},
    {"handshake", NULL, "a new connection, with a full TLS handshake, for each request",
     F(handshake), 0},
    {"warm-up", "T", "seconds before the measurement begins [1]; not with --requests",
     N(warm_up, 0, 3600), 0},
    {"threads", "N", "threads of the load generator [1]", N(threads, 1, 64), 0},
    {"dir", "DIR",
     "folder of an authority, made there if there is none, and kept [one below /var/tmp]", T(dir),
     0},
    {"pid", "PID", "the daemon of --dir that runs already [one is started]", N(pid, 1, 1u << 30),
     0},
    {"keep", NULL, "do not remove the folder that was made", F(keep), 0},
    {"token-file", "FILE", "who asks [DIR/admin.token]", T(token_file), 0},
    {"profile", "NAME", "the profile that is asked for [device-server]", T(profile), 0},
    {"keys", "FILE", "where requests made ahead are kept [mintmark-bench.keys beside the program]",
     T(keys), 0},
    {"skip", "N", "leave out the first N keys: a ledger takes each key once", N(skip, 0, 10000000),
     0},
    {"fill", "N", "add N rows to the ledger of --dir (its daemon must not run), and end",
     N(fill, 1, 100000000), 0},
    {"revoke", "N", "revoke N rows of the ledger of --dir, the newest first, likewise",
     N(revoke, 1, 100000000), 0},
    {"lines", "FILE", "write N requests (-n) as the lines of a batch under order bench, and end",
     T(lines), 0},
    {"json", NULL, "print the report as one JSON object", F(json), 0},
    {"help", NULL, "print this", F(help), 'h'},
#undef N
#undef T
#undef F
};

void options_help(void)
{
  puts(
      "usage: mintmark-bench [OPTION...]\n\n"
      "Drives a real mintmarkd over TLS with distinct devices and keys, and holds the CPU time of\n"
      "daemon and key holder against the floor: one ECDSA verification and one signature.\n");
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    char left[40], letter[] = "    ";
    if (rows[i].letter != 0)
      snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
    snprintf(left, sizeof left, "%s--%s %s", letter, rows[i].name,
             rows[i].value ? rows[i].value : "");
    printf("  %-22s %s\n", left, rows[i].help);
  }
}

static bool take(struct options *options, const struct row *row, struct fault *f)
{
  void *at = (char *)options + row->at;
  if (row->kind == FLAG)
    *(bool *)at = true;
  else if (row->kind == TEXT)
    *(const char **)at = optarg;
  else if (!text_to_u64(bytes_of_text(optarg), row->most, at) || *(uint64_t *)at < row->least)
    return fault_set(f, BAD_USAGE, "--%s is a number from %llu to %llu, not '%s'", row->name,
                     (unsigned long long)row->least, (unsigned long long)row->most, optarg);
  return true;
}

static bool check(const struct options *options, struct fault *f)
{
  if (options->threads > options->connections)
    return fault_set(f, BAD_USAGE, "more threads than connections");
  if (options->fill + options->revoke > 0 && (options->dir == NULL || options->pid != 0))
    return fault_set(f, BAD_USAGE, "--fill and --revoke want --dir, and no daemon that runs");
  if (options->lines != NULL && options->requests == 0)
    return fault_set(f, BAD_USAGE, "--lines wants --requests");
  if (options->pid != 0 && options->dir == NULL)
    return fault_set(f, BAD_USAGE, "--pid wants --dir");
  return true;
}

bool options_read(int argc, char **argv, struct options *ret_options, struct fault *f)
{
  struct options options = {.connections = 64, .seconds = 10, .warm_up = 1, .threads = 1};
  struct option longs[ARRAY_LEN(rows) + 1] = {0};
  char shorts[2 * ARRAY_LEN(rows) + 1] = "";
  size_t n = 0;
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    longs[i] = (struct option){rows[i].name, rows[i].kind != FLAG, NULL, (int)(256 + i)};
    if (rows[i].letter != 0)
      shorts[n++] = rows[i].letter;
    if (rows[i].letter != 0 && rows[i].kind != FLAG)
      shorts[n++] = ':';
  }
  for (int found; (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
    const struct row *row = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
      if (found == (int)(256 + i) || (rows[i].letter != 0 && found == rows[i].letter))
        row = &rows[i];
    if (row == NULL)
      return fault_set(f, BAD_USAGE, "see --help");
    if (!take(&options, row, f))
      return false;
  }
  if (optind < argc)
    return fault_set(f, BAD_USAGE, "what is '%s'? see --help", argv[optind]);
  if (options.profile == NULL)
    options.profile = "device-server";
  if (!options.help && !check(&options, f))
    return false;
  *ret_options = options;
  return true;
}
