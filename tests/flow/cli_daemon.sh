#!/bin/sh
# The command line and the real daemon, as a station and an operator use them.
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
not() { ! "$@"; }
mode() { [ "$(stat -c %a "$1")" = "$2" ] || { stat "$1"; return 1; }; }
issue() { "$mintmark" issue --out "$work/w" "$@"; }
log() { "$mintmark" log "$@"; }
rows() { "$mintmark" log --json "$@" | wc -l; }
verify() { openssl verify -x509_strict -CAfile "$work/ca/root.crt" -untrusted "$work/w/$1.chain.pem" \
  -purpose sslserver -verify_ip "$2" "$work/w/$1.crt"; }

authority_init
try 'check-config takes what init wrote' "$mintmark" check-config --dir "$work/ca"
daemon_start
admin=$MINTMARK_TOKEN_FILE

try 'an administrator adds a station' says 0 'line-1 may now ask, as station.' \
  "$mintmark" station add line-1 --save "$work/line-1.token"
try 'its token is for nobody else' mode "$work/line-1.token" 600
try 'a name is taken once' says 1 'already' "$mintmark" station add line-1
try 'a token file is not overwritten' says 1 'is already there' "$mintmark" station add line-9 --save "$work/line-1.token"
"$mintmark" station add quality --role auditor >"$work/quality.token" 2>"$work/said"
try 'without --save the token alone is on standard output' grep -qE '^quality\.[A-Za-z0-9_-]{43}$' "$work/quality.token"
try 'an unknown role is refused' says 1 'station, operator, auditor or admin' "$mintmark" station add x --role king
try 'all are listed' says 0 'admin admin' "$mintmark" station list
try 'and the new ones' says 0 'line-1 station' "$mintmark" station list
try 'as JSON, too' sh -c "'$mintmark' station list --json | jq -e '.principals | length == 3'"

try 'an order is made' says 0 'PO-1, open Issued 0 of 2, 2 left Replaced 0 of 1 Profile device-server Model WX-4 Addresses 10.1.0.0/16' \
  "$mintmark" order create PO-1 --profile device-server --quantity 2 --replacements 1 --model WX-4 --ip 10.1.0.0/16
try 'its name is taken once' says 1 'choose another name' "$mintmark" order create PO-1 --profile device-server --quantity 2
try 'an order of no such profile is refused' says 1 'no profile no-such' "$mintmark" order create PO-2 --profile no-such --quantity 2
try 'and so is one of nothing' says 2 '--quantity is a number' "$mintmark" order create PO-2 --profile device-server --quantity 0
try 'and one without a quantity' says 2 'needs --quantity' "$mintmark" order create PO-2 --profile device-server
"$mintmark" order create PO-3 --profile device-server --quantity 5 --station line-9 --until 2099-01-01 >/dev/null
try 'orders are listed' says 0 'PO-3 0 of 5 open device-server 2099-01-01 00:00' "$mintmark" order list
try 'an order grows' says 0 '0 of 7, 7 left' "$mintmark" order extend PO-3 --by 2
try 'and does not shrink' says 1 'an order only grows' "$mintmark" order extend PO-3 --quantity 3
try 'what is to grow must be said' says 2 'what is to grow' "$mintmark" order extend PO-3
MINTMARK_TOKEN_FILE=$work/line-1.token
try 'a station may not make orders' says 1 'may not' "$mintmark" order create PO-2 --profile device-server --quantity 2
try 'it sees those that are for it' sh -c "[ \"\$('$mintmark' order list --json | jq -r '.orders[].name')\" = PO-1 ]"
try 'and no other' says 1 'no order PO-3' "$mintmark" order show PO-3
try 'a name that is none is wrong usage' says 2 'A-Z a-z 0-9' "$mintmark" order show ../ca
try 'a station may not add others' says 1 'mintmark:' "$mintmark" station add y

try 'a widget gets its certificate' says 0 'W-1 has its certificate. names 10.1.1.68, w-1.widgets.example' \
  issue --serial W-1 --ip 10.1.1.68 --dns w-1.widgets.example --order PO-1 --format pem,der,p12,c
try 'it verifies for its address' verify W-1 10.1.1.68
try 'and for no other' not verify W-1 10.1.1.69
for file in key key.der p12 c; do try "nobody else reads W-1.$file" mode "$work/w/W-1.$file" 600; done
try 'key and certificate belong together' says 0 'belongs to' "$mintmark" show "$work/w/W-1.key" "$work/w/W-1.crt"
first=$(cat "$work/w/W-1.crt" "$work/w/W-1.key")
same() { [ "$first" = "$(cat "$work/w/W-1.crt" "$work/w/W-1.key")" ]; }
again() { issue --serial W-1 --ip 10.1.1.68 --dns w-1.widgets.example --order PO-1 "$@"; }
try 'files are not overwritten' says 1 '--resume asks again' again
try 'and nothing has changed' same
try '--resume gets the same certificate' says 0 'the same one' again --resume
try 'with the same key' same
rm "$work/w/W-1.crt" "$work/w/W-1.chain.pem"
try 'after a lost reply it goes on with its key' says 0 'Going on with the key' again
try 'and gets the same certificate' same
try 'another key type is not mixed in' says 1 'another type' again --key-type rsa-2048 --resume
try 'the device does not get a second one' says 1 '--replace' again --force
try 'and its key is still there' same
try 'unless it was reworked' says 0 'W-1 has its certificate' again --force --replace
try 'with a new key' not same
try 'and the order has counted it apart' says 0 'Issued 1 of 2, 1 left Replaced 1 of 1' "$mintmark" order show PO-1
try 'another order is not for this station' says 1 'not for station line-1' issue --serial W-9 --ip 10.1.1.9 --order PO-3
try 'one that is not there says so' says 1 'no order PO-9' issue --serial W-9 --ip 10.1.1.9 --order PO-9
try 'an address outside is told' says 1 '10.2.1.9' issue --serial W-9 --ip 10.2.1.9 --order PO-1
try 'of which nothing is left over' test ! -e "$work/w/W-1.key.new"

