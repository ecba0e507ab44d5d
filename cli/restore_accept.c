/* restore_accept.c - see restore_accept.h. */
#include "cli/restore_accept.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "lib/base/file.h"

/* A long list is thousands of transactions. */
enum { PATIENCE_S = 10, SILENCE_S = 3600, LIST_MAX = 64 * 1024 * 1024 };

static int64_t number(const json_t *object, const char *name)
{
  return json_integer_value(json_object_get(object, name));
}

static bool lacks_list(const json_t *row)
{
  return number(row, "crl_signed") > number(row, "crl_known") &&
         number(row, "crl_signed") > number(row, "crl_at_hand");
}

/* --- the daemon --- */

static bool read_standing(struct client *client, json_t **ret_standing, struct fault *f)
{
  const struct call call = {.path = "/v1/standing", .silence_s = SILENCE_S};
  screen_busy("the daemon reads its lists");
  bool done = client_call(client, &call, NULL, ret_standing, f);
  screen_done();
  return done;
}

static bool send_list(struct client *client, const char *path, struct fault *f)
{
  AUTO(buf) der = {0};
  AUTO(json) reply = NULL;
  if (!file_read(path, LIST_MAX, &der, f))
    return false;
  const struct call call = {.path = "/v1/standing/crl",
                            .octets = buf_bytes(&der),
                            .octets_type = "application/pkix-crl",
                            .silence_s = SILENCE_S};
  screen_busy("the daemon takes the list in");
  bool done = client_call(client, &call, NULL, &reply, f);
  screen_done();
  if (!done)
    return fault_prefix(f, "%s", path);
  fprintf(stderr, "%s: list %lld of %s, %lld revocations that the ledger did not have\n", path,
          (long long)number(reply, "crl_number"), json_text(reply, "authority"),
          (long long)number(reply, "revocations"));
  return true;
}

static bool send_lists(struct client *client, const struct args *args, struct fault *f)
{
  const char *path;
  for (size_t i = 0; (path = args_nth(args, "crl", i)) != NULL; i++)
    if (!send_list(client, path, f))
      return false;
  return true;
}

static bool accept(struct client *client, int64_t missing, bool without_crl, json_t **ret_reply,
                   struct fault *f)
{
  AUTO(json)
  body = json_pack("{s:I, s:b}", "missing", (json_int_t)missing, "without_crl", without_crl);
  if (body == NULL)
    return fault_no_memory(f);
  const struct call call = {
      .path = "/v1/standing/accept", .body = body, .not_again = true, .silence_s = SILENCE_S};
  screen_busy("the daemon takes in what its lists revoke");
  bool done = client_call(client, &call, NULL, ret_reply, f);
  screen_done();
  return done;
}

/* --- the person --- */

static void show_row(const json_t *row)
{
  int64_t missing = number(row, "missing");
  if (missing > 0)
    fprintf(stderr, "  %s: %lld certificates are missing; %lld are in the ledger\n",
            json_text(row, "name"), (long long)missing, (long long)number(row, "issued"));
  if (number(row, "crl_signed") <= number(row, "crl_known"))
    return;
  fprintf(stderr, "  %s: revocation list %lld was signed, the ledger knows of %lld, at hand is ",
          json_text(row, "name"), (long long)number(row, "crl_signed"),
          (long long)number(row, "crl_known"));
  if (number(row, "crl_at_hand") == 0)
    fputs("none\n", stderr);
  else
    fprintf(stderr, "%lld%s%s\n", (long long)number(row, "crl_at_hand"),
            json_text(row, "crl_at_hand_this_update")[0] != '\0' ? " of " : "",
            json_text(row, "crl_at_hand_this_update"));
}

static void show(const json_t *standing)
{
  const json_t *rows = json_object_get(standing, "authorities");
  fputs("The ledger is an older copy:\n", stderr);
  for (size_t i = 0; i < json_array_size(rows); i++)
    show_row(json_array_get(rows, i));
}

static bool check_lists(const json_t *standing, bool without_crl, struct fault *f)
{
  const json_t *rows = json_object_get(standing, "authorities");
  for (size_t i = 0; i < json_array_size(rows); i++) {
    const json_t *row = json_array_get(rows, i);
    const char *since = json_text(row, "crl_at_hand_this_update");
    if (!lacks_list(row))
      continue;
    if (!without_crl)
      return fault_set(
          f, AUTHORITY_STATE,
          "revocation list %lld of %s is not at hand: give it with --crl FILE (whoever "
          "fetched it has a copy), or go on with --without-crl",
          (long long)number(row, "crl_signed"), json_text(row, "name"));
    fprintf(
        stderr,
        "Whatever was revoked by %s after %s may be lost: such certificates would count as good "
        "again.\n",
        json_text(row, "name"), since[0] != '\0' ? since : "this copy was made");
  }
  return true;
}

static bool confirm(bool yes, struct fault *f)
{
  char line[16] = "";
  if (yes)
    return true;
  if (!isatty(STDIN_FILENO))
    return fault_set(f, BAD_USAGE, "nobody is there to be asked: give --yes to accept this");
  fputs("Accept this as lost, and go on issuing? yes or no: ", stderr);
  if (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "yes\n") == 0)
    return true;
  return fault_set(f, SELECTION_CHANGED, "nothing was accepted");
}

static bool tell(const json_t *reply, bool json, struct fault *f)
{
  if (json)
    return json_print(json_deep_copy(reply), f);
  printf("Accepted: %lld certificates are missing from now on; %lld revocations were taken in from "
         "lists.\nThe daemon issues again.\n",
         (long long)number(reply, "missing"), (long long)number(reply, "revocations"));
  return true;
}

bool restore_accept(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) standing = NULL;
  AUTO(json) reply = NULL;
  bool without_crl = args_has(args, "without-crl"), json = args_has(args, "json");
  if (!client_open(args, PATIENCE_S, &client, f) || !send_lists(client, args, f) ||
      !read_standing(client, &standing, f))
    return false;
  if (strcmp(json_text(standing, "standing"), "unknown") == 0)
    return fault_set(f, SIGNER_DOWN, "the key holder has not told yet what it remembers");
  if (strcmp(json_text(standing, "standing"), "behind") != 0) {
    if (json)
      return json_print(json_deep_copy(standing), f);
    printf("Nothing is missing: there is nothing to accept.\n");
    return true;
  }
  show(standing);
  return check_lists(standing, without_crl, f) && confirm(args_has(args, "yes"), f) &&
         accept(client, number(standing, "missing"), without_crl, &reply, f) &&
         tell(reply, json, f);
}
