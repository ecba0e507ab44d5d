/* line_reader.h - text that comes in pieces of any size, line by line. Holds no more than one line
 * that has begun. Pure. Threads: one at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct line_reader {
  size_t limit_octets; /* of a line, without its end */
  int64_t number;      /* of the line that is being read, less one: empty lines count, too */
  struct buf kept;     /* what came of it; owned */
  bool too_long;       /* it is: what comes of it is thrown away */
  bool given;          /* what is kept is of the line before */
};

struct line {
  int64_t number;    /* from 1 */
  struct bytes text; /* without its end, and without the white space around it; good until the next
                        call */
  bool too_long;     /* text is empty then */
  bool failed;       /* likewise: there was no memory for it */
};

/* Looks at the front of `octets`, and returns how many were taken: up to the end of a line, which
 * *ret_line is then (*ret_whole), or all of them. */
size_t line_reader_take(struct line_reader *reader, struct bytes octets, bool *ret_whole,
                        struct line *ret_line);
/* There is no more: the last line may have no end. One that has not begun has no text. */
void line_reader_end(struct line_reader *reader, struct line *ret_line);
void line_reader_free(struct line_reader *reader);
