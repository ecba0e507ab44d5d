/* crl_store.h - the published lists of revoked certificates: files below one folder, and the table
 * of those that are served.
 *
 * A file takes its place by rename when its octets are on the disk, so that whoever reads the
 * folder
 * - we, another server, or we after a crash - sees whole lists only. Nothing is served but what is
 * in the table: a name from outside never becomes a path. Threads: one writes; any open. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/crl_name.h"
#include "daemon/exchange.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

struct crl_store;

/* Does not touch the folder yet. */
bool crl_store_new(const char *folder, struct crl_store **ret_store, struct fault *f);
void crl_store_free(struct crl_store *store);                /* accepts NULL */
const char *crl_store_folder(const struct crl_store *store); /* borrowed */

/* A list in its pieces, one behind the other (borrowed), and what is to be known of it. */
struct crl_whole {
  struct bytes pieces[3];
  uint8_t sha256[32]; /* over them */
  int64_t this_update, next_update;
};

/* Writes it as .crl and .pem, makes the folders where they are not there, and serves both from now
 * on. FILE_ERROR: what was published before stays, in the table and on the disk; after an error of
 * the very last fsync the new one is there, but perhaps not for long. */
bool crl_store_put(struct crl_store *store, const struct crl_name *name,
                   const struct crl_whole *whole, struct fault *f);

/* Reads a file of the folder (appended); *ret_found is false when there is none. FILE_ERROR. */
bool crl_store_read(struct crl_store *store, const struct crl_name *name, bool *ret_found,
                    struct buf *ret_der, struct fault *f);
/* Serves what is on the disk already: `whole` is its content. A .pem that is not the same list is
 * written anew. */
bool crl_store_adopt(struct crl_store *store, const struct crl_name *name,
                     const struct crl_whole *whole, struct fault *f);
/* Serves these two no more, and removes them, so that nobody else does. */
void crl_store_drop(struct crl_store *store, const struct crl_name *name);

/* Calls `each` for every list that is served, in the order of their names ("issuing/3.crl"), once
 * for both formats. It MUST NOT call the store. Any thread. */
void crl_store_each(struct crl_store *store,
                    void (*each)(const char *name, int64_t next_update, void *context),
                    void *context);

/* An open file, and what goes into its reply. */
struct crl_served {
  int fd; /* the caller's */
  uint64_t size;
  char etag[ETAG_SIZE];
  const char *content_type; /* static */
  int64_t modified_at, next_update;
};
/* path: what stands behind /crl/. NOT_FOUND; FILE_ERROR when it is in the table and cannot be
 * opened. */
bool crl_store_open(struct crl_store *store, const char *path, struct crl_served *ret_served,
                    struct fault *f);
