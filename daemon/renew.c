/* renew.c - see renew.h. */
#include "daemon/renew.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/adopt.h"
#include "daemon/renew_files.h"
#include "daemon/tls.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/thread.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "lib/pki/private_key.h"

enum { HOUR_S = 3600 };

struct renewer {
  const struct authorities *authorities;
  struct issuer *issuer;
  struct recorder *recorder;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct conf *conf; /* held */
  bool look, stopping, answered;
};

/* --- the request --- */

/* The names are the request's; the CSR proves the key. */
static bool fill_request(const struct cert *current, const struct private_key *key,
                         struct issue_request *request, struct fault *f)
{
  struct bytes cn = bytes_of_text("mintmarkd");
  name_value(current->subject, ATTR_COMMON_NAME, &cn);
  if (!TEXT_COPY(request->device_serial, cn))
    return fault_set(f, BAD_FILE, "the common name of the daemon's certificate is too long");
  TEXT_COPY(request->station, bytes_of_text("mintmarkd"));
  TEXT_COPY(request->profile, bytes_of_text("server"));
  request->role = ROLE_ADMIN;
  request->replace = true;
  /* Its handshakes go on with the one that it has, until they have this one. */
  request->spares = true;
  /* In the last year of an authority a shorter one is better than none. */
  request->ends_with_issuer = true;
  return sans_copy(&request->names, &current->names, f) &&
         private_key_write_csr(key, current->subject, NULL, &request->csr, f);
}

static void on_done(struct issue_job *job)
{
  struct renewer *renewer = job->context;
  pthread_mutex_lock(&renewer->lock);
  renewer->answered = true;
  pthread_cond_broadcast(&renewer->changed);
  pthread_mutex_unlock(&renewer->lock);
}

/* The pipeline answers each job that it has taken, within its own deadline. */
static bool issue(struct renewer *renewer, struct issue_job *job, struct fault *f)
{
  job->done = on_done;
  job->context = renewer;
  renewer->answered = false;
  if (!issuer_submit(renewer->issuer, job, f))
    return false;
  pthread_mutex_lock(&renewer->lock);
  while (!renewer->answered)
    pthread_cond_wait(&renewer->changed, &renewer->lock);
  pthread_mutex_unlock(&renewer->lock);
  if (job->fault.code == FAULT_NONE)
    return true;
  fault_move(f, &job->fault);
  return false;
}

/* --- the new pair --- */

static bool write_pair(const struct renewer *renewer, const struct conf *conf,
                       const struct issued *row, const struct private_key *key, struct fault *f)
{
  AUTO(buf) certificate = {0};
  AUTO(secret_buf) key_pem = {0};
  const struct authority *authority = authorities_named(renewer->authorities, row->authority);
  pem_add(&certificate, "CERTIFICATE", buf_bytes(&row->der));
  buf_add_bytes(&certificate, buf_bytes(&authority->chain_pem));
  if (!buf_ok(&certificate))
    return fault_no_memory(f);
  return private_key_write(key, (struct bytes){0}, &key_pem, f) &&
         renew_files_write(conf->tls_certificate, conf->tls_key, buf_bytes(&certificate),
                           buf_bytes(&key_pem), f) &&
         tls_load(conf->tls_certificate, conf->tls_key, f);
}

static void tell(const struct renewer *renewer, const struct issued *row)
{
  char serial_number[2 * SERIAL_NUMBER_LEN + 1], until[WHEN_TEXT_SIZE];
  struct event event = {.kind = EVENT_SERVER_RENEWED, .certificate = row->id};
  text_hex(serial_number, row->serial_number, SERIAL_NUMBER_LEN);
  when_text(until, row->not_after);
  TEXT_COPY(event.principal, bytes_of_text(row->station));
  log_say(LOG_LEVEL_INFO, "the daemon's own certificate is renewed",
          LOG_TEXT("serial_number", serial_number), LOG_TEXT("not_after", until));
  recorder_note(renewer->recorder, &event);
}

AUTO_POINTER(issue_job, struct issue_job, issue_job_free)

static bool renew(struct renewer *renewer, const struct conf *conf, const struct cert *current,
                  struct fault *f)
{
  AUTO(private_key) key = NULL;
  AUTO(issue_job) job = calloc(1, sizeof *job);
  if (job == NULL)
    return fault_no_memory(f);
  if (!private_key_generate(private_key_kind_of(&current->key), &key, f) ||
      !fill_request(current, key, &job->request, f) || !issue(renewer, job, f) ||
      !write_pair(renewer, conf, &job->result.row, key, f))
    return false;
  tell(renewer, &job->result.row);
  return true;
}

