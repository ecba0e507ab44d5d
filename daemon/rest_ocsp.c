/* rest_ocsp.c - POST /ocsp and GET /ocsp/BASE64: OCSP over HTTP (RFC 6960, appendix A; RFC 5019).
 * What can be answered in OCSP's own words is: with 200. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/conditional.h"
#include "daemon/ocsp.h"
#include "daemon/rest.h"
#include "daemon/service.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

/* A request that waits for the responder's certificate. */
struct call {
  struct ocsp_waiter waiter;
  struct exchange *x;
};

/* --- the reply --- */

/* RFC 5019, 6.2: for caches on the way, of what was asked with GET. They may keep it until there is
 * a later one. */
static void allow_caching(struct exchange *x, const struct ocsp_reply *reply)
{
  uint8_t digest[SHA256_DIGEST_LENGTH];
  char hex[33], etag[ETAG_SIZE];
  int64_t now = when_now();
  SHA256(x->reply.body.data, x->reply.body.len, digest);
  text_hex(hex, digest, 16);
  snprintf(etag, sizeof etag, "\"%s\"", hex);
  x->reply.max_age_s = reply->renew_at > now ? (unsigned)(reply->renew_at - now) : 0;
  x->reply.expires_at = x->reply.max_age_s > 0 ? reply->next_update : 0;
  conditional_is_current(x, etag, reply->this_update);
}

static enum handled fail_without_memory(struct exchange *x)
{
  AUTO(fault) f = {0};
  fault_no_memory(&f);
  return exchange_fail(x, &f);
}

/* What goes wrong is in the log as with other requests; the peer has OCSP's word for it. */
static void note_fault(struct exchange *x, const struct fault *f)
{
  x->code = f->code;
  if (fault_whose(f->code) == FAULT_OURS)
    memcpy(x->detail, f->detail, sizeof x->detail);
}

static bool answer(struct exchange *x, struct ocsp_waiter *waiter)
{
  AUTO(fault) f = {0};
  struct ocsp_reply reply;
  if (!ocsp_answer(x->service->ocsp, buf_bytes(&x->body), waiter, &x->reply.body, &reply, &f))
    return false;
  if (!buf_ok(&x->reply.body)) {
    fail_without_memory(x);
    return true;
  }
  note_fault(x, &f);
  x->reply.status = 200;
  x->reply.content_type = "application/ocsp-response";
  if (reply.next_update != 0 && x->method != METHOD_POST)
    allow_caching(x, &reply);
  return true;
}

/* --- waiting --- */

static void on_ready(struct ocsp_waiter *waiter)
{
  struct call *call = (struct call *)waiter;
  struct exchange *x = call->x;
  free(call);
  answer(x, NULL);
  exchange_finish(x);
}
_Static_assert(offsetof(struct call, waiter) == 0, "a waiter is its call");

static enum handled respond(struct exchange *x)
{
  struct call *call = calloc(1, sizeof *call);
  if (call == NULL)
    return fail_without_memory(x);
  *call = (struct call){.waiter = {.ready = on_ready}, .x = x};
  if (!answer(x, &call->waiter))
    return DEFERRED;
  free(call);
  return HANDLED;
}

enum handled rest_ocsp(struct exchange *x)
{
  return respond(x);
}

/* --- GET --- */

static int digit(char c)
{
  const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
  return at != NULL ? (int)(at - digits) : -1;
}

/* The URL's escapes, of which '/', '+' and '=' may come as such too. False for what is none. */
static bool unescape(const char *text, struct buf *out)
{
  for (; *text != '\0'; text++) {
    if (*text != '%') {
      buf_add_u8(out, (uint8_t)*text);
      continue;
    }
    int high = digit(text[1]), low = high >= 0 ? digit(text[2]) : -1;
    if (low < 0)
      return false;
    buf_add_u8(out, (uint8_t)(high << 4 | low));
    text += 2;
  }
  return true;
}

/* What cannot be decoded leaves an empty body: a malformed request like any other. */
enum handled rest_ocsp_get(struct exchange *x)
{
  AUTO(buf) text = {0};
  bool decoded = unescape(x->path_rest, &text) && base64_decode(&x->body, buf_bytes(&text));
  if (!buf_ok(&text) || !buf_ok(&x->body))
    return fail_without_memory(x);
  if (!decoded)
    buf_clear(&x->body);
  return respond(x);
}
