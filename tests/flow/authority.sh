#!/bin/sh
# Another issuing CA takes over while the daemon runs: below the same root, then below a new one that
# the old root has signed.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

ca=$work/ca
says() {
  want=$1 pattern=$2
  shift 2
  said=$("$@" 2>&1)
  code=$?
  printf '%s\n' "$said"
  [ $code = "$want" ] || { echo "exit code $code"; return 1; }
  printf '%s' "$said" | tr -s ' \n' ' ' | grep -qF -- "$pattern" || { echo "does not say: $pattern"; return 1; }
}
not() { ! "$@"; }
# The port is chosen by the system, so that --dir cannot tell it.
authority() { "$mintmark" authority "$@" --url "$MINTMARK_URL"; }
issue() { "$mintmark" issue --serial "$1" --ip "$2" --out "$work/w"; }
issuer_of() { openssl x509 -in "$work/w/$1.crt" -noout -issuer | grep -qF "$2"; }
# verify WIDGET ROOT-FILE: as a browser that knows this root, with the chain that the widget sends.
verify() { openssl verify -x509_strict -CAfile "$2" -untrusted "$work/w/$1.chain.pem" -purpose sslserver "$work/w/$1.crt"; }
state_of() { authority list --json | jq -r ".authorities[] | select(.name == \"$1\") | .state"; }
is() { [ "$(state_of "$1")" = "$2" ] || { authority list; return 1; }; }
get() { curl -fsS --cacert "$ca/root.crt" "$MINTMARK_URL$1"; }

# A line that never stops: one widget after the other, every answer counted.
line() {
  n=0
  while [ ! -e "$work/stop" ]; do
    n=$((n + 1))
    "$mintmark" issue --serial "L-$n" --ip 10.9.0.1 --out "$work/l" >"$work/line.said" 2>&1 || {
      cp "$work/line.said" "$work/line.failed"
      break
    }
    echo $n >"$work/line.n"
  done
}
line_is_at() { [ -s "$work/line.n" ] && [ "$(cat "$work/line.n")" -ge "$1" ]; }
line_goes_on() { wait_for 20 line_is_at $(($(cat "$work/line.n") + 3)); }

authority_init
daemon_start
try 'there is one, which issues' is issuing active
try 'a widget of the first one' issue W-1 10.1.1.1
line &
others=$!
wait_for 20 line_is_at 2

chmod 640 "$ca/keyd.conf"
try 'one more is made, and the daemon knows of it' says 0 'The daemon knows of it. Next, let it issue' \
  authority add issuing-2 --dir "$ca"
try 'it waits' is issuing-2 standby
try 'a configuration keeps its mode' [ "$(stat -c %a "$ca/keyd.conf")" = 640 ]
try 'a name is taken once' says 1 'choose another name' authority add issuing-2 --dir "$ca"
try 'a name that is none is refused' says 2 'A-Z a-z' authority add ../x --dir "$ca"
try 'and one that is the file of another' says 2 'A-Z a-z' authority add issuing.crl --dir "$ca"
try 'or of all' says 2 'not "roots"' authority add roots --dir "$ca"
try 'its key is for its owner alone' [ "$(stat -c %a "$ca/keys/issuing-2.key")" = 600 ]
try 'the configurations are right' "$mintmark" check-config --dir "$ca"
try 'one that is not there is told' says 1 'no authority issuing-9' authority activate issuing-9
try 'the line goes on' line_goes_on
try 'it takes over' says 0 'issues from now on' authority activate issuing-2
try 'the other one waits' is issuing standby
try 'the line goes on' line_goes_on
try 'the next widget is of the new one' issue W-2 10.1.1.2
try 'it says so' issuer_of W-2 'Issuing CA issuing-2'
try 'the root is the same' verify W-2 "$ca/root.crt"
try 'the first widget is still good' verify W-1 "$ca/root.crt"
serial=$(openssl x509 -in "$work/w/W-1.crt" -noout -serial | cut -d= -f2 | tr A-F a-f)
chain_of() { curl -fsS --cacert "$ca/root.crt" -H "Authorization: Bearer $(cat "$ca/admin.token")" \
  -H 'Accept: application/pem-certificate-chain' "$MINTMARK_URL/v1/certificates/$1"; }
