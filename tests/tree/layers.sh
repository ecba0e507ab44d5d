#!/bin/sh
# The arrows of the layers, and the rooms of the libraries: who may include what.
. "$MINTMARK_SRCDIR/tests/tree/tap.sh"
cd "$MINTMARK_SRCDIR" || exit 1

# nobody FOLDER PATTERN: no file below FOLDER includes what matches.
nobody() { ! grep -rnE "^#include [<\"]$2" $1 --include='*.c' --include='*.h'; }
# only FILES PATTERN: no other file of the programs includes it.
only() {
  found=$(grep -rlE "^#include [<\"]$2" lib daemon keyd cli --include='*.c' --include='*.h' |
    grep -vE "^($1)$")
  [ -z "$found" ] || { echo "$found"; return 1; }
}

try 'lib/base rests on nothing of ours' nobody lib/base '(lib/(pki|ca)|daemon|keyd|cli)/'
try 'lib/pki rests on lib/base alone' nobody lib/pki '(lib/ca|daemon|keyd|cli)/'
try 'lib/ca does not know the programs' nobody lib/ca '(daemon|keyd|cli)/'
try 'the key holder rests on lib/base and lib/pki' nobody keyd '(lib/ca|daemon|cli)/'
try 'the command line rests on lib/base and lib/pki' nobody cli '(lib/ca|daemon|keyd)/'
try 'libmicrohttpd is known to the front alone' only 'daemon/front[a-z_]*\.[ch]' 'microhttpd\.h'
try 'SQLite is known to the ledger alone' only 'lib/ca/ledger[a-z_]*\.[ch]' 'sqlite3\.h'
try 'libConfuse is known to conf alone' only 'lib/ca/conf[a-z_]*\.[ch]' 'confuse\.h'
try 'libcurl is known to the command line and to one file of the daemon' \
  only 'cli/client\.c|daemon/webhook_post\.c' 'curl/'
try 'the key holder knows no network, database or JSON' \
  nobody keyd '(netinet|microhttpd|gnutls|sqlite3|jansson|curl|confuse)'
finish
