#!/usr/bin/env bash
# run.sh: a ledger of ours in the eyes of golang.org/x/mod/sumdb. `VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/ledger/run.sh`
#
# Makes a local vault by RECORDS appends (520: two full tiles and a partial one at every level that there is), compacts it on
# the way and at the end, and lets the Go program in this folder open, read and prove it. Then spoils one tile and one
# checkpoint, which must be found. Wants Go and its module proxy.
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
BIN=$(realpath "${VOUCHSAFE_BIN:-${VOUCHSAFE:-$HERE/../../../target/debug/vouchsafe}}")
RECORDS=${RECORDS:-520}
export GOFLAGS=-mod=mod GOWORK=off

WORK=$(mktemp -d "${TMPDIR:-/tmp}/vouchsafe-ledger.XXXXXX")
# What our own program said is told when it fails.
end() {
  local rc=$?
  [ $rc = 0 ] || tail -20 "$WORK/log" 2> /dev/null | sed "s/^/    /"
  rm -rf "$WORK"
  exit $rc
}
trap end EXIT
cp "$HERE/go.mod" "$HERE/go.sum" "$HERE/main.go" "$WORK/"
(cd "$WORK" && go build -o stranger .)
printf '    %s\n' "$(go version -m "$WORK/stranger" | awk '$1 == "dep" { print $2, $3 }')"

# Nothing of this machine: no platform, no configuration of its user.
export HOME=$WORK/home
cd "$WORK"
mkdir home
unset "${!GITHUB_@}" "${!VOUCHSAFE_@}" CI 2>/dev/null || true
attest() { "$BIN" attest --environment prod --vault vault --signing-key key.pem "$@" >> log 2>&1; }

"$BIN" key new --output key.pem > public.pem 2>> log
for n in $(seq "$RECORDS"); do
  case $n in
    $((RECORDS / 3)) | 256 | 257) attest --run-id "run-$n" --anchor anchors.txt ;;
    $((RECORDS / 2)))
      attest --heartbeat --anchor anchors.txt
      "$BIN" ledger compact --vault vault >> log 2>&1
      ;;
    *) attest --run-id "run-$n" ;;
  esac
done
# shellcheck disable=SC2129 # one line a command, each with its own output
"$BIN" ledger compact --vault vault --json > compacted.json 2>> log
"$BIN" ledger anchor --vault vault --output anchors.txt >> log 2>&1
"$BIN" show run-7 --vault vault --proof run-7.tlog-proof >> log 2>&1
"$BIN" verify run-7.tlog-proof --key public.pem >> log 2>&1
"$BIN" ledger show --vault vault --json > show.json 2>> log

VKEY=$(jq -r .vkey show.json)
SIZE=$(jq -r .size show.json)
[ "$SIZE" = "$RECORDS" ] || { echo "    $SIZE leaves after $RECORDS appends"; exit 1; }
LEDGER=$WORK/vault/ledger/env=prod
NEWEST=$LEDGER/checkpoints/$(printf %012d "$SIZE")
./stranger "$LEDGER" "$VKEY" "$NEWEST" run-7.tlog-proof anchors.txt

# must_fail WHAT FOLDER VKEY
must_fail() {
  if ./stranger "$2" "$3" "$NEWEST" run-7.tlog-proof anchors.txt > refused 2>&1; then
    echo "    $1: nothing was found"
    exit 1
  fi
  printf '    refused: %s\n' "$1"
}
cp -r "$LEDGER" spoilt
chmod -R u+w spoilt
printf 'x' | dd of=spoilt/tile/0/001 bs=1 seek=77 conv=notrunc status=none
must_fail "one byte of one tile" spoilt "$VKEY"
"$BIN" key new --output other.pem > /dev/null 2>&1
"$BIN" attest --environment prod --vault other --signing-key other.pem > /dev/null 2>&1
must_fail "another key" "$LEDGER" "$("$BIN" ledger show --vault other --json 2> /dev/null | jq -r .vkey)"
