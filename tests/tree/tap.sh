# tap.sh - sourced by the tests that are scripts: counts and prints what held.
failures=0
ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1"; failures=$((failures + 1)); }
# try NAME COMMAND...: the command's output is shown when it fails.
try() {
  name=$1
  shift
  if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name"; printf '%s\n' "$output" | sed 's/^/  /'; fi
}
finish() { [ "$failures" = 0 ]; exit $?; }