openssl req -new -newkey rsa:2048 -noenc -keyout "$work/rsa.key" -subj / -out "$work/rsa.csr" 2>/dev/null
openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384 -out "$work/own.key"
try 'a CSR of its own' says 0 'W-2 has' issue --serial W-2 --ip 10.1.1.2 --csr "$work/rsa.csr"
try 'leaves no key here' test ! -e "$work/w/W-2.key"
try 'a key of its own' says 0 'W-3 has' issue --serial W-3 --ip 10.1.1.3 --key "$work/own.key"
try 'a serial number is no path' says 0 '/w/_._.._W-4.crt' issue --serial ../../W-4 --ip 10.1.1.4
before=$(rows)
try 'a name that is not allowed is told with its reason' says 1 '8.8.8.8' issue --serial W-5 --ip 8.8.8.8 --ip 10.1.1.5
try 'and so is one that is not well formed' says 1 'under_score.widgets.example' issue --serial W-5 --dns under_score.widgets.example
try 'and an unknown profile' says 1 'no-such' issue --serial W-5 --ip 10.1.1.5 --profile no-such
try 'with --json the error is JSON, too' sh -c \
  "'$mintmark' issue --out '$work/w' --serial W-6 --ip 8.8.8.8 --json 2>&1 | jq -e '.code == \"name-not-allowed\" and .errors[0].name == \"8.8.8.8\"'"
try 'none of these is on record' test "$before" = "$(rows)"
try 'JSON has the answer and the files' sh -c \
  "'$mintmark' issue --out '$work/w' --serial W-7 --ip 10.1.1.7 --json | jq -e '.device_serial == \"W-7\" and .replayed == false and (.files | length == 3)'"

try 'the log has them' says 0 'W-2 10.1.1.2 line-1' log
try 'by address' says 0 '1 certificate.' log --ip 10.1.1.7
try 'by order' says 0 '2 certificates.' log --order PO-1
try 'by day' test "$(rows --issued-after 2020-01-01)" = "$before" -o "$(rows --issued-after 2020-01-01)" -gt "$before"
try 'none' says 0 'No certificate is like this.' log --ip 10.9.9.9
try 'the newest, and that there are more' says 0 'The newest 1; there are older ones' log --limit 1
try 'all, page by page' sh -c "[ \$('$mintmark' log --all | grep -c line-1) = \$('$mintmark' log --json | wc -l) ]"
try 'as CSV' sh -c "'$mintmark' log --csv --ip 10.1.1.7 | head -n 1 | grep -q serial_number,"
try 'a filter that is wrong is refused' says 1 'ip' log --ip 10.1.1
try 'a day that is none is wrong usage' says 2 '2026-11-23' log --issued-after yesterday
try 'JSON and CSV at once are wrong usage' says 2 'not both' log --json --csv
try 'what happened with a device' says 0 'replayed' log --events --device-serial W-1
try 'and what was refused, and why' says 0 'device-has-certificate' log --events --kind refused
try 'events as JSON' sh -c "'$mintmark' log --events --json --kind issued | jq -es 'all(.kind == \"issued\" and .source == \"127.0.0.1\")'"
try 'events as CSV' sh -c "'$mintmark' log --events --csv | head -n 1 | grep -q '^at,kind,code,principal,'"
try 'a filter of certificates is none of events' says 2 '--ip is a filter of certificates' log --events --ip 10.1.1.1
try 'and the other way round' says 2 '--kind is a filter of events' log --kind issued
try 'a kind that is none is refused' says 1 'kind' log --events --kind nonsense
MINTMARK_TOKEN_FILE=$admin
try 'an order is closed' says 0 'PO-3, closed' "$mintmark" order close PO-3
try 'for good' says 1 'was closed' "$mintmark" order extend PO-3 --by 1
try 'and listed so' says 0 'PO-3 0 of 7 closed' "$mintmark" order list --state closed
MINTMARK_TOKEN_FILE=$work/quality.token
try 'an auditor reads the report' says 0 'line-1' "$mintmark" order report PO-1
try 'an auditor sees all' says 0 'W-2 10.1.1.2 line-1' log
try 'an auditor gets no certificate' says 1 'mintmark:' issue --serial W-8 --ip 10.1.1.8

