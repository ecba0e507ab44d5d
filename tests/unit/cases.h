/* cases.h - data-driven tests: each folder below tests/cases/FOLDER is a case. */
#pragma once
#include "lib/base/buf.h"

/* Reads tests/cases/FOLDER/CASE/NAME whole. Fails the test when it is not there. */
void case_read(const char *folder, const char *name, const char *file, struct buf *ret_text);
/* Calls `run` for each case's folder in tests/cases/FOLDER, in order; fails when there are fewer
 * than `at_least`. */
void cases_each(const char *folder, size_t at_least,
                void (*run)(const char *folder, const char *name));
/* Fails the test, showing both, when the text is not what the case's file `expect` holds. With
 * MINTMARK_UPDATE_CASES in the environment the file is written instead. */
void case_expect(const char *folder, const char *name, struct buf *text);
