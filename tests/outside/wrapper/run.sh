#!/usr/bin/env bash
# run.sh: deploy-wrapper.sh in seven shells, with the real program. `VOUCHSAFE_BIN=… tests/outside/wrapper/run.sh`
#
# What has to hold in each: the script is run once, by the same shell and with the same options, its arguments, input and
# exit code untouched, and there is one record of it; without the program it runs all the same and says so, or is refused.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
ROOT=$(cd "$OUTSIDE/../.." && pwd)
PROGRAM=$(realpath "${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$ROOT/target}/debug/vouchsafe}")
unset VOUCHSAFE_BIN VOUCHSAFE_REQUIRED VOUCHSAFE_WRAPPED VOUCHSAFE_WRAPPER_PID

SHELLS=(dash bash "busybox sh" ksh93 mksh yash zsh)
missing=()
for shell in "${SHELLS[@]}"; do command -v "${shell%% *}" >/dev/null || missing+=("${shell%% *}"); done
if [ ${#missing[@]} != 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  # what cannot be had is said below
  { apt-get -qq update; apt-get -qq install --yes --no-install-recommends "${missing[@]/ksh93/ksh}"; } >/dev/null 2>&1 || true
fi

cd "$STAGE"
mkdir bin "a folder" nothing
ln -s "$PROGRAM" bin/vouchsafe
# a PATH on which everything is but the program
without=$STAGE/nothing:$PATH
with=$STAGE/bin:$PATH
export VOUCHSAFE_VAULT=$STAGE/vault VOUCHSAFE_SIGNING_KEY=$STAGE/key.pem VOUCHSAFE_SPOOL=$STAGE/spool VOUCHSAFE_REASON="a test"
"$PROGRAM" key new --output key.pem >/dev/null 2>&1
cp "$ROOT/deploy-wrapper.sh" "a folder/"

# Tells in one file all that it can see of how it was started.
cat > "a folder/deploy.sh" <<'SCRIPT'
#!/bin/sh
export VOUCHSAFE_ENVIRONMENT=production
. "$(dirname "$0")/deploy-wrapper.sh"
{
  printf 'once\n'
  for option in e u f; do case $- in *$option*) printf 'option %s\n' "$option" ;; esac; done
  if ([ -o pipefail ]) 2>/dev/null || set -o | grep '^pipefail[[:space:]]*on' >/dev/null; then printf 'pipefail\n'; fi
  printf 'shell %s%s%s%s\n' "${BASH_VERSION+bash}" "${KSH_VERSION+ksh}" "${ZSH_VERSION+zsh}" "${YASH_VERSION+yash}"
  printf 'input %s\n' "$(cat)"
  for argument in "$@"; do printf '<%s>\n' "$argument"; done
} >> "$SEEN"
exit 7
SCRIPT
cat > "a folder/outer.sh" <<'SCRIPT'
#!/bin/sh
export VOUCHSAFE_ENVIRONMENT=staging
. "$(dirname "$0")/deploy-wrapper.sh"
"$CHILD" "$(dirname "$0")/deploy.sh" inner </dev/null
SCRIPT
cat > "a folder/bare.sh" <<'SCRIPT'
#!/bin/sh
. "$(dirname "$0")/deploy-wrapper.sh"
touch "$SEEN"
SCRIPT
chmod +x "a folder/"*.sh
hostile=('a b' '' "it's \"\$HOME\" \`id\`" '*' $'two\nlines' -- -e '--environment' 'ümläut' '\n')

records() { { "$PROGRAM" list --json 2>/dev/null || true; } | wc -l; }

# held WHAT COMMAND...: one line for a failure, none for success; each shell sums up.
held() {
  local what=$1
  shift
  "$@" || { fail "$shell: $what"; broken=1; }
}
# deploy PATH SHELL-WORDS SCRIPT ARGUMENTS...: sets code; what the script saw is in `seen`, what was said in `said`.
deploy() {
  local path=$1 words
  read -ra words <<<"$2"
  shift 2
  rm -f seen
  code=0
  SEEN=$STAGE/seen PATH=$path "${words[@]}" "$@" >out 2>said <<<'typed' || code=$?
}
one_record_more() {
  local now
  now=$(records)
  [ "$now" = $((before + 1)) ] || { echo "    $now records, $before before"; return 1; }
}
says() { grep -qF -- "$1" said; }

for shell in "${SHELLS[@]}"; do
  if ! command -v "${shell%% *}" >/dev/null; then
    fail "$shell is not here and could not be installed"
    continue
  fi
  broken=0
  options=(-e -u -f)
  if [ "$shell" != dash ]; then options+=(-o pipefail); fi

  # the truth: what the script sees where there is no wrapper to speak of
  deploy "$without" "$shell ${options[*]}" "a folder/deploy.sh" "${hostile[@]}"
  mv seen truth
  held "runs without the program" test "$code" = 7
  held "says that there is no record" says "LEAVES NO RECORD"
  before=$(records)
  deploy "$with" "$shell ${options[*]}" "a folder/deploy.sh" "${hostile[@]}"
  held "the exit code is the script's" test "$code" = 7
  held "sees the same under the program" diff truth seen
  held "leaves one record" one_record_more

  # by its name alone, from its own folder, and not executable
  before=$(records)
  chmod -x "a folder/deploy.sh"
  cd "a folder"
  rm -f ../seen
  code=0
  # shellcheck disable=SC2086 # `busybox sh` is two words
  SEEN=$STAGE/seen PATH=$with $shell deploy.sh x </dev/null >/dev/null 2>&1 || code=$?
  cd ..
  chmod +x "a folder/deploy.sh"
  held "by name: the exit code" test "$code" = 7
  held "by name: one record" one_record_more

  # a script that calls a wrapped one: one deployment, one record
  before=$(records)
  CHILD=$shell
  case $shell in *' '*) printf '#!/bin/sh\nexec %s "$@"\n' "$shell" > child; chmod +x child; CHILD=$STAGE/child ;; esac
  export CHILD
  deploy "$with" "$shell" "a folder/outer.sh"
  held "nested: the exit code" test "$code" = 7
  held "nested: the inner script ran" grep -qF '<inner>' seen
  held "nested: one record" one_record_more

  # what an earlier deployment left in the environment switches nothing off
  before=$(records)
  dead=$(bash -c 'echo $$')
  VOUCHSAFE_WRAPPED=left-over VOUCHSAFE_WRAPPER_PID=$dead deploy "$with" "$shell" "a folder/deploy.sh"
  held "left-over variables: one record" one_record_more

  # no program, and it is required; a program that is named and is not there; one that cannot `run`
  VOUCHSAFE_REQUIRED=1 deploy "$without" "$shell" "a folder/deploy.sh"
  held "required: refused with 125" test "$code" = 125
  held "required: nothing was run" test ! -e seen
  held "required: says so" says "nothing was deployed"
  VOUCHSAFE_BIN=$STAGE/no-such deploy "$with" "$shell" "a folder/deploy.sh"
  held "VOUCHSAFE_BIN that is not there: said, by name" says "$STAGE/no-such"
  held "VOUCHSAFE_BIN that is not there: the script ran" test "$code" = 7
  VOUCHSAFE_BIN=/bin/false deploy "$with" "$shell" "a folder/deploy.sh"
  held "a program without run: said" says "LEAVES NO RECORD"
  held "a program without run: the script ran" test "$code" = 7

  # a script that is read from standard input has no file that could be run again
  code=0
  # shellcheck disable=SC2086
  (cd "a folder" && SEEN=$STAGE/seen PATH=$with $shell < deploy.sh) >out 2>said || code=$?
  held "from standard input: said" says "LEAVES NO RECORD"

  # without an environment it is `vouchsafe run` that refuses, before anything is run
  deploy "$with" "$shell" "a folder/bare.sh"
  held "what run refuses is not run" test "$code" = 125 -a ! -e seen

  if [ "$broken" = 0 ]; then pass "$shell"; fi
done

# started by its first line, options in that line and all
printf '#!/bin/bash -eu\n%s\n' "$(tail -n +2 "a folder/deploy.sh")" > "a folder/direct.sh"
chmod +x "a folder/direct.sh"
shell='first line #!/bin/bash -eu'
before=$(records)
broken=0
deploy "$with" "" "a folder/direct.sh" "${hostile[@]}"
held "the exit code" test "$code" = 7
held "its options" grep -q "^option e" seen
held "one record" one_record_more
if [ "$broken" = 0 ]; then pass "$shell"; fi

echo
if [ "$FAILURES" != 0 ]; then
  echo "wrapper: $FAILURES failed"
  exit 1
fi
echo "wrapper: all held"
