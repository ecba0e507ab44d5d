#!/bin/sh
# crl.sh [N] - a list of N revoked certificates is made in time and within its memory, while others are issued.
# The ordinary checks take 20,000; the figures of 1,000,000 are in doc/performance.md.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=${1:-20000}
bench="$MINTMARK_BUILDDIR/mintmark-bench --dir $work/ca --keys $work/keys"

field() { grep 'a revocation list is published' "$work/ca/daemon.log" | tail -n 1 | tr ' ' '\n' | sed -n "s/^$1=//p"; }
number() { jq -r "$1" "$work/report"; }
issues() { $bench -n $((2000 + n / 25)) -c 16 --json >"$work/report" || { cat "$work/report"; return 1; }; }

try "$n certificates are revoked" $bench --fill "$n" --revoke "$n"
# There is no list yet: the first one is made while the daemon issues.
try 'others are issued' issues
echo "# $(field entries) entries, $(field octets) octets, $(field ms) ms; $(number '.certificates_per_second | floor') certificates a second," \
  "$(number '.rss_peak_octets / 1000000 | floor') MB at the most"
try 'everything that was revoked is on the list' test "$(field entries)" = "$n"
try 'which was made in less than 5 seconds' test "$(field ms)" -lt 5000
try 'and 400 MB' test "$(number '.rss_peak_octets')" -lt 400000000
try 'and signed by the authority' \
  openssl crl -in "$work/ca/crl/issuing.crl" -noout -CAfile "$work/ca/issuing.crt"
finish
