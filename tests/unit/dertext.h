/* dertext.h - DER as text, so that a broken certificate can be read in its case's folder.
 *
 *   30{ ... }     tag 0x30, then the length of what stands between the braces
 *   0a1b 2c       octets as they are
 *   "text"        the text's octets
 *   # ...         a comment, to the end of the line
 */
#pragma once
#include "lib/base/buf.h"

/* Appends the octets; false when the text is not of this form. */
bool dertext_read(struct bytes text, struct buf *ret_der);

/* Reads tests/cases/FOLDER/CASE/NAME whole. Fails the test when it is not there. */
void case_read(const char *folder, const char *name, const char *file, struct buf *ret_text);
/* Calls `run` for each case's folder in tests/cases/FOLDER, in order; fails when there are fewer
 * than `at_least`. */
void cases_each(const char *folder, size_t at_least,
                void (*run)(const char *folder, const char *name));
/* Fails the test, showing both, when the text is not what the case's file `expect` holds. With
 * MINTMARK_UPDATE_CASES in the environment the file is written instead. */
void case_expect(const char *folder, const char *name, struct buf *text);
