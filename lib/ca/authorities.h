/* authorities.h - the issuing CAs of the daemon: one issues, the others go on answering for what
 * they issued.
 *
 * The files of each are named by the configuration, its state is kept in the ledger. What was
 * loaded stays until the daemon ends, so that a pointer to an authority is good as long as the
 * object. Threads: any. */
#pragma once
#include "lib/ca/authority.h"
#include "lib/ca/conf.h"
#include "lib/ca/ledger_authority.h"

struct authorities;

/* Looks at the files of every authority of the configuration. BAD_FILE, FILE_ERROR. */
bool authorities_check(const struct conf *conf, int64_t now, struct fault *f);

/* Loads all of the configuration's, and makes those known to the ledger that are new to it. When no
 * authority issues as yet, the configuration's first one does from now on. BAD_FILE or FILE_ERROR;
 * BAD_CONFIG when the configuration lacks the one that issues; LEDGER. Borrows the ledger. */
bool authorities_load(const struct conf *conf, struct ledger *ledger, int64_t now,
                      struct authorities **ret_authorities, struct fault *f);
/* Loads those that the configuration has and the object has not, as above; *ret_n is how many.
 * Those that the configuration has no more stay. BAD_CONFIG when one has another certificate than
 * before. */
bool authorities_reload(struct authorities *authorities, const struct conf *conf, int64_t now,
                        size_t *ret_n, struct fault *f);
/* A set of one, which issues: for tests and benches. Takes the authority over; NULL without memory.
 */
struct authorities *authorities_of_one(struct authority *authority);
void authorities_free(struct authorities *authorities); /* accepts NULL */

/* The one that issues; never NULL. */
const struct authority *authorities_active(const struct authorities *authorities);
const struct authority *authorities_named(const struct authorities *authorities, const char *name);
size_t authorities_n(const struct authorities *authorities);
/* In the order of the configuration. */
const struct authority *authorities_at(const struct authorities *authorities, size_t index);
enum authority_state authorities_state(const struct authorities *authorities, size_t index);
/* The one that signed this certificate, by its names and signature; NULL: none of ours. */
const struct authority *authorities_issuer_of(const struct authorities *authorities,
                                              const struct cert *cert);
/* Is this public key one of a CA of ours? */
bool authorities_have_key(const struct authorities *authorities, struct bytes spki);

/* From the commit on, requests are issued by this one; without a restart. Faults: as
 * ledger_activate_authority() and ledger_retire_authority(), and BAD_FILE when its certificate is
 * not valid now. */
bool authorities_activate(struct authorities *authorities, const char *name, int64_t now,
                          const struct event *who, struct fault *f);
bool authorities_retire(struct authorities *authorities, const char *name, const struct event *who,
                        struct fault *f);
