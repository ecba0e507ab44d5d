/* flow.h - the real daemon, key holder and ledger, driven over TLS as a station or an operator
 * would.
 *
 * A flow has a folder of its own with an authority made by `mintmark init`, and a daemon on a free
 * loopback port. Every call asserts what it needs (cmocka), so that a test reads as a list of
 * steps. Calls may come from many threads, but those that start and stop. */
#pragma once
#include "tests/unit/unit.h"

#include <jansson.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/pki/private_key.h"

struct flow {
  char folder[64]; /* below /tmp; removed by flow_end */
  pid_t daemon;
  char url[64]; /* "https://127.0.0.1:PORT" */
  int port;
  char public_url[64]; /* "http://127.0.0.1:PORT"; "": the configuration has no public_listen */
  int public_port;     /* 0: likewise */
  char admin[128], station[128]; /* tokens; station is "line-1" */
};

/* Makes the authority and starts the daemon. `conf` is appended to its configuration: NULL for
 * none. The profile "test" is always there: ec-p256 and rsa, 10.0.0.0/8, 2001:db8::/32,
 * "**.widgets.example", "urn:widget:". */
void flow_begin(struct flow *flow, const char *conf);
/* Stops the daemon (SIGTERM), asserts that it ended with 0, and removes the folder. */
void flow_end(struct flow *flow);

/* Starts the daemon of a flow that has none. */
void flow_start(struct flow *flow);
/* Sends a signal and waits for the end; returns the wait status. */
int flow_stop(struct flow *flow, int signal);
/* Runs a program of the build to its end; arguments[0] is its name, NULL stands behind the last.
 * What it says goes into *ret_said. Returns its exit code. */
int flow_run(const struct flow *flow, const char *const *arguments, struct buf *ret_said);
/* The same for the command line as the administrator: its words, NULL behind the last. */
int flow_mintmark(const struct flow *flow, const char *const *words, struct buf *ret_said);
/* Reads the daemon's log. */
void flow_log(const struct flow *flow, struct buf *ret_log);
/* A request's line is written after its reply was sent: so it may have to be waited for. */
bool flow_log_has(const struct flow *flow, const char *text);
void flow_wait_for_log(const struct flow *flow, const char *text);
/* A path in the flow's folder; the text lives in `out`. */
const char *flow_path(const struct flow *flow, const char *name, char out[128]);
/* The pid of the daemon's key holder. */
pid_t flow_key_holder(const struct flow *flow);
/* Stops it (SIGSTOP), and returns when it stands still. */
void flow_hang_key_holder(const struct flow *flow);
/* Replaces text in a file of the flow, and in the daemon's configuration. */
void flow_edit(const struct flow *flow, const char *name, const char *from, const char *to);
void flow_edit_conf(const struct flow *flow, const char *from, const char *to);

/* --- HTTP --- */

struct answer {
  long status; /* 0: no answer came */
  char content_type[128], location[128], request_id[80], allow[64], authenticate[64];
  long retry_after; /* -1: none */
  struct buf body;
};
void answer_free(struct answer *answer);
AUTO_VALUE(answer, struct answer, answer_free)

struct ask {
  const char *method; /* NULL: GET, or POST when there is a body */
  const char *path;
  bool plain;                        /* by plain HTTP */
  const char *token;                 /* NULL: none */
  const char *content_type, *accept; /* NULL: curl's */
  const char *header;                /* one more, "Name: value"; NULL: none */
  struct bytes body;
};
/* One request over a connection of this thread that is kept alive. Replaces what is in the answer.
 */
void flow_ask(const struct flow *flow, const struct ask *ask, struct answer *answer);

/* The body as JSON; asserts that it is an object. The caller frees it with json_decref. */
json_t *answer_json(struct answer *answer);
const char *json_text(const json_t *object,
                      const char *key); /* asserts that it is there and a string */
/* Asserts status, content type and code of a problem document. */
void assert_problem(struct answer *answer, long status, const char *code);

/* Sends octets over a TLS connection of its own and reads until the peer closes or `seconds` are
 * over; returns the status of the first answer, 0 when there was none. `dribble` sends one octet a
 * second. *ret_closed: the peer closed in time. */
long flow_raw(const struct flow *flow, struct bytes octets, double seconds, bool dribble,
              bool *ret_closed);

/* The same, by plain HTTP. */
long flow_raw_plain(const struct flow *flow, struct bytes octets, double seconds, bool dribble,
                    bool *ret_closed);

/* Does a TLS handshake with these GnuTLS priorities succeed? The certificate is not looked at. */
bool flow_handshake(const struct flow *flow, const char *priorities);

/* --- what a station sends --- */

/* A new P-256 key and its CSR in PEM, without names. */
void make_csr(struct buf *ret_pem);
void make_csr_for(const struct private_key *key, const char *subject_cn, const struct sans *names,
                  struct buf *ret_pem);
/* {"csr": ..., "device_serial": serial, "profile": "test", "ip_sans": [ip]}, with `more`
 * (",\"order\":\"x\"") added; ip may be NULL. */
void issue_body(const char *csr_pem, const char *serial, const char *ip, const char *more,
                struct buf *ret_json);
/* Makes a production order of the profile "test", as the administrator. `more`: as above. */
void flow_order(const struct flow *flow, const char *name, unsigned quantity, const char *more);
/* POSTs it as the station. */
void flow_issue(const struct flow *flow, const char *csr_pem, const char *serial, const char *ip,
                const char *more, struct answer *answer);

/* --- what must hold --- */

/* One number from the ledger, by a connection of its own. */
long flow_sql(const struct flow *flow, const char *sql);
long flow_rows(
    const struct flow *flow); /* issued by stations: without the daemon's own certificate */
/* Asserts that the JSON reply's certificate verifies up to the root with the reply's chain, for a
 * TLS server at this address. */
void assert_chain(const struct flow *flow, const json_t *reply, const char *ip);
