#!/bin/sh
# mintmark issue --batch, and the real daemon: a file of requests becomes a file of answers.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

# says EXIT-CODE PATTERN COMMAND...: ends with this code and says something like this.
says() {
  want=$1 pattern=$2
  shift 2
  said=$("$@" 2>&1)
  code=$?
  printf '%s\n' "$said"
  [ $code = "$want" ] || { echo "exit code $code"; return 1; }
  printf '%s' "$said" | tr -s ' \n' ' ' | grep -qF -- "$pattern" || { echo "does not say: $pattern"; return 1; }
}
batch() { "$mintmark" issue --batch "$@"; }
outcomes() { [ "$(grep -c "\"outcome\":\"$2\"" "$work/$1")" = "$3" ]; }
not() { ! "$@"; }

authority_init
daemon_start
"$MINTMARK_BUILDDIR/mintmark-bench" --requests 6000 --keys "$work/keys" --lines "$work/all" ||
  { not_ok 'requests are made ahead'; finish; }
"$mintmark" order create bench --profile device-server --quantity 10000 >/dev/null
head -n 200 "$work/all" >"$work/some"

try 'a file of requests becomes a file of answers' says 0 '200 certificates were issued' batch "$work/some" --out "$work/answers"
try 'a line for each' outcomes answers issued 200
try 'in their order' sh -c "jq -r .line '$work/answers' | sort -cn"
try 'each with its certificate' sh -c \
  "jq -es 'all((.certificate | startswith(\"-----BEGIN CERTIFICATE\")) and (.ca_chain | length > 0))' '$work/answers'"
try 'an answer is not overwritten' says 1 'is already there: --force replaces it' batch "$work/some" --out "$work/answers"
try 'unless it is said so' says 0 '0 certificates were issued' batch "$work/some" --out "$work/answers" --force
try 'what was issued is not issued twice' outcomes answers replayed 200
try 'the log has them once' test "$("$mintmark" log --json --order bench | wc -l)" = 200

{ sed -n 1,2p "$work/some"; echo nonsense; echo; sed -n 4p "$work/some" | sed 's/"W-0000003"/"X-1"/'; } >"$work/bad"
try 'a line that is wrong is told with its number' says 1 "$work/bad:3: line 1, column" batch "$work/bad" --out "$work/bad.out"
try 'empty lines count' says 1 "$work/bad:5: certificate" batch "$work/bad" --out "$work/bad.out" --force
try 'the others have their answers' outcomes bad.out replayed 2
try 'the numbers are there as JSON' sh -c "'$mintmark' issue --batch '$work/bad' --out '$work/bad.out' --force --json |
  jq -e '.issued == 0 and .replayed == 2 and .refused == 2'"
try 'answers go to a file' says 2 '--out FILE' batch "$work/some"
try 'a request is what stands in the file' says 2 'no --serial' batch "$work/some" --out "$work/o" --serial W-1
: >"$work/empty"
try 'no requests are wrong' says 1 'has no requests' batch "$work/empty" --out "$work/o"
try 'and so is what can be read once' says 1 'no file that can be sent again' batch /dev/null --out "$work/o"
try 'of which nothing is left over' not test -e "$work/o" -o -e "$work/o.new"
printf 'admin.wrong\n' >"$work/wrong.token"
try 'nobody else may' says 1 'mintmark:' batch "$work/some" --out "$work/o" --token-file "$work/wrong.token"

# The daemon stops in the middle.
under_way() { "$mintmark" log --json --order bench --limit 300 | wc -l | grep -qx 300; }
batch "$work/all" --out "$work/all.out" >"$work/said" 2>&1 &
sending=$!
wait_for 30 under_way || not_ok 'the batch is under way'
kill "$daemon"
wait "$sending"
try 'a batch that was cut off' test $? = 3
try 'says how to go on' sh -c "tr -s ' \\n' ' ' <'$work/said' | grep -qF 'Run the same command again'"
try 'and leaves no half of a file' not test -e "$work/all.out" -o -e "$work/all.out.new"
wait "$daemon" 2>/dev/null
daemon_start
try 'the same command goes on' says 0 'had been before' batch "$work/all" --out "$work/all.out"
try 'and all is there, once' test "$("$mintmark" log --all --json --order bench | wc -l)" = 6000
finish
