# shellcheck shell=sh
# attest.sh: the action's inputs become the twins of the program's flags, then the program runs. Sourced by `sh -eu`.
#
# An input that is empty says nothing: a VOUCHSAFE_* variable of the workflow or of the runner, or vouchsafe.toml, may.

. "$GITHUB_ACTION_PATH/action/guard.sh"

# The word for a job that did not fail so far says less than `needs`: a record of a red run must not begin with a
# contradiction. `{}` is a job that needs none.
if [ "$INPUT_NEEDS" = '{}' ]; then INPUT_NEEDS=; fi
if [ -n "$INPUT_NEEDS" ] && [ "$INPUT_OUTCOME" = success ]; then INPUT_OUTCOME=; fi

if [ -n "$INPUT_IMAGE_DIGEST" ]; then
  [ -n "$INPUT_IMAGE_NAME" ] || die 'image-digest without image-name: say which image it is the digest of' 2
  INPUT_IMAGE="$INPUT_IMAGE
$INPUT_IMAGE_NAME@$INPUT_IMAGE_DIGEST"
elif [ -n "$INPUT_IMAGE_NAME" ]; then
  notice "image-digest is empty, so no image is recorded for $INPUT_IMAGE_NAME"
fi

for name in \
  ENVIRONMENT COMPONENT VAULT WORKING_DIRECTORY \
  REPORT REPORT_FORMAT GATE_THRESHOLD TEST_EXIT ARTIFACT IMAGE IMAGE_METADATA OCI_LAYOUT IIDFILE RESOLVE \
  OUTCOME NEEDS TICKET TICKET_PATTERN REASON EMERGENCY APPROVED_BY REVIEW_DAYS OPERATOR OPERATOR_TOKEN OPERATOR_JWKS \
  ON_BEHALF_OF ENV HEARTBEAT \
  API API_TOKEN API_URL FORGE API_PATIENCE CA_FILE PIPELINE_FILE IDENTITY KEEP_EMAIL \
  RETAIN LOCK_MODE LEGAL_HOLD ANCHOR TSA_URL SPOOL EMIT EMIT_DIR \
  SIGNING_KEY PASSPHRASE PASSPHRASE_FILE SIGNER PUBLIC_KEY TRUST KEY \
  FAIL_ON REQUIRE_CHANGES ON_UPLOAD_FAILURE; do
  eval "value=\$INPUT_$name" # the name is one of the above, and the value is not looked at again
  unset "INPUT_$name"
  if [ -n "$value" ]; then export "VOUCHSAFE_$name=$value"; fi
done
# By this name it is known as the token of the server in GITHUB_API_URL, and goes to no other.
if [ -n "$INPUT_GITHUB_TOKEN" ]; then export "GITHUB_TOKEN=${GITHUB_TOKEN:-$INPUT_GITHUB_TOKEN}"; fi
unset INPUT_IMAGE_NAME INPUT_IMAGE_DIGEST INPUT_GITHUB_TOKEN value

# One folder a call: several steps of a job may attest.
bundles=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/vouchsafe.XXXXXX")
export VOUCHSAFE_OUTPUT="$bundles/record.json"
export VOUCHSAFE_STEP_OUTPUTS="$GITHUB_OUTPUT"
export VOUCHSAFE_SUMMARY="${GITHUB_STEP_SUMMARY:-}" # Gitea has none

case $PROGRAM in
  -*) die "binary-path \`$PROGRAM\` is no path" 2 ;;
esac
command -v "$PROGRAM" >/dev/null || die "binary-path \`$PROGRAM\` is no program: a path from the workspace, or a name in the PATH" 2
exec "$PROGRAM" attest
