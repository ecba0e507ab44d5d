#!/bin/sh
# A certificate costs no more instructions than it did: from the request to its row on disk, guard and
# signature included, without the network. Noise does not touch this count, and what CPUs have beyond
# the common is switched off, so that it is the same on every machine of this kind.
# tests/bench/pipeline.instructions has the recorded figures: all, and without OpenSSL; --record replaces it.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
recorded=$MINTMARK_SRCDIR/tests/bench/pipeline.instructions
allowed=5 # percent
rounds=8 round=32
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# In OpenSSL: SSE2 and AES alone. In the C library: no AVX and no fast string instructions.
export OPENSSL_ia32cap=0x0200000007802bff:0
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-AVX512F
count() {
  "$MINTMARK_BUILDDIR/mintmark" init --dir "$work/ca" --name Bench >/dev/null || return 1
  valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/out" \
    "$MINTMARK_BUILDDIR/mintmark-pipeline" "$work/ca" $rounds || return 1
  # A line behind calls= is what the called function costs, which is counted there.
  each=$(awk -v n=$((rounds * round)) '
    /^c?ob=/ { id = substr($1, index($1, "=") + 1); if (NF > 1) name[id] = $2 }
    /^ob=/ { crypto = name[id] ~ /libcrypto/ }
    /^calls=/ { skip = 1; next }
    /^[0-9+*-]/ { if (!skip) { all += $2; if (!crypto) ours += $2 } skip = 0 }
    END { if (ours > 0) printf "%d %d\n", all / n, ours / n }' "$work/out")
  [ -n "$each" ] || { echo 'callgrind has counted nothing'; return 1; }
}
# grows_little NAME NOW RECORDED
grows_little() {
  echo "$1: $2 instructions for each certificate; recorded: $3"
  [ $(($2 * 100)) -le $(($3 * (100 + allowed))) ] || {
    echo "More than $allowed% more. When they are worth it: $0 --record"
    return 1
  }
}

count >"$work/log" 2>&1 || { cat "$work/log"; not_ok 'instructions are counted'; finish; }
if [ "${1-}" = --record ]; then
  echo "$each" >"$recorded"
  echo "recorded: $each"
  exit 0
fi
read -r all ours <<EOF
$each
EOF
read -r all_before ours_before <"$recorded"
try 'a certificate costs no more instructions than it did' grows_little all "$all" "$all_before"
try 'and without those of OpenSSL' grows_little 'without OpenSSL' "$ours" "$ours_before"
finish
