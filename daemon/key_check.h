/* key_check.h - has the key holder this authority's key, and does it sign with it? Asked before an
 * authority is put in charge, over a connection of its own. Threads: any; one at a time gets its
 * answer. */
#pragma once
#include <stdint.h>

#include "lib/base/fault.h"
#include "lib/ca/key_holder.h"

struct key_check;

/* Borrows the key holder (this slot of it). */
bool key_check_new(struct key_holder *holder, unsigned slot, struct key_check **ret_check,
                   struct fault *f);
/* SIGNER_REFUSED when there is no such key, or it does not work; SIGNER_DOWN. */
bool key_check_ask(struct key_check *check, const uint8_t key_sha256[32], struct fault *f);
void key_check_free(struct key_check *check); /* accepts NULL */
