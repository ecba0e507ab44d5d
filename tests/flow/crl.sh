#!/bin/sh
# What is revoked is on the list, and OpenSSL and GnuTLS believe it: complete lists, deltas, shards.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

ca=$work/ca
lists=$ca/crl
not() { ! "$@"; }
get() { curl -fsS --cacert "$ca/root.crt" "$MINTMARK_URL$1"; }
# get_list NAME: into a file that others then look at.
get_list() { get "/crl/$1" >"$work/list"; }
issue() { "$mintmark" issue --serial "$1" --ip "$2" --out "$work/w"; }
serial_of() { openssl x509 -in "$work/w/$1.crt" -noout -serial | cut -d= -f2; }
revoke() {
  curl -fsS --cacert "$ca/root.crt" -H "Authorization: Bearer $(cat "$ca/admin.token")" -H 'Content-Type: application/json' \
    -d "{\"reason\":\"$2\"}" \
    "$MINTMARK_URL/v1/certificates/$(serial_of "$1" | tr 'A-F' 'a-f')/revoke"
}
text_of() { openssl crl -in "$work/list" -noout -text; }
is_on() { get_list "$2" && text_of | grep -q "Serial Number: $(serial_of "$1")"; }
number_of() { get_list "$1" && printf '%d\n' "$(openssl crl -in "$work/list" -noout -crlnumber | cut -d= -f2)"; }
number_is_above() { [ "$(number_of "$1")" -gt "$2" ]; }
# verify WIDGET LIST OPTION...: with this list, as a file.
verify() {
  widget=$1 list=$2
  shift 2
  openssl verify -x509_strict -crl_check "$@" -CAfile "$ca/root.crt" -untrusted "$ca/issuing.crt" -CRLfile "$list" \
    "$work/w/$widget.crt"
}
says() {
  pattern=$1
  shift
  said=$("$@" 2>&1)
  printf '%s' "$said" | grep -qF -- "$pattern" || { printf 'does not say "%s": %s\n' "$pattern" "$said"; return 1; }
}
conf() { sed -i "s|^\( *\)# \($1\) = .*|\1\2 = $2|" "$ca/mintmark.conf"; }
head_of() { rm -f "$work/body" && curl -fsS --cacert "$ca/root.crt" -o "$work/body" -D - "$@" | tr -d '\r'; }
restart() { kill "$daemon" && wait "$daemon"; daemon_start; }

authority_init
conf public_url '"http://ca.test"'
conf delay '"1s"'
daemon_start

# --- a complete list ---

for i in 1 2 3; do issue W-$i 10.1.1.$i >/dev/null; done
try 'there is a list before anything is revoked' wait_for 10 get_list issuing.crl
try 'which is empty' says 'No Revoked Certificates' text_of
try 'a widget is good by it' says ': OK' verify W-1 "$work/list"
first=$(number_of issuing.crl)
try 'one is revoked' revoke W-1 keyCompromise
try 'and on the list soon' wait_for 10 is_on W-1 issuing.crl
try 'which says why' says 'Key Compromise' text_of
try 'OpenSSL refuses it' says 'certificate revoked' verify W-1 "$work/list"
try 'and no other' says ': OK' verify W-2 "$work/list"
try 'its number is higher' [ "$(number_of issuing.crl)" -gt "$first" ]
try 'it comes as DER' openssl crl -inform DER -in "$work/list" -noout -CAfile "$ca/issuing.crt"
get /crl/issuing.pem >"$work/list.pem"
try 'and as PEM, the same' sh -c "openssl crl -in '$work/list.pem' -outform DER | cmp - '$work/list'"
if command -v certtool >/dev/null; then
  try 'GnuTLS verifies it' says 'Verified.' certtool --verify-crl --load-ca-certificate "$ca/issuing.crt" --infile "$work/list.pem"
fi
try 'it stands on the disk for others to publish' cmp "$lists/issuing.crl" "$work/list"
try 'mintmark show reads it' says 'revocation list' "$mintmark" show "$lists/issuing.crl"

# --- HTTP ---

head=$(head_of "$MINTMARK_URL/crl/issuing.crl")
etag=$(printf '%s\n' "$head" | sed -n 's/^ETag: //p')
modified=$(printf '%s\n' "$head" | sed -n 's/^Last-Modified: //p')
try 'its type is told' says 'Content-Type: application/pkix-crl' printf '%s' "$head"
try 'it may be kept for a while' says 'Cache-Control: public, max-age=300' printf '%s' "$head"
try 'whoever has it by its tag is told so' says '304 Not Modified' head_of -H "If-None-Match: $etag" "$MINTMARK_URL/crl/issuing.crl"
try 'without its octets' not test -s "$work/body"
try 'and by its time' says '304 Not Modified' head_of -H "If-Modified-Since: $modified" "$MINTMARK_URL/crl/issuing.crl"
try 'another tag is answered' says '200 OK' head_of -H 'If-None-Match: "x"' "$MINTMARK_URL/crl/issuing.crl"
try 'HEAD has its length' says "Content-Length: $(stat -c %s "$lists/issuing.crl")" head_of -I "$MINTMARK_URL/crl/issuing.crl"
for path in issuing issuing.key ../ca/keys/issuing.key ..%2fadmin.token issuing.crl.new issuing/1.crl; do
  try "nothing else is there: $path" not curl -fsS --path-as-is --cacert "$ca/root.crt" "$MINTMARK_URL/crl/$path"
