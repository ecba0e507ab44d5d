#!/bin/bash
# The lock: a browser trusts the widget's page once it knows the root, and only at the widget's address.
. "$MINTMARK_SRCDIR/tests/flow/daemon.sh"

if ! command -v chromium >/dev/null || ! command -v certutil >/dev/null; then
  echo "Chromium or certutil is not on this machine: ./check installs both where apt can."
  echo "not ok - a browser to test with"
  exit 1
fi

# Chromium's own numbers for what is wrong with a certificate.
NAME_INVALID=-200 AUTHORITY_INVALID=-202

export HOME=$work/home
mkdir -p "$HOME/.pki/nssdb"
certutil -d "sql:$HOME/.pki/nssdb" -N --empty-password

authority_init
cat >>"$work/ca/mintmark.conf" <<'CONF'

profile "loopback" {
  validity = "825d"
  key_types = {"ec-p256"}
  key_usage = {"digitalSignature"}
  ext_key_usage = {"serverAuth"}
  ip_ranges = {"127.0.0.0/8"}
  subject = {"CN=${device_serial}"}
}
CONF
daemon_start

# What a station does for widget W-1001, whose address is 127.10.1.68.
address=127.10.1.68 other=127.10.1.69
try 'the widget gets its certificate' "$mintmark" issue --serial W-1001 --ip $address \
  --profile loopback --out "$work/widget"

# The widget's web page, also reachable at an address that the certificate does not name.
serve() { # serve ADDRESS: on a free port, which goes into $port
  for port in $(shuf -i 20000-40000 -n 20); do
    openssl s_server -quiet -WWW -accept "$1:$port" -cert "$work/widget/W-1001.crt" \
      -cert_chain "$work/widget/W-1001.chain.pem" -key "$work/widget/W-1001.key" \
      </dev/null >>"$work/server.log" 2>&1 &
    others="${others-} $!"
    wait_for 5 bash -c "exec 3<>/dev/tcp/$1/$port" && return
  done
  not_ok "a port on $1"
  finish
}
echo '<html><body><h1>Widget W-1001</h1></body></html>' >"$work/index.html"
cd "$work" || exit 1

browse() { # browse URL: the page in $work/page, what the browser said in $work/browser.log
  timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync \
    --user-data-dir="$work/profile" --enable-logging=stderr --dump-dom "$1" \
    >"$work/page" 2>"$work/browser.log"
}
loads() { browse "$1" && grep -q 'Widget W-1001' page || { cat page browser.log; return 1; }; }
# refused URL ERROR: not shown, for just this reason.
refused() {
  browse "$1"
  if grep -q 'Widget W-1001' page || ! grep -q "net_error $2" browser.log; then
    cat page browser.log
    return 1
  fi
}

serve $address
page=https://$address:$port/index.html
serve $other
elsewhere=https://$other:$port/index.html

try 'without the root, the browser does not know the authority' refused "$page" $AUTHORITY_INVALID
certutil -d "sql:$HOME/.pki/nssdb" -A -n mintmark -t C,, -i "$work/ca/root.crt"
try 'with the root, the page loads' loads "$page"
try 'at another address, the name is wrong' refused "$elsewhere" $NAME_INVALID
finish