# typed ANSWER COMMAND...: the command on a terminal, with this typed into it.
typed() {
  printf '%s\n' "$2" >"$work/typed"
  code=$1 pattern=$3
  shift 3
  says "$code" "$pattern" script -qec "$*" /dev/null <"$work/typed"
}
revoke() { "$mintmark" revoke "$@"; }
MINTMARK_TOKEN_FILE=$work/line-1.token
number() { "$mintmark" log --json --device-serial "$1" --limit 1 | jq -r .serial_number; }
w2=$(number W-2) w3=$(number W-3) w7=$(number W-7)
for serial in R-1 R-2 R-3; do issue --serial $serial --ip 10.1.1.20 --model RX >/dev/null; done
try 'a station revokes nothing' says 1 'mintmark:' revoke "$w2"
MINTMARK_TOKEN_FILE=$admin
try 'a certificate is revoked for a reason' says 0 "$w2 of W-2 is revoked since" revoke "$w2" --reason keyCompromise
try 'once more does no harm' says 0 'keyCompromise' revoke "$w2" --reason superseded
try 'the log says so' says 0 '1 certificate.' log --status revoked --device-serial W-2
try 'a hold' says 0 'certificateHold' revoke "$w3" --reason certificateHold
try 'is lifted' says 0 'of W-3 is valid.' revoke "$w3" --lift
try 'once' says 1 'not on hold' revoke "$w3" --lift
try 'several at once, as JSON' sh -c "'$mintmark' revoke '$w3' '$w7' --json | jq -e '.certificates | length == 2 and all(.status == \"revoked\")'"
try 'a reason that is none is refused' says 1 'keyCompromise' revoke "$w2" --reason stolen
try 'so is a serial number that was never issued' says 1 'mintmark:' revoke 00112233445566778899aabbccddeeff
try 'and one that is none is wrong usage' says 2 'hexadecimal' revoke W-2
try 'which certificates must be said' says 2 'which certificates' revoke
try 'by number or by filter' says 2 'not both' revoke "$w2" --model RX
try 'a dry run tells how many and which' says 0 'R-2' revoke --model RX --dry-run
try 'and changes nothing' says 0 '3 certificates would be revoked. With --yes 3 they are.' revoke --model RX --dry-run
try 'where nothing is found, nobody is asked' says 0 'There are none.' revoke --model NONE
try 'nor does a dry run ask for its count' says 0 'There are none.' revoke --model NONE --dry-run
try 'and the JSON is the same' sh -c "'$mintmark' revoke --model NONE --json | jq -e '.revoked == 0'"
try 'what was done before a refusal is told as JSON' sh -c "'$mintmark' revoke '$w2' 00112233445566778899aabbccddeeff --json 2>/dev/null | jq -e '.certificates | length == 1'"
try 'without a terminal nobody is asked' says 2 '--dry-run first' revoke --model RX
try 'another number changes nothing' says 1 'there are 3 now, not 2' revoke --model RX --yes 2
try 'nor does another answer' typed 1 2 'nothing was changed' "$mintmark" revoke --model RX
try 'the number does' typed 0 3 '3 certificates are revoked.' "$mintmark" revoke --model RX --reason certificateHold
try 'and holds are lifted likewise' says 0 '3 certificates are off hold.' revoke --model RX --lift --yes 3
try 'the count confirms' sh -c "'$mintmark' revoke --model RX --yes 3 --json | jq -e '.revoked == 3'"

printf 'line-1.wrong\n' >"$work/wrong.token"
MINTMARK_TOKEN_FILE=$work/wrong.token
try 'a wrong token is refused' says 1 'mintmark:' log
MINTMARK_TOKEN_FILE=$work/line-1.token
"$mintmark" init --dir "$work/other" --name Other >/dev/null
try 'a daemon of another authority is not trusted' says 3 'is not trusted' log --cacert "$work/other/root.crt"
try 'no URL is wrong usage' says 2 '--dir' env -u MINTMARK_URL "$mintmark" log

kill "$daemon" && wait "$daemon" 2>/dev/null
daemon=
try 'a daemon that is not there' says 3 'is mintmarkd running?' log
try 'is waited for as long as is said' says 3 'is mintmarkd running?' issue --serial W-9 --ip 10.1.1.9 --timeout 1
sed -i "s|^listen = .*|listen = \"127.0.0.1:${MINTMARK_URL##*:}\"|" "$work/ca/mintmark.conf"
issue --serial W-9 --ip 10.1.1.9 --timeout 30 >"$work/waited" 2>&1 &
waiting=$!
daemon_start
wait $waiting
try 'and when it comes back, the work is done' test $? = 0
try 'with the key of the first try' grep -q 'Going on with the key' "$work/waited"
try '--dir finds a running daemon' env -u MINTMARK_URL -u MINTMARK_CACERT -u MINTMARK_TOKEN_FILE \
  "$mintmark" log --dir "$work/ca"

echo 'nonsense' >>"$work/ca/mintmark.conf"
try 'check-config says where a configuration is wrong' says 1 'mintmark.conf:' "$mintmark" check-config --dir "$work/ca"
finish
