#!/usr/bin/env bash
# lint.sh: what reads the action, the examples and the workflows of docs/GITHUB.md without running them. lint/run.sh beside
# reads the files; here are the blocks of the page, and the readers that only the action needs.
#
#   GitHub's own parser     @actions/workflow-parser: schema, contexts and expressions
#   actionlint, zizmor      the blocks of the page
#   ShellCheck              action/*.sh, as POSIX sh
#   a PowerShell grammar    action/*.ps1
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
TOOLS=${VOUCHSAFE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/vouchsafe-ci}
STAGE=${STAGE:?run.sh sets it}

ACTIONLINT_VERSION=v1.7.12
PYTHON_PINS=(zizmor==1.32.0 tree-sitter==0.26.1 tree-sitter-powershell==0.26.4)
NODE_PINS=(@actions/workflow-parser@0.3.61 @actions/expressions@0.3.61 esbuild@0.28.2)

dir=$TOOLS/action-lint
if [ "$(cat "$dir/pins" 2>/dev/null)" != "$ACTIONLINT_VERSION ${PYTHON_PINS[*]} ${NODE_PINS[*]}" ]; then
  rm -rf "$dir"
  mkdir -p "$dir/node"
  GOBIN=$dir GOFLAGS=-buildvcs=false go install "github.com/rhysd/actionlint/cmd/actionlint@$ACTIONLINT_VERSION"
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install --quiet "${PYTHON_PINS[@]}"
  npm install --prefix "$dir/node" --silent --no-audit --no-fund "${NODE_PINS[@]}" >/dev/null
  echo "$ACTIONLINT_VERSION ${PYTHON_PINS[*]} ${NODE_PINS[*]}" >"$dir/pins"
fi
command -v shellcheck >/dev/null || apt-get -qq install --yes shellcheck >/dev/null

# The packages import JSON in a way that this Node does not know, so they are bundled.
cp "$here/read.mjs" "$dir/node/"
"$dir/node/node_modules/.bin/esbuild" "$dir/node/read.mjs" --bundle --platform=node --format=esm --log-level=error \
  --banner:js="import { createRequire } from 'module'; const require = createRequire(import.meta.url);" --outfile="$dir/node/read.bundle.mjs"
github() { node "$dir/node/read.bundle.mjs" "$@"; }

# The page's workflows, made whole as page.sh makes them.
pages=$STAGE/page-workflows/.github/workflows
mkdir -p "$pages"
awk -v to="$pages" '
  /^<!-- (act|lint): [a-z]+ -->$/ { file = to "/" $3 ".yml"; next }
  file && /^```yaml$/ { on = 1; first = 1; next }
  on && /^```$/ { on = 0; close(file); file = ""; next }
  on { if (first && $0 == "jobs:") print "name: page\non: [push, pull_request]\npermissions:\n  contents: read" >file; first = 0; print >file }
' docs/GITHUB.md
[ "$(find "$pages" -name '*.yml' | wc -l)" -ge 7 ] || { echo "the blocks of the page were not found"; exit 1; }

github action.yml examples/github/*.yml tests/outside/action/workflows/*.yml "$pages"/*.yml
"$dir/actionlint" -no-color "$pages"/*.yml examples/github/*.yml
"$dir/venv/bin/zizmor" --offline --no-progress --quiet --format plain action.yml examples/github/*.yml "$pages"/*.yml >"$STAGE/zizmor" 2>&1 ||
  { cat "$STAGE/zizmor"; exit 1; }
shellcheck action/*.sh
"$dir/venv/bin/python" "$here/grammar.py" action/*.ps1

# A reader that accepts everything would be no check.
bad=$STAGE/bad-action
mkdir -p "$bad"
sed 's/      shell: powershell/      shel: powershell/' action.yml >"$bad/action.yml"
if github "$bad/action.yml" >/dev/null; then echo "GitHub's parser accepts \`shel:\`"; exit 1; fi
sed 's/needs.build.outputs/nedes.build.outputs/' examples/github/shop.yml >"$bad/shop.yml"
if github "$bad/shop.yml" >/dev/null; then echo "GitHub's parser accepts an unknown context"; exit 1; fi
sed 's/run: \. "$GITHUB_ACTION_PATH.*/run: echo ${{ inputs.report }}/' action.yml >"$bad/action.yml"
if "$dir/venv/bin/zizmor" --offline --no-progress --quiet "$bad/action.yml" >/dev/null 2>&1; then echo "zizmor accepts an injection"; exit 1; fi
