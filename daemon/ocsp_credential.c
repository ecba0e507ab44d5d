/* ocsp_credential.c - see ocsp_credential.h. */
#include "daemon/ocsp_credential.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/pki/name.h"

AUTO_POINTER(issue_job, struct issue_job, issue_job_free)

/* --- the request --- */

/* The subject is the profile's; the CSR proves the key. */
static bool fill_request(const char *authority, const struct private_key *key,
                         struct issue_request *request, struct fault *f)
{
  AUTO(buf) subject = {0};
  const struct name_part part = {ATTR_COMMON_NAME, bytes_of_text("OCSP responder")};
  TEXT_COPY(request->station, bytes_of_text("mintmarkd"));
  TEXT_COPY(request->profile, bytes_of_text(PROFILE_OCSP));
  TEXT_COPY(request->authority, bytes_of_text(authority));
  request->role = ROLE_NONE;
  return name_write(&part, 1, &subject, f) &&
         private_key_write_csr(key, buf_bytes(&subject), NULL, &request->csr, f);
}

struct waiting {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool answered;
};

static void on_done(struct issue_job *job)
{
  struct waiting *waiting = job->context;
  pthread_mutex_lock(&waiting->lock);
  waiting->answered = true;
  pthread_cond_signal(&waiting->changed);
  pthread_mutex_unlock(&waiting->lock);
}

/* The pipeline answers each job that it has taken, within its own deadline. */
static bool issue(struct issuer *issuer, struct issue_job *job, struct fault *f)
{
  struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
  job->done = on_done;
  job->context = &waiting;
  if (!issuer_submit(issuer, job, f))
    return false;
  pthread_mutex_lock(&waiting.lock);
  while (!waiting.answered)
    pthread_cond_wait(&waiting.changed, &waiting.lock);
  pthread_mutex_unlock(&waiting.lock);
  if (job->fault.code == FAULT_NONE)
    return true;
  fault_move(f, &job->fault);
  return false;
}

/* --- its life --- */

bool ocsp_credential_make(const char *authority, struct issuer *issuer, uint64_t number,
                          struct ocsp_credential **ret_credential, struct fault *f)
{
  AUTO(issue_job) job = calloc(1, sizeof *job);
  AUTO(ocsp_credential) credential = calloc(1, sizeof *credential);
  if (job == NULL || credential == NULL)
    return fault_no_memory(f);
  credential->references = 1;
  if (!private_key_generate("ec-p256", &credential->key, f) ||
      !fill_request(authority, credential->key, &job->request, f) || !issue(issuer, job, f))
    return false;
  struct issued *row = &job->result.row;
  credential->number = number;
  credential->der = row->der;
  row->der = (struct buf){0};
  credential->not_before = row->not_before;
  credential->not_after = row->not_after;
  *ret_credential = TAKE(credential);
  return true;
}

struct ocsp_credential *ocsp_credential_hold(struct ocsp_credential *credential)
{
  credential->references++;
  return credential;
}

void ocsp_credential_release(struct ocsp_credential *credential)
{
  if (credential == NULL || --credential->references > 0)
    return;
  private_key_free(credential->key);
  buf_free(&credential->der);
  free(credential);
}

/* --- CertID --- */

void ocsp_issuer_hashes(const struct cert *issuer, struct ocsp_issuer_hashes *ret_hashes)
{
  struct bytes name = issuer->subject, key = issuer->key.key;
  SHA1(name.data, name.len, ret_hashes->name_sha1);
  SHA1(key.data, key.len, ret_hashes->key_sha1);
  SHA256(name.data, name.len, ret_hashes->name_sha256);
  SHA256(key.data, key.len, ret_hashes->key_sha256);
}

bool ocsp_issuer_is(const struct ocsp_issuer_hashes *hashes, const struct ocsp_cert_id *id)
{
  switch (id->hash) {
  case OCSP_SHA1:
    return memcmp(id->name_hash.data, hashes->name_sha1, sizeof hashes->name_sha1) == 0 &&
           memcmp(id->key_hash.data, hashes->key_sha1, sizeof hashes->key_sha1) == 0;
  case OCSP_SHA256:
    return memcmp(id->name_hash.data, hashes->name_sha256, sizeof hashes->name_sha256) == 0 &&
           memcmp(id->key_hash.data, hashes->key_sha256, sizeof hashes->key_sha256) == 0;
  default:
    return false;
  }
}
