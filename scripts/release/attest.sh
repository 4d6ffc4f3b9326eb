#!/usr/bin/env bash
# attest.sh FOLDER: the record of this release, made by the program that was just built, over what is in FOLDER.
#
# The signing key is VOUCHSAFE_SIGNING_KEY; its public half is docs/release-key.pem (RELEASE_KEY), and a record that it
# does not verify is not published. What the jobs before ended with is in NEEDS, as GitHub tells it.
set -euo pipefail
folder=$(cd "${1:?usage: attest.sh FOLDER}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(scripts/release/version.sh)
key=$(realpath "${RELEASE_KEY:-docs/release-key.pem}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$folder/vouchsafe-$version-x86_64-unknown-linux-musl.tar.gz" -C "$work"
program=$work/vouchsafe-$version-x86_64-unknown-linux-musl/vouchsafe
record=$folder/vouchsafe-$version.record.json
"$program" attest --environment release --vault "$work/vault" --artifact "$folder/*" \
  ${NEEDS:+--needs "$NEEDS"} --outcome success --output "$record" --json
"$program" verify "$record" --key "$key"
