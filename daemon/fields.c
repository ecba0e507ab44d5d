/* fields.c - see fields.h. */
#include "daemon/fields.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/fields_plain.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/ledger.h"

AUTO_POINTER(json, json_t, json_decref)

/* When an allocation fails, jansson may say that the syntax is wrong, or leave characters out of a
 * string and say nothing. Whoever sent the request should hear that it may try again: so a failed
 * allocation is noted here. */
static _Thread_local bool memory_ran_out;

static void *noting_malloc(size_t size)
{
  void *memory = malloc(size);
  if (memory == NULL)
    memory_ran_out = true;
  return memory;
}

__attribute__((constructor)) static void watch_memory(void)
{
  json_set_alloc_funcs(noting_malloc, free);
}

static bool read_object(struct bytes body, json_t **ret_object, struct fault *f)
{
  json_error_t error = {0};
  if (body.len == 0)
    return fault_set(f, BAD_JSON, "the body is empty");
  memory_ran_out = false;
  AUTO(json) value = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, &error);
  if (memory_ran_out)
    return fault_no_memory(f);
  if (value == NULL)
    return fault_set(f, BAD_JSON, "line %d, column %d: %s", error.line, error.column, error.text);
  if (!json_is_object(value))
    return fault_set(f, BAD_JSON, "the body must be one JSON object: {...}");
  *ret_object = TAKE(value);
  return true;
}

static const struct field *field_named(const struct field_table *table, const char *name)
{
  for (size_t i = 0; i < table->n; i++)
    if (strcmp(table->fields[i].name, name) == 0)
      return &table->fields[i];
  return NULL;
}

static bool refuse_unknown(const struct field_table *table, const char *name, struct fault *f)
{
  return fault_set_code(f, table->unknown, "%s is not known here", name);
}

static bool is_list_of_strings(const json_t *value)
{
  if (!json_is_array(value) || json_array_size(value) > FIELD_LIST_MAX)
    return false;
  for (size_t i = 0; i < json_array_size(value); i++)
    if (!json_is_string(json_array_get(value, i)))
      return false;
  return true;
}

static bool check_type(const struct field *field, const json_t *value, struct fault *f)
{
  if (field->type == FIELD_STRING)
    return json_is_string(value) || fault_set(f, BAD_FIELD, "%s must be a string", field->name);
  if (field->type == FIELD_BOOLEAN)
    return json_is_boolean(value) ||
           fault_set(f, BAD_FIELD, "%s must be true or false", field->name);
  if (field->type == FIELD_NUMBER)
    return json_is_integer(value) ||
           fault_set(f, BAD_FIELD, "%s must be a whole number", field->name);
  return is_list_of_strings(value) ||
         fault_set(f, BAD_FIELD, "%s must be an array of at most %d strings", field->name,
                   FIELD_LIST_MAX);
}

static bool check_object(const struct field_table *table, json_t *object, struct fault *f)
{
  const char *name;
  json_t *value;
  json_object_foreach(object, name, value)
  {
    const struct field *field = field_named(table, name);
    if (field == NULL)
      return refuse_unknown(table, name, f);
    if (!check_type(field, value, f))
      return false;
  }
  return true;
}

static struct bytes string_bytes(const json_t *string)
{
  return bytes_of(json_string_value(string), json_string_length(string));
}

static bool put_number(const struct field *field, const json_t *value, void *to, struct fault *f)
{
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
  return field->put(field, bytes_of_text(digits), to, f);
}

/* The value's type was found right. */
static bool put_json(const struct field *field, const json_t *value, void *to, struct fault *f)
{
  if (field->type == FIELD_STRING)
    return field->put(field, string_bytes(value), to, f);
  if (field->type == FIELD_BOOLEAN)
    return field->put(field, bytes_of_text(json_is_true(value) ? "true" : "false"), to, f);
  if (field->type == FIELD_NUMBER)
    return put_number(field, value, to, f);
  for (size_t i = 0; i < json_array_size(value); i++)
    if (!field->put(field, string_bytes(json_array_get(value, i)), to, f))
      return false;
  return true;
}

static bool refuse_missing(const struct field *field, struct fault *f)
{
  return fault_set(f, BAD_FIELD, "%s is missing", field->name);
}

static bool put_plain(const struct field *field, const struct plain_value *value,
                      const struct plain *plain, void *to, struct fault *f)
{
  if (field->type != FIELD_STRINGS)
    return field->put(field, value->text, to, f);
  for (size_t i = 0; i < value->n_items; i++)
    if (!field->put(field, plain->items[value->first_item + i], to, f))
      return false;
  return true;
}

