/* authorities.c - see authorities.h. */
#include "lib/ca/authorities.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/base/when.h"

/* Entries are only added, and n is raised when one is whole: readers need no lock. */
struct authorities {
  pthread_mutex_t lock;  /* of those who change */
  struct ledger *ledger; /* NULL: states are not kept */
  struct entry {
    struct authority *authority;
    _Atomic enum authority_state state;
  } list[AUTHORITIES_MAX];
  atomic_size_t n;
  _Atomic(const struct authority *) active;
};

AUTO_POINTER(authorities, struct authorities, authorities_free)

/* --- reading --- */

const struct authority *authorities_active(const struct authorities *a)
{
  return atomic_load(&a->active);
}

size_t authorities_n(const struct authorities *a)
{
  return atomic_load(&a->n);
}

const struct authority *authorities_at(const struct authorities *a, size_t index)
{
  return a->list[index].authority;
}

enum authority_state authorities_state(const struct authorities *a, size_t index)
{
  return atomic_load(&a->list[index].state);
}

/* authorities_n() when there is none. */
static size_t find(const struct authorities *a, const char *name)
{
  size_t n = authorities_n(a), i = 0;
  while (i < n && strcmp(a->list[i].authority->name, name) != 0)
    i++;
  return i;
}

const struct authority *authorities_named(const struct authorities *a, const char *name)
{
  size_t n = authorities_n(a), i = find(a, name);
  return i < n ? a->list[i].authority : NULL;
}

const struct authority *authorities_issuer_of(const struct authorities *a, const struct cert *cert)
{
  for (size_t i = 0; i < authorities_n(a); i++)
    if (cert_is_signed_by(cert, &a->list[i].authority->certificate))
      return a->list[i].authority;
  return NULL;
}

bool authorities_have_key(const struct authorities *a, struct bytes spki)
{
  for (size_t i = 0; i < authorities_n(a); i++) {
    const struct authority *authority = a->list[i].authority;
    if (bytes_equal(spki, authority->certificate.key.spki) ||
        bytes_equal(spki, authority->root.key.spki))
      return true;
  }
  return false;
}

/* --- loading --- */

static bool refuse_same_key(const struct authorities *a, const struct authority *authority,
                            struct fault *f)
{
  for (size_t i = 0; i < authorities_n(a); i++)
    if (memcmp(a->list[i].authority->key_sha256, authority->key_sha256, PUBKEY_SHA256_LEN) == 0)
      return fault_set(f, BAD_CONFIG, "authorities %s and %s have the same key",
                       a->list[i].authority->name, authority->name);
  return true;
}

/* Takes it over. There is room. */
static void put(struct authorities *a, struct authority *authority, enum authority_state state)
{
  size_t n = authorities_n(a);
  a->list[n].authority = authority;
  atomic_store(&a->list[n].state, state);
  atomic_store(&a->n, n + 1);
  if (state == AUTHORITY_ACTIVE)
    atomic_store(&a->active, authority);
}

static bool is_the_same(const struct authority *before, const struct authority *now,
                        struct fault *f)
{
  return bytes_equal(buf_bytes(&before->certificate_der), buf_bytes(&now->certificate_der)) ||
         fault_set(f, BAD_CONFIG,
                   "authority \"%s\" has another certificate than it had: give a new one a name of "
                   "its own, or restart",
                   now->name);
}

/* Before anything is taken, so that a reload that fails has changed nothing. */
static bool load_new(const struct authorities *a, const struct conf *conf,
                     struct authority *ret_new[AUTHORITIES_MAX], size_t *ret_n, struct fault *f)
{
  for (size_t i = 0; i < conf->n_authorities; i++) {
    AUTO(authority) loaded = NULL;
    if (!authority_load(&conf->authorities[i], &loaded, f))
      return false;
    const struct authority *before = authorities_named(a, loaded->name);
    if (before == NULL)
      ret_new[(*ret_n)++] = TAKE(loaded);
    else if (!is_the_same(before, loaded, f))
      return false;
  }
  return true;
}

static bool take_new(struct authorities *a, struct authority **new, struct fault *f)
{
  struct authority_row row = {0};
  bool found = false;
  const char *name = (*new)->name;
  if (authorities_n(a) == AUTHORITIES_MAX)
    return fault_set(f, BAD_CONFIG, "more than %d authorities", AUTHORITIES_MAX);
  if (!refuse_same_key(a, *new, f) || !ledger_add_authority(a->ledger, name, NULL, f) ||
      !ledger_find_authority(a->ledger, name, &found, &row, f))
    return false;
  put(a, TAKE(*new), row.state);
  return true;
}

/* The lock is held. */
static bool load_all(struct authorities *a, const struct conf *conf, size_t *ret_n, struct fault *f)
{
  struct authority *new[AUTHORITIES_MAX] = {0};
  size_t n = 0;
  bool done = load_new(a, conf, new, &n, f);
  for (size_t i = 0; i < n && done; i++)
    done = take_new(a, &new[i], f);
  for (size_t i = 0; i < n; i++)
    authority_free(new[i]);
  *ret_n = n;
  return done;
}

