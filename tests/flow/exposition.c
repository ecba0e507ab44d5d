/* exposition.c - see exposition.h. */
#include "tests/flow/exposition.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES_MAX = 4096, FAMILIES_MAX = 128 };

/* The family whose samples are read now. */
struct reader {
  char family[128], type[16];
  bool helped;
  char families[FAMILIES_MAX][128];
  size_t n_families;
  struct bytes samples[SAMPLES_MAX];
  size_t n_samples;
  double bucket; /* the last one's value; -1: there was none, or the histogram's labels changed */
  bool ended;    /* it was +Inf */
};

static size_t name_len(const char *text)
{
  size_t digits = strspn(text, "0123456789");
  return digits > 0 ? 0
                    : strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_:");
}

/* --- comments --- */

static void open_family(struct reader *r, const char *name)
{
  for (size_t i = 0; i < r->n_families; i++)
    if (strcmp(r->families[i], name) == 0)
      fail_msg("the family %s is there twice", name);
  assert_true(r->n_families < FAMILIES_MAX);
  strcpy(r->families[r->n_families++], name);
  strcpy(r->family, name);
  r->helped = true;
  r->type[0] = '\0';
  r->bucket = -1;
}

static void read_type(struct reader *r, const char *name, const char *type)
{
  size_t len = strlen(name);
  bool total = len > 6 && strcmp(name + len - 6, "_total") == 0;
  assert_true(r->helped);
  assert_string_equal(name, r->family);
  assert_true(r->type[0] == '\0');
  assert_true(strcmp(type, "counter") == 0 || strcmp(type, "gauge") == 0 ||
              strcmp(type, "histogram") == 0);
  assert_int_equal(strcmp(type, "counter") == 0, total);
  strcpy(r->type, type);
}

static void read_comment(struct reader *r, const char *line)
{
  char word[8], name[128], rest[256];
  if (sscanf(line, "# %7s %127s %255[^\n]", word, name, rest) != 3)
    fail_msg("no comment: %s", line);
  assert_int_equal(name_len(name), strlen(name));
  if (strcmp(word, "HELP") == 0)
    open_family(r, name);
  else if (strcmp(word, "TYPE") == 0)
    read_type(r, name, rest);
  else
    fail_msg("no comment: %s", line);
}

/* --- samples --- */

/* Behind the quote that ends the value. */
static const char *skip_value(const char *p)
{
  for (; *p != '"'; p++) {
    if (*p == '\0' || (*p == '\\' && (p[1] == '\0' || strchr("\\\"n", p[1]) == NULL)))
      fail_msg("no value of a label: %s", p);
    p += *p == '\\';
  }
  return p + 1;
}

static const char *skip_labels(const char *p)
{
  if (*p != '{')
    return p;
  do {
    size_t len = name_len(++p);
    if (len == 0 || strncmp(p + len, "=\"", 2) != 0)
      fail_msg("no label: %s", p);
    p = skip_value(p + len + 2);
  } while (*p == ',');
  if (*p != '}')
    fail_msg("labels without end: %s", p);
  return p + 1;
}

static double read_number(const char *text)
{
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || isnan(value))
    fail_msg("no number: %s", text);
  return value;
}

static void note_sample(struct reader *r, struct bytes sample)
{
  for (size_t i = 0; i < r->n_samples; i++)
    if (bytes_equal(r->samples[i], sample))
      fail_msg("twice: %.*s", (int)sample.len, (const char *)sample.data);
  assert_true(r->n_samples < SAMPLES_MAX);
  r->samples[r->n_samples++] = sample;
}

/* `labels` is what stands in braces, and begins at the line's. */
static void check_histogram(struct reader *r, const char *suffix, const char *labels, double value)
{
  if (strcmp(suffix, "_bucket") == 0) {
    assert_true(value >= r->bucket);
    r->bucket = value;
    r->ended = strstr(labels, "le=\"+Inf\"") != NULL;
  } else if (strcmp(suffix, "_count") == 0) {
    assert_true(r->ended && value == r->bucket);
    r->bucket = -1;
    r->ended = false;
  } else if (strcmp(suffix, "_sum") != 0) {
    fail_msg("no part of a histogram: %s%s", r->family, suffix);
  }
}

static void read_sample(struct reader *r, const char *line)
{
  size_t len = name_len(line), family = strlen(r->family);
  const char *end = skip_labels(line + len);
  char suffix[64] = "";
  if (len < family || strncmp(line, r->family, family) != 0 || len - family >= sizeof suffix)
    fail_msg("not of the family %s: %s", r->family, line);
  memcpy(suffix, line + family, len - family);
  assert_true(r->type[0] != '\0');
  if (*end != ' ')
    fail_msg("no space before the value: %s", line);
  double value = read_number(end + 1);
  note_sample(r, bytes_of(line, (size_t)(end - line)));
  if (strcmp(r->type, "histogram") == 0)
    check_histogram(r, suffix, line + len, value);
  else
    assert_string_equal(suffix, "");
  if (strcmp(r->type, "gauge") != 0)
    assert_true(value >= 0);
}

/* --- from outside --- */

void exposition_check(const char *text)
{
  struct reader *r = calloc(1, sizeof *r);
  char *copy = strdup(text), *rest = copy;
  assert_non_null(r);
  assert_non_null(copy);
  assert_true(strlen(text) > 0 && text[strlen(text) - 1] == '\n');
  for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
    if (line[0] == '#')
      read_comment(r, line);
    else
      read_sample(r, line);
  }
  free(copy);
  free(r);
}

/* What stands behind the sample's name and labels; NULL: it is not there. */
static const char *find_sample(const char *text, const char *sample)
{
  size_t len = strlen(sample);
  for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (strncmp(line, sample, len) == 0 && line[len] == ' ')
      return line + len;
  }
  return NULL;
}

bool exposition_has_sample(const char *text, const char *sample)
{
  return find_sample(text, sample) != NULL;
}

double exposition_value(const char *text, const char *sample)
{
  const char *value = find_sample(text, sample);
  if (value == NULL)
    fail_msg("no sample %s", sample);
  return strtod(value, NULL);
}
