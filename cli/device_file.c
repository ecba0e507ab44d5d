/* device_file.c - see device_file.h. What is wrong with a row is found here, before anything is
 * sent; the daemon looks again. */
#include "cli/device_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/json_out.h"
#include "lib/base/text.h"
#include "lib/pki/san.h"

enum { LABEL_MAX = 64, SECRET_MIN = 8, SECRET_MAX = 128, LINE_OCTETS_MAX = 64 * 1024 };

enum column_kind { LABEL, NAMES, SECRET };

static const struct device_column {
  const char *name;
  enum column_kind kind;
  enum san_kind names;
} columns[] = {
    {"device_serial", LABEL, 0}, {"model", LABEL, 0},          {"order", LABEL, 0},
    {"ip_sans", NAMES, SAN_IP},  {"dns_sans", NAMES, SAN_DNS}, {"uri_sans", NAMES, SAN_URI},
    {"secret", SECRET, 0},
};
enum { SERIAL = 0, COLUMNS = ARRAY_LEN(columns) };

struct device_file {
  FILE *file;
  const char *path; /* borrowed */
  bool is_csv;
  char delimiter;
  int order[COLUMNS]; /* of a CSV: the column of each cell */
  size_t n_order;
  char *line; /* getline's */
  size_t cap;
  int64_t number, octets, size;
};

