#!/bin/sh
# The examples of the manual, as a station and a device would run them.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

device=$MINTMARK_BUILDDIR/doc/examples/device
examples=$MINTMARK_SRCDIR/doc/examples
command -v python3 >/dev/null || { not_ok 'python3 is there'; finish; }

csr() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$work/$1.key" -subj / -out "$work/$1.csr"; }
verify() { openssl verify -x509_strict -CAfile "$work/ca/root.crt" -untrusted "$1" -purpose sslserver -verify_ip "$2" "$1"; }
# station SERIAL CSR OPTION...
station() {
  serial=$1 csr=$2
  shift 2
  python3 "$examples/station.py" --url "$MINTMARK_URL" --root "$work/ca/root.crt" --token "$work/line-1.token" \
    --serial "$serial" --csr "$work/$csr.csr" --out "$work/$serial.pem" "$@"
}
# says EXIT-CODE TEXT COMMAND...
says() {
  want=$1 text=$2
  shift 2
  said=$("$@" 2>&1)
  code=$?
  printf '%s\n' "$said"
  [ $code = "$want" ] || { echo "exit code $code"; return 1; }
  printf '%s' "$said" | grep -qF -- "$text"
}
enrol() { "$device" 127.0.0.1 "$port" "$work/ca/root.crt" W-7 "$work/secret" "$work/W-7.key" "$work/W-7.pem" 10.1.1.7; }

authority_init
(umask 077 && openssl rand -hex 32 >"$work/ca/mes.secret")
python3 "$examples/webhook.py" --secret "$work/ca/mes.secret" --port 0 --port-file "$work/hook.port" >"$work/events" &
others=$!
wait_for 20 test -s "$work/hook.port" || not_ok 'the receiver of events starts'
cat >>"$work/ca/mintmark.conf" <<EOF
webhook "mes" {
  url = "http://127.0.0.1:$(cat "$work/hook.port")/"
  secret_file = "mes.secret"
  events = { "issued", "refused" }
}
EOF
daemon_start
port=$(cat "$work/port")
"$mintmark" station add line-1 --save "$work/line-1.token" >/dev/null
csr one && csr two && csr three 2>/dev/null

try 'a station gets a certificate' says 0 'W-1001 has certificate' station W-1001 one --ip 10.1.1.68
try 'it verifies' verify "$work/W-1001.pem" 10.1.1.68
try 'asked again it gets the same' says 0 'as before' station W-1001 one --ip 10.1.1.68
try 'another key is refused, with the reason' says 1 'device-has-certificate' station W-1001 two --ip 10.1.1.68
try 'unless it is rework' says 0 'W-1001 has certificate' station W-1001 two --ip 10.1.1.68 --rework
try 'a name that is refused is named' says 1 '8.8.8.8: not within' station W-1002 three --ip 8.8.8.8

try 'a receiver hears of it' wait_for 20 grep -q '"kind":"replaced".*"device_serial":"W-1001"' "$work/events"
try 'and of the refusal' grep -q '"kind":"refused","code":"device-has-certificate"' "$work/events"
try 'a forged event is refused' says 0 403 curl -s -m 20 -o /dev/null -w '%{http_code}' -H 'Mintmark-Event-Id: 1000000' \
  -H "Mintmark-Signature: t=$(date +%s),v1=$(printf '%064d' 0)" -d '{"id":1000000}' "http://127.0.0.1:$(cat "$work/hook.port")/"

printf 'device_serial,ip_sans\nW-7,10.1.1.7\n' >"$work/devices.csv"
try 'a device is imported' "$mintmark" device import "$work/devices.csv" --secrets "$work/secrets.csv"
sed -n 's/^W-7,//p' "$work/secrets.csv" >"$work/secret"
try 'it enrols at first boot' enrol
try 'what it got verifies' verify "$work/W-7.pem" 10.1.1.7
cp "$work/W-7.pem" "$work/first.pem"
try 'the next boot does nothing' enrol
rm "$work/W-7.pem"
try 'after a lost answer it asks again' enrol
try 'and has the same certificate' cmp "$work/first.pem" "$work/W-7.pem"
rm "$work/W-7.pem" "$work/W-7.key"
try 'another key is refused' says 1 'used up for another key' enrol
try 'the operator sees it' says 0 enrolled "$mintmark" device show W-7
try 'and may let it enrol anew' "$mintmark" device reset W-7 --save "$work/W-7.secret"

# The daemon is away while the station asks.
kill "$daemon" && wait "$daemon" 2>/dev/null
sed -i "s/^listen = .*/listen = \"127.0.0.1:$port\"/" "$work/ca/mintmark.conf"
station W-1003 three --ip 10.1.1.70 >"$work/late" 2>&1 &
late=$!

daemon_start
wait "$late"
try 'a station waits for a daemon that is away' verify "$work/W-1003.pem" 10.1.1.70
finish
