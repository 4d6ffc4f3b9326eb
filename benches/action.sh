#!/usr/bin/env bash
# action.sh: what the step adds to a job, under act: `benches/action.sh [RUNS]` (20)
#
#   empty     a composite action with one step that does nothing: what any action costs
#   warm      the action with `binary-path`, one JUnit file, a folder as vault
#   release   the same with the program out of a release archive in the tool cache: checked and unpacked each time
#   program   `vouchsafe attest` with the same words, without a runner around it
#
# They take turns in one run, so that a busy machine is busy for all; medians, and ratios to `empty`. Nothing is asserted: a time
# is of one machine. VOUCHSAFE_BIN names the program (target/release/vouchsafe).
# shellcheck disable=SC2016,SC2119 # text that other shells expand
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/tests/outside/lib.sh"
VOUCHSAFE_BIN=$(realpath "${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$root/target}/release/vouchsafe}")
source "$root/tests/outside/action/ground.sh"
RUNS=${1:-20}

ACT=$(find_act)
HOME=$STAGE/home "$VOUCHSAFE_BIN" key new --output "$STAGE/key.pem" >/dev/null 2>&1
release
shop bench
mkdir "$SHOP/empty" "$SHOP/junit"
cp -r "$ACTION" "$SHOP/vouchsafe" # all of them are local actions: act copies the others at every step
cat >"$SHOP/empty/action.yml" <<'YML'
name: empty
description: nothing
runs:
  using: composite
  steps:
    - shell: /usr/bin/env -u ENV -u BASH_ENV -u CDPATH -u SHELLOPTS -u BASHOPTS /bin/sh -eu {0}
      run: ":"
YML
echo '<testsuite name="shop" tests="1"><testcase classname="shop" name="opens"/></testsuite>' >"$SHOP/junit/shop.xml"
words() {
  printf '          environment: bench\n          vault: ${{ vars.EVIDENCE_VAULT }}\n'
  printf '          signing-key: ${{ secrets.VOUCHSAFE_SIGNING_KEY }}\n          report: junit/*.xml\n          component: %s\n' "$1"
}
{
  printf 'name: bench\non: push\njobs:\n  bench:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n'
  for n in $(seq "$RUNS"); do
    printf '      - name: empty\n        uses: ./empty\n'
    printf '      - name: warm\n        uses: ./vouchsafe\n        with:\n'
    words "warm-$n"
    printf '          binary-path: ${{ vars.VOUCHSAFE_BINARY }}\n'
    printf '      - name: release\n        uses: ./vouchsafe\n        with:\n'
    words "release-$n"
    printf '      - name: program\n        run: exec "%s" attest\n        env:\n' "$VOUCHSAFE_BIN"
    printf '          VOUCHSAFE_%s\n' "ENVIRONMENT: bench" "VAULT: $VAULT" "REPORT: junit/*.xml" "SIGNING_KEY: $STAGE/key.pem" \
      "OUTCOME: success" "COMPONENT: program-$n"
  done
} >"$SHOP/.github/workflows/bench.yml"
commit
(run_act) || { tail -n 20 "$LOG"; exit 1; }
python3 - "$LOG" "$RUNS" <<'PY'
import re, statistics, sys
scale = {"µs": 1e-3, "ms": 1, "s": 1e3}
times = {}
for line in open(sys.argv[1]):
    found = re.search(r"Success - Main (empty|warm|release|program) \[([0-9.]+)(µs|ms|s)\]", line)
    if found:
        times.setdefault(found[1], []).append(float(found[2]) * scale[found[3]])
if "Main Get vouchsafe" not in open(sys.argv[1]).read().split("Run Main release")[1]:
    sys.exit("no release was unpacked")
assert {len(all) for all in times.values()} == {int(sys.argv[2])} and len(times) == 4, {k: len(v) for k, v in times.items()}
floor = statistics.median(times["empty"])
for name in ("empty", "program", "warm", "release"):
    median = statistics.median(times[name])
    print(f"{name:8} {median:8.1f} ms  {median / floor:5.1f} x empty   (fastest {min(times[name]):.1f}, slowest {max(times[name]):.1f})")
PY
