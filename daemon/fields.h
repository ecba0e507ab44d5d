/* fields.h - what a request says, field by field, from a JSON object or from query parameters.
 *
 * A request is a const table of fields; each row says the field's name and type and how its text is
 * put into the request's struct. Both readers are strict: no field twice, none that the table does
 * not have, none of a wrong type. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/exchange.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* In a query a list's items are divided by commas (so an item that has a comma itself can only be
 * sent as JSON), a boolean is "true" or "false", and a number has decimal digits. */
enum field_type { FIELD_STRING, FIELD_STRINGS, FIELD_BOOLEAN, FIELD_NUMBER };

enum { FIELD_LIST_MAX = 1000 };

struct field {
  const char *name;
  enum field_type type;
  bool required;
  /* Puts a string, one item of a list, "true" or "false", or a whole number's digits into `to`. The
   * text is borrowed. After false, which comes with a fault, nothing more is read; true with a
   * fault means that more may be wrong and is to be told at once. */
  bool (*put)(const struct field *field, struct bytes text, void *to, struct fault *f);
  size_t at;           /* where in `to`, and */
  int kind;            /* what it is: for put() */
  int64_t least, most; /* of a number */
};

struct field_table {
  const struct field *fields;
  size_t n;
  enum fault_code unknown; /* the fault of a field that is not in the table */
};

/* (The front has refused a repeated query parameter already.) Puts in the order of the table, after
 * the types of all fields were found right. BAD_JSON for what is not one JSON object in UTF-8
 * without NUL, duplicate keys, or anything behind it; BAD_FIELD, the table's fault, or put()'s.
 * What was put before a fault stays in `to`. */
bool fields_from_json(const struct field_table *table, struct bytes body, void *to,
                      struct fault *f);
bool fields_from_query(const struct field_table *table, const struct parameter *query, size_t n,
                       void *to, struct fault *f);

/* A put() for text of at most LABEL_SIZE - 1 octets, printable UTF-8, into the char[LABEL_SIZE] at
 * field->at. */
bool field_put_label(const struct field *field, struct bytes text, void *to, struct fault *f);
/* A put() for a number from field->least to field->most, into the int64_t at field->at. */
bool field_put_number(const struct field *field, struct bytes text, void *to, struct fault *f);
/* A put() for a time after 1970, in seconds, into the int64_t at field->at. */
bool field_put_time(const struct field *field, struct bytes text, void *to, struct fault *f);
/* A put() for the bool at field->at. */
bool field_put_flag(const struct field *field, struct bytes text, void *to, struct fault *f);
