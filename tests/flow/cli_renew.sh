#!/bin/sh
# mintmark renew: the pair of a web server, renewed by itself, whatever happens in between.
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
lines() { [ "$(wc -l <"$1")" -ge "$2" ] || { cat "$1"; return 1; }; }
# web NAME PROFILE: its certificate with the chain behind it, as a web server wants it.
web() {
  "$mintmark" issue --serial "$1" --ip 10.1.1.68 --profile "$2" --out "$work/w" >/dev/null || return 1
  mv "$work/w/$1.chain.pem" "$work/w/$1.crt"
}
renew() {
  name=$1
  shift
  "$mintmark" renew --cert "$work/w/$name.crt" --key "$work/w/$name.key" "$@"
}
serial_number() { openssl x509 -noout -serial -in "$work/w/$1"; }
# fits CRT KEY: one is the other's, and leads to the root.
fits() {
  crt=$(openssl x509 -noout -pubkey -in "$work/w/$1") && key=$(openssl pkey -pubout -in "$work/w/$2") || return 1
  [ "$crt" = "$key" ] || { echo "$2 is not the key of $1"; return 1; }
  openssl verify -no_check_time -CAfile "$work/ca/root.crt" -untrusted "$work/w/$1" -partial_chain "$work/w/$1"
}
same() { cmp "$work/w/$1" "$work/w/$2"; }

authority_init
# due: so far behind that two thirds of its lifetime are over when it is new, and some seconds later all of it.
for profile in 'due 60s 50s' 'hour 1h 0s'; do
  # shellcheck disable=SC2086
  set -- $profile
  cat >>"$work/ca/mintmark.conf" <<END
profile "$1" {
  validity = "$2"
  backdate = "$3"
  renew_from = "1h"
  renew_grace = "1h"
  key_types = { "ec-p256" }
  key_usage = { "digitalSignature" }
  ext_key_usage = { "serverAuth" }
  ip_ranges = { "10.0.0.0/8" }
  subject = { "CN=\${device_serial}" }
}
END
done
daemon_start

web W-1 hour
chmod 640 "$work/w/W-1.key"
chmod 604 "$work/w/W-1.crt"
cp "$work/w/W-1.crt" "$work/w/first.crt"
cp "$work/w/W-1.key" "$work/w/first.key"
try 'what is not due stays as it is' says 0 'is not due before' renew W-1
try 'and says so as JSON' sh -c "'$mintmark' renew --cert '$work/w/W-1.crt' --key '$work/w/W-1.key' --json | jq -e '.renewed == false and .due_at < .not_after'"
try 'nothing was changed' same W-1.crt first.crt

