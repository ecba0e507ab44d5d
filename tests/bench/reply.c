/* reply.c - see reply.h. */
#include "tests/bench/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reply_begin(struct reply *reply)
{
  reply->len = reply->whole = 0;
}

static bool read_head(struct reply *reply, const char *end, bool *ret_broken)
{
  static const char name[] = "\r\nContent-Length: ";
  const char *length = strcasestr(reply->text, name);
  size_t head = (size_t)(end - reply->text) + 4;
  *ret_broken = strncmp(reply->text, "HTTP/1.1 ", 9) != 0 || length == NULL || length > end;
  if (!*ret_broken)
    reply->whole = head + strtoul(length + sizeof name - 1, NULL, 10);
  *ret_broken = *ret_broken || reply->whole > REPLY_MAX;
  return !*ret_broken;
}

bool reply_is_whole(struct reply *reply, bool *ret_broken)
{
  *ret_broken = false;
  reply->text[reply->len] = '\0';
  if (reply->whole == 0) {
    const char *end = strstr(reply->text, "\r\n\r\n");
    if (end == NULL || !read_head(reply, end, ret_broken)) {
      *ret_broken = *ret_broken || reply->len == REPLY_MAX;
      return false;
    }
  }
  *ret_broken = reply->len > reply->whole;
  return reply->len == reply->whole;
}

unsigned reply_status(const struct reply *reply)
{
  return (unsigned)strtoul(reply->text + 9, NULL, 10);
}

void reply_code(const struct reply *reply, char *out, size_t size)
{
  static const char name[] = "\"code\":\"";
  const char *at = strstr(reply->text, name);
  out[0] = '\0';
  if (at != NULL) {
    at += sizeof name - 1;
    snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
  }
}
