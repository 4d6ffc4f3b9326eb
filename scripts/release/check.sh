#!/usr/bin/env bash
# check.sh TAG FOLDER: may what is in FOLDER be published as TAG? Asked before publishing, and by whoever wants to know.
#
# HEAD is the commit of TAG. It holds when HEAD changes nothing but the table, the table is that of FOLDER, every sum
# holds, the record is signed by docs/release-key.pem (RELEASE_KEY), says that the run was green and was made from the
# commit before HEAD, and names every file with the digest it has.
set -euo pipefail
tag=${1:?usage: check.sh TAG FOLDER}
folder=$(cd "${2:?usage: check.sh TAG FOLDER}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() {
  echo "check.sh: $*" >&2
  exit 1
}
version=$(scripts/release/version.sh "$tag")
key=$(realpath "${RELEASE_KEY:-docs/release-key.pem}")
[ "$(git diff --name-only HEAD^ HEAD)" = action/checksums.txt ] || die "$tag changes more than action/checksums.txt"
scripts/release/table.sh --check "$folder/SHA256SUMS"
(cd "$folder" && sha256sum --quiet --strict --check SHA256SUMS) || die "a sum does not hold"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$folder/vouchsafe-$version-x86_64-unknown-linux-musl.tar.gz" -C "$work"
record=$folder/vouchsafe-$version.record.json
"$work/vouchsafe-$version-x86_64-unknown-linux-musl/vouchsafe" verify "$record" --key "$key" >&2 || die "the record does not verify"
# read only now, when its signature held
statement=$(jq -r .dsseEnvelope.payload "$record" | base64 -d)
[ "$(jq -r .predicate.commit.sha <<<"$statement")" = "$(git rev-parse HEAD^)" ] ||
  die "the record is of commit $(jq -r .predicate.commit.sha <<<"$statement"), not of $(git rev-parse HEAD^)"
[ "$(jq -r .predicate.run.outcome <<<"$statement")" = succeeded ] || die "the run that built it was not green"
for file in "$folder"/*; do
  [ "$file" != "$record" ] || continue
  sum=$(sha256sum <"$file" | cut -d ' ' -f 1)
  jq -e --arg sum "$sum" 'any(.subject[]; .digest.sha256 == $sum)' <<<"$statement" >/dev/null ||
    die "the record does not name ${file##*/} as it is"
done
echo "check.sh: $tag is what commit $(git rev-parse --short HEAD^) was built to" >&2
