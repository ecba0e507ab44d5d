/* verb_show.c - mintmark show: what is in these files, and does it fit together? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/facts.h"
#include "cli/item.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "cli/secrets.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { LABEL_WIDTH = 13 };

/* What was found out about two of the items. */
struct finding {
  const struct item *item, *other;
  bool good;
  const char *says; /* "belongs to" */
};

struct findings {
  struct finding *rows; /* owned */
  size_t n;
  bool failed;
};

static void findings_free(struct findings *findings)
{
  free(findings->rows);
}

AUTO_VALUE(findings, struct findings, findings_free)

static void add_finding(struct findings *findings, const struct item *item,
                        const struct item *other, bool good, const char *says)
{
  struct finding *rows = realloc(findings->rows, (findings->n + 1) * sizeof *rows);
  if (rows == NULL) {
    findings->failed = true;
    return;
  }
  findings->rows = rows;
  rows[findings->n++] = (struct finding){item, other, good, says};
}

/* The public key of a certificate or CSR; empty for others. */
static struct bytes spki_of(const struct item *item)
{
  if (item->kind == ITEM_CERT)
    return item->cert.key.spki;
  return item->kind == ITEM_CSR ? item->csr.key.spki : (struct bytes){0};
}

static bool heads_its_file(const struct item *item)
{
  return item->position == 1 && spki_of(item).len > 0;
}

/* A key belongs to something among the rest, or it fits none of the files' first objects. */
static void match_key(const struct items *all, const struct item *key, struct findings *findings)
{
  const struct item *first = NULL;
  bool fits = false;
  for (size_t i = 0; i < all->n; i++) {
    const struct item *other = &all->items[i];
    struct bytes spki = spki_of(other);
    if (first == NULL && (heads_its_file(other) || (other->path == key->path && spki.len > 0)))
      first = other;
    if (spki.len > 0 && private_key_fits(key->key, spki)) {
      add_finding(findings, key, other, true, "belongs to");
      fits = true;
    }
  }
  if (!fits && first != NULL)
    add_finding(findings, key, first, false, "does NOT belong to");
}

/* Within a file the next one is to be the issuer; elsewhere, whichever is. */
static void match_issuer(const struct items *all, size_t at, struct findings *findings)
{
  const struct item *item = &all->items[at];
  const struct item *next = at + 1 < all->n ? &all->items[at + 1] : NULL;
  if (cert_is_signed_by(&item->cert, &item->cert)) {
    add_finding(findings, item, item, true, "is signed by itself: a root");
    return;
  }
  if (next != NULL && next->kind == ITEM_CERT && next->path == item->path) {
    bool good = cert_is_signed_by(&item->cert, &next->cert);
    add_finding(findings, item, next, good, good ? "is signed by" : "is NOT signed by");
    return;
  }
  for (size_t i = 0; i < all->n; i++)
    if (all->items[i].kind == ITEM_CERT && cert_is_signed_by(&item->cert, &all->items[i].cert)) {
      add_finding(findings, item, &all->items[i], true, "is signed by");
      return;
    }
}

static void match_all(const struct items *all, struct findings *findings)
{
  for (size_t i = 0; i < all->n; i++) {
    const struct item *item = &all->items[i];
    if (item->kind == ITEM_KEY && item->key != NULL)
      match_key(all, item, findings);
    else if (item->kind == ITEM_CERT)
      match_issuer(all, i, findings);
    else if (item->kind == ITEM_CSR && !item->csr_is_proven)
      add_finding(findings, item, item, false, "is NOT signed by its own key");
  }
}

/* One row for each line of the text, the first with the label. */
static void print_fact(struct fact *fact)
{
  char *text = strdup(buf_text(&fact->text)), *rest = text;
  const char *label = fact->label;
  for (char *line; (line = strsep(&rest, "\n")) != NULL; label = "") {
    text_make_printable(line);
    screen_row(stdout, label, LABEL_WIDTH, line);
  }
  free(text);
}

static void print_item(const struct item *item, int64_t now)
{
  AUTO(facts) facts = {0};
  AUTO(buf) place = {0};
  item_place(item, &place);
  facts_of(item, now, &facts);
  printf("%s: %s\n", buf_text(&place), item_kind_name(item->kind));
  for (size_t i = 0; i < facts.n; i++)
    print_fact(&facts.rows[i]);
}

static void print_finding(const struct finding *finding)
{
  AUTO(buf) line = {0};
  item_place(finding->item, &line);
  buf_addf(&line, " %s", finding->says);
  if (finding->other != finding->item) {
    buf_add_text(&line, " ");
    item_place(finding->other, &line);
  }
  buf_add_text(&line, ".");
  screen_wrap(stdout, buf_text(&line), 0, 2, screen_width(stdout));
}

