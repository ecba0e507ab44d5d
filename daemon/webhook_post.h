/* webhook_post.h - one event, POSTed to its receiver by libcurl, which is known here alone. TLS is
 * verified, redirects are not followed, no proxy is used whatever the environment says, and what
 * the receiver answers beside its status is dropped. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/webhook_setup.h"

struct webhook_poster;

/* Once, before there is any thread. INTERNAL. */
bool webhook_post_init(struct fault *f);

/* Borrows the setup. The connection is kept from one event to the next. */
bool webhook_poster_new(const struct webhook_setup *setup, struct webhook_poster **ret_poster,
                        struct fault *f);
void webhook_poster_free(struct webhook_poster *poster); /* accepts NULL */
AUTO_POINTER(webhook_poster, struct webhook_poster, webhook_poster_free)

struct webhook_post {
  int64_t event_id;
  const char *signature; /* of webhook_sign() */
  struct bytes body;     /* JSON */
};
struct webhook_answer {
  unsigned status; /* 0: there is none, and `why` says why */
  char why[256];   /* for a person: never the URL, which may have a secret in it */
};
/* Waits for the answer, at most the setup's timeout. One thread at a time. */
void webhook_poster_send(struct webhook_poster *poster, const struct webhook_post *post,
                         struct webhook_answer *ret_answer);
/* From now on every send, the one under way too, ends at once. Any thread. */
void webhook_poster_abort(struct webhook_poster *poster);
