#!/usr/bin/env bash
# table.sh SHA256SUMS: makes action/checksums.txt, the digests that the action believes, from the sums of a release.
# table.sh --check SHA256SUMS: fails unless it says the same.
#
# A line is `<sha256>  vouchsafe-<version>-<target>.tar.gz` (or .zip); the version is that of Cargo.toml, for each target
# of release.yml there is one line, and nothing else is in it.
set -euo pipefail
check=false
if [ "${1-}" = --check ]; then
  check=true
  shift
fi
sums=$(realpath "${1:?usage: table.sh [--check] SHA256SUMS}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(scripts/release/version.sh)
table=$(grep -E "^[0-9a-f]{64}  vouchsafe-${version//./\\.}-[a-z0-9_-]+\.(tar\.gz|zip)$" "$sums" | LC_ALL=C sort -k 2)
wanted=$(grep -oE '\{target: [a-z0-9_-]+' .github/workflows/release.yml | cut -d ' ' -f 2 | LC_ALL=C sort)
had=$(sed -E "s/^[0-9a-f]{64}  vouchsafe-${version//./\\.}-(.*)\.(tar\.gz|zip)$/\1/" <<<"$table")
if [ "$wanted" != "$had" ]; then
  printf 'table.sh: %s has not one archive of %s for each target of release.yml\nwanted:\n%s\nfound:\n%s\n' \
    "$sums" "$version" "$wanted" "$had" >&2
  exit 1
fi
if $check; then
  diff -u action/checksums.txt - <<<"$table" >&2 || { echo "table.sh: action/checksums.txt is another table" >&2; exit 1; }
else
  mkdir -p action
  printf '%s\n' "$table" > action/checksums.txt
fi
