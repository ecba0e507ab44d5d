/* metrics_text.c - see metrics_text.h. */
#include "daemon/metrics_text.h"

void metrics_add_family(struct buf *out, const char *name, const char *type, const char *help)
{
  buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line feed alone want an escape. */
static void add_escaped(struct buf *out, const char *value)
{
  for (const char *p = value; *p != '\0'; p++) {
    if (*p == '\n') {
      buf_add_text(out, "\\n");
      continue;
    }
    if (*p == '\\' || *p == '"')
      buf_add_u8(out, '\\');
    buf_add_u8(out, (uint8_t)*p);
  }
}

static void add_labels(struct buf *out, const struct metrics_label *labels, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    buf_addf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
    add_escaped(out, labels[i].value);
    buf_add_u8(out, '"');
  }
  if (n > 0)
    buf_add_u8(out, '}');
}

void metrics_add_sample(struct buf *out, const char *name, const char *suffix,
                        const struct metrics_label *labels, size_t n, double value)
{
  buf_addf(out, "%s%s", name, suffix);
  add_labels(out, labels, n);
  /* Whole numbers up to 2^53 come out exactly. */
  buf_addf(out, " %.16g\n", value);
}
