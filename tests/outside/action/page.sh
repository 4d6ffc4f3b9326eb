# shellcheck shell=bash disable=SC2034,SC2016 # as ground.sh
# page.sh: docs/GITHUB.md does what it says. Sourced by run.sh.
#
# A block after `<!-- act: NAME -->` is a workflow that act runs, word for word; one that begins with `jobs:` gets a name and a
# trigger first. The commands of the page run as they stand.

PAGE=$ROOT/docs/GITHUB.md

# block NAME: the workflow of that name, into $SHOP.
block() {
  local file=$SHOP/.github/workflows/$1.yml
  awk -v mark="<!-- act: $1 -->" '$0 == mark { on = 1; next } on && /^```$/ { exit } on && !/^```/' "$PAGE" >"$file"
  [ -s "$file" ] || { echo "    the page has no block \`$1\`"; return 1; }
  if [ "$(head -n 1 "$file")" = jobs: ]; then
    { printf 'name: %s\non: [push, pull_request]\npermissions:\n  contents: read\n' "$1" && cat "$file"; } >"$file.whole"
    mv "$file.whole" "$file"
  fi
}

page_first() {
  shop page-first && block first && commit
  ended 0
  mkdir "$STAGE/reader" && cd "$STAGE/reader" || return
  mkdir bin && ln -s "$VOUCHSAFE_BIN" bin/vouchsafe
  cp -r "$ARTIFACTS/vouchsafe" vault
  awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$PAGE" >commands
  [ "$(grep -c ^vouchsafe commands)" = 5 ] || { echo "    the page has other commands than this test knows"; return 1; }
  HOME=$STAGE/home PATH=$PWD/bin:$PATH bash -eu commands >said 2>&1 || { sed 's/^/    /' said; return 1; }
  grep -q "demo" said && [ -s public.pem ] && [ -s trust.json ]
  # a red run of the same workflow
  shop page-first-red && block first && touch "$SHOP/broken" && commit
  ended 1
  [ -n "$(find "$ARTIFACTS/vouchsafe/evidence" -name run.json)" ]
}

page_outputs() {
  shop page-outputs && block outputs && commit
  ended 0
  record '.run.outcome == "succeeded"'
}

page_matrix() {
  shop page-matrix && block matrix && commit
  ended 0
  [ "$(find "$VAULT/evidence" -name 'run-*.json' | sed 's/.*run-//' | sort | tr '\n' ' ')" = "cart.json checkout.json " ] ||
    { find "$VAULT/evidence"; return 1; }
}

page_airgapped() {
  shop page-airgapped && block airgapped && commit
  # the page's absolute paths are of another machine
  sed -i -e "s|/var/lib/evidence|$VAULT|; s|/etc/vouchsafe/signing-key.pem|$STAGE/key.pem|; s|/usr/local/bin/vouchsafe|$VOUCHSAFE_BIN|" \
    "$SHOP/.github/workflows/airgapped.yml"
  ended 0
  record '.run.outcome == "succeeded"'
  if grep -q "Get vouchsafe" "$LOG"; then echo "    the program was fetched"; return 1; fi
}

page_forks() {
  local event=$STAGE/event.json
  shop page-forks && block forks && commit
  echo '{"pull_request": {"number": 7, "head": {"ref": "x", "repo": {"fork": true}}, "base": {"ref": "main"}}}' >"$event"
  EVENT=pull_request ended 0 --eventpath "$event"
  [ ! -e "$VAULT" ] || { echo "    a fork left a record"; return 1; }
  sed -i 's/true/false/' "$event"
  EVENT=pull_request ended 0 --eventpath "$event"
  record '.run.event == "pull_request" and .environment == "review"'
  # what it says where the step is not left out
  shop page-forks-unguarded && block forks && sed -i 's/if: .*fork }}/if: ${{ always() }}/' "$SHOP/.github/workflows/forks.yml" && commit
  VAULT=s3://evidence ended 1 --secret VOUCHSAFE_SIGNING_KEY=
  logged "no signing key: s3://evidence needs one"
}

page_emergency() {
  shop page-emergency && block emergency && commit
  ended 0
  record '.emergency.reason == "checkout is down, review follows" and .emergency.ticket == "OPS-911"'
}

tell "the page: the first record and its commands" page_first
tell "the page: outputs" page_outputs
tell "the page: a matrix, one record a leg" page_matrix
tell "the page: a runner without a way out" page_airgapped
tell "the page: forks" page_forks
tell "the page: an emergency" page_emergency
