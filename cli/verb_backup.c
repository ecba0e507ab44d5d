/* verb_backup.c - mintmark backup: a copy of the ledger of a daemon that goes on working. */
#include <openssl/evp.h>
#include <stdio.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/new_file.h"
#include "cli/screen.h"
#include "lib/base/base64.h"
#include "lib/base/text.h"

/* The daemon reads its whole ledger twice before the first octet comes. */
enum { PATIENCE_S = 10, SILENCE_S = 4 * 3600 };

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free)

struct backup {
  const char *path;
  struct new_file file;
  struct arrival arrival;
  uint8_t sha256[EVP_MAX_MD_SIZE];
  unsigned sha256_len;
};

static void backup_free(struct backup *backup)
{
  new_file_free(&backup->file);
}
AUTO_VALUE(backup, struct backup, backup_free)

/* --- the new file --- */

static bool digest_file(struct backup *backup, struct fault *f)
{
  AUTO(EVP_MD_CTX) digest = EVP_MD_CTX_new();
  char block[64 * 1024];
  rewind(backup->file.file);
  if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
    return fault_no_memory(f);
  for (size_t n; (n = fread(block, 1, sizeof block, backup->file.file)) > 0;)
    if (EVP_DigestUpdate(digest, block, n) != 1)
      return fault_no_memory(f);
  if (ferror(backup->file.file))
    return fault_set(f, FILE_ERROR, "cannot read %s: %m", buf_text(&backup->file.new_path));
  return EVP_DigestFinal_ex(digest, backup->sha256, &backup->sha256_len) == 1 || fault_no_memory(f);
}

/* What is in the file is what the daemon has sent: the octets in their number were curl's matter.
 */
static bool check_new(struct backup *backup, struct fault *f)
{
  AUTO(buf) expected = {0};
  if (!new_file_sync(&backup->file, f) || !digest_file(backup, f))
    return false;
  buf_add_text(&expected, "sha-256=:");
  base64_add(&expected, bytes_of(backup->sha256, backup->sha256_len), 0);
  buf_add_text(&expected, ":");
  if (strcmp(buf_text(&expected), backup->arrival.repr_digest) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "what arrived is not what the daemon sent: its SHA-256 differs");
}

/* --- the verb --- */

static bool receive(struct backup *backup, const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  if (!client_open(args, PATIENCE_S, &client, f) ||
      !new_file_open(backup->path, MODE_SECRET, args_has(args, "force"), &backup->file, f))
    return false;
  const struct call call = {.path = "/v1/backups",
                            .post = true,
                            .accept = "application/vnd.sqlite3, application/problem+json",
                            .to = backup->file.file,
                            .arrival = &backup->arrival,
                            .silence_s = SILENCE_S};
  screen_busy("the daemon copies its ledger");
  bool received = client_call(client, &call, NULL, NULL, f);
  screen_done();
  progress_end(&backup->arrival.progress);
  return received;
}

static bool tell(const struct backup *backup, bool json, struct fault *f)
{
  char sha256[2 * EVP_MAX_MD_SIZE + 1];
  text_hex(sha256, backup->sha256, backup->sha256_len);
  if (json)
    return json_print(json_pack("{s:s, s:I, s:s}", "file", backup->path, "octets",
                                (json_int_t)backup->arrival.octets, "sha256", sha256),
                      f);
  printf("%s holds the ledger as it was when the copy began: %llu octets, SHA-256\n%s\n",
         backup->path, (unsigned long long)backup->arrival.octets, sha256);
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(backup) backup = {.path = args->operands[0], .arrival.what = "receiving"};
  return receive(&backup, args, f) && check_new(&backup, f) && new_file_keep(&backup.file, f) &&
         tell(&backup, args_has(args, "json"), f);
}

static const struct option options[] = {
    {"force", NULL, "replace FILE when it is there", 0},
    {"json", NULL, "print the result as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "Every night, from cron",
    "mintmark backup /backup/mintmark-$(date +%F).db --dir acme",
    NULL,
};

const struct verb verb_backup = {
    .name = "backup",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "a copy of the ledger, while the daemon goes on working",
    .about =
        "Asks the daemon for a copy of its ledger as it is at this moment, and writes it to FILE "
        "(mode 0600) once all of it is there and its SHA-256 is right. It is one SQLite file; "
        "mintmark restore puts it back. For administrators. The authority's keys and "
        "configuration are not in it.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
