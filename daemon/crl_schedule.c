/* crl_schedule.c - see crl_schedule.h. */
#include "daemon/crl_schedule.h"

enum {
  CLOCK_SKEW_S = 60, /* further ahead than a clock that is set right */
  FIRST_WAIT_S = 2,
  LONGEST_WAIT_S = 300
};

static int64_t earlier(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* With a quarter of its time left, whatever the configuration says by now. */
static int64_t runs_out_at(const struct crl_edition *edition)
{
  return edition->next_update - (edition->next_update - edition->this_update) / 4;
}

static bool is_due(const struct crl_edition *edition, int64_t every_s, int64_t news_due_at,
                   int64_t now)
{
  if (edition->number == 0 || edition->this_update > now + CLOCK_SKEW_S)
    return true;
  if (edition->this_update >= now)
    return false;
  int64_t due = earlier(edition->this_update + every_s, runs_out_at(edition));
  return now >= earlier(due, news_due_at);
}

/* What was seen at a time that is yet to come waits for nothing: the clock was set back. */
static int64_t news_due_at(const struct crl_state *state, const struct conf_crl *conf, int64_t now)
{
  if (state->news_at == 0)
    return INT64_MAX;
  return state->news_at > now ? now : state->news_at + conf->delay_s;
}

enum crl_kind crl_due(const struct crl_state *state, const struct conf_crl *conf, int64_t now)
{
  bool has_deltas = conf->delta_every_s > 0;
  int64_t news_at = news_due_at(state, conf, now);
  if (is_due(&state->complete, conf->every_s,
             state->forced ? now
             : has_deltas  ? INT64_MAX
                           : news_at,
             now))
    return CRL_COMPLETE;
  /* Issued at the same time, the two would have to have the same number (RFC 5280, 5.2.3). */
  if (!has_deltas || state->complete.number == 0 || state->complete.this_update >= now)
    return CRL_NONE;
  return is_due(&state->delta, conf->delta_every_s, news_at, now) ? CRL_DELTA : CRL_NONE;
}

int64_t crl_back_off(unsigned failures)
{
  int64_t wait_s = FIRST_WAIT_S;
  for (unsigned i = 1; i < failures && wait_s < LONGEST_WAIT_S; i++)
    wait_s *= 2;
  return earlier(wait_s, LONGEST_WAIT_S);
}