bool authorities_reload(struct authorities *a, const struct conf *conf, int64_t now, size_t *ret_n,
                        struct fault *f)
{
  if (!authorities_check(conf, now, f))
    return false;
  pthread_mutex_lock(&a->lock);
  bool done = load_all(a, conf, ret_n, f);
  pthread_mutex_unlock(&a->lock);
  return done;
}

static struct authorities *new_set(struct ledger *ledger)
{
  struct authorities *a = calloc(1, sizeof *a);
  if (a == NULL)
    return NULL;
  a->ledger = ledger;
  pthread_mutex_init(&a->lock, NULL);
  return a;
}

struct authorities *authorities_of_one(struct authority *authority)
{
  struct authorities *a = new_set(NULL);
  if (a == NULL)
    authority_free(authority);
  else
    put(a, authority, AUTHORITY_ACTIVE);
  return a;
}

static void note_active(const struct authority_row *row, void *name)
{
  if (row->state == AUTHORITY_ACTIVE)
    memcpy(name, row->name, LABEL_SIZE);
}

/* A ledger of old, or a new one, has none that issues: then the configuration's first one does. */
static bool choose_active(struct authorities *a, const struct conf *conf, int64_t now,
                          struct fault *f)
{
  char active[LABEL_SIZE] = "";
  if (!ledger_each_authority(a->ledger, note_active, active, f))
    return false;
  if (active[0] == '\0')
    return authorities_activate(a, conf->authorities[0].name, now, NULL, f);
  return authorities_active(a) != NULL ||
         fault_set(
             f, BAD_CONFIG,
             "authority \"%s\" issues, and the configuration lacks it: write its section again, "
             "or activate another one before it is removed",
             active);
}

bool authorities_load(const struct conf *conf, struct ledger *ledger, int64_t now,
                      struct authorities **ret_authorities, struct fault *f)
{
  AUTO(authorities) a = new_set(ledger);
  size_t n;
  if (a == NULL)
    return fault_no_memory(f);
  if (!authorities_reload(a, conf, now, &n, f) || !choose_active(a, conf, now, f))
    return false;
  *ret_authorities = TAKE(a);
  return true;
}

/* One that has expired stays on record, as long as there is another one. */
bool authorities_check(const struct conf *conf, int64_t now, struct fault *f)
{
  size_t n_valid = 0;
  AUTO(fault) why = {0};
  for (size_t i = 0; i < conf->n_authorities; i++) {
    AUTO(authority) authority = NULL;
    if (!authority_load(&conf->authorities[i], &authority, f))
      return false;
    n_valid += authority_is_valid(authority, now, &why);
  }
  if (n_valid > 0)
    return true;
  fault_move(f, &why);
  return false;
}

void authorities_free(struct authorities *a)
{
  if (a == NULL)
    return;
  for (size_t i = 0; i < AUTHORITIES_MAX; i++)
    authority_free(a->list[i].authority);
  pthread_mutex_destroy(&a->lock);
  free(a);
}

/* --- changes --- */

static bool unknown(const char *name, struct fault *f)
{
  return fault_set(f, UNKNOWN_AUTHORITY, "there is no authority %s", name);
}

/* What the ledger says now is so here, too. */
static void follow(struct authorities *a, size_t index)
{
  for (size_t i = 0; i < authorities_n(a); i++)
    if (i != index && authorities_state(a, i) == AUTHORITY_ACTIVE)
      atomic_store(&a->list[i].state, AUTHORITY_STANDBY);
  atomic_store(&a->list[index].state, AUTHORITY_ACTIVE);
  atomic_store(&a->active, a->list[index].authority);
}

static bool activate(struct authorities *a, const char *name, int64_t now, const struct event *who,
                     struct fault *f)
{
  size_t i = find(a, name);
  if (i == authorities_n(a))
    return unknown(name, f);
  if (!authority_is_valid(a->list[i].authority, now, f) ||
      !ledger_activate_authority(a->ledger, name, who, f))
    return false;
  follow(a, i);
  return true;
}

bool authorities_activate(struct authorities *a, const char *name, int64_t now,
                          const struct event *who, struct fault *f)
{
  pthread_mutex_lock(&a->lock);
  bool done = activate(a, name, now, who, f);
  pthread_mutex_unlock(&a->lock);
  return done;
}

static bool retire(struct authorities *a, const char *name, const struct event *who,
                   struct fault *f)
{
  size_t i = find(a, name);
  if (i == authorities_n(a))
    return unknown(name, f);
  if (!ledger_retire_authority(a->ledger, name, who, f))
    return false;
  atomic_store(&a->list[i].state, AUTHORITY_RETIRED);
  return true;
}

bool authorities_retire(struct authorities *a, const char *name, const struct event *who,
                        struct fault *f)
{
  pthread_mutex_lock(&a->lock);
  bool done = retire(a, name, who, f);
  pthread_mutex_unlock(&a->lock);
  return done;
}