static json_t *json_of_text(struct buf *text)
{
  char *copy = strdup(buf_text(text));
  if (copy == NULL)
    return NULL;
  text_make_printable(copy);
  json_t *string = json_string(copy);
  free(copy);
  return string;
}

static json_t *json_of_list(struct buf *value)
{
  json_t *list = json_array();
  char *copy = strdup(buf_text(value)), *rest = copy, *entry;
  while (copy != NULL && copy[0] != '\0' && (entry = strsep(&rest, "\n")) != NULL) {
    text_make_printable(entry);
    json_array_append_new(list, json_string(entry));
  }
  free(copy);
  return list;
}

static json_t *json_of_item(const struct item *item, int64_t now)
{
  AUTO(facts) facts = {0};
  json_t *object = json_pack("{s:s, s:i, s:s}", "file", item->path, "position", (int)item->position,
                             "kind", item_kind_name(item->kind));
  facts_of(item, now, &facts);
  for (size_t i = 0; i < facts.n; i++) {
    struct fact *fact = &facts.rows[i];
    struct buf *value = fact->value.len > 0 || fact->is_list ? &fact->value : &fact->text;
    json_object_set_new(object, fact->name,
                        fact->is_list ? json_of_list(value) : json_of_text(value));
  }
  return object;
}

static bool print_json(const struct items *all, const struct findings *findings, struct fault *f)
{
  int64_t now = when_now();
  json_t *list = json_array(), *checks = json_array();
  for (size_t i = 0; i < all->n; i++)
    json_array_append_new(list, json_of_item(&all->items[i], now));
  for (size_t i = 0; i < findings->n; i++) {
    const struct finding *row = &findings->rows[i];
    AUTO(buf) item = {0};
    AUTO(buf) other = {0};
    item_place(row->item, &item);
    item_place(row->other, &other);
    json_array_append_new(checks,
                          json_pack("{s:s, s:s, s:s, s:b}", "item", buf_text(&item), "says",
                                    row->says, "other", buf_text(&other), "good", (int)row->good));
  }
  return json_print(json_pack("{s:o, s:o}", "items", list, "checks", checks), f);
}

static void print_plain(const struct items *all, const struct findings *findings)
{
  int64_t now = when_now();
  for (size_t i = 0; i < all->n; i++) {
    fputs(i > 0 ? "\n" : "", stdout);
    print_item(&all->items[i], now);
  }
  for (size_t i = 0; i < findings->n; i++) {
    fputs(i == 0 ? "\n" : "", stdout);
    print_finding(&findings->rows[i]);
  }
}

/* Reads what can be read; the first file that cannot is told at the end, after the others are
 * shown. */
static bool read_files(const struct args *args, struct bytes passphrase, struct items *items,
                       struct fault *f)
{
  for (size_t i = 0; i < args->n_operands; i++) {
    AUTO(fault) one = {0};
    if (items_read(args->operands[i], passphrase, items, &one))
      continue;
    if (f->code != FAULT_NONE)
      fault_add_item(f, args->operands[i], "%s", one.detail);
    else
      fault_move(f, &one);
  }
  return f->code == FAULT_NONE;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(secret_buf) passphrase = {0};
  AUTO(items) items = {0};
  AUTO(findings) findings = {0};
  if (!secret_line_read(args_get(args, "passphrase-file"), "passphrase", &passphrase, f))
    return false;
  bool good = read_files(args, buf_bytes(&passphrase), &items, f);
  match_all(&items, &findings);
  if (findings.failed)
    return fault_no_memory(f);
  if (!args_has(args, "json"))
    print_plain(&items, &findings);
  else if (!print_json(&items, &findings, f))
    return false;
  for (size_t i = 0; good && i < findings.n; i++)
    if (!findings.rows[i].good)
      return fault_set(f, BAD_FILE, "these files do not fit together");
  return good;
}

static const struct option options[] = {
    {"passphrase-file", "FILE", "opens encrypted keys", 0},
    {"json", NULL, "print it as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "What is in this certificate?",
    "mintmark show W-1001.crt",
    "Does this key belong to it, and does the chain hold?",
    "mintmark show W-1001.key W-1001.chain.pem root.crt",
    NULL,
};

const struct verb verb_show = {
    .name = "show",
    .operands = "FILE...",
    .min_operands = 1,
    .max_operands = 1000,
    .summary = "what is in a certificate, chain, CSR, key or CRL; do they fit",
    .about = "Reads PEM and DER; - is standard input. Of a private key only the kind is shown. "
             "With several objects it says which key belongs to which certificate, and which "
             "certificate is signed by which. The exit code is 1 when a file is none of these, or "
             "when they do not fit together.",
    .options = options,
    .examples = examples,
    .run = run,
};
