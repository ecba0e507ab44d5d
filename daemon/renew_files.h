/* renew_files.h - a certificate and its key in two files, changed so that whatever happens in
 * between, the next start finds a pair. Threads: one at a time for each pair. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Both are first written beside (".new") and synced, then the key takes its place, then the
 * certificate. FILE_ERROR; the pair is then as it was, or renew_files_recover() makes it whole. */
bool renew_files_write(const char *certificate_path, const char *key_path, struct bytes certificate,
                       struct bytes key, struct fault *f);
/* At the start: when the key has taken its place and the certificate has not, puts it there. What
 * was left of a change that did not begin is removed. */
bool renew_files_recover(const char *certificate_path, const char *key_path, struct fault *f);
