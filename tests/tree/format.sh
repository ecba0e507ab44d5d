#!/bin/sh
# The sources are formatted, and carry no mark of unfinished work.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
cd "$MINTMARK_SRCDIR" || exit 1

formatted() {
  find lib daemon keyd cli tests -name '*.[ch]' -exec clang-format-14 --dry-run --Werror {} +
}
unmarked() {
  ! grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' lib daemon keyd cli sql --include='*.[ch]' --include='*.sql'
}
try 'every source is formatted by .clang-format' formatted
try 'no mark of unfinished work' unmarked
finish