static bool fields_from_plain(const struct field_table *table, const struct plain *plain, void *to,
                              struct fault *f)
{
  for (size_t i = 0; i < table->n; i++) {
    const struct field *field = &table->fields[i];
    const struct plain_value *value = &plain->values[i];
    if (!value->given && field->required)
      return refuse_missing(field, f);
    if (value->given && !put_plain(field, value, plain, to, f))
      return false;
  }
  return f->code == FAULT_NONE;
}

static bool fields_from_tree(const struct field_table *table, struct bytes body, void *to,
                             struct fault *f)
{
  AUTO(json) object = NULL;
  if (!read_object(body, &object, f) || !check_object(table, object, f))
    return false;
  for (size_t i = 0; i < table->n; i++) {
    const struct field *field = &table->fields[i];
    const json_t *value = json_object_get(object, field->name);
    if (value == NULL && field->required)
      return refuse_missing(field, f);
    if (value != NULL && !put_json(field, value, to, f))
      return false;
  }
  return f->code == FAULT_NONE;
}

bool fields_from_json(const struct field_table *table, struct bytes body, void *to, struct fault *f)
{
  AUTO(buf) scratch = {0};
  struct plain plain;
  if (fields_plain_read(table, body, &scratch, &plain))
    return fields_from_plain(table, &plain, to, f);
  return fields_from_tree(table, body, to, f);
}

static bool put_list(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  for (size_t n = 1; text.len > 0; n++) {
    const uint8_t *comma = memchr(text.data, ',', text.len);
    size_t len = comma != NULL ? (size_t)(comma - text.data) : text.len;
    if (n > FIELD_LIST_MAX || len + 1 == text.len)
      return fault_set(f, BAD_FIELD, "%s must be at most %d items with commas between them",
                       field->name, FIELD_LIST_MAX);
    if (!field->put(field, bytes_of(text.data, len), to, f))
      return false;
    text = comma != NULL ? bytes_of(comma + 1, text.len - len - 1) : bytes_of(NULL, 0);
  }
  return true;
}

static const char *find_parameter(const struct parameter *query, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(query[i].name, name) == 0)
      return query[i].value;
  return NULL;
}

bool fields_from_query(const struct field_table *table, const struct parameter *query, size_t n,
                       void *to, struct fault *f)
{
  for (size_t i = 0; i < n; i++)
    if (field_named(table, query[i].name) == NULL)
      return refuse_unknown(table, query[i].name, f);
  for (size_t i = 0; i < table->n; i++) {
    const struct field *field = &table->fields[i];
    const char *value = find_parameter(query, n, field->name);
    if (value == NULL && field->required)
      return refuse_missing(field, f);
    if (value == NULL)
      continue;
    bool done = field->type == FIELD_STRINGS ? put_list(field, bytes_of_text(value), to, f)
                                             : field->put(field, bytes_of_text(value), to, f);
    if (!done)
      return false;
  }
  return f->code == FAULT_NONE;
}

bool field_put_label(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  char label[LABEL_SIZE], printable[LABEL_SIZE];
  if (!TEXT_COPY(label, text))
    return fault_set(f, BAD_FIELD, "%s may have at most %d octets", field->name, LABEL_SIZE - 1);
  memcpy(printable, label, text.len + 1);
  text_make_printable(printable);
  if (strcmp(label, printable) != 0)
    return fault_set(f, BAD_FIELD, "%s must be printable UTF-8", field->name);
  memcpy((char *)to + field->at, label, text.len + 1);
  return true;
}

bool field_put_number(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  uint64_t number;
  if (!text_to_u64(text, (uint64_t)field->most, &number) || number < (uint64_t)field->least)
    return fault_set(f, BAD_FIELD, "%s must be a number from %lld to %lld", field->name,
                     (long long)field->least, (long long)field->most);
  *(int64_t *)((char *)to + field->at) = (int64_t)number;
  return true;
}

/* 0 would mean "not given". */
bool field_put_time(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  int64_t instant;
  if (!when_read(text, &instant) || instant <= 0)
    return fault_set(f, BAD_FIELD, "%s must be a time like 2026-11-23T08:00:00Z", field->name);
  *(int64_t *)((char *)to + field->at) = instant;
  return true;
}

bool field_put_flag(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  bool value = bytes_equal(text, bytes_of_text("true"));
  if (!value && !bytes_equal(text, bytes_of_text("false")))
    return fault_set(f, BAD_FIELD, "%s must be true or false", field->name);
  *(bool *)((char *)to + field->at) = value;
  return true;
}
