#!/bin/sh
# queries.sh [N [DIR]] - questions to a ledger of N certificates while others are issued: one certificate by its
# device, address, name or serial number, and the first page of each single filter. DIR is kept and filled up.
# The ordinary checks take 20,000 and look at the middle of all answers, with five times the time, since a busy
# machine is no fault of the ledger's; PART=0.99 SLACK=1 is the real thing. Figures of 10,000,000 are in doc/performance.md.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
work=$(mktemp -d) || exit 1
daemon=
trap '[ -z "$daemon" ] || kill $daemon; rm -rf "$work"' EXIT
n=${1:-20000}
dir=${2:-$work/ca}
lookups=400 pages=40 rate=${RATE:-100} seconds=${LOAD_SECONDS:-6}
part=${PART:-0.5} slack=${SLACK:-5}
bench="$MINTMARK_BUILDDIR/mintmark-bench --dir $dir --keys $dir/bench.keys"

rows() { sqlite3 "$dir/mintmark.db" 'SELECT coalesce(max(id), 0) FROM certificates'; }
# Keys are made before anything is measured; those that an earlier run has used are left out.
make_keys() {
  rm -f "$work/lines"
  "$MINTMARK_BUILDDIR/mintmark-bench" --keys "$dir/bench.keys" --skip $(($(rows) - n)) -n $((rate * seconds + 100)) --lines "$work/lines"
}
fill() { # up to n
  $bench --fill 1 && there=$(rows) || return 1
  [ "$there" -ge "$n" ] || $bench --fill $((n - there))
}

# --- what is asked: NAME, and URLs in a file of its own; rows are numbered from 0 by --fill ---

# A number below n for each of `lookups` questions, spread over all of the ledger.
each_number() { awk -v n="$n" -v k=$lookups 'BEGIN { for (i = 0; i < k; i++) printf "%d\n", (i * 7919 + 13) % k * n / k }'; }
by_device() { each_number | awk '{ printf "/v1/certificates?device_serial=F-%07d\n", $1 }'; }
by_dns() { each_number | awk '{ printf "/v1/certificates?dns=f-%07d.widgets.example\n", $1 }'; }
by_ip() { each_number | awk '{ printf "/v1/certificates?ip=10.%d.%d.%d\n", int($1 / 65536) % 256, int($1 / 256) % 256, $1 % 256 }'; }
by_serial_number() {
  each_number | awk 'BEGIN { print "SELECT lower(hex(serial_number)) FROM certificates WHERE id IN (0" }
    { printf ",%d", $1 + 1 } END { print ");" }' | sqlite3 "$dir/mintmark.db" | sed 's|^|/v1/certificates/|'
}
repeat() { awk -v url="$1" -v k=$pages 'BEGIN { for (i = 0; i < k; i++) print url }'; }

# --- asking: one connection, kept alive; a line for each answer: status, milliseconds, octets ---

ask() { # ask NAME <URLS
  sed "s|.*|url = \"https://127.0.0.1:$(cat "$dir/port")&\"\noutput = /dev/null|" >"$work/$1.urls"
  curl -sS --cacert "$dir/root.crt" -H "Authorization: Bearer $(cat "$dir/admin.token")" \
    -w '%{http_code} %{time_total} %{size_download}\n' -K "$work/$1.urls" |
    awk 'NR > 1 { print $1, $2 * 1000, $3 }' | sort -n -k 2 >"$work/$1"
}
quantile() { awk -v part="$2" '{ ms[NR] = $2 } END { i = int(NR * part + 0.999999); print ms[i < 1 ? 1 : i] }' "$work/$1"; }
# answered NAME LEAST-OCTETS: all were answered, and not with an empty page
answered() { [ -s "$work/$1" ] && awk -v least="$2" '$1 != 200 || $3 < least { if (bad++ < 3) print } END { exit bad > 0 }' "$work/$1"; }
within() { awk -v is="$(quantile "$1" "$2")" -v limit="$3" 'BEGIN { exit !(is < limit) }'; }

