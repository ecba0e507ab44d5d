/* renewal.c - see renewal.h. */
#include "cli/renewal.h"

#include <string.h>
#include <unistd.h>

#include "cli/after.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/pace.h"
#include "cli/pair.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/pem.h"

enum { PATIENCE_S = 30 };

/* One try, with what it needs on the way. */
struct attempt {
  const struct args *args;
  struct pair pair;
  struct held held;
  struct private_key *next; /* the key to be certified */
  struct bundle certs;      /* the new ones */
};

static void attempt_free(struct attempt *attempt)
{
  pair_free(&attempt->pair);
  held_free(&attempt->held);
  private_key_free(attempt->next);
  bundle_free(&attempt->certs);
}

AUTO_VALUE(attempt, struct attempt, attempt_free)

/* --- the daemon --- */

static json_t *make_body(const struct attempt *attempt, struct fault *f)
{
  AUTO(buf) csr = {0}, pem = {0};
  if (!private_key_write_csr(attempt->next, attempt->held.leaf.subject, NULL, &csr, f))
    return NULL;
  pem_add(&pem, "CERTIFICATE REQUEST", buf_bytes(&csr));
  json_t *body = buf_ok(&pem) ? json_pack("{s:s}", "csr", buf_text(&pem)) : NULL;
  if (body == NULL)
    fault_no_memory(f);
  return body;
}

/* Is it for our key? Nothing is written otherwise. */
static bool check_reply(const struct attempt *attempt, struct fault *f)
{
  AUTO(cert) leaf = {0};
  if (!cert_read(buf_bytes(&attempt->certs.chain[0]), true, &leaf, f))
    return false;
  return private_key_fits(attempt->next, leaf.key.spki) ||
         fault_set(f, BAD_FILE, "the daemon's certificate is for another key");
}

static bool take_reply(struct attempt *attempt, const json_t *reply, struct fault *f)
{
  if (!bundle_add_certs(&attempt->certs, bytes_of_text(json_text(reply, "certificate")), f))
    return fault_prefix(f, "the daemon's reply");
  size_t i;
  json_t *above;
  json_array_foreach(json_object_get(reply, "ca_chain"), i, above)
  {
    const char *text = json_string_value(above);
    if (!bundle_add_certs(&attempt->certs, bytes_of_text(text != NULL ? text : ""), f))
      return fault_prefix(f, "the daemon's reply");
  }
  return check_reply(attempt, f);
}

static bool ask(struct attempt *attempt, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  AUTO(json) body = make_body(attempt, f);
  const struct call call = {.path = "/v1/renew", .body = body};
  return body != NULL &&
         client_open_for(attempt->args, PATIENCE_S, attempt->pair.cert, attempt->pair.key, &client,
                         f) &&
         client_call(client, &call, NULL, &reply, f) && take_reply(attempt, reply, f);
}

/* --- the files --- */

static bool renew(struct attempt *attempt, struct fault *f)
{
  const struct args *args = attempt->args;
  const struct pair *pair = &attempt->pair;
  bool same = args_has(args, "same-key");
  return pair_next_key(pair, &attempt->held, same, &attempt->next, f) && ask(attempt, f) &&
         after_owe(pair->cert, args_get(args, "after"), f) &&
         pair_replace(pair, &attempt->held, &attempt->certs, same, f);
}

static void describe(const struct cert *leaf, uint32_t fraction, struct renewal_result *result)
{
  size_t len =
      leaf->serial_number.len < SERIAL_NUMBER_MAX ? leaf->serial_number.len : SERIAL_NUMBER_MAX;
  result->not_before = leaf->not_before;
  result->not_after = leaf->not_after;
  result->due_at = pace_due_at(leaf->not_before, leaf->not_after, fraction);
  text_hex(result->serial_number, leaf->serial_number.data, len);
}

/* The one that is new. */
static bool describe_new(const struct attempt *attempt, uint32_t fraction,
                         struct renewal_result *result, struct fault *f)
{
  AUTO(cert) leaf = {0};
  if (!cert_read(buf_bytes(&attempt->certs.chain[0]), true, &leaf, f))
    return false;
  describe(&leaf, fraction, result);
  return true;
}

static bool try(struct attempt *attempt, const struct renewal *renewal,
                struct renewal_result *result, struct fault *f)
{
  bool now = args_has(attempt->args, "now");
  if (!pair_recover(&attempt->pair, f) || !pair_read(&attempt->pair, &attempt->held, f))
    return false;
  describe(&attempt->held.leaf, renewal->fraction, result);
  result->end = RENEWAL_NOT_DUE;
  if (!now && when_now() < result->due_at)
    return true;
  result->end = RENEWAL_DONE;
  if (renew(attempt, f))
    return describe_new(attempt, renewal->fraction, result, f);
  if (f->code != FAULT_RENEWAL_TOO_EARLY || now)
    return false;
  result->end = RENEWAL_TOO_EARLY;
  memcpy(result->detail, f->detail, sizeof result->detail);
  fault_free(f);
  return true;
}

bool renewal_try(const struct renewal *renewal, struct renewal_result *ret_result, struct fault *f)
{
  const struct args *args = renewal->args;
  AUTO(attempt) attempt = {.args = args};
  struct renewal_result result = {0};
  int lock;
  if (!pair_find(args_get(args, "cert"), args_get(args, "key"), args_get(args, "chain"),
                 &attempt.pair, f) ||
      !pair_lock(&attempt.pair, &lock, f))
    return false;
  bool done = try(&attempt, renewal, &result, f);
  close(lock);
  AUTO(fault) of_command = {0};
  if (!after_run(attempt.pair.cert, args_get(args, "after"), &of_command) && done) {
    fault_move(f, &of_command);
    done = false;
  }
  if (done)
    *ret_result = result;
  return done;
}
