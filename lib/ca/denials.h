/* denials.h - those who were not let in, so many a minute and no more: a flood of wrong tokens must
 * not fill the disk. The rest is counted, by address as far as there is room. Pure: the clock is
 * handed in. Threads: one at a time. */
#pragma once
#include "lib/ca/event.h"

enum {
  DENIALS_WINDOW_MS = 60 * 1000,
  DENIALS_OF_ADDRESS = 10, /* recorded one by one, in each window */
  DENIALS_IN_ALL = 60,     /* of all addresses together */
  DENIALS_ADDRESSES = 64   /* told apart */
};

/* All zero is empty. */
struct denials {
  int64_t began_ms; /* the window; 0: none is open */
  unsigned n_recorded, n_addresses;
  struct denials_address {
    char source[IP_TEXT_SIZE];
    unsigned n_recorded;
    int64_t n_more;
    enum fault_code code; /* of the last one that was only counted */
  } addresses[DENIALS_ADDRESSES];
  int64_t n_elsewhere;
};

/* True: record this one. False: it was counted. What a window that is over has counted must have
 * been told (denials_tell) before. */
bool denials_admit(struct denials *denials, const struct event *event, int64_t now_ms);
/* When there will be something to tell: INT64_MAX for nothing. */
int64_t denials_due_ms(const struct denials *denials);
/* Once the window is over: calls `each` for every address of which some were only counted, and once
 * more for those that were not told apart; then it is empty. */
void denials_tell(struct denials *denials, int64_t now_ms,
                  void (*each)(const struct event *event, void *context), void *context);
