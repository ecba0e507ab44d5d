#!/bin/sh
# The daemon is killed again and again while it writes lists: each file that is there is a whole list, the numbers go
# up, and no number stands for two lists.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

ca=$work/ca
lists=$ca/crl
rounds=${1:-6}

authority_init
sed -i 's|^# public_url = .*|public_url = "http://ca.test"|; s|^  # delta_every = .*|  delta_every = "1h"|; s|^  # shards = .*|  shards = 3|' \
  "$ca/mintmark.conf"
try 'there are many revocations' "$MINTMARK_BUILDDIR/mintmark-bench" --dir "$ca" --fill 5000 --revoke 5000

# A list that is just being written, or a good while without one.
being_written() { ls "$lists"/*.new "$lists"/*/*.new; }
wait_for_writing() {
  tries=0
  while [ $tries -lt 200 ] && ! being_written >/dev/null 2>&1; do tries=$((tries + 1)); done
}

# on_record FILE NUMBER: is it the list that the ledger has of this number?
on_record() {
  sum=$(sha256sum <"$1" | cut -d' ' -f1)
  [ "$(sqlite3 "$ca/mintmark.db" "SELECT lower(hex(sha256)) FROM crls WHERE number = $2")" = "$sum" ]
}
number_of() { printf '%d\n' "$(openssl crl -inform DER -in "$1" -noout -crlnumber | cut -d= -f2)"; }

# Looks at one list, and remembers its number for the next round.
check_list() {
  openssl crl -inform DER -in "$1" -noout -CAfile "$ca/issuing.crt" 2>&1 | grep -q 'verify OK' || { echo "$1 is not whole"; return 1; }
  number=$(number_of "$1")
  seen=$work/seen$(printf '%s' "${1#"$lists"}" | tr / -)
  [ "$number" -ge "$(cat "$seen" 2>/dev/null || echo 0)" ] || { echo "$1 went back to $number"; return 1; }
  echo "$number" >"$seen"
  on_record "$1" "$number" || { echo "$1, number $number, is not on record"; return 1; }
}
check_pem() {
  openssl crl -in "$1" -noout -CAfile "$ca/issuing.crt" 2>&1 | grep -q 'verify OK' || { echo "$1 is not whole"; return 1; }
}
check_all() {
  find "$lists" -name '*.crl' | while read -r file; do check_list "$file" || exit 1; done || return 1
  find "$lists" -name '*.pem' | while read -r file; do check_pem "$file" || exit 1; done
}

round=0
while [ $round -lt "$rounds" ]; do
  round=$((round + 1))
  daemon_start
  kill -HUP "$daemon"
  # At every point: some rounds let it come further than others.
  step=0
  while [ $step -lt $((round % 4)) ]; do
    wait_for_writing
    step=$((step + 1))
  done
  wait_for_writing
  kill -9 "$daemon"
  wait "$daemon" 2>/dev/null
  try "round $round" check_all
done

daemon_start
all_are_served() {
  for name in issuing.crl issuing/delta.crl issuing/1.crl issuing/2.crl issuing/3.crl issuing/3-delta.crl; do
    curl -fsS --cacert "$ca/root.crt" "$MINTMARK_URL/crl/$name" | cmp - "$lists/$name" || return 1
    openssl crl -in "$lists/${name%.crl}.pem" -outform DER | cmp - "$lists/$name" || return 1
  done
}
try 'after all of it each list is served, and is the same in PEM' wait_for 20 all_are_served
try 'with what was revoked' test "$(openssl crl -in "$lists/issuing.pem" -noout -text | grep -c 'Serial Number: ')" = 5000
try 'and is whole' check_all
kill "$daemon" && wait "$daemon"
daemon=
try 'no number came up twice' test "$(sqlite3 "$ca/mintmark.db" 'SELECT count(*) - count(DISTINCT number) FROM crls')" = 0
finish
