#!/bin/sh
# The bench works: every request is answered with a certificate, and each is in the ledger.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

drives() {
  "$MINTMARK_BUILDDIR/mintmark-bench" --keys "$work/keys" -n 200 -c 8 --json "$@" >"$work/report" ||
    { cat "$work/report"; return 1; }
  # It fails by itself when the ledger has fewer rows than certificates were released.
  jq -e '.certificates == 200' "$work/report" || { cat "$work/report"; return 1; }
}
try '200 certificates over 8 connections' drives
try '200 certificates, each with a handshake of its own' drives --handshake
finish
