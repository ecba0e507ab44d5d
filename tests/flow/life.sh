#!/bin/sh
# The life of an authority and of what it issues, day by day, in a minute: the clock of all that runs
# here is moved by libfaketime, and each step is looked at by programs that are not ours.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

faketime=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null)
[ -n "$faketime" ] || { not_ok 'there is a libfaketime (package faketime)'; finish; }
# The sanitizers' own library must be the first that is loaded.
case $(nm -D "$mintmarkd" 2>/dev/null) in *__asan_init*) echo 'skipped: built with the sanitizers'; exit 77 ;; esac

ca=$work/ca
not() { ! "$@"; }
# says PATTERN COMMAND...: it says this, however it ends.
says() {
  pattern=$1
  shift
  said=$("$@" 2>&1)
  printf '%s\n' "$said"
  printf '%s' "$said" | tr -s ' \n\t' ' ' | grep -qF -- "$pattern" || { echo "does not say: $pattern"; return 1; }
}
lines() { grep -cF -- "$1" "$work/daemon.log"; }
has_lines() { [ "$(lines "$1")" -gt "$2" ]; }

# --- the clock ---

put_clock() { echo "$1" >"$work/clock.new" && mv "$work/clock.new" "$work/clock"; }
# What libfaketime shares in the name of a process, and could not remove at its end (in the sandbox it
# cannot), would keep the next process of that number from starting.
sweep() {
  for shared in /dev/shm/faketime_shm_* /dev/shm/sem.faketime_sem_*; do
    [ -d "/proc/${shared##*_}" ] || rm -f "$shared"
  done
}
# key_holder OFFSET: the daemon looks at its file again and again; the key holder cannot open files any
# more when it serves. So it begins with the time of its start, and another takes its place.
key_holder() {
  [ -z "$others" ] || { kill "$others" && wait "$others"; }
  starts=$(lines 'ready to sign')
  env -u FAKETIME_TIMESTAMP_FILE -u FAKETIME_NO_CACHE FAKETIME="$1" \
    "$MINTMARK_BUILDDIR/mintmark-keyd" --config "$ca/keyd.conf" --socket "$work/keyd.sock" 2>>"$work/daemon.log" &
  others=$!
  wait_for 20 has_lines 'ready to sign' "$starts" || not_ok 'the key holder starts'
}
is_ready() { curl -fsS --cacert "$ca/root.crt" "$MINTMARK_URL/readyz"; }
# day N NAME: so many days after the beginning. The daemon goes on, and its lists: NAME names one.
day() {
  offset=+$1d jumps=$(lines 'the clock was set')
  key_holder "$offset"
  put_clock "$offset"
  try "day $1" wait_for 20 has_lines 'the clock was set' "$jumps"
  try 'it is ready' wait_for 20 is_ready
  try 'with a list that holds for days' wait_for 20 list_holds "$2"
}

# --- what others say ---

