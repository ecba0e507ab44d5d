/* crl_adopt.c - see crl_adopt.h. */
#include "daemon/crl_adopt.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/ca/revocation.h"
#include "lib/pki/crl.h"

/* Others want to write, too. */
enum { BATCH_ENTRIES = 1000, SHARD_MAX = 1000000 };

/* --- one list --- */

static const struct authority *find_issuer(const struct crl_adopter *adopter, const struct crl *crl)
{
  for (size_t i = 0; i < authorities_n(adopter->authorities); i++) {
    const struct authority *authority = authorities_at(adopter->authorities, i);
    if (crl_is_signed_by(crl, &authority->certificate))
      return authority;
  }
  return NULL;
}

/* ".../NAME/3.crl" is the list of shard 3; the list of all certificates does not say where it is.
 */
static unsigned shard_of(const struct crl *crl)
{
  struct bytes url = crl->point_url;
  uint64_t shard = 0;
  size_t at = url.len;
  while (at > 0 && url.data[at - 1] != '/')
    at--;
  struct bytes name = bytes_of(url.data + at, url.len - at);
  if (name.len <= 4 || memcmp(name.data + name.len - 4, ".crl", 4) != 0 ||
      !text_to_u64(bytes_of(name.data, name.len - 4), SHARD_MAX, &shard))
    return 0;
  return (unsigned)shard;
}

/* 0 for one that is larger than any of ours. */
static int64_t number_of(struct bytes magnitude)
{
  uint64_t number = 0;
  if (magnitude.len > sizeof number)
    return 0;
  for (size_t i = 0; i < magnitude.len; i++)
    number = number << 8 | magnitude.data[i];
  return number <= INT64_MAX ? (int64_t)number : 0;
}

static struct lists_at_hand list_at_hand(const struct crl *crl)
{
  int64_t number = number_of(crl->crl_number);
  if (crl->is_partial)
    return (struct lists_at_hand){.part = number};
  if (crl->is_delta)
    return (struct lists_at_hand){.delta = number, .delta_base = number_of(crl->base_number)};
  return (struct lists_at_hand){.all = number};
}

static void note_seen(struct crl_adopter *adopter, const struct authority *authority,
                      const struct crl *crl, const struct lists_at_hand *list)
{
  size_t i = 0;
  while (i < adopter->n_seen && adopter->seen[i].authority != authority)
    i++;
  if (i == CRL_SEEN_MAX)
    return;
  if (i == adopter->n_seen)
    adopter->seen[adopter->n_seen++] = (struct crl_seen){.authority = authority};
  struct crl_seen *seen = &adopter->seen[i];
  lists_at_hand_add(&seen->lists, list);
  if (number_of(crl->crl_number) > seen->number) {
    seen->number = number_of(crl->crl_number);
    seen->this_update = crl->this_update;
  }
}

/* So many entries, within one transaction. */
static bool add_some(struct crl_adopter *adopter, struct ledger_batch *batch,
                     const struct authority *authority, unsigned shard, struct bytes *rest,
                     struct fault *f)
{
  struct crl_entry entry;
  for (unsigned i = 0; i < BATCH_ENTRIES && crl_next_entry(rest, &entry); i++) {
    bool changed = false;
    if (!ledger_adopt_revocation(batch, authority->name, shard, entry.serial_number, entry.at,
                                 (enum revocation_reason)entry.reason, &changed, f))
      return false;
    adopter->n_added += changed;
  }
  return true;
}

static bool add_all(struct crl_adopter *adopter, const struct authority *authority,
                    const struct crl *crl, struct fault *f)
{
  struct bytes rest = crl->entries;
  while (rest.len > 0) {
    struct ledger_batch *batch;
    if (adopter->stop != NULL && atomic_load(adopter->stop))
      return fault_set(f, STOPPING, "the daemon is stopping: ask again in a moment");
    if (!ledger_begin(adopter->ledger, &batch, f))
      return false;
    if (!add_some(adopter, batch, authority, shard_of(crl), &rest, f)) {
      ledger_roll_back(batch);
      return false;
    }
    if (!ledger_commit(batch, f))
      return false;
  }
  return true;
}

bool crl_adopt(struct crl_adopter *adopter, struct bytes der, struct fault *f)
{
  struct crl crl;
  if (!crl_read(der, &crl, f))
    return false;
  const struct authority *authority = find_issuer(adopter, &crl);
  if (authority == NULL)
    return fault_set(f, BAD_FILE, "none of this daemon's authorities has signed this list");
  const struct lists_at_hand list = list_at_hand(&crl);
  if (!adopter->only_look) {
    if (!add_all(adopter, authority, &crl, f))
      return false;
    standing_saw_list(adopter->standing, authority->key_sha256, &list);
  }
  note_seen(adopter, authority, &crl, &list);
  return true;
}

/* --- the folder --- */

static bool adopt_file(struct crl_adopter *adopter, const char *path, struct fault *f)
{
  AUTO(buf) der = {0};
  AUTO(fault) why = {0};
  if (!file_exists(path))
    return true;
  if ((file_read(path, CRL_OCTETS_MAX, &der, &why) && crl_adopt(adopter, buf_bytes(&der), &why)) ||
      why.code == FAULT_BAD_FILE || why.code == FAULT_FILE_ERROR)
    return true;
  fault_move(f, &why);
  return false;
}

static bool is_list(const char *name)
{
  size_t len = strlen(name);
  return len > 4 && strcmp(name + len - 4, ".crl") == 0;
}

/* The lists of shards, and deltas. */
static bool adopt_below(struct crl_adopter *adopter, const char *folder, struct fault *f)
{
  DIR *dir = opendir(folder);
  bool done = true;
  if (dir == NULL)
    return true; /* there are none */
  for (struct dirent *entry; done && (entry = readdir(dir)) != NULL;) {
    AUTO(buf) path = {0};
    if (!is_list(entry->d_name))
      continue;
    buf_addf(&path, "%s/%s", folder, entry->d_name);
    done =
        buf_text(&path)[0] != '\0' ? adopt_file(adopter, buf_text(&path), f) : fault_no_memory(f);
  }
  closedir(dir);
  return done;
}

/* Lists of shards first: what is revoked on one, and whose certificate is missing, stays on it. */
bool crl_adopt_folder(struct crl_adopter *adopter, const char *folder, struct fault *f)
{
  for (size_t i = 0; i < authorities_n(adopter->authorities); i++) {
    AUTO(buf) below = {0}, all = {0};
    const char *name = authorities_at(adopter->authorities, i)->name;
    buf_addf(&below, "%s/%s", folder, name);
    buf_addf(&all, "%s/%s.crl", folder, name);
    if (buf_text(&below)[0] == '\0' || buf_text(&all)[0] == '\0')
      return fault_no_memory(f);
    if (!adopt_below(adopter, buf_text(&below), f) || !adopt_file(adopter, buf_text(&all), f))
      return false;
  }
  return true;
}
