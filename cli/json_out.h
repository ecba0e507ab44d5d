/* json_out.h - JSON on standard output. Threads: one. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "cli/outputs.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"

AUTO_POINTER(json, json_t, json_decref)

/* Prints an object, indented, with a new line; takes it over, NULL (memory was short) included. */
bool json_print(json_t *object, struct fault *f);
/* The same on one line: NDJSON. */
bool json_print_line(const json_t *object, struct fault *f);
/* A new array of the paths. */
json_t *json_of_outputs(const struct outputs *outputs);
/* The text of a member, or "" when it is not there or is no text. */
const char *json_text(const json_t *object, const char *name);