get() { curl -fsS --cacert "$ca/root.crt" -H "Authorization: Bearer $(cat "$ca/admin.token")" "$MINTMARK_URL$1"; }
issue() { "$mintmark" issue --serial "$1" --profile "$2" --out "$work/w" ${3+--ip "$3"}; }
field() { openssl x509 -in "$work/w/$1.crt" -noout -ext "$2" | sed -n "s|.*$3URI:||p"; }
# verify NAME: by the list that the certificate itself names.
verify() {
  openssl verify -x509_strict -crl_check -crl_download -CAfile "$ca/root.crt" -untrusted "$work/w/$1.chain.pem" "$work/w/$1.crt"
}
list_of() { curl -fsS -o "$work/list" "$(field "$1" crlDistributionPoints '')"; }
list_field() { list_of "$1" && openssl crl -in "$work/list" -noout "-$2" | cut -d= -f2; }
number_of() { printf '%d\n' "0x$(list_field "$1" crlnumber | sed 's/^0x//')"; }
number_is_above() { [ "$(number_of "$1")" -gt "$2" ]; }
serial_of() { openssl x509 -in "$work/w/$1.crt" -noout -serial | cut -d= -f2; }
is_listed() { list_of "$1" && openssl crl -in "$work/list" -noout -text | grep -q "Serial Number: $(serial_of "$1")"; }
# The list holds now, for longer than until tomorrow.
list_holds() {
  next=$(list_field "$1" nextupdate) && [ "$(date -d "$next" +%s)" -gt $(($(date +%s) + 86400)) ] || { echo "until $next"; return 1; }
}
# ocsp NAME STATUS: from where the certificate says, by an issuer that is fetched from there, too.
ocsp() {
  curl -fsS "$(field "$1" authorityInfoAccess 'CA Issuers - ')" | openssl x509 -inform DER -out "$work/issuer.pem" || return 1
  says "$work/w/$1.crt: $2" openssl ocsp -url "$(openssl x509 -in "$work/w/$1.crt" -noout -ocsp_uri)" \
    -CAfile "$ca/root.crt" -issuer "$work/issuer.pem" -cert "$work/w/$1.crt" &&
    printf '%s' "$said" | grep -qF 'Response verify OK'
}
gnutls_ocsp() {
  says 'Verifying OCSP Response: Success' ocsptool --ask="$(openssl x509 -in "$work/w/$1.crt" -noout -ocsp_uri)" \
    --load-cert "$work/w/$1.crt" --load-issuer "$work/issuer.pem" --load-trust "$ca/chain.pem"
}
gnutls_crl() {
  openssl crl -in "$work/list" -out "$work/list.pem" &&
    says 'Verified.' certtool --verify-crl --load-ca-certificate "$work/issuer.pem" --infile "$work/list.pem"
}
# strongswan NAME: it follows both, OCSP first.
strongswan() {
  openssl x509 -in "$work/w/$1.crt" -outform DER -out "$work/leaf.der" &&
    openssl x509 -in "$ca/root.crt" -outform DER -out "$work/root.der" &&
    openssl x509 -in "$work/issuer.pem" -outform DER -out "$work/issuer.der" &&
    pki --verify --online --in "$work/leaf.der" --cacert "$work/issuer.der" --cacert "$work/root.der"
}
# renew NAME SAYS: with its certificate and key, as curl would show them.
renew() {
  openssl req -new -key "$work/w/$1.key" -subj "/CN=$1" -outform DER -out "$work/renew.csr" &&
    says "$2" curl -sS --cacert "$ca/root.crt" --cert "$work/w/$1.chain.pem" --key "$work/w/$1.key" \
      -H 'Content-Type: application/pkcs10' -H 'Accept: application/pem-certificate-chain' --data-binary "@$work/renew.csr" -o "$work/renewed" \
      -w '%{http_code} ' "$MINTMARK_URL/v1/renew"
}
takes() { cp "$work/renewed" "$work/w/$1.chain.pem" && openssl x509 -in "$work/renewed" -out "$work/w/$1.crt"; }
refused() { says "$1" cat "$work/renewed"; }
status_is() { says "\"status\":\"$2\"" get "/v1/certificates/$(serial_of "$1" | tr A-F a-f)"; }
revoke() { "$mintmark" revoke "$(serial_of "$1")" --reason "$2"; }
events() { get "/v1/events?kind=$1" | jq -e ".events | length > 0"; }
is_event() { get "/v1/events?kind=$1" | jq -e --arg about "$2" '[.events[] | .device_serial, .about] | index($about)'; }
# The end of the certificate that the daemon shows.
shown_until() {
  openssl s_client -connect "${MINTMARK_URL#https://}" -CAfile "$ca/root.crt" -verify_return_error </dev/null 2>/dev/null |
    openssl x509 -noout -enddate
}
shows_another() { now=$(shown_until) && [ -n "$now" ] && [ "$now" != "$1" ]; }
responder_until() {
  ocsp "$1" good >/dev/null && openssl ocsp -url "$(openssl x509 -in "$work/w/$1.crt" -noout -ocsp_uri)" -issuer "$work/issuer.pem" \
    -cert "$work/w/$1.crt" -noverify -resp_text | sed -n 's/ *Not After : //p'
}
has_another_responder() { now=$(responder_until "$1") && [ -n "$now" ] && [ "$now" != "$2" ]; }

# --- day 0 ---

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
authority_init --issuing-validity 200d
sed -i "s|program = \"mintmark-keyd\"|socket = \"$work/keyd.sock\"|
  /^  config = \"keyd.conf\"/d
  s|^# public_listen = .*|public_listen = \"127.0.0.1:$port\"|
  s|^# public_url = .*|public_url = \"http://127.0.0.1:$port\"|
  s|^  # delay = .*|  delay = \"1s\"|
  s|^  # renew_grace = .*|  renew_grace = \"30d\"|
  s|validity = \"825d\"|validity = \"60d\"|
  s|^  renew_from = .*|  renew_from = \"20d\"|" "$ca/mintmark.conf"
put_clock +0d
export LD_PRELOAD="$faketime" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 \
  FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0 NO_FAKE_STAT=1
others=
touch "$work/daemon.log"
sweep
key_holder +0d
daemon_start
for i in 1 2 3 4; do issue W-$i device-server 10.1.1.$i >"$work/said" || { cat "$work/said"; not_ok "W-$i"; }; done
issue C-1 device-client >/dev/null
issue C-2 device-client >/dev/null
try 'openssl verifies by the list that the certificate names' verify W-1
try 'and one for clients' verify C-1
try 'openssl asks OCSP where it says' ocsp W-1 good
try 'ocsptool does' gnutls_ocsp W-1
list_of W-1
try 'certtool takes the list' gnutls_crl
try 'strongSwan follows it' says 'ocsp response is valid' strongswan W-1

number=$(number_of W-2)
try 'one is revoked' revoke W-2 keyCompromise
try 'the very next answer says so' ocsp W-2 revoked
try 'and the next list' wait_for 10 number_is_above W-2 "$number"
try 'openssl refuses it' says 'certificate revoked' verify W-2
try 'strongSwan refuses it' says 'certificate was revoked' strongswan W-2
try 'the other one is good' verify W-1
try 'by OCSP, too' ocsp W-1 good
try 'the sandbox of the key holder is closed' grep -q '^Seccomp:.*2$' "/proc/$others/status"
first_shown=$(shown_until)
first_responder=$(responder_until W-1)

