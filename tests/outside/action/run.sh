#!/usr/bin/env bash
# run.sh: the GitHub Action, run by act. `VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/action/run.sh`
#
#   shop.sh     the example: green, red, cancelled, on a folder and on MinIO
#   page.sh     every workflow of docs/GITHUB.md
#   hostile.py  hostile branch, test and output names, and every input with a hostile value
#   program.py  how the program is fetched, checked, cached and built; in the three shells that /bin/sh may be
#   lint.sh     GitHub's own schema and expressions, actionlint, zizmor, shellcheck, a PowerShell grammar
#
# About a minute, a line a part; words choose chapters (`run.sh shop page`). Wants what tests/outside/run.sh wants. `benches/action.sh` measures what the step costs.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."
export VOUCHSAFE_BIN
VOUCHSAFE_BIN=$(realpath "${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}")
source "$OUTSIDE/action/ground.sh"

ACT=$(find_act) || { fail "act $ACT_VERSION could not be installed"; exit 1; }
part act "$ACT_VERSION"
export ACT STAGE

HOME=$STAGE/home "$VOUCHSAFE_BIN" key new --output "$STAGE/key.pem" >/dev/null 2>&1
"$VOUCHSAFE_BIN" key show --pem --signing-key "$STAGE/key.pem" >"$STAGE/public.pem"
release

# tell NAME COMMAND...: one line. `if command` would switch off `set -e` inside it.
tell() {
  local name=$1 code=0 began=$SECONDS
  shift
  set +e
  (set -e; "$@")
  code=$?
  set -e
  if [ "$code" = 0 ]; then pass "action: $name ($((SECONDS - began)) s)"; else fail "action: $name"; fi
}

[ $# != 0 ] || set -- shop page hostile program lint
for chapter in "$@"; do
  case $chapter in
    shop) source "$HERE/shop.sh" ;;
    page) source "$HERE/page.sh" ;;
    hostile) tell "hostile text runs nothing and forges nothing" python3 "$HERE/hostile.py" "$ACTION" "$STAGE/hostile" ;;
    program)
      command -v busybox >/dev/null || apt-get -qq install --yes busybox-static >/dev/null || true
      for shell in dash "bash --posix" "busybox sh"; do
        tell "the program, fetched and built ($shell)" python3 "$HERE/program.py" "$RELEASE" "$shell"
      done
      ;;
    lint) tell "linters and schemas" "$HERE/lint.sh" ;;
  esac
done

[ "$FAILURES" = 0 ]
