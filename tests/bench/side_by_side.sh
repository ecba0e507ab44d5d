#!/bin/sh
# side_by_side.sh [N] - CPU time of a certificate, on this machine and in this run: mintmarkd with its key
# holder, `cfssl serve` without and with its SQLite database (Debian's golang-cfssl), and one
# `openssl x509 -req` each. N requests (2000), the same CSRs of P-256 keys for all, eight at a time.
# Not one of the checks: what it prints is for doc/performance.md.
set -eu
n=${1:-2000}
build=${MINTMARK_BUILDDIR:-$(dirname "$0")/../../build}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /var/tmp/side.XXXXXX)
pids=
clean_up() { for pid in $pids; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"; }
trap clean_up EXIT
for program in cfssl openssl python3 sqlite3; do
  command -v $program >/dev/null || { echo "side_by_side.sh: $program is not there (golang-cfssl, openssl, python3, sqlite3)" >&2; exit 2; }
done

"$build/mintmark" init --dir "$work/ca" --name Bench --listen 127.0.0.1:0 >/dev/null
mkdir "$work/csr"
echo "making $n keys and CSRs" >&2
i=0
while [ $i -lt "$n" ]; do
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout /dev/null -subj "/CN=W-$i" -out "$work/csr/$i.csr" 2>/dev/null
  i=$((i + 1))
done

# drive NAME KIND URL PID...: all CSRs, then the CPU time that these processes took for them.
drive() { python3 "$here/side_by_side.py" "$work" "$n" "$@"; }

"$build/mintmarkd" --config "$work/ca/mintmark.conf" --port-file "$work/port" 2>"$work/mintmarkd.log" &
daemon=$!
pids="$pids $daemon"
while [ ! -s "$work/port" ]; do sleep 0.05; done
drive 'mintmarkd, key holder and ledger' mintmark "https://127.0.0.1:$(cat "$work/port")" $daemon $(pgrep -P $daemon)

openssl ec -in "$work/ca/keys/issuing.key" -out "$work/ca/issuing.ec.key" 2>/dev/null
echo '{"signing":{"default":{"expiry":"19800h","usages":["digital signature","server auth"]}}}' >"$work/cfssl.json"
cfssl_serve() { # NAME PORT OPTION...
  name=$1 port=$2
  shift 2
  cfssl serve -address 127.0.0.1 -port "$port" -ca "$work/ca/issuing.crt" -ca-key "$work/ca/issuing.ec.key" \
    -config "$work/cfssl.json" -loglevel 5 "$@" >"$work/cfssl.log" 2>&1 &
  pids="$pids $!"
  server=$!
  until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; do sleep 0.1; done
  drive "$name" cfssl "http://127.0.0.1:$port" $server
  kill $server
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
cfssl_serve 'cfssl serve, plain HTTP, no record' "$(free_port)"
sqlite3 "$work/certs.db" "CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL,
  ca_label blob, status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,
  issued_at timestamp, not_before timestamp, metadata text, sans text, common_name text,
  PRIMARY KEY(serial_number, authority_key_identifier))"
echo "{\"driver\":\"sqlite3\",\"data_source\":\"$work/certs.db\"}" >"$work/db.json"
cfssl_serve 'cfssl serve, plain HTTP, with SQLite' "$(free_port)" -db-config "$work/db.json"

python3 "$here/side_by_side.py" "$work" "$n" 'openssl x509 -req, a process each' openssl -
