#!/usr/bin/env bash
# run.sh: the snippets of examples/platforms/, as far as they can be tried without their platforms.
#
#   VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/platforms/run.sh
#
#   schemas       check-jsonschema's for each platform, kubernetes-validate's for the manifests
#   shell         shellcheck on every command and script in them
#   Jenkinsfile   Groovy's own parser
#   snippets.py   their very commands, taken out of the files, with the variables of fixtures/platforms/, green and red; the
#                 records are looked at
#
# No platform runs here: that Azure starts a step under `condition: always()` is read, not seen.
# Wants python3 with venv, java and mvn (for Groovy), shellcheck. Some 30 s, after the parts are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."
VOUCHSAFE=$(realpath "${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}")
export VOUCHSAFE STAGE
unset VOUCHSAFE_BIN
CHECK_JSONSCHEMA_VERSION=0.39.0
KUBERNETES_VALIDATE_VERSION=1.37.0
GROOVY_VERSION=4.0.28

command -v shellcheck >/dev/null || { [ "$(id -u)" = 0 ] && apt-get -qq update && apt-get -qq install --yes --no-install-recommends shellcheck >/dev/null; } || { fail "shellcheck is missing"; exit 1; }
venv=$TOOLS/platforms-$CHECK_JSONSCHEMA_VERSION-$KUBERNETES_VALIDATE_VERSION
if ! "$venv/bin/python" -c 'import kubernetes_validate, check_jsonschema' 2>/dev/null; then
  python3 -m venv --clear "$venv" >&2 &&
    "$venv/bin/pip" install --quiet "check-jsonschema==$CHECK_JSONSCHEMA_VERSION" "kubernetes-validate==$KUBERNETES_VALIDATE_VERSION" >&2 || { fail "check-jsonschema or kubernetes-validate could not be installed"; exit 1; }
fi
part check-jsonschema "$CHECK_JSONSCHEMA_VERSION"
part kubernetes-validate "$KUBERNETES_VALIDATE_VERSION"
part shellcheck "$(shellcheck --version | sed -n 's/^version: //p')"

# schema NAME FILE...
schema() {
  local name=$1
  shift
  if "$venv/bin/check-jsonschema" --quiet --builtin-schema "vendor.$name" "$@"; then pass "schema of $name"; else fail "schema of $name: $*"; fi
}
here=examples/platforms
schema bitbucket-pipelines "$here/bitbucket-pipelines.yml"
# its patterns are of another dialect than the one that check-jsonschema asks for
schema azure-pipelines --regex-variant python --data-transform azure-pipelines "$here/azure-pipelines.yml" "$here/azure-pipelines.jobs.yml"
schema circle-ci "$here/circleci.yml"
schema buildkite "$here/buildkite.yml"
schema github-workflows "$here/forgejo.yml"
schema woodpecker-ci "$here/woodpecker.yml"
for file in argocd flux; do
  "$venv/bin/python" - "$here/$file.yaml" <<'PY' && pass "schema of Kubernetes: $file.yaml" || fail "schema of Kubernetes: $file.yaml"
import sys, yaml, kubernetes_validate
jobs = [d for d in yaml.safe_load_all(open(sys.argv[1])) if d["apiVersion"] == "batch/v1"]
assert jobs
for job in jobs:
    kubernetes_validate.validate(job, "1.33", strict=True)
    try:  # the schema sees something
        kubernetes_validate.validate({**job, "spec": {**job["spec"], "backofLimit": 1}}, "1.33", strict=True)
    except kubernetes_validate.ValidationError:
        continue
    sys.exit("a wrong field was let through")
PY
done

shellcheck "$here/buildkite-pre-exit" "$here/terraform-apply.sh" examples/shop/*.sh && pass "shellcheck: scripts" || fail "shellcheck: scripts"

# The declarative pipeline is Groovy; what `pipeline` and `stage` are, only Jenkins knows.
groovy=$TOOLS/groovy-$GROOVY_VERSION
if [ ! -f "$groovy/groovy-$GROOVY_VERSION.jar" ]; then
  mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact="org.apache.groovy:groovy:$GROOVY_VERSION" -DoutputDirectory="$groovy" >&2 || fail "Groovy could not be installed"
fi
part groovy "$GROOVY_VERSION"
parse() { java -cp "$groovy/groovy-$GROOVY_VERSION.jar" groovy.ui.GroovyMain -e 'new GroovyShell().parse(new File(args[0]))' "$1"; }
if parse "$here/Jenkinsfile"; then pass "Groovy parses the Jenkinsfile"; else fail "Groovy does not parse the Jenkinsfile"; fi
sed 's/^}$//' "$here/Jenkinsfile" >"$STAGE/Jenkinsfile"
if parse "$STAGE/Jenkinsfile" >/dev/null 2>&1; then fail "Groovy parses one without its last brace, too"; fi

"$venv/bin/python" "$OUTSIDE/platforms/snippets.py" || fail "snippets"
[ "$FAILURES" = 0 ]
