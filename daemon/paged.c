/* paged.c - see paged.h. */
#include "daemon/paged.h"

#include <stdlib.h>

#include "lib/base/log.h"

enum { PAGE_ROWS = 500 };

struct paged {
  const struct paged_rows *rows;
  void *state;
  unsigned left; /* rows still to send; 0: no limit was given */
  size_t n;      /* of the page that was fetched */
  bool more, begun;
};

static bool fetch(struct paged *paged, struct fault *f)
{
  bool ends_here = paged->left > 0 && paged->left < PAGE_ROWS;
  return paged->rows->fetch(paged->state, ends_here ? paged->left : PAGE_ROWS, &paged->n,
                            &paged->more, f);
}

/* Steps behind the page that was sent; false when it was the last. */
static bool step(struct paged *paged)
{
  if (!paged->more || paged->n == 0)
    return false;
  if (paged->left == 0)
    return true;
  paged->left -= (unsigned)paged->n < paged->left ? (unsigned)paged->n : paged->left;
  return paged->left > 0;
}

static bool add_more(struct paged *paged, struct buf *out, bool *ret_end, struct fault *f)
{
  if (!paged->begun && paged->rows->begin != NULL)
    paged->rows->begin(out);
  paged->begun = true;
  if (!paged->rows->add(paged->state, out, f))
    return false;
  *ret_end = !step(paged);
  return *ret_end || fetch(paged, f);
}

/* The reply's status has gone out: all that can be done about a fault is to break off, so that the
 * client does not take a part for the whole, and to say so in the log. */
static bool next(void *state, struct buf *out, bool *ret_end)
{
  AUTO(fault) f = {0};
  if (add_more(state, out, ret_end, &f))
    return true;
  log_say(LOG_LEVEL_ERROR, "a listing was broken off", LOG_TEXT("code", fault_problem_code(f.code)),
          LOG_TEXT("detail", f.detail));
  return false;
}

static void free_paged(void *state)
{
  struct paged *paged = state;
  paged->rows->free(paged->state);
  free(paged);
}

bool paged_start(const struct paged_rows *rows, void *state, const char *content_type,
                 unsigned limit, struct reply *reply, struct fault *f)
{
  struct paged *paged = calloc(1, sizeof *paged);
  if (paged == NULL) {
    rows->free(state);
    return fault_no_memory(f);
  }
  *paged = (struct paged){.rows = rows, .state = state, .left = limit};
  if (!fetch(paged, f)) {
    free_paged(paged);
    return false;
  }
  reply->status = 200;
  reply->content_type = content_type;
  reply->stream = (struct reply_stream){.next = next, .free = free_paged, .state = paged};
  return true;
}
