#!/usr/bin/env bash
# sbom.sh TARGET OUTDIR: the bill of materials of one target, CycloneDX 1.5 in JSON: the crates that are linked in.
#
# Wants cargo-cyclonedx (version below) in the PATH or as CARGO_CYCLONEDX. With SOURCE_DATE_EPOCH it has neither a random
# serial number nor today's date, so the same commit has the same bill.
set -euo pipefail
target=${1:?usage: sbom.sh TARGET OUTDIR}
mkdir -p "${2:?usage: sbom.sh TARGET OUTDIR}"
out=$(cd "$2" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

CYCLONEDX_VERSION=0.5.9
tool=${CARGO_CYCLONEDX:-cargo-cyclonedx}
if [ "$("$tool" cyclonedx --version)" != "cargo-cyclonedx-cyclonedx $CYCLONEDX_VERSION" ]; then
  echo "sbom.sh: wants cargo-cyclonedx $CYCLONEDX_VERSION, found $("$tool" cyclonedx --version)" >&2
  exit 1
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
name=vouchsafe-$(scripts/release/version.sh)-$target.cdx
# it writes beside Cargo.toml, whatever it is told
trap 'rm -f "$name.json"' EXIT
"$tool" cyclonedx --quiet --format json --spec-version 1.5 --target "$target" --no-build-deps --override-filename "$name"
# names of components hold the folder of this checkout
sed "s|path+file://$PWD#|path+file:///vouchsafe#|g" "$name.json" > "$out/$name.json"
if grep -F "$PWD" "$out/$name.json"; then
  echo "sbom.sh: the bill names a folder of this machine" >&2
  exit 1
fi
echo "sbom.sh: $out/$name.json" >&2
