#!/usr/bin/env bash
# run.sh: .gitlab-ci-template.yml and templates/attest.yml in real pipelines, by gitlab-ci-local; the records are looked at.
#
#   VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/gitlab/run.sh
#
# examples/gitlab/ is the project; the blocks of docs/GITLAB.md are run as they stand there. gitlab-ci-local is not GitLab: it says GITLAB_CI=false, knows no merge request and no
# attempt, and leaves .post out after a stage that was skipped; so the variables are given, and what fails is in the last stage.
# Wants node 20, git, jq, rsync, shellcheck, python3. Half a minute of CPU.
# shellcheck disable=SC2016 # names that look like commands, filters of jq
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."
VOUCHSAFE=$(realpath "${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}")
unset VOUCHSAFE_BIN # for the pipelines it is a setting of their own
GITLAB_CI_LOCAL_VERSION=4.73.0 # 4.74 wants a newer node than 20
CHECK_JSONSCHEMA_VERSION=0.39.0

# gitlab-ci-local copies working copies with rsync.
for tool in rsync shellcheck jq; do
  command -v "$tool" >/dev/null || { [ "$(id -u)" = 0 ] && apt-get -qq update && apt-get -qq install --yes --no-install-recommends "$tool" >/dev/null; } ||
    { fail "$tool is missing"; exit 1; }
done
runner=$TOOLS/gitlab-ci-local-$GITLAB_CI_LOCAL_VERSION
if [ ! -x "$runner/node_modules/.bin/gitlab-ci-local" ]; then
  npm install --silent --no-fund --no-audit --prefix "$runner" "gitlab-ci-local@$GITLAB_CI_LOCAL_VERSION" >&2 || { fail "gitlab-ci-local could not be installed"; exit 1; }
fi
runner=$runner/node_modules/.bin/gitlab-ci-local
schemas=$TOOLS/check-jsonschema-$CHECK_JSONSCHEMA_VERSION
if ! "$schemas/bin/check-jsonschema" --version >/dev/null 2>&1; then
  { python3 -m venv --clear "$schemas" && "$schemas/bin/pip" install --quiet "check-jsonschema==$CHECK_JSONSCHEMA_VERSION"; } >&2 || { fail "check-jsonschema could not be installed"; exit 1; }
fi
part gitlab-ci-local "$GITLAB_CI_LOCAL_VERSION, node $(node --version)"
part check-jsonschema "$CHECK_JSONSCHEMA_VERSION"
part shellcheck "$(shellcheck --version | sed -n 's/^version: //p')"

export HOME=$STAGE/home GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME"
git config --global user.name 'Anna Example'
git config --global user.email anna@example.com
"$VOUCHSAFE" key new --output "$STAGE/key.pem" 2>/dev/null
"$VOUCHSAFE" key show --pem --signing-key "$STAGE/key.pem" >"$STAGE/public.pem"

# ------------------------------------------------------------------------------------------------------------- words

# project NAME [BRANCH]: a fresh checkout of the example with a vault of its own; sets P and V.
project() {
  P=$STAGE/$1 V=$STAGE/$1-vault
  mkdir -p "$P/templates"
  cp -r examples/gitlab/. examples/shop "$P"
  cp .gitlab-ci-template.yml "$P"
  cp templates/attest.yml "$P/templates"
  # as variables of the project's settings; a child pipeline has them, too. The key is one of type File.
  variables GITLAB_CI true VOUCHSAFE_BIN "$VOUCHSAFE" VOUCHSAFE_VAULT "$V"
  printf 'VOUCHSAFE_SIGNING_KEY: %s\n' "$STAGE/key.pem" >>"$P/.gitlab-ci-local-variables.yml"
  git -C "$P" init --quiet --initial-branch="${2:-main}"
  git -C "$P" remote add origin git@gitlab.com:acme/web/shop.git
  commit 'SHOP-7: count the till twice'
}

