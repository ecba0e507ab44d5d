/* crl_store.c - see crl_store.h. */
#include "daemon/crl_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/crl_table.h"
#include "lib/base/text.h"
#include "lib/pki/authority_name.h"

enum { FORMATS = 2 };

static const struct {
  const char *extension, *content_type, *etag_suffix;
} formats[FORMATS] = {
    [CRL_FILE_DER] = {"crl", "application/pkix-crl", ""},
    [CRL_FILE_PEM] = {"pem", "application/x-pem-file", "-pem"},
};

struct crl_store {
  char *folder;
  pthread_mutex_t lock; /* over the table, and the renames that go with its changes */
  struct crl_table table;
};

bool crl_store_new(const char *folder, struct crl_store **ret_store, struct fault *f)
{
  struct crl_store *store = calloc(1, sizeof *store);
  char *own = strdup(folder);
  if (store == NULL || own == NULL) {
    free(store);
    free(own);
    return fault_no_memory(f);
  }
  store->folder = own;
  pthread_mutex_init(&store->lock, NULL);
  *ret_store = store;
  return true;
}

void crl_store_free(struct crl_store *store)
{
  if (store == NULL)
    return;
  pthread_mutex_destroy(&store->lock);
  crl_table_free(&store->table);
  free(store->folder);
  free(store);
}

const char *crl_store_folder(const struct crl_store *store)
{
  return store->folder;
}

