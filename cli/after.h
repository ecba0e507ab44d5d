/* after.h - the command that makes a server take its new certificate. It is owed from before the
 * files change until it has ended well, over a crash and a restart: a file beside the certificate
 * (".after") says so. Threads: one. */
#pragma once
#include <stdbool.h>

#include "lib/base/fault.h"

/* From now on it is owed. Nothing happens without a command (NULL or ""). */
bool after_owe(const char *cert, const char *command, struct fault *f);
/* Runs it by /bin/sh when it is owed, with every signal as it was when the program began. BAD_FILE
 * when it fails; it is then still owed. */
bool after_run(const char *cert, const char *command, struct fault *f);
