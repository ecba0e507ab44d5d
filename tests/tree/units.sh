#!/bin/sh
# The systemd units: well formed, and shut tight.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# The programs are not installed here: the same units, with the built programs in their place.
for unit in mintmarkd.service mintmarkd.socket mintmarkd-public.socket mintmark-keyd.service mintmark-keyd.socket \
  mintmark-renew@.service mintmark-renew@.timer; do
  sed -E -e "s|^ExecStart=[^ ]*/|ExecStart=$MINTMARK_BUILDDIR/|" -e '/^Documentation=/d' \
    "$MINTMARK_BUILDDIR/systemd/$unit" >"$work/$unit"
done

verified() {
  said=$(cd "$work" && systemd-analyze verify --man=no ./*.service ./*.socket ./*.timer 2>&1) || { echo "$said"; return 1; }
  [ -z "$said" ] || { echo "$said"; return 1; }
}
# exposure UNIT [TENTHS]: at most 1.5, of 10.
exposure() { systemd-analyze security --offline=yes --threshold="${2-15}" --no-pager "$work/$1"; }

try 'systemd-analyze verify has nothing to say' verified
try 'mintmarkd.service is exposed by 1.5 at most' exposure mintmarkd.service
try 'mintmark-keyd.service is exposed by 1.5 at most' exposure mintmark-keyd.service
# It is root, writes where it is told to and runs what it is told to.
try 'mintmark-renew@.service is exposed by 2.5 at most' exposure mintmark-renew@.service 25
finish
