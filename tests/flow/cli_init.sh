#!/bin/sh
# mintmark init, as somebody uses it who then trusts nothing but OpenSSL.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
mintmark=$MINTMARK_BUILDDIR/mintmark
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

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
has() { openssl x509 -in "$1" -noout -text | tr -s ' \n' ' ' | grep -qF -- "$2"; }
mode() { [ "$(stat -c %a "$1")" = "$2" ] || { stat "$1"; return 1; }; }
verify() { openssl verify -x509_strict -CAfile "$1/root.crt" -untrusted "$1/issuing.crt" \
  -purpose sslserver "$2" "$3" "$1/server.crt"; }
state() { find ca -type f -exec sha256sum {} + | sort; }

try 'it makes an authority' says 0 'shred -u ca/root.key' \
  "$mintmark" init --dir ca --name 'Acme Widgets' --listen 127.0.0.9:8443
for address in 127.0.0.1 ::1 127.0.0.9; do
  try "root, issuing CA and server certificate verify for $address" verify ca -verify_ip $address
done
try 'and for localhost' verify ca -verify_hostname localhost
not() { ! "$@"; }
try 'but not for another address' not verify ca -verify_ip 10.1.1.68
try 'the issuing CA can make no further CA' has ca/issuing.crt 'CA:TRUE, pathlen:0'
try 'the root is named' has ca/root.crt 'Subject: O = Acme Widgets, CN = Acme Widgets Root CA'
try 'the issuing CA is named' has ca/issuing.crt 'Subject: O = Acme Widgets, CN = Acme Widgets Issuing CA'
try 'the server certificate is for a server alone' has ca/server.crt 'Extended Key Usage: TLS Web Server Authentication X509v3 Sub'
try 'the server sends its chain' test "$(grep -c BEGIN ca/server.crt)" = 2
for secret in root.key keys/issuing.key server.key admin.token; do
  try "nobody else reads $secret" mode ca/$secret 600
done
try 'the folder is closed' mode ca 700
try 'the folder of keys is closed' mode ca/keys 700
try 'the daemon is told where to listen' grep -qx 'listen = "127.0.0.9:8443"' ca/mintmark.conf
hash=$(tr -d '\n' <ca/admin.token | sha256sum | cut -d' ' -f1)
try 'the configuration has the hash of the token' grep -q "token_sha256 = \"$hash\"" ca/mintmark.conf
try 'and not the token' not grep -qF "$(cut -d. -f2 ca/admin.token)" ca/mintmark.conf

before=$(state)
try 'a second time it refuses' says 1 'ca/root.key is already there' "$mintmark" init --dir ca --name Other
try 'and changes nothing' test "$before" = "$(state)"
mkdir half && : >half/keyd.conf
try 'one file that is there is enough' says 1 'half/keyd.conf is already there' "$mintmark" init --dir half --name Other
try 'and nothing comes beside it' test "$(ls half)" = keyd.conf
mkdir blocked && : >blocked/keys
try 'what cannot be written is told' says 1 'blocked/keys' "$mintmark" init --dir blocked --name Other
try 'and leaves nothing behind' test "$(ls blocked)" = keys

printf 'correct horse\nsecond line\n' >pass && chmod 600 pass
try 'keys can be encrypted' says 0 'encrypted' "$mintmark" init --dir enc --name Acme --passphrase-file pass
for key in root.key keys/issuing.key; do
  try "the first line opens $key" openssl pkey -in enc/$key -passin 'pass:correct horse' -noout
  try "nothing else opens $key" not openssl pkey -in enc/$key -passin pass:wrong -noout
done
try 'the key holder finds the passphrase' grep -qx "passphrase_file = \"$work/pass\"" enc/keyd.conf
try 'the server key is not encrypted' openssl pkey -in enc/server.key -passin pass: -noout
chmod 644 pass
try 'a passphrase that others can read is refused' says 1 'chmod 600' \
  "$mintmark" init --dir enc2 --name Acme --passphrase-file pass
try 'before anything is made' test ! -e enc2

try 'keys can be RSA' "$mintmark" init --dir rsa --name Acme --key-type rsa-2048 --json
try 'the RSA chain verifies' verify rsa -verify_ip 127.0.0.1
try 'the RSA keys have their length' has rsa/issuing.crt 'Public-Key: (2048 bit)'
try 'P-384 signs with SHA-384' sh -c "'$mintmark' init --dir p384 --name Acme --key-type ec-p384 &&
  openssl x509 -in p384/issuing.crt -noout -text | grep -q ecdsa-with-SHA384"
try 'validities can be chosen' "$mintmark" init --dir short --name Acme --root-validity 30d --issuing-validity 60d
end_of() { openssl x509 -in short/$1.crt -noout -enddate; }
try 'nothing outlives the root' test "$(end_of root)" = "$(end_of issuing)" -a "$(end_of root)" = "$(end_of server)"
try 'names in UTF-8 are taken' "$mintmark" init --dir utf8 --name 'Größe & Söhne "AG"'

try 'no --name is wrong usage' says 2 "needs --name NAME" "$mintmark" init --dir x
try 'an unknown key type is wrong usage' says 2 'rsa-4096, not' "$mintmark" init --dir x --name A --key-type rsa-1024
try 'a listen address without port is wrong usage' says 2 '127.0.0.1:8443' "$mintmark" init --dir x --name A --listen ::1
try 'a validity without unit is wrong usage' says 2 '3650d' "$mintmark" init --dir x --name A --root-validity 20
try 'a name that is too long is wrong usage' says 2 '53 characters' "$mintmark" init --dir x --name "$(printf %054d 0)"
try 'a word too many is wrong usage' says 2 "'y' is more" "$mintmark" init --dir x --name A y
try 'none of these made a folder' test ! -e x
finish
