#!/usr/bin/env bash
# run.sh: the program against real parts. `VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/run.sh`
#
#   verify/     cosign, openssl, securesystemslib and @sigstore/verify accept what we sign and refuse what they must
#   ledger/     golang.org/x/mod/sumdb reads our checkpoints, tiles and proofs
#   storage/    our storage code against MinIO, and against folders that refuse
#   prism/      our questions to GitHub against GitHub's own description of its API, by Prism
#   stories.py  whole commands against MinIO, and against a store that lies
#   lint/       linters of shell, workflows, CI files, Dockerfile, manual pages and links
#   wrapper/    deploy-wrapper.sh in every shell that can be had
#   gitlab/     the GitLab template and component in pipelines of gitlab-ci-local
#   platforms/  the snippets of examples/platforms: schemas, and their commands with each platform's variables
#   run/        deployments by hand: terminals, signals, kills, a full disk
#   action/     the GitHub Action under act: green, red and cancelled runs, docs/GITHUB.md, hostile text, releases
#   faults/     the program killed at every system call and request, requests broken, 40 jobs at once
#
# One line a part: what ran, name and version. A part that cannot be had is a failure, never a skip.
# Wants git, python3 with venv, Go, Node with npm, a JDK with Maven, cargo, curl, jq, xxd, openssl, and the package registries;
# installs rsync, shellcheck, tmux and shells where it may (root on Debian). Everything that is
# installed stays in $VOUCHSAFE_TOOLS; everything that is started ends with this script.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$OUTSIDE/../.."

