/* key_check.c - see key_check.h. */
#include "daemon/key_check.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/ca/signer.h"

enum { TIMEOUT_MS = 5000 };

struct key_check {
  pthread_mutex_t lock;
  struct signer *signer;
};

bool key_check_new(struct key_holder *holder, unsigned slot, struct key_check **ret_check,
                   struct fault *f)
{
  struct key_check *check = calloc(1, sizeof *check);
  if (check == NULL)
    return fault_no_memory(f);
  if (!signer_new(holder, slot, TIMEOUT_MS, &check->signer, f)) {
    free(check);
    return false;
  }
  pthread_mutex_init(&check->lock, NULL);
  *ret_check = check;
  return true;
}

bool key_check_ask(struct key_check *check, const uint8_t key_sha256[32], struct fault *f)
{
  pthread_mutex_lock(&check->lock);
  bool good = signer_probe(check->signer, key_sha256, f);
  pthread_mutex_unlock(&check->lock);
  return good;
}

void key_check_free(struct key_check *check)
{
  if (check == NULL)
    return;
  signer_free(check->signer);
  pthread_mutex_destroy(&check->lock);
  free(check);
}
