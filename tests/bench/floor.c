/* floor.c - see floor.h. */
#include "tests/bench/floor.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { CORES_MAX = 256, ROUND = 64, DIGEST_LEN = 32, SIGNATURE_MAX = 128 };

struct core {
  pthread_t thread;
  double seconds, verify_s, sign_s; /* the last two: of CPU, for all rounds */
  uint64_t n;
  bool ok;
};

struct pair {
  EVP_PKEY_CTX *signer, *verifier;
  uint8_t digest[DIGEST_LEN], signature[SIGNATURE_MAX];
  size_t len;
};

static double clock_s(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool sign(struct pair *p)
{
  p->digest[0]++;
  p->len = sizeof p->signature;
  return EVP_PKEY_sign(p->signer, p->signature, &p->len, p->digest, sizeof p->digest) == 1;
}

static bool verify(struct pair *p)
{
  return EVP_PKEY_verify(p->verifier, p->signature, p->len, p->digest, sizeof p->digest) == 1;
}

static bool run_rounds(struct core *core, struct pair *p)
{
  double end = clock_s(CLOCK_MONOTONIC) + core->seconds;
  while (clock_s(CLOCK_MONOTONIC) < end) {
    double before = clock_s(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < ROUND; i++)
      if (!sign(p))
        return false;
    double between = clock_s(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < ROUND; i++)
      if (!verify(p))
        return false;
    core->sign_s += between - before;
    core->verify_s += clock_s(CLOCK_THREAD_CPUTIME_ID) - between;
    core->n += ROUND;
  }
  return true;
}

static void *run(void *context)
{
  struct core *core = context;
  struct pair p = {0};
  EVP_PKEY *key = EVP_EC_gen("P-256");
  p.signer = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
  p.verifier = key != NULL ? EVP_PKEY_CTX_new(key, NULL) : NULL;
  core->ok = p.signer != NULL && p.verifier != NULL && EVP_PKEY_sign_init(p.signer) == 1 &&
             EVP_PKEY_verify_init(p.verifier) == 1 && run_rounds(core, &p) && core->n > 0;
  EVP_PKEY_CTX_free(p.signer);
  EVP_PKEY_CTX_free(p.verifier);
  EVP_PKEY_free(key);
  return NULL;
}

bool floor_measure(double seconds, struct floor *ret_floor, struct fault *f)
{
  static struct core cores[CORES_MAX];
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1, started = 0;
  struct core sum = {.ok = true};
  for (; started < n && started < CORES_MAX; started++) {
    cores[started] = (struct core){.seconds = seconds};
    if (pthread_create(&cores[started].thread, NULL, run, &cores[started]) != 0)
      break;
  }
  for (int i = 0; i < started; i++) {
    pthread_join(cores[i].thread, NULL);
    sum.ok = sum.ok && cores[i].ok;
    sum.n += cores[i].n;
    sum.sign_s += cores[i].sign_s;
    sum.verify_s += cores[i].verify_s;
  }
  if (!sum.ok || sum.n == 0)
    return fault_set(f, INTERNAL, "the floor cannot be measured: OpenSSL does not sign");
  *ret_floor = (struct floor){sum.verify_s * 1e6 / (double)sum.n, sum.sign_s * 1e6 / (double)sum.n};
  return true;
}