# variables NAME VALUE...: adds them. A value that looks like a path would be a file, so each says that it is none.
variables() {
  while [ $# -gt 0 ]; do
    printf '%s: {type: variable, values: {"*": %s}}\n' "$1" "$(printf '%s' "$2" | jq -Rs .)" >>"$P/.gitlab-ci-local-variables.yml"
    shift 2
  done
}

commit() { git -C "$P" add --all && git -C "$P" commit --quiet --allow-empty -m "$1"; }

# pipeline [WORDS]: runs one in $P, a job in a folder of its own; its log is in $STAGE/log, its end in $CODE.
pipeline() {
  CODE=0
  (cd "$P" && node "$runner" --force-shell-executor --shell-isolation --no-color \
    --ignore-predefined-vars GITLAB_CI,CI_PIPELINE_ID,CI_PIPELINE_SOURCE,CI_COMMIT_BRANCH,CI_COMMIT_REF_NAME,CI_COMMIT_MESSAGE,CI_COMMIT_TITLE,CI_COMMIT_TAG,GITLAB_USER_LOGIN "$@") \
    >"$STAGE/log" 2>&1 </dev/null || CODE=$?
}

# records: every record of $V, newest last, one JSON object a line: what is claimed and where it stands.
records() {
  local file
  for file in "$V"/evidence/*/*/*/*.json; do
    if [ -e "$file" ]; then jq -c --arg at "${file#"$V"/}" '.dsseEnvelope.payload | @base64d | fromjson | .predicate + {at: $at}' "$file"; fi
  done | jq -cs 'sort_by(.recordedOn)[]'
}

# holds NAME FILTER [CODE]: the records, as one array, satisfy FILTER of jq, and the pipeline ended with CODE.
holds() {
  local name=$1 filter=$2 code=${3:-0}
  if [ "$CODE" = "$code" ] && records | jq -es "$filter" >/dev/null; then
    pass "$name"
  else
    fail "$name: the pipeline ended with $CODE, wanted $code, or the records are not $filter"
    sed 's/^/    /' "$STAGE/log" | tail -n 25
    records | jq -c '{at, run, environment, component, completeness}' | sed 's/^/    /'
  fi
}

# checks NAME COMMAND...: what it says is shown where it fails.
checks() {
  local name=$1
  shift
  if "$@" >"$STAGE/said" 2>&1; then pass "$name"; else fail "$name"; sed 's/^/    /' "$STAGE/said"; fi
}
said() { if grep -qF -- "$2" "$STAGE/log"; then pass "$1"; else fail "$1: not said: $2"; tail -n 15 "$STAGE/log" | sed 's/^/    /'; fi; }

# --------------------------------------------------------------------------------------------------------- on paper

gitlab_schema() { "$schemas/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci "$@"; }
checks "GitLab's schema: the template and the examples" gitlab_schema .gitlab-ci-template.yml examples/gitlab/*.yml examples/gitlab/.gitlab-ci.yml

# GitLab pastes inputs as text (lib/gitlab/ci/config/interpolation/text_template.rb), gitlab-ci-local does not. So the same here.
paste_inputs() {
  "$schemas/bin/python" - "$1" "$2" <<'PY'
import json, re, sys, ruamel.yaml
yaml = ruamel.yaml.YAML(typ="safe")
header, body = open(sys.argv[1]).read().split("\n---\n")
given = json.loads(sys.argv[2])
inputs = {name: given.pop(name, spec.get("default")) for name, spec in yaml.load(header)["spec"]["inputs"].items()}
assert not given, f"no such input: {given}"
text = lambda value: value if isinstance(value, str) else json.dumps(value)
print(re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda m: text(inputs[m[1]]), body))
PY
}
for inputs in '{}' '{"name": "till-evidence", "stage": "attest", "environment": "production", "report": "junit/*.xml", "rules": [{"if": "$CI_COMMIT_BRANCH == \"main\""}], "image": "r.example.com/a@sha256:00"}'; do
  paste_inputs templates/attest.yml "$inputs" >"$STAGE/pasted.yml"
  checks "GitLab's schema: the component with $(cut -c 1-40 <<<"$inputs")" gitlab_schema "$STAGE/pasted.yml"
done

# The script of the jobs is for any POSIX shell.
"$schemas/bin/python" - .gitlab-ci-template.yml >"$STAGE/program.sh" <<'PY'
import ruamel.yaml, sys
print("#!/bin/sh\n" + ruamel.yaml.YAML().load(open(sys.argv[1]))[".vouchsafe:program"]["script"][0] + '\n"$vouchsafe" --version')
PY
checks "shellcheck: the script" shellcheck "$STAGE/program.sh" examples/shop/*.sh

# ------------------------------------------------------------------------------------------------------- the program

# fetches NAME WANTED [VARIABLE=VALUE...]: the script with these variables, then its `--version`.
fetches() {
  local name=$1 wanted=$2 output
  shift 2
  output=$(cd "$STAGE" && env -i PATH="${FETCH_PATH:-/usr/bin:/bin}" TMPDIR="$STAGE/tmp" "$@" sh "$STAGE/program.sh" 2>&1) || true
  if [[ $output == *"$wanted"* ]]; then pass "$name"; else fail "$name: said $output"; fi
  if [ -n "$(ls -A "$STAGE/tmp")" ]; then fail "$name: left something in the temporary folder"; fi
}
mkdir -p "$STAGE/tmp" "$STAGE/release/vouchsafe-1" "$STAGE/bin"
cp "$VOUCHSAFE" "$STAGE/release/vouchsafe-1/vouchsafe"
chmod -x "$STAGE/release/vouchsafe-1/vouchsafe"
tar -czf "$STAGE/release/v.tar.gz" -C "$STAGE/release" vouchsafe-1
port=$(free_port)
start "$STAGE/http.log" python3 -m http.server --bind 127.0.0.1 --directory "$STAGE/release" "$port"
answers "$port" "$STARTED" || fail "no server for the program"
url=http://127.0.0.1:$port
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
ours=$("$VOUCHSAFE" --version)
fetches "fetched: an archive that is what it should be" "$ours" VOUCHSAFE_BIN_URL="$url/v.tar.gz" VOUCHSAFE_BIN_SHA256="$(sum "$STAGE/release/v.tar.gz")"
fetches "fetched: a bare program" "$ours" VOUCHSAFE_BIN_URL="$url/vouchsafe-1/vouchsafe" VOUCHSAFE_BIN_SHA256="$(sum "$VOUCHSAFE")"
fetches "refused: another sha256" "nothing of it was run" VOUCHSAFE_BIN_URL="$url/v.tar.gz" VOUCHSAFE_BIN_SHA256="$(sum "$VOUCHSAFE")"
fetches "refused: no sha256" "VOUCHSAFE_BIN_SHA256 is not set" VOUCHSAFE_VERSION=0.1.0
fetches "refused: nothing there" "could not get $url/absent" VOUCHSAFE_BIN_URL="$url/absent" VOUCHSAFE_BIN_SHA256=00
fetches "said: no program and no way to one" "there is no \`vouchsafe\` on this runner" NOTHING=
fetches "found: VOUCHSAFE_BIN goes before all" "$ours" VOUCHSAFE_BIN="$VOUCHSAFE" VOUCHSAFE_VERSION=9
ln -s "$VOUCHSAFE" "$STAGE/bin/vouchsafe"
FETCH_PATH=$STAGE/bin:/usr/bin:/bin fetches "found: vouchsafe in the PATH" "$ours" NOTHING=
# a curl that looks at its words: which release is asked for
cat >"$STAGE/bin/curl" <<'SH'
#!/bin/sh
for word; do last=$word; done
echo "asked for $last"
exit 1
SH
chmod +x "$STAGE/bin/curl"
FETCH_PATH=$STAGE/bin:/usr/bin:/bin fetches "asked for: the release" "asked for https://github.com/vouchsafe/vouchsafe/releases/download/v1.2.3/vouchsafe-1.2.3-$(uname -m)-unknown-linux-musl.tar.gz" \
  VOUCHSAFE_VERSION=v1.2.3 VOUCHSAFE_BIN_SHA256=00
rm "$STAGE/bin/curl"
# wget where there is no curl
mkdir "$STAGE/wget"
for tool in sh env mktemp rm wget sha256sum cut od tr tar gzip chmod uname; do ln -s "$(command -v "$tool")" "$STAGE/wget/$tool"; done
FETCH_PATH=$STAGE/wget fetches "fetched: by wget" "$ours" VOUCHSAFE_BIN_URL="$url/v.tar.gz" VOUCHSAFE_BIN_SHA256="$(sum "$STAGE/release/v.tar.gz")"
rm "$STAGE/wget/wget"
FETCH_PATH=$STAGE/wget fetches "said: neither curl nor wget" "neither curl nor wget" VOUCHSAFE_BIN_URL="$url/v.tar.gz" VOUCHSAFE_BIN_SHA256=00
# AWS: the token is a file for the length of the job
cat >"$STAGE/bin/looks" <<'SH'
#!/bin/sh
echo "$AWS_ROLE_ARN: $(cat "$AWS_WEB_IDENTITY_TOKEN_FILE"), $(stat -c %a "$(dirname "$AWS_WEB_IDENTITY_TOKEN_FILE")")"
SH
chmod +x "$STAGE/bin/looks"
fetches "AWS: GitLab's token is a file, in a folder of one's own" "arn:aws:iam::1:role/evidence: made-up, 700" \
  VOUCHSAFE_BIN="$STAGE/bin/looks" AWS_ROLE_ARN=arn:aws:iam::1:role/evidence VOUCHSAFE_AWS_ID_TOKEN=made-up

# --------------------------------------------------------------------------------------------------------- pipelines

project green
pipeline
holds "green: one record, succeeded, with tests, file and image" 'length == 1 and (.[0] |
  .run.platform == "gitlab" and .run.outcome == "succeeded" and .run.id == "1000" and .run.attempt == 1 and .run.job == "vouchsafe:success"
  and .environment == "production" and .commit.dirty == false and .commit.branch == "main" and .commit.subject == "SHOP-7: count the till twice"
  and ([.tests[].verdict] == ["passed", "passed"])
  and ([.artifacts[] | select(.kind == "file").name] == ["dist/shop.tar"]))'
digest=$(sha256sum "$P/dist/shop.tar" | cut -d ' ' -f 1)
holds "green: the digest came in by dotenv" ".[0].artifacts | any(.name == \"registry.example.com/acme/shop\" and .kind == \"image\" and (tostring | contains(\"$digest\")))"
# what the next job, or a person, has of it
if grep -qx "VOUCHSAFE_RECORD_ADDRESS=$(records | jq -r .at)" "$P/vouchsafe.env" && grep -qx VOUCHSAFE_RECORD_OUTCOME=succeeded "$P/vouchsafe.env"; then pass "green: address and outcome go out by dotenv"; else fail "green: dotenv is $(cat "$P/vouchsafe.env")"; fi
checks "green: the record is an artifact of the job" cmp "$P/vouchsafe-record.json" "$V/$(records | jq -r .at)"
touch "$P/down" && commit 'the cluster is down'
pipeline
holds "red: a second record, failed, and the pipeline stays red" 'length == 2 and (.[1] | .run.outcome == "failed" and .run.id == "1001" and .run.job == "vouchsafe:failure")' 1
checks "green, red: verify" "$VOUCHSAFE" verify --vault "$V" --key "$STAGE/public.pem"

# A failed job is retried and the same pipeline ends well: GitLab counts no attempts, the vault does.
project retried
touch "$P/down" && commit down
pipeline --variable CI_PIPELINE_ID=4711
rm "$P/down" && git -C "$P" reset --quiet --hard HEAD~1
pipeline --variable CI_PIPELINE_ID=4711
holds "retried: one pipeline, two attempts, failed and then succeeded" 'length == 2 and ([.[] | [.run.id, .run.attempt, .run.outcome]] == [["4711", 1, "failed"], ["4711", 2, "succeeded"]]) and .[0].run.jobId != .[1].run.jobId'

# The outcome is not for others to say.
project told
pipeline --variable VOUCHSAFE_OUTCOME=failure
holds "told: a variable does not change the outcome" 'length == 1 and .[0].run.outcome == "succeeded"'

# Rules of one's own, and a default: that is not meant for us.
project rules
pipeline --file rules.gitlab-ci.yml
holds "rules: of the project, for both twins; default: is left out" 'length == 1 and .[0].environment == "production" and .[0].run.outcome == "succeeded"'
touch "$P/broken" && commit broken
pipeline --file rules.gitlab-ci.yml
holds "rules: the failure twin has them, too" 'length == 2 and .[1].environment == "production" and .[1].run.outcome == "failed" and .[1].run.job == "vouchsafe:failure"' 1
pipeline --file rules.gitlab-ci.yml --variable CI_PIPELINE_SOURCE=schedule
holds "rules: no record where they say never" 'length == 2' 1
request=(--variable CI_PIPELINE_SOURCE=merge_request_event --variable CI_MERGE_REQUEST_IID=7 --variable CI_MERGE_REQUEST_ID=88001
  --variable CI_MERGE_REQUEST_TITLE='SHOP-7 Count the till twice' --variable CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main
  --variable CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=till --variable CI_MERGE_REQUEST_PROJECT_URL=https://gitlab.com/acme/web/shop
  --variable CI_MERGE_REQUEST_REF_PATH=refs/merge-requests/7/head --variable CI_COMMIT_BRANCH=)
rm "$P/broken" && commit mended
pipeline --file rules.gitlab-ci.yml "${request[@]}" --variable CI_MERGE_REQUEST_EVENT_TYPE=detached
holds "rules: a merge request has its own environment" 'length == 3 and .[2].environment == "review"'

project request till
git -C "$P" checkout --quiet --detach # as GitLab's runner does
pipeline "${request[@]}" --variable CI_MERGE_REQUEST_EVENT_TYPE=detached
holds "merge request: its number, not its id" 'length == 1 and (.[0] | .run.event == "merge_request_event" and .changes[0].pullRequest.number == "7" and (.changes | tostring | contains("88001") | not) and .commit.branch == null and .commit.ref == "refs/merge-requests/7/head" and .tickets[0].id == "SHOP-7")'
pipeline "${request[@]}" --variable CI_MERGE_REQUEST_EVENT_TYPE=merge_train --variable CI_MERGE_REQUEST_REF_PATH=refs/merge-requests/7/train --variable CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=eba09b46064473a1d345da7abf28b477468e8dbd
holds "merge train: the tip of the branch beside the commit of the train" 'length == 2 and (.[1] | .commit.headSha == "eba09b46064473a1d345da7abf28b477468e8dbd" and .changes[0].via == "mergeQueue")'

project tag
git -C "$P" checkout --quiet --detach
pipeline --variable CI_COMMIT_TAG=v1.4.0 --variable CI_COMMIT_BRANCH=
holds "tag: the tag is the ref" '.[0].commit | .ref == "refs/tags/v1.4.0" and .branch == null'

project manual
pipeline --file manual.gitlab-ci.yml --manual deploy
holds "manual: a record when the person has deployed" 'length == 1 and .[0].run.outcome == "succeeded"'
touch "$P/down" && commit down
pipeline --file manual.gitlab-ci.yml --manual deploy
holds "manual: a deployment that failed" 'length == 2 and .[1].run.outcome == "failed"' 1

# gitlab-ci-local runs the child as a pipeline of its own, and lets the parent pass whatever the child does.
project family
pipeline --file parent.gitlab-ci.yml
holds "child: a record of the child and one of the parent" 'length == 2 and ([.[].run.event] == ["parent_pipeline", "push"]) and .[0].run.id != .[1].run.id and ([.[].run.outcome] == ["succeeded", "succeeded"]) and (.[0].at | endswith("run-shop.json"))'

project component
pipeline --file component.gitlab-ci.yml
holds "component: twice in one pipeline, with inputs and rules" 'length == 2 and ([.[].run.id] | unique | length == 1) and (map({key: .component, value: [.tests[].file]}) | from_entries == {shop: ["junit/shop.xml"], till: ["junit/shop.xml", "junit/till.xml"]})'
touch "$P/broken" && commit broken
pipeline --file component.gitlab-ci.yml
holds "component: red" 'length == 4 and ([.[2:][].run.outcome] == ["failed", "failed"]) and ([.[2:][].run.job] | sort == ["till-evidence:failure", "vouchsafe:failure"])' 1

# --------------------------------------------------------------------------------------------------- what goes wrong

# A name is text wherever it comes from: none of these runs, and the log shows no control character of theirs.
project hostile
touch "$STAGE/sentinel"
evil=$(printf '$(touch %s/pwned)`touch %s/pwned`;touch %s/pwned\n::error::x\n\033[31mred\033[0m' "$STAGE" "$STAGE" "$STAGE")
printf '%s\n' "$evil" | git -C "$P" commit --quiet --allow-empty -F -
for name in CI_COMMIT_MESSAGE CI_COMMIT_TITLE CI_COMMIT_BRANCH CI_COMMIT_REF_NAME CI_MERGE_REQUEST_TITLE CI_MERGE_REQUEST_SOURCE_BRANCH_NAME GITLAB_USER_LOGIN; do
  variables "$name" "$evil"
done
variables CI_MERGE_REQUEST_IID 7 VOUCHSAFE_ENVIRONMENT "$(printf 'prod $(touch %s/pwned)`touch %s/pwned`\033[31m' "$STAGE" "$STAGE")" VOUCHSAFE_TICKET "\$(touch $STAGE/pwned)" \
  VOUCHSAFE_REASON "'; touch $STAGE/pwned; \"; touch $STAGE/pwned"
pipeline --variable CI_PIPELINE_SOURCE=merge_request_event
holds "hostile names: recorded as text" 'length == 1 and .[0].run.outcome == "succeeded" and (.[0].changes[0].pullRequest.title | startswith("$(touch")) and (.[0].environment | startswith("prod $(touch"))'
if [ -e "$STAGE/pwned" ]; then fail "hostile names: a command ran"; else pass "hostile names: no command ran"; fi
said "hostile names: told to people" 'for prod $(touch'
if grep -a 'vouchsafe:success *>' "$STAGE/log" | grep -aq "$(printf '\033')\[31m"; then fail "hostile names: an escape sequence reached the log"; else pass "hostile names: escaped in the log"; fi

# The vault does not answer: the record is in the spool, which is an artifact also of a job that failed.
project spool
pipeline --variable VOUCHSAFE_VAULT=s3://evidence --variable AWS_ENDPOINT_URL="http://127.0.0.1:$(free_port)" --variable AWS_ACCESS_KEY_ID=made-up \
  --variable AWS_SECRET_ACCESS_KEY=made-up --variable AWS_REGION=us-east-1 --variable AWS_ALLOW_HTTP=true
if [ "$CODE" != 0 ] && [ -n "$(find "$P/.vouchsafe-spool" -name '*.json' 2>/dev/null)" ]; then pass "spool: not delivered, kept as an artifact, the job says so"; else fail "spool: ended with $CODE"; tail -n 20 "$STAGE/log"; fi
pipeline --variable VOUCHSAFE_VAULT=s3://evidence --variable AWS_ENDPOINT_URL="http://127.0.0.1:$(free_port)" --variable AWS_ACCESS_KEY_ID=made-up \
  --variable AWS_SECRET_ACCESS_KEY=made-up --variable AWS_REGION=us-east-1 --variable AWS_ALLOW_HTTP=true --variable VOUCHSAFE_ON_UPLOAD_FAILURE=warn
if [ "$CODE" = 0 ]; then pass "spool: VOUCHSAFE_ON_UPLOAD_FAILURE=warn lets the pipeline pass"; else fail "spool: warn ended with $CODE"; tail -n 20 "$STAGE/log"; fi

# --------------------------------------------------------------------------------------------------------- the page

# block NAME: what follows `<!-- NAME -->` on the page.
block() {
  awk -v mark="<!-- $1 -->" '
    $0 == mark { found = 1; next }
    found && /^```(sh|yaml)$/ { inside = 1; next }
    inside && /^```$/ { exit }
    inside { print }' docs/GITLAB.md
}

# page NAME COMMAND...: the block, by a shell, in $P, with our program in the PATH.
page() {
  local name=$1
  shift
  block "run: $name" >"$STAGE/page.sh"
  if [ -s "$STAGE/page.sh" ] && (cd "$P" && PATH=$STAGE/bin:$PATH env "$@" sh -eu "$STAGE/page.sh") >"$STAGE/log" 2>&1; then pass "page: the commands of \"$name\""; else fail "page: the commands of \"$name\""; cat "$STAGE/log"; fi
}

project page
block 'gitlab: first' | sed 's#- remote: .*#- local: /.gitlab-ci-template.yml#' >"$P/.gitlab-ci.yml"
printf 'GITLAB_CI: "true"\nVOUCHSAFE_BIN_URL: %s\nVOUCHSAFE_BIN_SHA256: %s\n' "$url/v.tar.gz" "$(sum "$STAGE/release/v.tar.gz")" >"$P/.gitlab-ci-local-variables.yml"
commit page
V=$P/.vouchsafe
pipeline
holds "page: the first record, by a program that was fetched, into the artifacts" 'length == 1 and .[0].environment == "demo" and .[0].run.outcome == "succeeded" and ([.[0].tests[].verdict] == ["passed", "passed"])'
page first
said "page: verify has seen the record" "1 record"
page keys
checks "page: the key is encrypted" grep 'BEGIN ENCRYPTED PRIVATE KEY' "$P/signing-key.pem"
checks "page: its trust set" jq -e . "$P/trust.json"

project set
cp "$P/.gitlab-ci.yml" "$P/project.yml"
{ printf 'include: [{local: /project.yml}]\n'; block 'gitlab: set'; } >"$P/.gitlab-ci.yml"
commit set
pipeline --variable CI_COMMIT_REF_PROTECTED=true --variable VOUCHSAFE_ENVIRONMENT=
holds "page: settings merge into both twins; the environment of the job is the one recorded" 'length == 1 and .[0].environment == "production" and ([.[0].artifacts[] | select(.kind == "file").name] == ["dist/shop.tar", "junit/shop.xml"])'
pipeline --variable CI_COMMIT_REF_PROTECTED=false
holds "page: no record of an unprotected branch" 'length == 1'

{ printf 'include: [{local: /project.yml}]\n'; block 'gitlab: heartbeat'; } >"$P/.gitlab-ci.yml"
commit heartbeat
pipeline --variable CI_PIPELINE_SOURCE=schedule --variable CI_COMMIT_REF_PROTECTED=true
holds "page: a heartbeat is no record" 'length == 1'
said "page: the heartbeat is in the ledger" record in the ledger of production

# a spool that came out of the artifacts, and a bucket that answers again: here, a folder
P=$STAGE/spool
page flush VOUCHSAFE_VAULT="$STAGE/answers" VOUCHSAFE_SIGNING_KEY="$STAGE/key.pem"
V=$STAGE/answers CODE=0
holds "page: what waited in the artifacts is delivered" 'length > 0 and all(.[]; .run.outcome == "succeeded")'

[ "$FAILURES" = 0 ]
