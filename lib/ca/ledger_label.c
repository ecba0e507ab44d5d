/* ledger_label.c - words that recur, kept once: text to id. */
#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

/* A slot's text is compared, so that a clash costs a query and nothing else. */
static struct label_slot *label_slot(struct ledger *ledger, const char *text)
{
  return &ledger->labels[text_hash(text) % LABEL_SLOTS];
}

static bool find_label(struct ledger_connection *c, const char *text, int64_t *ret_id,
                       struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_LABEL, &call, f))
    return false;
  ledger_call_text(&call, text);
  if (!ledger_call_step(&call, &found, f))
    return false;
  *ret_id = found ? sqlite3_column_int64(call.statement, 0) : 0;
  return true;
}

static bool add_label(struct ledger_connection *c, const char *text, int64_t *ret_id,
                      struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_ADD_LABEL, &call, f))
    return false;
  ledger_call_text(&call, text);
  if (!ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_last_insert_rowid(c->db);
  return true;
}

bool ledger_label_id(struct ledger *ledger, const char *text, int64_t *ret_id, struct fault *f)
{
  if (text[0] == '\0') {
    *ret_id = 0;
    return true;
  }
  struct label_slot *slot = label_slot(ledger, text);
  if (strcmp(slot->text, text) != 0) {
    int64_t id;
    if (!find_label(ledger->writer, text, &id, f) ||
        (id == 0 && !add_label(ledger->writer, text, &id, f)))
      return false;
    TEXT_COPY(slot->text, bytes_of_text(text));
    slot->id = id;
  }
  *ret_id = slot->id;
  return true;
}