export STAGE
export VOUCHSAFE_BIN=${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost # object_store asks a proxy even for the loopback

# chapter NAME COMMAND...: runs it, and says how long it took.
chapter() {
  local name=$1 began=$SECONDS
  shift
  if "$@"; then pass "$name ($((SECONDS - began)) s)"; else fail "$name ($((SECONDS - began)) s)"; fi
}

if [ ! -x "$VOUCHSAFE_BIN" ]; then
  echo "no program at $VOUCHSAFE_BIN: build it with \`cargo build\`, or name it in VOUCHSAFE_BIN"
  exit 1
fi
part vouchsafe "$("$VOUCHSAFE_BIN" --version)"

# Clients that are not ours.
record_to_verify() {
  cd "$STAGE"
  echo "an artifact" > artifact
  echo '<testsuite name="shop" tests="1"><testcase classname="shop" name="opens"/></testsuite>' > junit.xml
  "$VOUCHSAFE_BIN" key new --output key.pem
  "$VOUCHSAFE_BIN" key show --pem --signing-key key.pem > public.pem
  GITHUB_ACTIONS=true GITHUB_RUN_ID=4711 GITHUB_RUN_ATTEMPT=1 GITHUB_REPOSITORY=example/shop GITHUB_ACTOR=ada \
    GITHUB_SHA=1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f "$VOUCHSAFE_BIN" attest --environment prod --vault vault \
    --signing-key key.pem --report junit.xml --artifact artifact --outcome succeeded --output record.json --json
}
chapter "verify: install the outside verifiers" "$OUTSIDE/verify/install.sh" "$TOOLS/verify"
chapter "verify: a record to look at" bash -c "set -euo pipefail; $(declare -f record_to_verify); record_to_verify"
PREFIX=$TOOLS/verify chapter "verify: outside verifiers and our record" \
  "$OUTSIDE/verify/run.sh" "$STAGE/record.json" "$STAGE/public.pem" "$STAGE/artifact"
# The predicate of that record, held against the schema that is published, by a validator that is not ours.
record_and_schema() {
  "$VOUCHSAFE_BIN" schema run/v1 | cmp - schema/run-v1.schema.json
  "$TOOLS/verify/venv/bin/python" - "$STAGE/record.json" schema/run-v1.schema.json <<'PY'
import base64, json, sys
from jsonschema import Draft202012Validator as Validator
record, schema = (json.load(open(path)) for path in sys.argv[1:])
predicate = json.loads(base64.b64decode(record["dsseEnvelope"]["payload"]))["predicate"]
Validator.check_schema(schema)
Validator(schema).validate(predicate)
predicate["run"]["outcome"] = "splendid"
assert not Validator(schema).is_valid(predicate), "an unknown outcome must not be valid"
PY
}
chapter "verify: our record and the published schema" record_and_schema

# Authorities of time, and the page about the ledger, word for word.
chapter "verify: time-stamps of openssl's authorities" "$OUTSIDE/verify/tsa.sh"
ledger_page() {
  cd "$STAGE"
  for run in 1 2 3; do "$VOUCHSAFE_BIN" attest -e production --vault paged --signing-key key.pem --run-id "$run" 2>/dev/null; done
  cp -r paged vault-of-the-page
  awk '/<!-- run: ledger -->/ { on = 1; next } on && /^```$/ { exit } on && !/^```/' "$OUTSIDE/../../docs/LEDGER.md" |
    sed 's/ - vault public.pem production/ - vault-of-the-page public.pem production/' > page.sh
  PATH=$TOOLS/verify/venv/bin:$PATH bash page.sh | grep "whole: 3 entries, 3 records"
  printf 'x' >> "vault-of-the-page/$(cd vault-of-the-page && find evidence -name run.json | head -n 1)"
  if PATH=$TOOLS/verify/venv/bin:$PATH bash page.sh 2>/dev/null; then echo "the page saw nothing"; return 1; fi
}
OUTSIDE=$OUTSIDE TOOLS=$TOOLS chapter "ledger: the Python of docs/LEDGER.md" bash -c "set -euo pipefail; $(declare -f ledger_page); ledger_page"

# A log reader that is not ours.
chapter "ledger: golang.org/x/mod/sumdb and our tiles, proofs and checkpoints" "$OUTSIDE/ledger/run.sh"

# Stores that are not ours.
if MINIO=$(find_minio); then
  export MINIO
  part minio "$(minio_version "$MINIO") ($MINIO)"
  chapter "storage: our storage code against MinIO" "$OUTSIDE/storage/run.sh"
else
  fail "minio $MINIO_VERSION could not be installed"
fi
if unshare -m true 2>/dev/null; then
  chapter "storage: a vault on full, read-only and foreign folders" "$OUTSIDE/storage/folders.sh"
else
  printf '  skip  storage: full and read-only folders need the right to mount (root with CAP_SYS_ADMIN)\n'
fi
if boto=$(find_boto); then part boto3 "$BOTO3_VERSION"; else fail "boto3 $BOTO3_VERSION could not be installed"; fi
if liar=$(find_s3s_fs); then
  part s3s-fs "$S3S_FS_VERSION, the store that lies"
else
  fail "s3s-fs $S3S_FS_VERSION could not be installed"
fi

if [ -n "$MINIO" ] && [ -n "$boto" ] && [ -n "$liar" ] && start_minio "$MINIO" && start_liar "$liar"; then
  export S3_ENDPOINT LIAR_ENDPOINT S3_USER S3_SECRET
  chapter "stories: whole commands against MinIO and the liar" "$boto" "$OUTSIDE/stories.py"
else
  fail "stories: did not run, a part above is missing"
fi

# APIs that are not ours.
chapter "prism: our questions and GitHub's description of its API" "$OUTSIDE/prism/run.sh"

# Processes and terminals.
chapter "run: deployments by hand" "$OUTSIDE/run/run.sh"
chapter "wrapper: deploy-wrapper.sh in every shell" "$OUTSIDE/wrapper/run.sh"

# What cannot be run here is read; what can be run is, by runners that are not ours.
chapter "lint: shell, workflows, CI files, Dockerfile, manual pages" "$OUTSIDE/lint/run.sh"
chapter "gitlab: the template in real pipelines" "$OUTSIDE/gitlab/run.sh"
chapter "platforms: the snippets" "$OUTSIDE/platforms/run.sh"

chapter "action: GitHub's workflows under act" "$OUTSIDE/action/run.sh"

# Kills, broken requests, crowds.
chapter "faults: killed anywhere, broken anywhere, many at once" "$OUTSIDE/faults/run.sh"

echo
if [ "$FAILURES" != 0 ]; then
  echo "outside: $FAILURES failed"
  exit 1
fi
echo "outside: all held"
