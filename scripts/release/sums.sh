#!/usr/bin/env bash
# sums.sh FOLDER: writes FOLDER/SHA256SUMS over the archives and bills of materials in it, by name.
set -euo pipefail
cd "${1:?usage: sums.sh FOLDER}"
export LC_ALL=C
shopt -s nullglob
files=(vouchsafe-*.tar.gz vouchsafe-*.zip vouchsafe-*.cdx.json)
if [ ${#files[@]} = 0 ]; then
  echo "sums.sh: no archive in $1" >&2
  exit 1
fi
# --text: GNU's sums of Windows would have a star before the name
sha256sum --text "${files[@]}" > SHA256SUMS
cat SHA256SUMS
