#!/usr/bin/env bash
# run.sh: `vouchsafe run` with real processes, terminals and signals.
#
#   VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/run/run.sh
#
# A person's answer is typed in tmux. The full disk is a mount that nobody else sees; it needs root, or says that it was
# not run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."
VOUCHSAFE_BIN=$(realpath "${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}")
export VOUCHSAFE_BIN STAGE

if ! command -v tmux >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get -qq update && apt-get -qq install --yes --no-install-recommends tmux >/dev/null
fi
command -v tmux >/dev/null || { fail "run: tmux is missing"; exit 1; }
part tmux "$(tmux -V)"
timeout 300 python3 "$OUTSIDE/run/stories.py" || fail "run: stories"
[ "$FAILURES" = 0 ]
