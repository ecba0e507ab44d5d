/* secrets.h - passphrases, tokens and private keys from files. What is read stays in buffers that
 * the caller wipes (AUTO(secret_buf)). Threads: one. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/private_key.h"

enum { KEY_FILE_MAX = 64 * 1024 };

/* Appends the first line of a file, without its end. BAD_FILE when it is empty. A path of NULL
 * leaves ret_line empty. */
bool secret_line_read(const char *path, const char *what, struct buf *ret_line, struct fault *f);

/* Reads the private key of a file, PEM or DER, opened with the passphrase if it is encrypted. */
bool key_file_read(const char *path, struct bytes passphrase, struct private_key **ret_key,
                   struct fault *f);
/* The same from octets. */
bool key_read_any(struct bytes octets, struct bytes passphrase, struct private_key **ret_key,
                  struct fault *f);
