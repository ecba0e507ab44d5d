/* ledger_tagged.c - candidates by their tag: a block is a run. See ledger_candidates.h. */
#include "lib/ca/ledger_candidates.h"

static struct ledger_tags *tags_of(const struct candidates *c)
{
  return c->connection->tags->of[tag_log_of(c->tag.kind)];
}

/* Behind the newest run that may have rows below the bound. */
static int64_t end_of(int64_t newest_run, int64_t below)
{
  int64_t run = (below - 1) / TAG_RUN_ROWS;
  return ((newest_run < run ? newest_run : run) + 1) * TAG_RUN_ROWS;
}

static bool begin(struct candidates *c, int64_t kind, sqlite3_value *value, struct fault *f)
{
  const void *octets = sqlite3_value_blob(value);
  int len = sqlite3_value_bytes(value);
  c->ended = kind < 0 || kind >= TAG_KIND_END;
  if (c->ended)
    return true;
  c->tag = tag_of((enum tag_kind)kind, bytes_of(octets, octets != NULL ? (size_t)len : 0));
  if (!ledger_tags_written(tags_of(c), c->connection, &c->written, f))
    return false;
  int64_t newest = ledger_tags_newest_run(tags_of(c));
  c->first = end_of(newest < c->written ? c->written - 1 : newest, c->below);
  return true;
}

static bool more(struct candidates *c, struct fault *f)
{
  c->first -= TAG_RUN_ROWS;
  return ledger_tags_read(tags_of(c), c->connection, c->first / TAG_RUN_ROWS, c->written, &c->tag,
                          &c->rows, f);
}

const struct candidate_source ledger_tagged = {"tagged", begin, more};
