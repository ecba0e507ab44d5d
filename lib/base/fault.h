/* fault.h - everything that can go wrong, in one table, and the object that carries it up.
 *
 * Library code returns faults and never logs them; whoever started the work says them once: the
 * front as a problem document and a line of log, the command line as a message and an exit code.
 * Threads: none of its own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/cleanup.h"

/* Whose fault it is decides how it is logged: a PEER's at "info", OURS at "error". */
enum fault_whose { FAULT_PEER, FAULT_OURS };

/*        code                     status whose  title                                        */
/* clang-format off */
#define FAULTS(X)                                                                                  \
  X(BAD_REQUEST,                   400,  PEER,  "the request is malformed")                       \
  X(BAD_JSON,                      400,  PEER,  "not a JSON object")                              \
  X(BAD_FIELD,                     400,  PEER,  "a field has the wrong type or form")             \
  X(UNKNOWN_FIELD,                 400,  PEER,  "a field that is not known")                      \
  X(BAD_CSR,                       400,  PEER,  "not a PKCS #10 certification request")           \
  X(BAD_CURSOR,                    400,  PEER,  "not a cursor of this listing")                   \
  X(UNAUTHENTICATED,               401,  PEER,  "who are you")                                    \
  X(FORBIDDEN,                     403,  PEER,  "you may not")                                    \
  X(NOT_FOUND,                     404,  PEER,  "nothing is here")                                \
  X(UNKNOWN_SERIAL_NUMBER,         404,  PEER,  "no such certificate was issued")                 \
  X(METHOD_NOT_ALLOWED,            405,  PEER,  "this method is not allowed here")                \
  X(NOT_ACCEPTABLE,                406,  PEER,  "no reply of an accepted type can be made")       \
  X(REQUEST_TIMEOUT,               408,  PEER,  "the request took too long to arrive")            \
  X(DEVICE_HAS_CERTIFICATE,        409,  PEER,  "the device already has a certificate")           \
  X(KEY_ALREADY_USED,              409,  PEER,  "another device has this key")                    \
  X(PRINCIPAL_EXISTS,              409,  PEER,  "a principal of this name already exists")        \
  X(UNKNOWN_PRINCIPAL,             404,  PEER,  "there is no such principal")                     \
  X(UNKNOWN_AUTHORITY,             404,  PEER,  "there is no such authority")                     \
  X(AUTHORITY_STATE,               409,  PEER,  "the authority's state does not allow this")      \
  X(CERTIFICATE_STATE,             409,  PEER,  "the certificate's state does not allow this")    \
  X(SELECTION_CHANGED,             409,  PEER,  "what was selected has changed meanwhile")        \
  X(RENEWAL_TOO_EARLY,             409,  PEER,  "the certificate is not due for renewal")         \
  X(RENEWAL_NOT_ALLOWED,           422,  PEER,  "the certificate may not be renewed")             \
  X(UNKNOWN_ORDER,                 404,  PEER,  "there is no such order")                         \
  X(ORDER_EXISTS,                  409,  PEER,  "an order of this name already exists")           \
  X(ORDER_EXHAUSTED,               409,  PEER,  "the order's quantity has been issued")           \
  X(ORDER_CLOSED,                  409,  PEER,  "the order is not open")                          \
  X(ORDER_REQUIRED,                422,  PEER,  "the profile needs an order")                     \
  X(ORDER_NOT_ALLOWED,             422,  PEER,  "the order does not allow this request")          \
  X(UNKNOWN_BATCH,                 404,  PEER,  "there is no such batch")                         \
  X(BATCH_EXISTS,                  409,  PEER,  "a batch of this id already exists")              \
  X(UNKNOWN_DEVICE,                404,  PEER,  "there is no such device")                        \
  X(DEVICE_EXISTS,                 409,  PEER,  "a device of this serial is already known")       \
  X(ADDRESS_NOT_PROVEN,            422,  PEER,  "it does not come from the address it names")      \
  X(BODY_TOO_LARGE,                413,  PEER,  "the body is larger than is taken here")          \
  X(UNSUPPORTED_MEDIA_TYPE,        415,  PEER,  "this content type is not taken here")            \
  X(BAD_PROOF_OF_POSSESSION,       422,  PEER,  "the request is not signed by its own key")       \
  X(WEAK_KEY,                      422,  PEER,  "the key is weak")                                \
  X(KEY_TYPE_NOT_ALLOWED,          422,  PEER,  "the profile does not allow this type of key")    \
  X(KEY_NOT_ALLOWED,               422,  PEER,  "this key may not be certified")                  \
  X(BAD_NAME,                      422,  PEER,  "a name is not well formed")                      \
  X(NAME_NOT_ALLOWED,              422,  PEER,  "the profile does not allow a name")              \
  X(NAME_NOT_REQUESTED,            422,  PEER,  "the CSR has a name that the request has not")    \
  X(TOO_MANY_NAMES,                422,  PEER,  "more names than the profile allows")             \
  X(NAME_REQUIRED,                 422,  PEER,  "the profile needs at least one name")            \
  X(DEVICE_SERIAL_REQUIRED,        422,  PEER,  "the profile needs a device_serial")              \
  X(UNKNOWN_PROFILE,               422,  PEER,  "there is no such profile")                       \
  X(BAD_SUBJECT,                   422,  PEER,  "the subject cannot be made from this request")   \
  X(OUTLIVES_ISSUER,               422,  PEER,  "the certificate would outlive its issuer")       \
  X(TOO_MANY_REQUESTS,             429,  PEER,  "too many requests")                              \
  X(INTERNAL,                      500,  OURS,  "an error of ours")                               \
  X(LINT,                          500,  OURS,  "the certificate that was built is not correct")  \
  X(SIGNER_REFUSED,                500,  OURS,  "the key holder refused to sign")                 \
  X(SIGNER_SPENT,                  503,  OURS,  "the key holder has signed all that it may")      \
  X(SIGNER_DOWN,                   503,  OURS,  "the key holder does not answer")                 \
  X(LEDGER_BEHIND,                 503,  OURS,  "the ledger is older than what was signed")       \
  X(LEDGER,                        503,  OURS,  "the ledger cannot be used")                      \
  X(NO_MEMORY,                     503,  OURS,  "out of memory")                                  \
  X(BUSY,                          503,  OURS,  "more work than can be taken on")                 \
  X(STOPPING,                      503,  OURS,  "the daemon is stopping")                         \
  X(DEADLINE,                      503,  OURS,  "the work was not done in time")                  \
  X(LEDGER_IS_NEWER,               500,  OURS,  "the ledger was written by a newer program")      \
  X(BAD_CONFIG,                    500,  OURS,  "the configuration is not valid")                 \
  X(BAD_FILE,                      500,  OURS,  "a file is not what was expected")                \
  X(FILE_ERROR,                    500,  OURS,  "a file cannot be read or written")               \
  X(BAD_PASSPHRASE,                500,  OURS,  "the passphrase does not open the key")           \
  X(BAD_USAGE,                     500,  OURS,  "wrong usage")                                    \
  X(UNREACHABLE,                   500,  OURS,  "the daemon cannot be reached")
