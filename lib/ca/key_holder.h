/* key_holder.h - how the daemon comes to a connection with mintmark-keyd: a child process with one
 * socketpair for each slot, or the Unix socket of its own unit. A child that died is started anew,
 * at most every 200 ms at first and every 5 s at last. Threads: any. */
#pragma once
#include <stdbool.h>

#include "lib/base/fault.h"

struct key_holder;

/* socket_path: connect there. Otherwise program and config: started with posix_spawn when the first
 * slot connects (PR_SET_PDEATHSIG or the end of its sockets ends it with the daemon). slots: how
 * many connections there are at the most. */
bool key_holder_new(const char *socket_path, const char *program, const char *config,
                    unsigned slots, struct key_holder **ret_holder, struct fault *f);
/* A connected socket for this slot (0 to slots - 1), owned by the caller, who closes it when it
 * broke, or when its generation is over, and calls again. SIGNER_DOWN when there is none now. */
bool key_holder_connect(struct key_holder *holder, unsigned slot, int *ret_fd,
                        unsigned *ret_generation, struct fault *f);
/* Cheap: to be looked at before each exchange. Another one than that of the connection: the
 * connection is to be closed, and made anew. */
unsigned key_holder_generation(struct key_holder *holder);
/* Goes over to a child with the configuration as it is on disk now. The new one is started, and
 * seen to serve, before the generation changes; the one before answers what it works on, and ends
 * with its last connection. Takes as long as the start does; connections are given out meanwhile.
 * SIGNER_DOWN when the new one does not start, BUSY when too many earlier ones are still at work:
 * then everything stays as it was. A key holder at a socket is somebody else's to start: the
 * connections are made anew, no more. */
bool key_holder_renew(struct key_holder *holder, struct fault *f);
/* Closes; ends and reaps every child. */
void key_holder_free(struct key_holder *holder);
