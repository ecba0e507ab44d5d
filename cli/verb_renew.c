/* verb_renew.c - mintmark renew: the certificate of this machine's server or client, in time; once,
 * as a timer does, or for good. */
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/json_out.h"
#include "cli/pace.h"
#include "cli/renewal.h"
#include "cli/screen.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

enum { LOOK_MAX_S = 6 * 3600 };

static uint32_t random_fraction(void)
{
  uint32_t fraction = 0;
  if (getrandom(&fraction, sizeof fraction, 0) != (ssize_t)sizeof fraction)
    fraction = (uint32_t)when_monotonic_ms() * 2654435761u; /* spreads, which is all it is for */
  return fraction;
}

/* --- once --- */

static void say_plain(const struct args *args, const struct renewal_result *result)
{
  AUTO(buf) until = {0}, due = {0};
  int64_t now = when_now();
  screen_when(&until, result->not_after, now);
  screen_when(&due, result->due_at, now);
  if (result->end == RENEWAL_DONE)
    printf("%s is renewed: valid until %s.\n", args_get(args, "cert"), buf_text(&until));
  else if (result->end == RENEWAL_NOT_DUE)
    printf("%s is not due before %s; it is valid until %s.\n", args_get(args, "cert"),
           buf_text(&due), buf_text(&until));
  else
    printf("%s is not renewed yet: %s.\n", args_get(args, "cert"), result->detail);
}

static bool say_json(const struct renewal_result *result, struct fault *f)
{
  char until[WHEN_TEXT_SIZE], due[WHEN_TEXT_SIZE];
  when_text(until, result->not_after);
  when_text(due, result->due_at);
  return json_print(json_pack("{s:b, s:s, s:s, s:s}", "renewed", result->end == RENEWAL_DONE,
                              "serial_number", result->serial_number, "not_after", until, "due_at",
                              due),
                    f);
}

static bool run_once(const struct args *args, struct fault *f)
{
  struct renewal_result result;
  /* A timer spreads its devices by itself. */
  if (!renewal_try(&(struct renewal){.args = args}, &result, f))
    return false;
  if (args_has(args, "json"))
    return say_json(&result, f);
  say_plain(args, &result);
  return true;
}

/* --- for good --- */

/* One line; nothing when there was nothing to be done. */
static void log_try(const char *cert, const struct renewal_result *result, const struct fault *f,
                    int64_t wait_s)
{
  char until[WHEN_TEXT_SIZE];
  if (f->code != FAULT_NONE) {
    log_say(LOG_LEVEL_ERROR, "not renewed", LOG_TEXT("certificate", cert),
            LOG_TEXT("code", fault_problem_code(f->code)), LOG_TEXT("detail", f->detail),
            LOG_NUMBER("again_in_s", wait_s));
    return;
  }
  when_text(until, result->not_after);
  if (result->end == RENEWAL_DONE)
    log_say(LOG_LEVEL_INFO, "renewed", LOG_TEXT("certificate", cert),
            LOG_TEXT("serial_number", result->serial_number), LOG_TEXT("not_after", until));
  else if (result->end == RENEWAL_TOO_EARLY)
    log_say(LOG_LEVEL_INFO, "not renewed yet", LOG_TEXT("certificate", cert),
            LOG_TEXT("detail", result->detail), LOG_NUMBER("again_in_s", wait_s));
}

static int64_t within(int64_t seconds, int64_t least, int64_t most)
{
  return seconds < least ? least : seconds > most ? most : seconds;
}

static int64_t wait_after(const struct renewal_result *result)
{
  int64_t now = when_now(), lifetime = result->not_after - result->not_before;
  if (result->end == RENEWAL_TOO_EARLY)
    return pace_too_early(result->not_after - now, random_fraction());
  /* Certificates that are due when they are new are not asked for one after the other. */
  int64_t least = result->end == RENEWAL_DONE ? within(lifetime / 6, 1, LOOK_MAX_S) : 1;
  /* The clock may be set, and the files may be another's work: so it looks now and then. */
  return within(result->due_at - now, least, LOOK_MAX_S);
}

/* False when it is told to end. */
static bool rest(const sigset_t *ends, int64_t seconds)
{
  int64_t until_ms = when_monotonic_ms() + 1000 * seconds, left_ms;
  while ((left_ms = until_ms - when_monotonic_ms()) > 0) {
    const struct timespec left = {left_ms / 1000, left_ms % 1000 * 1000000};
    if (sigtimedwait(ends, NULL, &left) > 0)
      return false;
  }
  return true;
}

/* Signals wait for the end of a try: they end what rests between two of them. */
static bool run_for_good(const struct args *args, struct fault *f)
{
  const struct renewal renewal = {.args = args, .fraction = random_fraction()};
  unsigned failures = 0;
  int64_t wait_s;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, NULL);
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, STDERR_FILENO);
  do {
    AUTO(fault) why = {0};
    struct renewal_result result = {0};
    bool good = renewal_try(&renewal, &result, &why);
    if (why.code == FAULT_BAD_USAGE) {
      fault_move(f, &why);
      return false;
    }
    failures = good ? 0 : failures + 1;
    wait_s = good ? wait_after(&result) : pace_back_off(failures, random_fraction());
    log_try(args_get(args, "cert"), &result, &why, wait_s);
  } while (rest(&ends, wait_s));
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  if (args_has(args, "same-key") && args_has(args, "new-key"))
    return fault_set(f, BAD_USAGE, "give --new-key or --same-key, not both");
  if (!args_has(args, "daemon"))
    return run_once(args, f);
  if (args_has(args, "now") || args_has(args, "json"))
    return fault_set(f, BAD_USAGE, "--now and --json are for one run, without --daemon");
  return run_for_good(args, f);
}

static const struct option options[] = {
    {"cert", "FILE", "the certificate that is to be renewed, with its chain or alone",
     OPTION_REQUIRED},
    {"key", "FILE", "its private key, in PEM without a passphrase", OPTION_REQUIRED},
    {"chain", "FILE", "a file that gets the certificate and its chain", 0},
    {"new-key", NULL, "with a new key of the same type (this is what it does)", 0},
    {"same-key", NULL, "with the key that is there", 0},
    {"now", NULL, "although two thirds of its lifetime are not over", 0},
    {"after", "COMMAND", "run this by /bin/sh when it is renewed, until it succeeds", 0},
    {"daemon", NULL, "stay, and renew it each time when it is due", 0},
    {"url", "URL", "the daemon, https://HOST:PORT [MINTMARK_URL]", 0},
    {"cacert", "FILE", "root certificate that the daemon's must lead to [MINTMARK_CACERT]", 0},
    {"timeout", "SECONDS", "how long one try goes on while the daemon is not able [30]", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "As a timer does, on a machine with a web server",
    "mintmark renew --cert web.crt --key web.key --url https://10.1.0.2:8443 --cacert root.crt "
    "--after 'systemctl reload nginx'",
    "For good, where there is no timer",
    "mintmark renew --cert web.crt --key web.key --url https://10.1.0.2:8443 --cacert root.crt "
    "--daemon",
    NULL,
};

const struct verb verb_renew = {
    .name = "renew",
    .summary = "this machine's own certificate, in time before it expires",
    .about =
        "Shows the certificate to the daemon and gets another one for the same names, once two "
        "thirds of its lifetime are over. The new key is on disk (FILE.new) before the daemon "
        "is asked, so that a run after a lost answer asks for the same certificate again. Key "
        "and certificate are renamed into place, with the mode and owner that they have; what "
        "is interrupted in between is ended by the next run.",
    .options = options,
    .examples = examples,
    .run = run,
};