static bool say(struct device_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool say(struct device_line *line, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(line->why, sizeof line->why, format, args);
  va_end(args);
  text_make_printable(line->why);
  return false;
}

/* --- what a cell may hold --- */

static bool check_label(const struct device_column *column, struct bytes text,
                        struct device_line *line)
{
  char label[LABEL_MAX + 1], printable[LABEL_MAX + 1];
  if (text.len == 0 && column == &columns[SERIAL])
    return say(line, "%s is empty", column->name);
  if (!TEXT_COPY(label, text))
    return say(line, "%s has more than %d octets", column->name, LABEL_MAX);
  memcpy(printable, label, sizeof label);
  text_make_printable(printable);
  return strcmp(label, printable) == 0 || say(line, "%s is not printable UTF-8", column->name);
}

static bool check_name(const struct device_column *column, struct bytes text,
                       struct device_line *line)
{
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  if (sans_add(&names, column->names, text, &f))
    return true;
  return say(line, "%s: %.*s: %s", column->name, (int)(text.len < 80 ? text.len : 80),
             (const char *)text.data, f.n_items > 0 ? f.items[0].why : f.detail);
}

static bool check_secret(struct bytes text, struct device_line *line)
{
  bool good = text.len >= SECRET_MIN && text.len <= SECRET_MAX;
  for (size_t i = 0; i < text.len && good; i++)
    good = text.data[i] > ' ' && text.data[i] <= '~' && text.data[i] != ':';
  line->has_secret = true;
  return good || say(line, "secret is not %d to %d printable ASCII characters without : and space",
                     SECRET_MIN, SECRET_MAX);
}

static bool check_value(const struct device_column *column, struct bytes text,
                        struct device_line *line)
{
  if (column->kind == NAMES)
    return check_name(column, text, line);
  return column->kind == SECRET ? check_secret(text, line) : check_label(column, text, line);
}

/* --- CSV --- */

static int add_octets(const char *octets, size_t len, void *out)
{
  buf_add(out, octets, len);
  return 0;
}

static void add_comma(struct buf *out)
{
  char before = out->len > 0 ? (char)out->data[out->len - 1] : '{';
  if (before != '{' && before != '[')
    buf_add_u8(out, ',');
}

/* A member, or an item of a list when `name` is NULL. */
static bool add_json_text(struct buf *out, const char *name, struct bytes text,
                          struct device_line *line)
{
  AUTO(json) string = json_stringn((const char *)text.data, text.len);
  if (string == NULL)
    return say(line, "not UTF-8");
  add_comma(out);
  if (name != NULL)
    buf_addf(out, "\"%s\":", name);
  return json_dump_callback(string, add_octets, out, JSON_ENCODE_ANY) == 0;
}

static bool add_list(const struct device_column *column, struct bytes text,
                     struct device_line *line)
{
  add_comma(&line->json);
  buf_addf(&line->json, "\"%s\":[", column->name);
  while (text.len > 0) {
    const uint8_t *space = memchr(text.data, ' ', text.len);
    size_t len = space != NULL ? (size_t)(space - text.data) : text.len;
    struct bytes name = bytes_of(text.data, len);
    if (len > 0 &&
        (!check_name(column, name, line) || !add_json_text(&line->json, NULL, name, line)))
      return false;
    text = bytes_of(text.data + len + (space != NULL), text.len - len - (space != NULL));
  }
  buf_add_u8(&line->json, ']');
  return true;
}

static bool add_cell(const struct device_column *column, struct bytes text,
                     struct device_line *line)
{
  if (text.len == 0 && column != &columns[SERIAL])
    return true;
  if (column->kind == NAMES)
    return add_list(column, text, line);
  return check_value(column, text, line) && add_json_text(&line->json, column->name, text, line);
}

/* Takes one cell off the front of *rest, unquoted in place. False: a quote is not closed, or
 * something stands behind it. *ret_last: no delimiter followed. */
static bool take_cell(char **rest, char delimiter, struct bytes *ret_cell, bool *ret_last)
{
  char *from = *rest, *to = *rest, *begin = *rest;
  if (*from == '"') {
    for (from++; *from != '\0' && (*from != '"' || from[1] == '"'); from++) {
      from += *from == '"';
      *to++ = *from;
    }
    if (*from++ != '"')
      return false;
  } else {
    to = from += strcspn(from, (char[]){delimiter, '\0'});
  }
  if (*from != '\0' && *from != delimiter)
    return false;
  *ret_last = *from == '\0';
  *ret_cell = bytes_of(begin, (size_t)(to - begin));
  *rest = from + !*ret_last;
  return true;
}

static void read_csv(struct device_file *file, struct device_line *line)
{
  char *rest = file->line;
  bool last = false;
  buf_add_u8(&line->json, '{');
  for (size_t i = 0; i < file->n_order; i++) {
    struct bytes cell;
    if (last) {
      say(line, "%zu cells; the first line names %zu columns", i, file->n_order);
      return;
    }
    if (!take_cell(&rest, file->delimiter, &cell, &last)) {
      say(line, "a quote in cell %zu is not closed", i + 1);
      return;
    }
    if (!add_cell(&columns[file->order[i]], cell, line))
      return;
  }
  if (!last)
    say(line, "more cells than the first line names columns (%zu)", file->n_order);
  buf_add_u8(&line->json, '}');
}

/* --- NDJSON --- */

static const struct device_column *column_named(struct bytes name, int *ret_index)
{
  for (size_t i = 0; i < COLUMNS; i++)
    if (bytes_equal(name, bytes_of_text(columns[i].name))) {
      *ret_index = (int)i;
      return &columns[i];
    }
  return NULL;
}

static struct bytes string_bytes(const json_t *string)
{
  return bytes_of(json_string_value(string), json_string_length(string));
}

static bool check_member(const char *name, const json_t *value, struct device_line *line)
{
  int index;
  const struct device_column *column = column_named(bytes_of_text(name), &index);
  if (column == NULL)
    return say(line, "%.80s is not known here", name);
  if (column->kind != NAMES)
    return json_is_string(value) ? check_value(column, string_bytes(value), line)
                                 : say(line, "%s is no string", name);
  if (!json_is_array(value))
    return say(line, "%s is no array", name);
  for (size_t i = 0; i < json_array_size(value); i++) {
    const json_t *item = json_array_get(value, i);
    if (!json_is_string(item))
      return say(line, "%s has an item that is no string", name);
    if (!check_name(column, string_bytes(item), line))
      return false;
  }
  return true;
}

static void read_ndjson(struct device_file *file, struct device_line *line)
{
  json_error_t error;
  AUTO(json) object = json_loads(file->line, JSON_REJECT_DUPLICATES, &error);
  const char *name;
  json_t *value;
  if (!json_is_object(object)) {
    say(line, "no JSON object: %s", object == NULL ? error.text : "another kind of value");
    return;
  }
  if (json_object_get(object, "device_serial") == NULL) {
    say(line, "device_serial is missing");
    return;
  }
  json_object_foreach(object, name, value)
  {
    if (!check_member(name, value, line))
      return;
  }
  buf_add_text(&line->json, file->line);
}

/* --- lines --- */

/* Without its end; *ret_end when there is no more. */
static bool take_line(struct device_file *file, bool *ret_end, struct fault *f)
{
  ssize_t len = getline(&file->line, &file->cap, file->file);
  *ret_end = len < 0;
  if (len < 0)
    return !ferror(file->file) || fault_set(f, FILE_ERROR, "%s: %m", file->path);
  file->number++;
  file->octets += len;
  if (len > LINE_OCTETS_MAX || memchr(file->line, '\0', (size_t)len) != NULL)
    return fault_set(f, BAD_FILE, "%s:%lld: this is no line of text", file->path,
                     (long long)file->number);
  while (len > 0 && (file->line[len - 1] == '\n' || file->line[len - 1] == '\r'))
    file->line[--len] = '\0';
  return true;
}

bool device_file_next(struct device_file *file, struct device_line *line, bool *ret_end,
                      struct fault *f)
{
  buf_clear(&line->json);
  line->has_secret = false;
  line->why[0] = '\0';
  if (!take_line(file, ret_end, f) || *ret_end)
    return f->code == FAULT_NONE;
  line->number = file->number;
  line->octets = file->octets;
  if (file->line[0] != '\0')
    (file->is_csv ? read_csv : read_ndjson)(file, line);
  if (line->why[0] != '\0')
    buf_clear(&line->json);
  return buf_ok(&line->json) || fault_no_memory(f);
}

/* --- the file --- */

static bool is_named_twice(const struct device_file *file, int column)
{
  for (size_t i = 0; i < file->n_order; i++)
    if (file->order[i] == column)
      return true;
  return false;
}

static bool read_header(struct device_file *file, struct fault *f)
{
  bool end, last = false, has_serial = false;
  if (!take_line(file, &end, f))
    return false;
  char *rest = end ? (char[]){""} : file->line;
  if (strncmp(rest, "\xef\xbb\xbf", 3) == 0) /* as some spreadsheets begin a file */
    rest += 3;
  file->delimiter = strchr(rest, ',') == NULL && strchr(rest, ';') != NULL ? ';' : ',';
  file->n_order = 0;
  while (!last) {
    struct bytes name;
    int index = 0;
    bool good = take_cell(&rest, file->delimiter, &name, &last);
    if (!good || column_named(name, &index) == NULL || is_named_twice(file, index))
      return fault_set(f, BAD_FILE,
                       "%s:1: name the columns in the first line, each once: device_serial, model, "
                       "order, ip_sans, dns_sans, uri_sans, secret",
                       file->path);
    file->order[file->n_order++] = index;
    has_serial |= index == SERIAL;
  }
  return has_serial || fault_set(f, BAD_FILE, "%s:1: there is no column device_serial", file->path);
}

static bool ends_with(const char *text, const char *end)
{
  size_t len = strlen(text), end_len = strlen(end);
  return len >= end_len && strcasecmp(text + len - end_len, end) == 0;
}

bool device_file_rewind(struct device_file *file, struct fault *f)
{
  rewind(file->file);
  file->number = file->octets = 0;
  return !file->is_csv || read_header(file, f);
}

bool device_file_open(const char *path, struct device_file **ret_file, struct fault *f)
{
  struct stat info;
  AUTO(device_file) file = calloc(1, sizeof *file);
  if (file == NULL)
    return fault_no_memory(f);
  file->path = path;
  file->is_csv = ends_with(path, ".csv");
  if (!file->is_csv && !ends_with(path, ".ndjson") && !ends_with(path, ".jsonl"))
    return fault_set(f, BAD_USAGE, "%s: the name must end in .csv, .ndjson or .jsonl", path);
  file->file = fopen(path, "re");
  if (file->file == NULL || fstat(fileno(file->file), &info) != 0)
    return fault_set(f, FILE_ERROR, "%s: %m", path);
  if (!S_ISREG(info.st_mode))
    return fault_set(f, BAD_FILE, "%s is no regular file: it is read twice", path);
  file->size = info.st_size;
  if (!device_file_rewind(file, f))
    return false;
  *ret_file = TAKE(file);
  return true;
}

void device_file_close(struct device_file *file)
{
  if (file == NULL)
    return;
  if (file->file != NULL)
    fclose(file->file);
  if (file->line != NULL)
    explicit_bzero(file->line, file->cap); /* a secret may be in it */
  free(file->line);
  free(file);
}

int64_t device_file_octets(const struct device_file *file)
{
  return file->size;
}

void device_line_free(struct device_line *line)
{
  buf_wipe(&line->json);
}
