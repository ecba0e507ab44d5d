#!/bin/sh
# OCSP against the real daemon, asked by openssl, GnuTLS's ocsptool and curl, by plain HTTP and by TLS.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

ca=$work/ca
# asks WANTED ARGUMENT...: openssl asks, the answer verifies up to the root, and says so.
asks() {
  wanted=$1
  shift
  said=$(openssl ocsp -url "$public_url/ocsp" -CAfile "$ca/root.crt" -issuer "$ca/issuing.crt" "$@" 2>&1)
  printf '%s\n' "$said"
  case $said in *'Response verify OK'*) ;; *) return 1 ;; esac
  printf '%s' "$said" | tr -s ' \n\t' ' ' | grep -qF -- "$wanted"
}
# refuses WANTED ARGUMENT...: OCSP's own error.
refuses() {
  wanted=$1
  shift
  said=$(openssl ocsp -url "$public_url/ocsp" -CAfile "$ca/root.crt" "$@" 2>&1)
  printf '%s\n' "$said"
  printf '%s' "$said" | grep -qF "Responder Error: $wanted"
}
# A request in a file, sent by curl, and its answer held against the same request.
request() { openssl ocsp -issuer "$ca/issuing.crt" "$@" -reqout "$work/request.der" >/dev/null 2>&1; }
checks() {
  wanted=$1
  shift
  said=$(openssl ocsp -respin "$work/answer.der" -CAfile "$ca/root.crt" -issuer "$ca/issuing.crt" "$@" 2>&1)
  printf '%s\n' "$said"
  printf '%s' "$said" | grep -qF 'Response verify OK' && printf '%s' "$said" | grep -qF -- "$wanted"
}
post() {
  curl -sS -o "$work/answer.der" -D "$work/head" -H 'Content-Type: application/ocsp-request' \
    --cacert "$ca/root.crt" --data-binary "@$work/request.der" "$@"
}
get() { curl -sS -o "$work/answer.der" -D "$work/head" --path-as-is "$@"; }
head_has() { tr -d '\r' <"$work/head" | grep -qiE -- "$1" || { cat "$work/head"; return 1; }; }
b64() { base64 -w0 "$work/request.der"; }
escaped() { b64 | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3d/g'; }
responders() {
  sqlite3 "$ca/mintmark.db" "SELECT count(*) FROM certificates WHERE profile = (SELECT id FROM labels WHERE text = '@ocsp')"
}
has_responders() { [ "$(responders)" = "$1" ]; }
status_is() { head_has "^HTTP/1.1 $1 "; }

authority_init
sed -i 's|^# public_listen = .*|public_listen = "127.0.0.1:0"|' "$ca/mintmark.conf"
daemon_start
"$mintmark" issue --out "$work/w" --serial W-1 --ip 10.1.1.1 >/dev/null || not_ok 'a certificate'
"$mintmark" issue --out "$work/w" --serial W-2 --ip 10.1.1.2 >/dev/null || not_ok 'another one'
one=$work/w/W-1.crt two=$work/w/W-2.crt

try 'there is no responder before somebody asks' has_responders 0
try 'the first one who asks waits for it, and gets his answer' asks "$one: good" -cert "$one"
try 'its certificate is on the record' has_responders 1
try 'openssl, with SHA-256' asks "$one: good" -sha256 -cert "$one"
try 'and without a nonce' asks "$one: good" -no_nonce -cert "$one"
try 'once more, out of the cache' asks "$one: good" -no_nonce -cert "$one"
try 'several in one request' asks "$two: good" -cert "$one" -cert "$two" -serial 0x0102
try 'what was never issued is unknown' asks '0x0102: unknown' -serial 0x0102
try 'without a nonce, too' asks '0x0102: unknown' -no_nonce -serial 0x0102
try 'an authority that is none of ours' refuses unauthorized -issuer "$ca/root.crt" -cert "$ca/issuing.crt"
# (openssl verifies no answer about certificates of two issuers.)
try 'its certificates are unknown beside one of ours' sh -c "openssl ocsp -url '$public_url/ocsp' -noverify \
  -issuer '$ca/issuing.crt' -cert '$one' -issuer '$ca/root.crt' -serial 0x05 | grep -F '0x05: unknown'"
try 'one responder has answered all' has_responders 1

try 'ocsptool' sh -c "ocsptool --ask='$public_url/ocsp' --load-cert '$one' --load-issuer '$ca/issuing.crt' \
  --load-trust '$ca/chain.pem' | grep -F 'Verifying OCSP Response: Success.'"
try 'ocsptool, with a nonce' sh -c "ocsptool --ask='$public_url/ocsp' --nonce --load-cert '$one' \
  --load-issuer '$ca/issuing.crt' --load-trust '$ca/chain.pem' | grep -F 'Verifying OCSP Response: Success.'"

request -cert "$one"
try 'by TLS' post "$MINTMARK_URL/ocsp"
try 'the answer is for OCSP' head_has '^Content-Type: application/ocsp-response$'
try 'and nobody keeps it' head_has '^Cache-Control: no-store$'
try 'it verifies' checks "$one: good" -no_nonce -cert "$one"
try 'with the nonce of the request' sh -c "openssl ocsp -reqin '$work/request.der' -respin '$work/answer.der' \
  -CAfile '$ca/root.crt' -issuer '$ca/issuing.crt' 2>&1 | tee '$work/said' | grep -F 'Response verify OK'"
try 'which is there' sh -c "! grep -i nonce '$work/said'"

request -no_nonce -cert "$one"
try 'GET, as it is in base64' get "$public_url/ocsp/$(b64)"
try 'it verifies' checks "$one: good" -cert "$one"
try 'caches may keep it' head_has '^Cache-Control: public, max-age=7[12][0-9][0-9], no-transform, must-revalidate$'
try 'until it expires' head_has '^Expires: .* GMT$'
try 'they know when it was made' head_has '^Last-Modified: .* GMT$'
etag=$(tr -d '\r' <"$work/head" | sed -n 's/^[Ee][Tt]ag: //p')
try 'GET, escaped' get "$public_url/ocsp/$(escaped)"
try 'it is the same answer' head_has "^ETag: $etag\$"
try 'GET by TLS' get --cacert "$ca/root.crt" "$MINTMARK_URL/ocsp/$(escaped)"
try 'it is the same answer' head_has "^ETag: $etag\$"
try 'who has it already' get -H "If-None-Match: $etag" "$public_url/ocsp/$(b64)"
try 'is told so' status_is 304
try 'HEAD' get --head "$public_url/ocsp/$(b64)"
try 'has the same headers' head_has "^ETag: $etag\$"

# What is revoked shows in the very next answer, kept or not.
serial_number() { openssl x509 -in "$1" -noout -serial | cut -d= -f2 | tr A-F a-f; }
revoke() { "$mintmark" revoke "$@" "$(serial_number "$two")"; }
try 'before' asks "$two: good" -no_nonce -cert "$two"
try 'a certificate is put on hold' revoke --reason certificateHold
try 'it is revoked' asks "$two: revoked" -no_nonce -cert "$two"
try 'with the reason' asks 'Reason: certificateHold' -no_nonce -cert "$two"
try 'with a nonce, too' asks "$two: revoked" -cert "$two"
try 'the other one is as good as before' asks "$one: good" -no_nonce -cert "$one"
request -no_nonce -cert "$one"
try 'the same answer' get "$public_url/ocsp/$(b64)"
try 'as was signed before' head_has "^ETag: $etag\$"
try 'the hold is lifted' revoke --lift
try 'it is good again' asks "$two: good" -no_nonce -cert "$two"
try 'it is revoked for good' revoke --reason keyCompromise
try 'and says so' asks 'Reason: keyCompromise' -no_nonce -cert "$two"
try 'since when, too' asks 'Revocation Time: ' -no_nonce -cert "$two"
try 'to ocsptool' sh -c "ocsptool --ask='$public_url/ocsp' --load-cert '$two' --load-issuer '$ca/issuing.crt' \
  --load-trust '$ca/chain.pem' | grep -F 'Certificate Status: revoked'"

# Another authority issues, and the first one's responder goes on answering, retired too.
try 'another authority' "$mintmark" authority add second --dir "$ca" --url "$MINTMARK_URL"
try 'issues from now on' "$mintmark" authority activate second
"$mintmark" issue --out "$work/w" --serial W-3 --ip 10.1.1.3 >/dev/null || not_ok 'a certificate of the second one'
three=$work/w/W-3.crt
curl -sS -o "$work/second.pem" "$public_url/ca/second.pem"
try 'the first one is retired' "$mintmark" authority retire issuing
try 'it answers for what it issued' asks "$one: good" -cert "$one"
try 'revoked ones, too' asks "$two: revoked" -cert "$two"
try 'the second one has a responder of its own' sh -c "openssl ocsp -url '$public_url/ocsp' -CAfile '$ca/root.crt' \
  -issuer '$work/second.pem' -cert '$three' 2>&1 | tee '$work/said' | grep -F '$three: good'"
try 'whose answer verifies' grep -F 'Response verify OK' "$work/said"
try 'the first one never issued that' asks ': unknown' -serial "0x$(serial_number "$three")"
try 'there are two responders' has_responders 2

# What is malformed gets OCSP's word for it, and is not kept.
malformed() { status_is 200 && head_has '^Cache-Control: no-store$' && [ "$(od -An -tx1 "$work/answer.der" | tr -d ' ')" = 30030a0101 ]; }
printf 'nonsense' >"$work/request.der"
try 'nonsense is sent' post "$public_url/ocsp"
try 'and is malformed' malformed
: >"$work/request.der"
try 'nothing is sent' post "$public_url/ocsp"
try 'and is malformed' malformed
for path in '!!!' 'MEUw' '%zz' 'MA' '%00'; do
  get "$public_url/ocsp/$path"
  try "GET $path is malformed" malformed
done
head -c 4097 /dev/zero >"$work/request.der"
try 'more than 4 KiB are sent' post "$public_url/ocsp"
try 'and not taken' status_is 413
request -cert "$one"
try 'another type is sent' curl -sS -o "$work/answer.der" -D "$work/head" -H 'Content-Type: application/json' \
  --data-binary "@$work/request.der" "$public_url/ocsp"
try 'and not taken' status_is 415

# A daemon that says in its certificates where OCSP is has its responder at the start.
daemon_stop
rm -f "$work/w"/W-1.*
sed -i 's|^# public_url = .*|public_url = "http://ca.widgets.example"|' "$ca/mintmark.conf"
daemon_start
try 'a new responder of each at once' wait_for 20 has_responders 4
try 'it answers' asks "$two: revoked" -cert "$two"
try 'its own status need not be asked for' sh -c "openssl ocsp -url '$public_url/ocsp' -issuer '$ca/issuing.crt' -cert '$two' \
  -CAfile '$ca/root.crt' -resp_text | grep -F 'OCSP No Check'"

# Without the key holder's consent there is no responder: then the answer is to try later.
daemon_stop
sed -i 's/, "OCSPSigning"}/}/' "$ca/keyd.conf"
daemon_start
try 'without a responder, later' refuses trylater -issuer "$ca/issuing.crt" -cert "$two"
try 'the log says why' grep -qF 'an OCSP responder gets no certificate' "$work/daemon.log"

# Its short life is nobody's concern.
try 'no responder is announced as about to expire' [ "$(sqlite3 "$ca/mintmark.db" 'SELECT count(*) FROM expiring')" = 0 ]

# That somebody was answered is no news, unless it is asked for.
try 'answers are not in the log' sh -c "! grep -F 'path=/ocsp status=200' '$work/daemon.log' | grep -v code="
daemon_stop
finish
