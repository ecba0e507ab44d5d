/* reply.h - an HTTP reply as it comes in. Threads: none of its own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { REPLY_MAX = 64 * 1024 };

struct reply {
  char text[REPLY_MAX + 1];
  size_t len;   /* so far */
  size_t whole; /* when the head is there: of head and body; 0 before */
};

void reply_begin(struct reply *reply);
/* After octets were added: is it whole? *ret_broken: it is no reply that can be read. */
bool reply_is_whole(struct reply *reply, bool *ret_broken);
unsigned reply_status(const struct reply *reply);
/* The problem's code; "" when there is none. */
void reply_code(const struct reply *reply, char *out, size_t size);
