/* outputs.c - see outputs.h. */
#include "cli/outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/screen.h"
#include "lib/base/file.h"

struct buf *outputs_add(struct outputs *outputs, mode_t mode, const char *what,
                        const char *path_format, ...)
{
  static struct buf sink; /* of a set that has failed: never written to a file */
  va_list args;
  char *path = NULL;
  va_start(args, path_format);
  if (outputs->n == OUTPUTS_MAX || vasprintf(&path, path_format, args) < 0)
    outputs->failed = true;
  va_end(args);
  if (outputs->failed) {
    sink.failed = true;
    return &sink;
  }
  struct output *output = &outputs->items[outputs->n++];
  *output = (struct output){.path = path, .mode = mode, .what = what};
  return &output->content;
}

bool outputs_any_exists(const struct outputs *outputs)
{
  for (size_t i = 0; i < outputs->n; i++)
    if (file_exists(outputs->items[i].path))
      return true;
  return false;
}

bool outputs_refuse_existing(const struct outputs *outputs, const char *help, struct fault *f)
{
  if (!outputs_any_exists(outputs))
    return true;
  for (size_t i = 0; i < outputs->n; i++)
    if (file_exists(outputs->items[i].path))
      fault_add_item(f, outputs->items[i].path, "is already there");
  return fault_set(f, FILE_ERROR, "nothing was written, because nothing is overwritten; %s", help);
}

static void remove_first(const struct outputs *outputs, size_t n)
{
  for (size_t i = 0; i < n; i++)
    unlink(outputs->items[i].path);
}

bool outputs_write(const struct outputs *outputs, bool replace, struct fault *f)
{
  if (outputs->failed)
    return fault_no_memory(f);
  for (size_t i = 0; i < outputs->n; i++) {
    const struct output *output = &outputs->items[i];
    if (buf_ok(&output->content)
            ? file_write(output->path, buf_bytes(&output->content), output->mode, replace, f)
            : fault_no_memory(f))
      continue;
    if (!replace)
      remove_first(outputs, i);
    return false;
  }
  return true;
}

void outputs_remove(const struct outputs *outputs)
{
  remove_first(outputs, outputs->n);
}

void outputs_print(const struct outputs *outputs)
{
  size_t width = 0;
  for (size_t i = 0; i < outputs->n; i++)
    if (screen_text_width(outputs->items[i].path) > width)
      width = screen_text_width(outputs->items[i].path);
  for (size_t i = 0; i < outputs->n; i++)
    screen_row(stdout, outputs->items[i].path, width + 1, outputs->items[i].what);
}

void outputs_free(struct outputs *outputs)
{
  for (size_t i = 0; i < outputs->n; i++) {
    free(outputs->items[i].path);
    buf_wipe(&outputs->items[i].content);
  }
  *outputs = (struct outputs){0};
}
