# shellcheck shell=bash disable=SC2034,SC2016 # variables for whoever sources this; text that other shells expand
# ground.sh: a shop with a repository of its own, and act that runs its workflows on this machine. Sourced.
#
# act runs without containers (`-self-hosted`). What GitHub tells and act does not: GITHUB_REF_PROTECTED, GITHUB_*_ID,
# GITHUB_TRIGGERING_ACTOR, GITHUB_WORKFLOW_REF and _SHA. A job that was cancelled is a `failure` in act's `needs`.

HERE=$OUTSIDE/action
ROOT=$(cd "$OUTSIDE/../.." && pwd)
ZEROS=0000000000000000000000000000000000000000

# The commits that the examples and the page pin, with what stands for them here.
OTHERS=(
  actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02
  actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093
  aws-actions/configure-aws-credentials@b47578312673ae6fa5b5096b330d9fbac3d116df
)

# shop NAME: a fresh repository with the example's scripts; sets SHOP, and ARTIFACTS, VAULT, LOG beside it.
shop() {
  SHOP=$STAGE/$1 ARTIFACTS=$STAGE/$1.artifacts VAULT=$STAGE/$1.vault LOG=$STAGE/$1.log
  mkdir -p "$SHOP/.github/workflows" "$ARTIFACTS"
  cp "$ROOT"/examples/github/shop/*.sh "$SHOP"
  git -C "$SHOP" init --quiet --initial-branch "${2:-main}"
  git -C "$SHOP" remote add origin https://github.com/example/shop.git
}

commit() {
  git -C "$SHOP" add --all
  git -C "$SHOP" -c user.name=Ada -c user.email=ada@example.org commit --quiet --message "${1:-SHOP-12: round totals}"
}

# The action as a release has it: its own files, and a table that knows one archive, which holds the program under test and
# lies in the tool cache already. So the whole way of a release is gone but for the download (program.sh of the tests does that).
release() {
  ACTION=$STAGE/action-release
  mkdir -p "$ACTION"
  cp -r "$ROOT/action.yml" "$ROOT/action" "$ROOT/Cargo.toml" "$ACTION"
  local version target archive sum
  version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml" | head -n 1)
  target=$(uname -m)-unknown-linux-musl
  archive=vouchsafe-$version-$target.tar.gz
  mkdir -p "$STAGE/pack/vouchsafe-$version-$target"
  strip -o "$STAGE/pack/vouchsafe-$version-$target/vouchsafe" "$VOUCHSAFE_BIN" # unpacked often, so without 100 MB for debuggers
  tar -C "$STAGE/pack" -czf "$STAGE/$archive" "vouchsafe-$version-$target"
  sum=$(sha256sum <"$STAGE/$archive" | cut -d ' ' -f 1)
  printf '%s  %s\n' "$sum" "$archive" >"$ACTION/action/checksums.txt"
  TOOL_CACHE=$STAGE/cache/act/tool_cache
  mkdir -p "$TOOL_CACHE/vouchsafe/$version-$sum"
  cp "$STAGE/$archive" "$TOOL_CACHE/vouchsafe/$version-$sum/"
  RELEASE=$STAGE/$archive RELEASE_SUM=$sum RELEASE_VERSION=$version
}

# run_act [WORDS...]: act on $SHOP, its words into $LOG; the exit code is that of the workflow. `exec`, so that a signal to this
# very process reaches it. Nothing of this process' environment but the PATH gets in.
run_act() {
  local other words=()
  for other in "${OTHERS[@]}"; do
    words+=(--local-repository "$other=$HERE/stubs/$(basename "${other%@*}")")
  done
  cd "$SHOP" || return
  exec env -i PATH="$PATH" HOME="$STAGE/home" XDG_CACHE_HOME="$STAGE/cache" NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 \
    ARTIFACTS="$ARTIFACTS" TEST_S3_ENDPOINT="${S3_ENDPOINT:-}" TEST_S3_USER="$S3_USER" TEST_S3_SECRET="$S3_SECRET" \
    "$ACT" "${EVENT:-push}" --platform ubuntu-latest=-self-hosted --platform self-hosted=-self-hosted \
    --local-repository "vouchsafe/vouchsafe@$ZEROS=$ACTION" "${words[@]}" --no-cache-server \
    --actor ada --env GITHUB_RUN_ID=4711 --var EVIDENCE_VAULT="$VAULT" --var EVIDENCE_REGION=us-east-1 \
    --var VOUCHSAFE_BINARY="$VOUCHSAFE_BIN" --secret VOUCHSAFE_SIGNING_KEY="$(cat "$STAGE/key.pem")" "$@" >"$LOG" 2>&1 </dev/null
}

# ended CODE WORDS...: runs act and wants that code.
ended() {
  local want=$1 code=0
  shift
  (run_act "$@") || code=$?
  [ "$code" = "$want" ] && return
  echo "    act ended with $code, not $want:"
  tail -n 40 "$LOG" | sed 's/^/    /'
  return 1
}

# record [FILTER]: the newest record of $VAULT, verified with the key of the stage, through jq; `-e`, so a false is a failure.
record() {
  "$VOUCHSAFE_BIN" show --vault "$VAULT" --key "$STAGE/public.pem" --json | jq -e ".statement.predicate | $1" >"$STAGE/jq" 2>&1 && return
  echo "    not so: $1"
  "$VOUCHSAFE_BIN" show --vault "$VAULT" --key "$STAGE/public.pem" --json 2>&1 | jq -c '.statement.predicate.run' 2>&1 | sed 's/^/    /'
  return 1
}

# logged TEXT: whether act's log has it.
logged() {
  grep -qF -- "$1" "$LOG" && return
  echo "    not in the log: $1"
  tail -n 30 "$LOG" | sed 's/^/    /'
  return 1
}
