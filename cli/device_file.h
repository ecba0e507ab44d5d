/* device_file.h - a file of devices to import, CSV or NDJSON, line by line. Threads: one.
 *
 * CSV (RFC 4180, no line ends within quotes) begins with the names of its columns, some of
 * device_serial, model, order, ip_sans, dns_sans, uri_sans, secret; several names in one cell have
 * spaces between them; ';' between cells is taken too, when the first line has it and no ','.
 * NDJSON has one object on each line, with members of the same names, the names in arrays. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"

struct device_file;

/* The form goes by the name's end: .csv, .ndjson, .jsonl. BAD_USAGE, FILE_ERROR, BAD_FILE. */
bool device_file_open(const char *path, struct device_file **ret_file, struct fault *f);
void device_file_close(struct device_file *file);
AUTO_POINTER(device_file, struct device_file, device_file_close)
/* From the first row again. */
bool device_file_rewind(struct device_file *file, struct fault *f);

/* One line. All zero before the first; its memory is used again for the next. */
struct device_line {
  int64_t number; /* in the file, from 1 */
  struct buf
      json; /* the row as one line of JSON, without its end; empty for a line without a row */
  bool has_secret; /* it brings its own */
  char why[200];   /* "", or what is wrong with it */
  int64_t octets;  /* of the file, up to its end */
};
void device_line_free(struct device_line *line);
AUTO_VALUE(device_line, struct device_line, device_line_free)

/* Reads the next line; *ret_end: there is none. */
bool device_file_next(struct device_file *file, struct device_line *line, bool *ret_end,
                      struct fault *f);
int64_t device_file_octets(const struct device_file *file);
