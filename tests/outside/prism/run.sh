#!/usr/bin/env bash
# run.sh: our questions to GitHub against GitHub's own description of its API, as Prism serves it: every request is validated, its
# examples are read, answers at random are survived. `tests/outside/prism/run.sh`
#
# It is an error if a test that cargo marks `needs Prism` does not run. Wants node 20 with npm, python3, cargo, curl.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."
PRISM_VERSION=5.14.2
OPENAPI_VERSION=23.0.2 # of @octokit/openapi: GitHub's description as the package of that version has it
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost

prism=$TOOLS/prism-$PRISM_VERSION
if [ ! -x "$prism/node_modules/.bin/prism" ]; then
  npm install --silent --no-fund --no-audit --prefix "$prism" "@stoplight/prism-cli@$PRISM_VERSION" >&2 ||
    { fail "prism $PRISM_VERSION could not be installed"; exit 1; }
fi
# The package has half a gigabyte of descriptions; one is kept.
description=$TOOLS/github-openapi-$OPENAPI_VERSION.json
if [ ! -s "$description" ]; then
  npm install --silent --no-fund --no-audit --prefix "$STAGE/openapi" "@octokit/openapi@$OPENAPI_VERSION" >&2 ||
    { fail "@octokit/openapi $OPENAPI_VERSION could not be installed"; exit 1; }
  cp "$STAGE/openapi/node_modules/@octokit/openapi/generated/api.github.com.json" "$description.new"
  mv "$description.new" "$description"
fi
part prism-cli "$PRISM_VERSION, node $(node --version)"
part @octokit/openapi "$OPENAPI_VERSION"

python3 "$OUTSIDE/prism/cut.py" "$description" > "$STAGE/github.json"
port=$(free_port)
start "$STAGE/prism.log" node "$prism/node_modules/.bin/prism" mock --host 127.0.0.1 --port "$port" "$STAGE/github.json"
if ! answers "$port" "$STARTED"; then
  tail -5 "$STAGE/prism.log" | sed 's/^/    /'
  fail "prism did not start"
  exit 1
fi
export VOUCHSAFE_TEST_GITHUB=http://127.0.0.1:$port

# wrong: what Prism has against our requests; its own answers may break its rules, which is its affair.
wrong() { grep -aE 'Violation: request|NO_PATH_MATCHED|NO_METHOD_MATCHED|NO_SERVER' "$STAGE/prism.log" | sort | uniq -c | head -20 || true; }

# The net has no hole: a request that is wrong is seen, and one that is right is not.
curl -fsS -o /dev/null "$VOUCHSAFE_TEST_GITHUB/repos/o/r/activity?time_period=day"
[ -z "$(wrong)" ] || { fail "prism has something against a good request"; wrong; exit 1; }
curl -sS -o /dev/null "$VOUCHSAFE_TEST_GITHUB/repos/o/r/activity?time_period=fortnight"
curl -sS -o /dev/null "$VOUCHSAFE_TEST_GITHUB/repos/o/r/nothing"
[ "$(wrong | wc -l)" = 2 ] || { fail "prism has nothing against a bad request"; exit 1; }
: > "$STAGE/prism.log"

wanted=$(grep -c 'ignore = "needs Prism' src/gather/forge/github/prism_tests.rs)
cargo test --quiet --lib prism_tests -- --ignored --test-threads=1 > "$STAGE/cargo.log" 2>&1 || true
ran=$(sed -n 's/^test result: ok\. \([0-9]*\) passed; 0 failed.*/\1/p' "$STAGE/cargo.log")
if [ "${ran:-0}" != "$wanted" ]; then
  grep -v '^warning\|^ \|^$' "$STAGE/cargo.log" | tail -20 | sed 's/^/    /'
  fail "prism: ${ran:-0} of $wanted tests passed"
fi
asked=$(grep -ac 'Request received' "$STAGE/prism.log" || true)
if [ -n "$(wrong)" ]; then
  wrong
  fail "prism: GitHub's description does not allow these requests"
elif [ "$asked" -lt 100 ]; then
  fail "prism: it was asked only $asked times"
else
  pass "prism: GitHub's description allows all of $asked requests; $ran tests passed"
fi
[ "$FAILURES" = 0 ]