done

# --- restarts ---

before=$(number_of issuing.crl)
restart
try 'after a restart it is the same list' [ "$(number_of issuing.crl)" = "$before" ]
kill -HUP "$daemon"
try 'a reload makes a new one' wait_for 10 number_is_above issuing.crl "$before"
before=$(number_of issuing.crl)
kill "$daemon" && wait "$daemon"
printf x | dd of="$lists/issuing.crl" bs=1 seek=40 conv=notrunc 2>/dev/null
daemon_start
try 'a file that is broken is made anew' wait_for 10 number_is_above issuing.crl "$before"
try 'with what was revoked' is_on W-1 issuing.crl
before=$(number_of issuing.crl)
kill "$daemon" && wait "$daemon"
rm -r "$lists"
daemon_start
try 'so is one that is gone' wait_for 10 number_is_above issuing.crl "$before"

# --- deltas ---

conf delta_every '"1h"'
kill -HUP "$daemon"
try 'a delta follows' wait_for 10 get_list issuing/delta.crl
try 'the complete list says where it is' says 'http://ca.test/crl/issuing/delta.crl' sh -c "openssl crl -in '$lists/issuing.crl' -noout -text"
complete=$(number_of issuing.crl)
removed() { get_list issuing/delta.crl && text_of | grep -A4 "Serial Number: $(serial_of "$1")" | grep -q 'Remove From CRL'; }
revoke W-3 certificateHold >/dev/null
try 'a hold is on the delta' wait_for 10 is_on W-3 issuing/delta.crl
revoke W-3 removeFromCRL >/dev/null
try 'and taken back by the next one, for who has put the two together' wait_for 10 removed W-3
revoke W-2 certificateHold >/dev/null
try 'a revocation is on the delta' wait_for 10 is_on W-2 issuing/delta.crl
try 'which goes on from the complete list' says "delta to $(printf %02x "$complete")" sh -c "'$mintmark' show '$lists/issuing/delta.crl' | tr -s ' '"
try 'the complete list is as it was' [ "$(number_of issuing.crl)" = "$complete" ]
cat "$lists/issuing.pem" "$lists/issuing/delta.pem" >"$work/both.pem"
try 'without the delta it is good' says ': OK' verify W-2 "$lists/issuing.crl"
try 'with it, it is not' says 'certificate revoked' verify W-2 "$work/both.pem" -use_deltas
try 'another one is' says ': OK' verify W-3 "$work/both.pem" -use_deltas
kill -HUP "$daemon"
try 'the next complete list has it' wait_for 10 is_on W-2 issuing.crl
try 'and says that it is on hold' says 'Certificate Hold' text_of
revoke W-2 removeFromCRL >/dev/null
try 'what is off hold is taken off by a delta' wait_for 10 removed W-2
cat "$lists/issuing.pem" "$lists/issuing/delta.pem" >"$work/both.pem"
try 'with which it is good again' says ': OK' verify W-2 "$work/both.pem" -use_deltas

# --- shards ---

sed -i 's|^  delta_every = .*|  delta_every = "0s"|' "$ca/mintmark.conf"
conf shards 3
kill -HUP "$daemon"
try 'each shard has a list' wait_for 10 get_list issuing/3.crl
try 'deltas are gone' not get_list issuing/delta.crl
for i in 4 5 6 7 8; do issue W-$i 10.1.1.$i >/dev/null; done
url=$(openssl x509 -in "$work/w/W-4.crt" -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
shard=${url#http://ca.test/crl/}
try 'a certificate names the list of its shard' says "issuing/" printf '%s' "$shard"
revoke W-4 superseded >/dev/null
try 'what is revoked is on it' wait_for 10 is_on W-4 "$shard"
try 'which holds for those that name it' says "URI:$url" text_of
try 'OpenSSL refuses it by this list' says 'certificate revoked' verify W-4 "$work/list"
other=$(for i in 5 6 7 8; do
  openssl x509 -in "$work/w/W-$i.crt" -noout -ext crlDistributionPoints | grep -qF "$url" || { echo W-$i; break; }
done)
[ -z "$other" ] || try 'the list says nothing of one of another shard' says 'different CRL scope' verify "$other" "$work/list"
try 'the list of all has it, too' wait_for 10 is_on W-4 issuing.crl
sed -i 's|^  shards = 3|  shards = 1|' "$ca/mintmark.conf"
before=$(number_of "$shard")
kill -HUP "$daemon"
try 'a shard that there was goes on' wait_for 10 number_is_above "$shard" "$before"
try 'with what was revoked' is_on W-4 "$shard"

# --- an authority that issues no more ---

authority() { "$mintmark" authority "$@" --url "$MINTMARK_URL"; }
authority add issuing-2 --dir "$ca" >"$work/authority.log" 2>&1
try 'a new authority has a list' wait_for 10 get_list issuing-2.crl
authority activate issuing-2 >>"$work/authority.log" 2>&1
try 'the one before is retired' authority retire issuing
try 'and goes on revoking' revoke W-5 cessationOfOperation
try 'on its own list' wait_for 10 is_on W-5 issuing.crl
try 'which it has signed' openssl crl -inform DER -in "$work/list" -noout -CAfile "$ca/issuing.crt"
try 'and not on that of the new one' not is_on W-5 issuing-2.crl
finish
