# daemon.sh - sourced by tests that are scripts and want a daemon of their own: on a free loopback
# port, in a folder of its own, gone when the test ends.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
mintmark=$MINTMARK_BUILDDIR/mintmark
mintmarkd=$MINTMARK_BUILDDIR/mintmarkd
work=$(mktemp -d) || exit 1
daemon=

clean_up() {
  [ -z "$daemon" ] || kill "$daemon" 2>/dev/null
  for pid in ${others-}; do kill "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
  tries=$(($1 * 20))
  shift
  while [ "$tries" -gt 0 ]; do
    "$@" >/dev/null 2>&1 && return 0
    tries=$((tries - 1))
    sleep 0.05
  done
  return 1
}

# Makes an authority in $work/ca. What the test adds to its configuration, it adds before daemon_start.
authority_init() {
  "$mintmark" init --dir "$work/ca" --name "Test Widgets" --listen 127.0.0.1:0 "$@" >"$work/init.log" 2>&1 ||
    { cat "$work/init.log"; not_ok 'mintmark init'; finish; }
}

# Starts the daemon and sets what the command line wants to know of it.
daemon_start() {
  rm -f "$work/port" "$work/public-port"
  "$mintmarkd" --config "$work/ca/mintmark.conf" --port-file "$work/port" --public-port-file "$work/public-port" \
    2>>"$work/daemon.log" &
  daemon=$!
  wait_for 20 test -s "$work/port" || { cat "$work/daemon.log"; not_ok 'mintmarkd starts'; finish; }
  MINTMARK_URL=https://127.0.0.1:$(cat "$work/port")
  MINTMARK_CACERT=$work/ca/root.crt
  MINTMARK_TOKEN_FILE=$work/ca/admin.token
  public_url=
  [ ! -s "$work/public-port" ] || public_url=http://127.0.0.1:$(cat "$work/public-port")
  export MINTMARK_URL MINTMARK_CACERT MINTMARK_TOKEN_FILE
}

# Asks it to end, and waits until it has.
daemon_stop() {
  kill -TERM "$daemon"
  wait "$daemon"
  daemon=
}
