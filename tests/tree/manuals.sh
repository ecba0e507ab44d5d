#!/bin/sh
# The manual pages: well formed, and naming every option and setting that there is.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
cd "$MINTMARK_SRCDIR" || exit 1

# mandoc writes what it finds at this level or above; "unsupp" and "error" are what readers would see.
lint() { mandoc -T lint -W warning "$1"; }
# names_options PAGE PROGRAM [VERB]: each --option of the help stands in the page.
names_options() {
  page=$1
  shift
  text=$(mandoc -T utf8 "$page" | col -b)
  for option in $("$@" --help | grep -oE '(^|[ ,[|])--[a-z][a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' | sort -u); do
    printf '%s' "$text" | grep -qF -- "$option" || { echo "$page: $option is missing"; missing=1; }
  done
  [ -z "${missing-}" ]
}

for page in mintmarkd.8 mintmark-keyd.8 mintmark.1 mintmark.conf.5; do
  try "$page is well formed" lint "man/$page"
done
try 'mintmarkd(8) names every option' names_options man/mintmarkd.8 "$MINTMARK_BUILDDIR/mintmarkd"
try 'mintmark-keyd(8) names every option' names_options man/mintmark-keyd.8 "$MINTMARK_BUILDDIR/mintmark-keyd"
for verb in init issue renew show export log revoke station order device authority backup restore check-config; do
  try "mintmark(1) names every option of $verb" names_options man/mintmark.1 "$MINTMARK_BUILDDIR/mintmark" "$verb"
done
finish