# --- lists and responders go on ---

number=$(number_of W-1)
day 2 W-1
try 'there is another list' wait_for 10 number_is_above W-1 "$number"
try 'by which it is good' verify W-1
try 'who was revoked still is' says 'certificate revoked' verify W-2
day 10 W-1
try 'and a responder in time' wait_for 10 has_another_responder W-1 "$first_responder"
try 'which openssl believes' ocsp W-1 good
try 'and GnuTLS' gnutls_ocsp W-1
try 'too early to renew' renew W-1 409
try 'which is told' refused renewal-too-early

# --- renewal ---

day 45 W-3
try 'whose end is near is announced' wait_for 10 is_event expiring W-3
try 'one renews in time' renew W-1 201
takes W-1
try 'what it gets is good' verify W-1
try 'and by OCSP' ocsp W-1 good
try 'a client, too' "$mintmark" renew --cert "$work/w/C-1.crt" --key "$work/w/C-1.key" --chain "$work/w/C-1.chain.pem" --now
try 'is good' verify C-1
try 'who was revoked does not' renew W-2 401
day 70 W-3
try 'what has ended says so' status_is W-3 expired
try 'openssl does' says 'certificate has expired' verify W-3
try 'what was renewed goes on' verify W-1
try 'one that ended is still on the list' is_listed W-2
try 'one that was switched off renews in its grace' renew W-3 201
takes W-3
try 'and is good again' verify W-3
try 'a client has none' renew C-2 422
day 95 W-3
try 'beyond the grace nobody renews' renew W-4 422
try 'which is told' refused renewal-not-allowed
try 'who was revoked does not' renew W-2 401
try 'what ended long ago is off the list' wait_for 10 not is_listed W-2
try 'OCSP remembers' ocsp W-2 revoked

# --- another authority ---

day 115 W-3
try 'the end of the authority is announced' wait_for 10 is_event authority-expiring issuing
try 'it is ready, with a warning' says '"name":"issuing"' is_ready
try 'and metrics tell' says 'mintmark_authority_expiring{authority="issuing",state="active"} 1' get /metrics
issue C-3 device-client >/dev/null
try 'another one is made' "$mintmark" authority add issuing-2 --dir "$ca" --url "$MINTMARK_URL"
key_holder "$offset"
try 'and takes over' "$mintmark" authority activate issuing-2
try 'the old one is retired' "$mintmark" authority retire issuing
issue W-5 device-server 10.1.1.5 >/dev/null
try 'what is new is below the new one' says 'Issuing CA issuing-2' openssl x509 -in "$work/w/W-5.crt" -noout -issuer
try 'and verifies by its list' wait_for 10 verify W-5
try 'and its OCSP' ocsp W-5 good
try 'for strongSwan, too' says 'certificate status is good' strongswan W-5
try 'what is old verifies' verify W-3
try 'by OCSP of the old one' ocsp W-3 good
number=$(number_of W-3)
try 'what it issued is revoked' revoke W-3 superseded
try 'it says so itself' ocsp W-3 revoked
try 'and lists it' wait_for 10 number_is_above W-3 "$number"
try 'openssl refuses it' says 'certificate revoked' verify W-3
try 'nobody is warned any more' not says '"name":"issuing"' is_ready
day 140 W-3
try 'the daemon has renewed its own certificate' wait_for 20 shows_another "$first_shown"
try 'a client of the old one is let in' renew C-3 409
day 160 W-3
try 'and renews' renew C-3 201
takes C-3
try 'below the new one' says 'Issuing CA issuing-2' openssl x509 -in "$work/w/C-3.crt" -noout -issuer
try 'so that it is good' verify C-3

# --- the old one ends ---

day 205 C-3
try 'both are listed' sh -c "'$mintmark' authority list --json | jq -e '.authorities | length == 2'"
try 'what is new is good' wait_for 10 verify C-3
try 'by OCSP' ocsp C-3 good
try 'what ended is expired' status_is C-1 expired
try 'it issues' issue W-6 device-server 10.1.1.6
try 'which is good' verify W-6
shown=$(shown_until)
daemon_stop
daemon_start
try 'it starts with one that ended' wait_for 10 is_ready
try 'and shows what it had' [ "$(shown_until)" = "$shown" ]
try 'and issues' issue W-7 device-server 10.1.1.7

# --- the clock is set back ---

number=$(number_of C-3)
day 203 C-3
try 'there is a list of now' wait_for 10 number_is_above C-3 "$number"
try 'with which all is well' verify C-3
try 'by OCSP' wait_for 10 ocsp C-3 good
number=$(number_of C-3)
try 'a revocation does not wait for the time that was' revoke C-3 keyCompromise
try 'it is on the list' wait_for 10 number_is_above C-3 "$number"
try 'openssl refuses it' says 'certificate revoked' verify C-3
daemon_stop
kill "$others" && wait "$others"
others=
sweep
[ "$failures" = 0 ] || cat "$work/daemon.log"
finish
