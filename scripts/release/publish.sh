#!/usr/bin/env bash
# publish.sh TAG: takes the draft of TAG, checks it against HEAD (check.sh) and makes it public. Wants gh and GH_TOKEN.
set -euo pipefail
tag=${1:?usage: publish.sh TAG}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gh release download "$tag" --dir "$folder"
scripts/release/check.sh "$tag" "$folder"
gh release edit "$tag" --draft=false --verify-tag