/* --- when --- */

static int64_t within(int64_t seconds, int64_t least)
{
  return seconds < least ? least : seconds > HOUR_S ? HOUR_S : seconds;
}

/* Looks at it, and renews it when it is due; returns the seconds until the next look. */
static int64_t look(struct renewer *renewer, const struct conf *conf)
{
  AUTO(buf) der = {0};
  AUTO(cert) current = {0};
  AUTO(fault) f = {0};
  int64_t now = when_now(), wait_s = HOUR_S;
  bool done = adopt_read_leaf(conf->tls_certificate, &der, &current, &f);
  if (done && authorities_issuer_of(renewer->authorities, &current) != NULL) {
    int64_t lifetime = current.not_after - current.not_before;
    int64_t due_at = cert_due_at(current.not_before, current.not_after);
    bool is_due = now >= due_at;
    done = !is_due || renew(renewer, conf, &current, &f);
    /* A profile whose certificates are due when they are new does not make one after the other. */
    wait_s = is_due ? within(lifetime / 6, 1) : within(due_at - now, 1);
  }
  if (!done)
    log_say(LOG_LEVEL_ERROR, "the daemon's own certificate is not renewed",
            LOG_TEXT("code", fault_problem_code(f.code)), LOG_TEXT("detail", f.detail));
  return done ? wait_s : within(wait_s / 2, 1);
}

/* With the lock held; false when it is to stop. By a clock that nobody sets back. */
static bool wait(struct renewer *renewer, int64_t seconds)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += seconds;
  while (!renewer->look && !renewer->stopping)
    if (pthread_cond_timedwait(&renewer->changed, &renewer->lock, &until) != 0)
      break;
  renewer->look = false;
  return !renewer->stopping;
}

static void *run(void *context)
{
  struct renewer *renewer = context;
  int64_t wait_s = 0;
  pthread_mutex_lock(&renewer->lock);
  while (wait(renewer, wait_s)) {
    struct conf *conf = conf_hold(renewer->conf);
    pthread_mutex_unlock(&renewer->lock);
    wait_s = look(renewer, conf);
    conf_release(conf);
    pthread_mutex_lock(&renewer->lock);
  }
  pthread_mutex_unlock(&renewer->lock);
  return NULL;
}

/* --- its life --- */

static void init_waiting(struct renewer *renewer)
{
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&renewer->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&renewer->lock, NULL);
}

static void renewer_free(struct renewer *renewer)
{
  pthread_cond_destroy(&renewer->changed);
  pthread_mutex_destroy(&renewer->lock);
  conf_release(renewer->conf);
  free(renewer);
}

bool renewer_start(struct conf *conf, const struct authorities *authorities, struct issuer *issuer,
                   struct recorder *recorder, struct renewer **ret_renewer, struct fault *f)
{
  struct renewer *renewer = calloc(1, sizeof *renewer);
  if (renewer == NULL)
    return fault_no_memory(f);
  renewer->authorities = authorities;
  renewer->issuer = issuer;
  renewer->recorder = recorder;
  renewer->conf = conf_hold(conf);
  init_waiting(renewer);
  if (!thread_start(&renewer->thread, run, renewer)) {
    renewer_free(renewer);
    return fault_set(f, INTERNAL, "the thread that renews the daemon's certificate does not start");
  }
  *ret_renewer = renewer;
  return true;
}

void renewer_reload(struct renewer *renewer, struct conf *conf)
{
  pthread_mutex_lock(&renewer->lock);
  struct conf *before = renewer->conf;
  renewer->conf = conf_hold(conf);
  renewer->look = true;
  pthread_cond_broadcast(&renewer->changed);
  pthread_mutex_unlock(&renewer->lock);
  conf_release(before);
}

void renewer_stop(struct renewer *renewer)
{
  if (renewer == NULL)
    return;
  pthread_mutex_lock(&renewer->lock);
  renewer->stopping = true;
  pthread_cond_broadcast(&renewer->changed);
  pthread_mutex_unlock(&renewer->lock);
  pthread_join(renewer->thread, NULL);
  renewer_free(renewer);
}
