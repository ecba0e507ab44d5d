/* issue.h - the pipeline that every protocol hands its requests to: workers (read, check, build,
 * lint, sign), then one ledger writer with group commit. The one policy path.
 *
 * A request is plain data. "The same request" is: same device_serial, profile, order, model,
 * replace, names (as a set) and public key; request_sha256 is SHA-256 over their canonical form.
 * Who asks, and the CSR's own signature and extensions, do not count: a widget that was moved to
 * another station after a lost reply gets its certificate all the same. Of a renewal it is: the
 * same certificate that is renewed, and public key.
 *
 * Durable before released: done() comes after the commit. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/base/ip.h"
#include "lib/ca/authorities.h"
#include "lib/ca/conf.h"
#include "lib/ca/key_holder.h"
#include "lib/ca/ledger.h"
#include "lib/ca/standing.h"
#include "lib/pki/san.h"

/* The station of certificates that devices asked for themselves; no principal can be called so. A
 * device's own name would do for none: it may be called as a station is. */
#define STATION_DEVICE "@device"

/* After done(), `profile` is the one that was taken, `model` the order's when none was given, and
 * `names` are those that were certified. */
struct issue_request {
  char station[PRINCIPAL_NAME_SIZE]; /* the principal who asks; STATION_DEVICE for any device */
  enum role role;                    /* and its role */
  char own_serial[LABEL_SIZE];       /* of a device: the device_serial that it may ask for */
  int64_t secret_no;                 /* of a device: see struct principal */
  char source[IP_TEXT_SIZE];         /* the address it asks from */
  char request_id[65];
  struct buf csr; /* DER (csr_decode was the protocol's work); owned */
  char device_serial[LABEL_SIZE], profile[LABEL_SIZE], order[LABEL_SIZE], model[LABEL_SIZE];
  struct sans names; /* owned */
  bool replace;
  char authority[LABEL_SIZE]; /* "": the one that issues now; any other is for the daemon itself */
  /* Of its holder: the id of the certificate that it wants another one for; 0: no renewal.
   * device_serial, profile, order, model and names are then that one's, whatever stands here. */
  int64_t renews;
  bool spares;           /* with replace: what it replaces stays good until it expires */
  bool ends_with_issuer; /* made shorter instead of refused when it would outlive its issuer */
};

struct issue_result {
  bool replayed;
  struct issued row; /* owned; empty when fault.code is set */
};

struct issue_job {
  struct issue_request request;
  struct issue_result result;
  struct fault fault; /* FAULT_NONE: issued or replayed */
  /* Called once, on a thread of the pipeline. MUST NOT block and MUST NOT submit. The job belongs
   * to its maker again. */
  void (*done)(struct issue_job *job);
  void *context;
  int64_t deadline_ms; /* on when_monotonic_ms(); set by issuer_submit */
  /* Of a batch of requests: its id in the ledger, and this one's line. What becomes of it is then
   * kept, unless that is a fault of 503, after which it may be submitted again. 0: of none. */
  int64_t batch, line;
  bool unwritten;    /* of a batch, and done: but this could not be kept. See issuer_record() */
  bool decided;      /* the pipeline's own: its end does not wait for a row */
  bool names_added;  /* likewise: to the request's names, which are */
  struct sans asked; /* these; owned */
  struct issue_job *next;
};
void issue_job_free(
    struct issue_job *job); /* what it owns, and the object: it was allocated with calloc */

struct issuer;

/* Starts conf->workers workers and the writer. Borrows ledger, authorities, holder (slots 0 to
 * workers - 1 of it) and standing (NULL: nothing stands against signing), which must outlive it;
 * holds a reference to conf. */
bool issuer_start(struct conf *conf, const struct authorities *authorities, struct ledger *ledger,
                  struct key_holder *holder, struct standing *standing, struct issuer **ret_issuer,
                  struct fault *f);
/* From now on requests are held against this configuration's profiles. Any thread. */
void issuer_reload(struct issuer *issuer, struct conf *conf);
/* Does the configuration, as it is now, have a profile of this name that somebody may ask under?
 * Any thread. */
bool issuer_has_profile(struct issuer *issuer, const char *name);
/* How many jobs it has taken and not yet finished. Any thread. */
unsigned issuer_load(const struct issuer *issuer);
/* Takes the job, or returns false with BUSY, STOPPING or LEDGER_BEHIND (the job stays the caller's
 * and done() is not called). A batch has half of the room, so that it does not crowd out single
 * requests. A job that failed may be submitted once more. Any thread. */
bool issuer_submit(struct issuer *issuer, struct issue_job *job, struct fault *f);
/* Of a batch alone: the same for a job that has its outcome already (a fault that was found in its
 * line, or what it was told when that could not be kept), which is recorded. */
bool issuer_record(struct issuer *issuer, struct issue_job *job, struct fault *f);
/* Takes no more jobs, finishes those it has, joins its threads, frees. */
void issuer_stop(struct issuer *issuer);

/* The canonical digest of a request (see above). NO_MEMORY. */
bool issue_request_sha256(const struct issue_request *request, const uint8_t spki_sha256[32],
                          uint8_t ret_sha256[32], struct fault *f);
