#!/usr/bin/env bash
# draft.sh FOLDER: puts everything in FOLDER into a new draft of the release. Wants gh and GH_TOKEN.
set -euo pipefail
folder=$(cd "${1:?usage: draft.sh FOLDER}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(scripts/release/version.sh)
notes=$(mktemp)
trap 'rm -f "$notes"' EXIT
awk -v head="## [$version]" 'index($0, "## [") == 1 { on = index($0, head) == 1; next } on' CHANGELOG.md > "$notes"
gh release create "v$version" --draft --title "vouchsafe $version" --notes-file "$notes" "$folder"/*
