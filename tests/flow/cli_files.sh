#!/bin/sh
# mintmark show and export: every kind of file, and everything that is none.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
mintmark=$MINTMARK_BUILDDIR/mintmark
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

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
show() { "$mintmark" show "$@"; }
export_() { "$mintmark" export "$@"; }

"$mintmark" init --dir ca --name Acme >/dev/null || { not_ok 'mintmark init'; finish; }
cp ca/server.crt w.crt && cp ca/server.key w.key
openssl pkcs8 -topk8 -in w.key -passout pass:hush -out enc.key
printf 'hush\n' >hush && chmod 600 hush
openssl req -new -newkey rsa:2048 -noenc -keyout rsa.key -subj /CN=W-1 \
  -addext subjectAltName=IP:10.1.1.68,DNS:w-1.example -out w.csr 2>/dev/null
openssl rsa -in rsa.key -traditional -out pkcs1.key 2>/dev/null
openssl ec -in w.key -out sec1.key 2>/dev/null
openssl x509 -in w.crt -outform der -out w.der
openssl req -in w.csr -outform der -out csr.der
openssl pkey -in w.key -outform der -out key.der
printf '[ca]\ndatabase=i\ncrlnumber=n\ndefault_md=sha256\ndefault_crl_days=7\n[x]\nauthorityKeyIdentifier=keyid\n' >crl.cnf
printf '[y]\nauthorityKeyIdentifier=keyid\nissuingDistributionPoint=critical,@z\n[z]\nfullname=URI:http://ca.example/1.crl\n' >>crl.cnf
: >i && echo 01 >n
openssl ca -config crl.cnf -name ca -crlexts x -gencrl -keyfile ca/keys/issuing.key -cert ca/issuing.crt -out w.crl 2>/dev/null
openssl ca -config crl.cnf -name ca -crlexts y -gencrl -keyfile ca/keys/issuing.key -cert ca/issuing.crt -out y.crl 2>/dev/null

try 'a certificate, PEM' says 0 'names IP 127.0.0.1' show w.crt
try 'a certificate, DER' says 0 'purpose serverAuth' show w.der
try 'its serial number as OpenSSL says it' says 0 \
  "$(openssl x509 -in w.crt -noout -serial | cut -d= -f2 | tr 'A-F' 'a-f')" show w.crt
try 'its fingerprint as OpenSSL says it' says 0 \
  "$(openssl x509 -in w.crt -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr 'A-F' 'a-f')" show w.crt
try 'its end, and how far off it is' says 0 '(in 825 days)' show w.crt
try 'a chain' says 0 'w.crt, 1 of 2 is signed by w.crt, 2 of 2.' show w.crt
try 'a root' says 0 'is signed by itself: a root' show ca/root.crt
try 'the chain up to the root in another file' says 0 'w.crt, 2 of 2 is signed by ca/root.crt.' show w.crt ca/root.crt
try 'a CSR, PEM' says 0 'names IP 10.1.1.68 DNS w-1.example' show w.csr
try 'a CSR, DER' says 0 'certification request' show csr.der
try 'a CSR and its key' says 0 'rsa.key belongs to w.csr.' show rsa.key w.csr
try 'a CRL' says 0 'revocation list' show w.crl
try 'a CRL of some certificates' says 0 'list of http://ca.example/1.crl' show y.crl
for key in w.key sec1.key key.der; do try "a P-256 key: $key" says 0 'key EC P-256' show $key; done
for key in rsa.key pkcs1.key; do try "an RSA key: $key" says 0 'key RSA, 2048 bits' show $key; done
try 'an encrypted key' says 0 'encrypted' show enc.key
try 'an encrypted key, opened' says 0 'enc.key belongs to w.crt' show --passphrase-file hush enc.key w.crt
try 'a wrong passphrase' says 1 'passphrase' show --passphrase-file w.crt enc.key
try 'a key that belongs' says 0 'w.key belongs to w.crt, 1 of 2.' show w.key w.crt
try 'a key that does not belong' says 1 'rsa.key does NOT belong to w.crt, 1 of 2.' show rsa.key w.crt
cat ca/server.crt ca/issuing.crt >twice.pem
try 'a chain that is broken' says 1 'is NOT signed by' show twice.pem
try 'standard input' sh -c "'$mintmark' show - <w.crt"
secret=$(sed -n 2p w.key)
try 'the key itself is never shown' sh -c "! '$mintmark' show w.key --json | grep -qF '$secret'"
try 'JSON' sh -c "'$mintmark' show --json w.key w.crt | jq -e '.items[1].names[0] == \"127.0.0.1\" and .checks[0].good'"

head -c 300 w.der >cut.der
sed '5d' w.crt >cut.pem
head -c 4096 /dev/urandom >noise
: >empty
printf -- '-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n' >other.pem
printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' >hollow.pem
cat w.der w.der >two.der
for file in cut.der cut.pem noise empty other.pem hollow.pem two.der /etc/hostname missing; do
  try "no such thing: $file" says 1 "$file" show $file
done
try 'the others are shown all the same' says 1 'names IP 127.0.0.1' show noise w.crt
try 'no file is wrong usage' says 2 'FILE...' show
try 'an unknown option is wrong usage' says 2 '--frob' show --frob w.crt

try 'C source' export_ --format c --cert w.crt --key w.key --out W-1
printf '#include <stdio.h>\n#include "W-1.h"\nint main(void) { fwrite(W_1_certificate_der, 1, W_1_certificate_der_len, stdout); return 0; }\n' >use.c
try 'it compiles as C' cc -std=c99 -Wall -Wextra -pedantic -Werror -o use use.c W-1.c
try 'it compiles as C++' c++ -x c++ -Wall -Wextra -pedantic -Werror -o use-cc use.c W-1.c
./use >got.der
try 'it holds the certificate' cmp got.der w.der
try 'nobody else reads the source' test "$(stat -c %a W-1.c)" = 600
try 'nothing is overwritten' says 1 'W-1.c is already there' export_ --format c --cert w.crt --key w.key --out W-1
try 'unless it is forced' export_ --format c --cert w.crt --key w.key --out W-1 --force
try 'every other form' export_ --format pem,der,p12 --cert w.crt --chain ca/chain.pem --key w.key --out all --passphrase-file hush
try 'PKCS #12 opens and has key and chain' sh -c \
  "openssl pkcs12 -in all.p12 -passin pass:hush -noenc | grep -c BEGIN | grep -qx 3"
try 'the chain is not doubled' test "$(grep -c BEGIN all.chain.pem)" = 2
try 'DER is the certificate' cmp all.der w.der
try 'the key in DER is the key' sh -c "openssl pkey -inform der -in all.key.der | cmp - w.key"
try 'an encrypted key is opened' export_ --format der --cert w.crt --key enc.key --out enc --passphrase-file hush
try 'a key that does not belong is refused' says 1 'does not belong' export_ --format c --cert w.crt --key rsa.key --out no
try 'PKCS #12 without a key is wrong usage' says 2 'needs the private key' export_ --format p12 --cert w.crt --out no
try 'a name that is no identifier is wrong usage' says 2 'a letter first' export_ --format c --cert w.crt --name 1x --out no
try 'an unknown form is wrong usage' says 2 'pem, der, p12 and c' export_ --format jks --cert w.crt --out no
try 'none of these left a file' not ls no.*
finish