static bool fail(struct fault *f, const char *verb, const char *path)
{
  return fault_set(f, FILE_ERROR, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* "FOLDER/NAME", with what is to stand behind it. */
static bool add_path(const struct crl_store *store, const char *name, const char *behind,
                     struct buf *out, struct fault *f)
{
  buf_addf(out, "%s/%s%s", store->folder, name, behind);
  buf_text(out);
  return buf_ok(out) || fault_no_memory(f);
}

static void fill_entry(const struct crl_name *name, enum crl_file_format format,
                       const struct crl_whole *whole, struct crl_entry *ret_entry)
{
  enum { TAG_OCTETS = 16 };
  char hex[2 * TAG_OCTETS + 1];
  *ret_entry = (struct crl_entry){
      .format = format, .modified_at = whole->this_update, .next_update = whole->next_update};
  crl_name_text(name, formats[format].extension, ret_entry->name);
  text_hex(hex, whole->sha256, TAG_OCTETS);
  snprintf(ret_entry->etag, sizeof ret_entry->etag, "\"%s%s\"", hex, formats[format].etag_suffix);
}

/* --- writing --- */

/* A static server may be another user's, and this process has a umask for secrets. */
static bool make_folder(const char *path, struct fault *f)
{
  if (mkdir(path, 0755) == 0)
    return chmod(path, 0755) == 0 || fail(f, "open to readers", path);
  return errno == EEXIST || fail(f, "make", path);
}

/* The configuration has no other, but files stand elsewhere by a wrong one. */
static bool check_name(const char *authority, struct fault *f)
{
  return authority_name_is_valid(authority) ||
         fault_set(f, FILE_ERROR, "no list can be called after an authority \"%s\"", authority);
}

static bool make_folders(const struct crl_store *store, const struct crl_name *name,
                         struct fault *f)
{
  AUTO(buf) path = {0};
  if (!check_name(name->authority, f) || !make_folder(store->folder, f))
    return false;
  if (name->shard == 0 && !name->is_delta)
    return true;
  return add_path(store, name->authority, "", &path, f) && make_folder(buf_text(&path), f);
}

/* The new file stands beside the old one until it is on the disk. */
static bool write_new(const struct crl_store *store, const struct crl_entry *entry,
                      const struct crl_whole *whole, struct fault *f)
{
  AUTO(buf) path = {0};
  return add_path(store, entry->name, ".new", &path, f) &&
         crl_file_write(buf_text(&path), entry->format, whole->pieces, ARRAY_LEN(whole->pieces), f);
}

/* From one moment to the next the file is the new one, and the table says so. */
static bool put_in_place(struct crl_store *store, const struct crl_entry *entry, struct fault *f)
{
  AUTO(buf) from = {0}, to = {0};
  if (!add_path(store, entry->name, ".new", &from, f) || !add_path(store, entry->name, "", &to, f))
    return false;
  pthread_mutex_lock(&store->lock);
  bool done = crl_table_reserve(&store->table, 1, f) &&
              (rename(buf_text(&from), buf_text(&to)) == 0 ||
               fail(f, "put a list in the place of", buf_text(&to)));
  if (done)
    crl_table_set(&store->table, entry);
  pthread_mutex_unlock(&store->lock);
  return done;
}

static bool sync_folder_of(const struct crl_store *store, const char *name, struct fault *f)
{
  AUTO(buf) path = {0};
  if (!add_path(store, name, "", &path, f))
    return false;
  *strrchr((char *)path.data, '/') = '\0';
  int fd = open((const char *)path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool done = fd >= 0 && fsync(fd) == 0;
  if (!done)
    fail(f, "sync", (const char *)path.data);
  if (fd >= 0)
    close(fd);
  return done;
}

bool crl_store_put(struct crl_store *store, const struct crl_name *name,
                   const struct crl_whole *whole, struct fault *f)
{
  struct crl_entry entries[FORMATS];
  bool done = make_folders(store, name, f);
  for (int i = 0; i < FORMATS && done; i++) {
    fill_entry(name, (enum crl_file_format)i, whole, &entries[i]);
    done = write_new(store, &entries[i], whole, f);
  }
  for (int i = 0; i < FORMATS && done; i++)
    done = put_in_place(store, &entries[i], f);
  return done && sync_folder_of(store, entries[0].name, f);
}

/* --- what is there already --- */

bool crl_store_read(struct crl_store *store, const struct crl_name *name, bool *ret_found,
                    struct buf *ret_der, struct fault *f)
{
  AUTO(buf) path = {0};
  char text[CRL_NAME_SIZE];
  crl_name_text(name, formats[CRL_FILE_DER].extension, text);
  if (!check_name(name->authority, f) || !add_path(store, text, "", &path, f))
    return false;
  return crl_file_read(buf_text(&path), ret_found, ret_der, f);
}

static void serve(struct crl_store *store, const struct crl_entry *entry)
{
  pthread_mutex_lock(&store->lock);
  crl_table_set(&store->table, entry);
  pthread_mutex_unlock(&store->lock);
}

/* A crash between two renames leaves two lists, both whole and not the same. */
static bool repair_pem(struct crl_store *store, const struct crl_entry *entry,
                       const struct crl_whole *whole, struct fault *f)
{
  AUTO(buf) path = {0};
  if (!add_path(store, entry->name, "", &path, f))
    return false;
  if (crl_file_is(buf_text(&path), entry->format, whole->pieces, ARRAY_LEN(whole->pieces))) {
    serve(store, entry);
    return true;
  }
  return write_new(store, entry, whole, f) && put_in_place(store, entry, f) &&
         sync_folder_of(store, entry->name, f);
}

bool crl_store_adopt(struct crl_store *store, const struct crl_name *name,
                     const struct crl_whole *whole, struct fault *f)
{
  struct crl_entry der, pem;
  fill_entry(name, CRL_FILE_DER, whole, &der);
  fill_entry(name, CRL_FILE_PEM, whole, &pem);
  pthread_mutex_lock(&store->lock);
  bool room = crl_table_reserve(&store->table, FORMATS, f);
  pthread_mutex_unlock(&store->lock);
  if (!room)
    return false;
  serve(store, &der);
  return repair_pem(store, &pem, whole, f);
}

static void drop_entry(struct crl_store *store, const char *name)
{
  AUTO(buf) path = {0};
  AUTO(fault) ignored = {0};
  crl_table_drop(&store->table, name);
  if (add_path(store, name, "", &path, &ignored))
    unlink(buf_text(&path));
}

void crl_store_drop(struct crl_store *store, const struct crl_name *name)
{
  for (int i = 0; i < FORMATS; i++) {
    char text[CRL_NAME_SIZE];
    crl_name_text(name, formats[i].extension, text);
    pthread_mutex_lock(&store->lock);
    drop_entry(store, text);
    pthread_mutex_unlock(&store->lock);
  }
}

/* --- serving --- */

/* With the lock held, so that the file is the one that the table tells of. */
static bool open_entry(const struct crl_entry *entry, const char *path,
                       struct crl_served *ret_served, struct fault *f)
{
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || fstat(fd, &st) != 0) {
    fail(f, "open", path);
    if (fd >= 0)
      close(fd);
    return false;
  }
  *ret_served = (struct crl_served){.fd = fd,
                                    .size = (uint64_t)st.st_size,
                                    .content_type = formats[entry->format].content_type,
                                    .modified_at = entry->modified_at,
                                    .next_update = entry->next_update};
  memcpy(ret_served->etag, entry->etag, sizeof ret_served->etag);
  return true;
}

void crl_store_each(struct crl_store *store,
                    void (*each)(const char *name, int64_t next_update, void *context),
                    void *context)
{
  pthread_mutex_lock(&store->lock);
  for (size_t i = 0; i < store->table.n; i++)
    if (store->table.entries[i].format == CRL_FILE_DER)
      each(store->table.entries[i].name, store->table.entries[i].next_update, context);
  pthread_mutex_unlock(&store->lock);
}

bool crl_store_open(struct crl_store *store, const char *path, struct crl_served *ret_served,
                    struct fault *f)
{
  AUTO(buf) full = {0};
  bool done = false;
  pthread_mutex_lock(&store->lock);
  const struct crl_entry *entry = crl_table_find(&store->table, path);
  if (entry == NULL)
    fault_set(f, NOT_FOUND, "there is no such list");
  else
    done = add_path(store, entry->name, "", &full, f) &&
           open_entry(entry, buf_text(&full), ret_served, f);
  pthread_mutex_unlock(&store->lock);
  return done;
}
