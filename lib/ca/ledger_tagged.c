/* ledger_tagged.c - candidates by their tag: a block is a run. See ledger_candidates.h. */
#include "lib/ca/ledger_candidates.h"

static enum ledger_log log_of(int64_t kind)
{
  return kind < 0 || kind >= TAG_KIND_END ? LOG_CERTIFICATES : tag_log_of((enum tag_kind)kind);
}

static struct ledger_tags *tags_of(const struct candidates *c)
{
  return c->connection->tags->of[tag_log_of(c->tag.kind)];
}

/* Behind the newest run that may have rows below the bound. */
static int64_t end_of(int64_t newest, int64_t below)
{
  int64_t last = newest < below ? newest : below - 1;
  return (last / TAG_RUN_ROWS + 1) * TAG_RUN_ROWS;
}

static bool begin(struct candidates *c, int64_t kind, sqlite3_value *value, struct fault *f)
{
  const void *octets = sqlite3_value_blob(value);
  int len = sqlite3_value_bytes(value);
  c->ended = kind < 0 || kind >= TAG_KIND_END;
  if (c->ended)
    return true;
  c->tag = tag_of((enum tag_kind)kind, bytes_of(octets, octets != NULL ? (size_t)len : 0));
  c->known = ledger_tags_last(tags_of(c));
  c->first = end_of(c->newest, c->below);
  return ledger_tags_written(tags_of(c), c->connection, &c->written, f);
}

/* What memory has behind `known` belongs to rows of this moment, or to none any more. */
static bool more(struct candidates *c, struct fault *f)
{
  c->first -= TAG_RUN_ROWS;
  if (c->first <= c->known && !ledger_tags_read(tags_of(c), c->connection, c->first / TAG_RUN_ROWS,
                                                c->written, &c->tag, &c->rows, f))
    return false;
  ledger_candidates_drop_rows(c, c->known + 1);
  return ledger_candidates_add_rows(c, c->first <= c->known ? c->known + 1 : c->first,
                                    c->first + TAG_RUN_ROWS - 1, f);
}

const struct candidate_source ledger_tagged = {"tagged", log_of, begin, more};