measure() { # measure NAME LEAST-OCTETS MILLISECONDS <URLS
  ask "$1"
  limit=$(($3 * slack))
  echo "# $1: p50 $(quantile "$1" 0.5), p99 $(quantile "$1" 0.99), max $(quantile "$1" 1) ms"
  try "$1: each question is answered" answered "$1" "$2"
  try "$1: within $limit ms" within "$1" "$part" "$limit"
}

# --- the daemon, and others that ask it for certificates ---

start() {
  rm -f "$dir/port"
  "$MINTMARK_BUILDDIR/mintmarkd" --config "$dir/mintmark.conf" --port-file "$dir/port" >>"$dir/daemon.log" 2>&1 &
  daemon=$!
  i=0
  while [ $i -lt 600 ] && ! [ -s "$dir/port" ]; do i=$((i + 1)); sleep 0.1; done
  [ -s "$dir/port" ]
}
# It reads the devices and keys of a large ledger when it starts: some seconds, at 10,000,000.
ticks() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; }
settle() {
  before=-1
  until [ "$(ticks)" = "$before" ]; do before=$(ticks); sleep 0.5; done
}
# The load generator measures the floor first, with all cores.
begun() {
  i=0
  until [ "$(rows)" -gt "$there" ] 2>/dev/null; do
    i=$((i + 1))
    [ $i -lt 300 ] || return 1
    sleep 0.1
  done
}
issued() { jq -e '.certificates > 0 and (.errors | length) == 0' "$work/report" || { cat "$work/report"; return 1; }; }
issue() { $bench --skip $skip --pid $daemon --rate "$rate" -T "$seconds" -c 16 --json >"$work/report" 2>&1; }

try "the ledger has $n certificates" fill
try 'keys are made' make_keys
skip=$(($(rows) - n))
by_serial_number >"$work/serial_numbers"
if ! start; then not_ok 'the daemon is up'; cat "$dir/daemon.log"; finish; fi
settle
there=$(rows)
issue &
load=$!
begun || not_ok 'others are issued'

by_device | measure device_serial 500 5
by_dns | measure dns 500 5
by_ip | measure ip 500 5
measure serial_number 500 5 <"$work/serial_numbers"
while read -r name least url; do
  repeat "$url" | measure "$name" "$least" 50
done <<EOF
station 500 /v1/certificates?station=line-3
order 500 /v1/certificates?order=PO-1
model 500 /v1/certificates?model=WX-0
profile 500 /v1/certificates?profile=device-server
valid 500 /v1/certificates?status=valid
expired 20 /v1/certificates?status=expired
superseded 20 /v1/certificates?status=superseded
revoked 20 /v1/certificates?status=revoked
issued_after 20 /v1/certificates?issued_after=2000-01-01T00:00:00Z
issued_before 20 /v1/certificates?issued_before=2000-01-01T00:00:00Z
expires_before 20 /v1/certificates?expires_before=2000-01-01T00:00:00Z
everything 500 /v1/certificates
no_such_station 20 /v1/certificates?station=nowhere
events 200 /v1/events
event_principal 200 /v1/events?principal=line-3
event_order 200 /v1/events?order=PO-1
event_issued 200 /v1/events?kind=issued
event_refused 20 /v1/events?kind=refused
event_device 200 /v1/events?device_serial=F-0000001
event_source 200 /v1/events?source=10.1.0.9
event_before 20 /v1/events?before=2000-01-01T00:00:00Z
EOF
wait $load
if kill $daemon && wait $daemon; then ok 'the daemon ends in order'; else not_ok 'the daemon ends in order'; fi
daemon=
try 'others were issued meanwhile' issued
echo "# meanwhile: $(jq -r '"\(.certificates_per_second | floor) a second, p99 \(.latency_ms.p99) ms, \(.rss_peak_octets / 1048576 | floor) MiB"' "$work/report")"
finish
