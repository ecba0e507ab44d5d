/* issue_batch.h - mintmark issue --batch: many requests in a file, their answers in another.
 * Threads: one; it starts another that asks how far the batch is. */
#pragma once
#include "cli/args.h"

/* Sends the requests of --batch as they stand there, and writes what becomes of each line to --out,
 * which is there when all of it is. BAD_USAGE; BAD_FILE when a line was refused, or the file has no
 * requests or too many; FILE_ERROR; UNREACHABLE, or what the daemon says, with how to go on. */
bool issue_batch(const struct args *args, struct fault *f);
