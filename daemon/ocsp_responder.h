/* ocsp_responder.h - who signs OCSP answers in the name of each authority: a key that lives in this
 * process's memory alone, with a certificate of that authority that is for nothing else (RFC 6960,
 * 4.2.2.2), so that the key holder is not asked for every answer.
 *
 * A thread makes them through the issue pipeline, so that they are checked and on the record like
 * any other: at the start when certificates say where OCSP is (public_url), otherwise when somebody
 * asks for the first time; and again when two thirds of their life are over. What fails is logged
 * and tried again, later and later. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/ocsp_credential.h"
#include "lib/base/fault.h"
#include "lib/ca/authorities.h"
#include "lib/ca/issue.h"

struct ocsp_responders;
struct ocsp_responder;

/* Borrows authorities and issuer. `at_once`: makes a certificate for each authority without being
 * asked. */
bool ocsp_responders_start(const struct authorities *authorities, struct issuer *issuer,
                           bool at_once, struct ocsp_responders **ret_responders, struct fault *f);
/* From now on at once, or when asked; new authorities are looked at. Any thread. */
void ocsp_responders_reload(struct ocsp_responders *responders, bool at_once);
/* Ends the thread; whoever waits is told. Before the pipeline is stopped, and when nobody asks any
 * more. */
void ocsp_responders_stop(struct ocsp_responders *responders);
void ocsp_responders_free(struct ocsp_responders *responders); /* accepts NULL */

/* The responder of the authority that a CertID names, by both of its hashes; NULL when it is none
 * of ours, or one whose certificate has expired. It stays until ocsp_responders_free. Any thread.
 */
struct ocsp_responder *ocsp_responders_find(struct ocsp_responders *responders,
                                            const struct ocsp_cert_id *id, int64_t now);
const struct authority *ocsp_responder_authority(const struct ocsp_responder *responder);

/* Who waits for a credential. ready() is called once, on the thread of the responders, which it
 * MUST NOT hold up: the credential is there, or will not be for some time. */
struct ocsp_waiter {
  void (*ready)(struct ocsp_waiter *waiter);
  struct ocsp_waiter *next;
};

enum ocsp_readiness {
  OCSP_READY,  /* *ret_credential, the caller's to release */
  OCSP_COMING, /* the waiter will be told; only when there is one */
  OCSP_NOT_NOW /* it could not be made a moment ago, or too many wait already */
};
/* The responder's credential, which is valid `now`; or it is on its way. waiter: NULL, or somebody
 * who would wait; not kept unless it is OCSP_COMING. Any thread. */
enum ocsp_readiness ocsp_responder_ask(struct ocsp_responder *responder, int64_t now,
                                       struct ocsp_waiter *waiter,
                                       struct ocsp_credential **ret_credential);