chain_of "$serial" >"$work/chain.pem"
try 'and told with its own chain' sh -c \
  "openssl storeutl -noout -text -certs '$work/chain.pem' | grep -c 'Subject:.*Issuing CA\$' | grep -qx 1"
try 'GET /v1/ca tells of both' sh -c "curl -fsS --cacert '$ca/root.crt' '$MINTMARK_URL/v1/ca' |
  jq -e '.name == \"issuing-2\" and ([.authorities[].state] | sort) == [\"active\", \"standby\"]'"
get /v1/ca/issuing/chain.pem >"$work/first.chain"
try 'each has its chain' cmp "$work/first.chain" "$ca/chain.pem"

try 'the one that issues cannot be retired' says 1 'activate another authority first' authority retire issuing-2
try 'the first one is retired' says 0 'never issues again' authority retire issuing
try 'and cannot come back' says 1 'never issues again' authority activate issuing

try 'a third one is below a new root, which the old one has signed' says 0 'The daemon knows of it' \
  authority add issuing-3 --dir "$ca" --new-root --cross
try 'it takes over' says 0 'issues from now on' authority activate issuing-3
try 'the line goes on' line_goes_on
touch "$work/stop"
wait $others
others=
try 'the line has never stood still' [ ! -e "$work/line.failed" ]
[ ! -e "$work/line.failed" ] || cat "$work/line.failed"
try 'its widget is good for whoever knows the new root' sh -c "$mintmark issue --serial W-3 --ip 10.1.1.3 --out '$work/w'"
try 'that is so' verify W-3 "$ca/issuing-3.root.crt"
try 'and for whoever knows the old root alone' verify W-3 "$ca/root.crt"

kill -9 "$daemon"; wait "$daemon" 2>/dev/null
daemon_start
try 'after a crash it is as it was' is issuing-3 active
try 'retired is retired' is issuing retired
try 'and it issues' issue W-4 10.1.1.4
try 'the root is offline: the copy must be named' sh -c \
  "mv '$ca/root.key' '$work/offline.key' && ! "$mintmark" authority add issuing-4 --url "$MINTMARK_URL" --dir "$ca" 2>'$work/said' && grep -q -- --root-key '$work/said'"
try 'with it, all is well' says 0 'The daemon knows of it' \
  authority add issuing-4 --dir "$ca" --root-key "$work/offline.key" --key-type ec-p384
try 'with a key of another type' sh -c "'$mintmark' authority activate issuing-4 && '$mintmark' issue --serial W-5 --ip 10.1.1.5 --out '$work/w'"
try 'its widget verifies' verify W-5 "$ca/root.crt"
try 'all that was issued is counted' sh -c "'$mintmark' authority list --json | jq -e '[.authorities[].issued] | add == $(sqlite3 "$ca/mintmark.db" 'SELECT count(*) FROM certificates')'"

cp "$ca/keyd.conf" "$work/keyd.conf"
mkdir "$ca/mintmark.conf.new"
try 'one whose configuration cannot be written is not made' says 1 'cannot write' \
  authority add issuing-5 --dir "$ca" --root-key "$work/offline.key"
rmdir "$ca/mintmark.conf.new"
try 'and all is as it was' cmp "$ca/keyd.conf" "$work/keyd.conf"
try 'without its files' not ls "$ca/issuing-5.crt" "$ca/keys/issuing-5.key" "$ca/keyd.conf.new"
try 'a daemon that is not told is no reason to fail, and it is said why' says 0 'The daemon was not told (' \
  "$mintmark" authority add issuing-5 --dir "$ca" --root-key "$work/offline.key" --url https://127.0.0.1:1
finish