/* clang-format on */

enum fault_code {
  FAULT_NONE,
#define X(code, status, whose, title) FAULT_##code,
  FAULTS(X)
#undef X
      FAULT_COUNT
};

/* One rejected name, and why. */
struct fault_item {
  char name[256];
  char why[160];
};

/* All zero is "no fault". detail and items are printable UTF-8 whatever the peer sent. */
struct fault {
  enum fault_code code;
  char detail[400];
  struct fault_item *items; /* owned */
  size_t n_items;
};

/* Records a fault, in place of any earlier one (items stay), and returns false, so that
 * `return fault_set(f, BAD_CSR, "...")` is the way out. Octets that are not printable UTF-8 become
 * '?'. */
#define fault_set(f, code, ...) fault_set_code((f), FAULT_##code, __VA_ARGS__)
bool fault_set_code(struct fault *f, enum fault_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same as fault_set with "out of memory". */
bool fault_no_memory(struct fault *f);
/* Puts "prefix: " before the detail: "mintmark.conf:12: ..." */
bool fault_prefix(struct fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds one rejected name; at most 1000 are kept. Does not set the code. Returns false. */
bool fault_add_item(struct fault *f, const char *name, const char *why_format, ...)
    __attribute__((format(printf, 3, 4)));
/* Moves a fault; the source is then empty. */
void fault_move(struct fault *to, struct fault *from);
void fault_free(struct fault *f);

int fault_status(enum fault_code code);        /* HTTP status */
const char *fault_title(enum fault_code code); /* one line, for a person */
const char *
fault_problem_code(enum fault_code code); /* "key-already-used": stable, for a program */
enum fault_whose fault_whose(enum fault_code code);

AUTO_VALUE(fault, struct fault, fault_free)