try 'nobody answers: not now' says 3 'no daemon answers' renew W-1 --now --timeout 1 --url https://127.0.0.1:1
try 'the pair is as it was' fits W-1.crt W-1.key
try 'and the next key is kept' test -s "$work/w/W-1.key.new"
cp "$work/w/W-1.key.new" "$work/w/next.key"
try 'it has the mode of the old one' mode "$work/w/W-1.key.new" 640
chmod 600 "$work/w/W-1.key.new" # as an interrupted run may leave it
try 'it is renewed' says 0 'is renewed: valid until' renew W-1 --now --chain "$work/w/W-1.chain.pem"
try 'with the key that was kept' same W-1.key next.key
try 'which fits' fits W-1.crt W-1.key
try 'another file has the chain, too' same W-1.crt W-1.chain.pem
try 'the modes are the same' mode "$work/w/W-1.key" 640
try 'of both' mode "$work/w/W-1.crt" 604
try 'nothing is left beside' not ls "$work"/w/*.new

# A crash between the two files, and one before.
cp "$work/w/W-1.crt" "$work/w/second.crt"
mv "$work/w/W-1.crt" "$work/w/W-1.crt.new"
cp "$work/w/first.crt" "$work/w/W-1.crt"
try 'the key is there, the certificate follows' says 0 'is not due' renew W-1
try 'so that they fit' same W-1.crt second.crt
mv "$work/w/W-1.crt" "$work/w/W-1.crt.new"
mv "$work/w/W-1.key" "$work/w/W-1.key.new"
cp "$work/w/first.crt" "$work/w/W-1.crt"
cp "$work/w/first.key" "$work/w/W-1.key"
try 'neither is there, both follow' says 0 'is not due' renew W-1
try 'so that they fit, too' same W-1.crt second.crt
try 'with its key' fits W-1.crt W-1.key

# An answer that was lost: the old pair, the next key.
cp "$work/w/first.crt" "$work/w/W-1.crt"
mv "$work/w/W-1.key" "$work/w/W-1.key.new"
cp "$work/w/first.key" "$work/w/W-1.key"
try 'what was asked is asked again' says 0 'is renewed' renew W-1 --now
try 'and is the same certificate' same W-1.crt second.crt
cp "$work/w/first.crt" "$work/w/W-1.crt"
cp "$work/w/first.key" "$work/w/W-1.key"
try 'a superseded one gets no other' says 1 'has taken its place' renew W-1 --now
try 'and stays a pair' fits W-1.crt W-1.key

web W-2 hour
cp "$work/w/W-2.key" "$work/w/kept.key"
openssl x509 -in "$work/w/W-2.crt" -out "$work/w/W-2.crt"
try 'the same key, and the certificate alone' says 0 'is renewed' renew W-2 --now --same-key --after "echo x >>'$work/after'"
try 'is the same' same W-2.key kept.key
try 'and alone' sh -c "[ \$(grep -c BEGIN '$work/w/W-2.crt') = 1 ]"
try 'a command is run after it' lines "$work/after" 1
try 'that fails is told' says 1 'failed with exit code 7' renew W-2 --now --after 'exit 7'
try 'and is owed until it does not' says 0 'is not due' renew W-2 --after "echo x >>'$work/after'"
try 'which was now' lines "$work/after" 2
try 'and is not run without need' renew W-2 --after "echo x >>'$work/after'"
try 'twice' sh -c "[ \$(wc -l <'$work/after') = 2 ]"
try 'a key of another is told' says 1 'is not the key of' "$mintmark" renew --cert "$work/w/W-2.crt" --key "$work/w/W-1.key" --now
try 'both keys are wrong usage' says 2 'not both' renew W-2 --new-key --same-key
try 'and so is a verb without a pair' says 2 '--key' "$mintmark" renew --cert "$work/w/W-2.crt"
"$mintmark" issue --serial W-3 --ip 10.1.1.68 --out "$work/w" >/dev/null
try 'too early by the profile' says 1 'may be renewed from' renew W-3 --now

# Links are followed.
web W-4 due
mkdir "$work/w/real"
mv "$work/w/W-4.crt" "$work/w/W-4.key" "$work/w/real"
ln -s real/W-4.crt real/W-4.key "$work/w"
try 'what is due is renewed' says 0 'is renewed' renew W-4
try 'behind its link' test -h "$work/w/W-4.crt"
try 'and is a pair' fits W-4.crt W-4.key

# For good.
web W-5 due
first=$(serial_number W-5.crt)
"$mintmark" renew --cert "$work/w/W-5.crt" --key "$work/w/W-5.key" --daemon --after "echo x >>'$work/good'" 2>"$work/renew.log" &
renewer=$!
others="$others $renewer"
try 'a renewer that stays renews it' wait_for 30 lines "$work/good" 1
try 'again and again' wait_for 30 lines "$work/good" 2
try 'and says so each time' grep -q 'renewed .*certificate=.*W-5.crt serial_number=' "$work/renew.log"
kill -TERM "$renewer"
wait "$renewer"
code=$?
try 'SIGTERM ends it' [ "$code" = 0 ]
try 'with a pair' fits W-5.crt W-5.key
try 'which is another one' not [ "$first" = "$(serial_number W-5.crt)" ]
MINTMARK_URL=https://127.0.0.1:1 "$mintmark" renew --cert "$work/w/W-5.crt" --key "$work/w/W-5.key" --daemon --timeout 1 2>"$work/alone.log" &
renewer=$!
others="$others $renewer"
try 'it goes on when nobody answers' wait_for 30 grep -q 'not renewed .*code=unreachable .*again_in_s=' "$work/alone.log"
kill -TERM "$renewer"
wait "$renewer"
code=$?
try 'until it is told to end' [ "$code" = 0 ]
finish
