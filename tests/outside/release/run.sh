#!/usr/bin/env bash
# run.sh: a release, rehearsed: `tests/outside/release/run.sh`
#
# The archive is built twice, from two clones in two folders with two homes of cargo, and has to be the same to the byte;
# then a whole release is gone through, from the first tag to the check before publishing, in a clone of its own: with what
# has to be let through, and with everything that has to be stopped.
#
# Not part of tests/outside/run.sh: two builds take 20 min of CPU as they are released, 5 with QUICK=1 (no optimisation).
# DIST names a folder with an archive that stands already, and then nothing is built. Wants rustup and its musl target.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
ROOT=$(cd "$OUTSIDE/../.." && pwd)
cd "$STAGE"
TARGET=x86_64-unknown-linux-musl
CYCLONEDX_VERSION=0.5.9
export GIT_AUTHOR_NAME=ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=ada GIT_COMMITTER_EMAIL=ada@example.org
unset VOUCHSAFE_BIN CARGO_TARGET_DIR

if [ -n "${QUICK-}" ]; then
  export CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi
# what stands here, committed or not
clone() {
  git clone --quiet "$ROOT" "$1"
  (cd "$ROOT" && git ls-files --cached --others --exclude-standard -z | xargs -0 tar -cf - --ignore-failed-read 2>/dev/null) | tar -xf - -C "$1"
  git -C "$1" add --all
  git -C "$1" commit --quiet --allow-empty --date 2026-01-02T03:04:05Z -m "C"
}

find_zig() {
  local dir=$TOOLS/zig
  cmp -s "$ROOT/scripts/release/zig.txt" "$dir/zig.txt" || {
    python3 -m venv --clear "$dir" && "$dir/bin/pip" install --quiet --require-hashes --only-binary :all: -r "$ROOT/scripts/release/zig.txt" &&
      cp "$ROOT/scripts/release/zig.txt" "$dir/"
  } >&2 || return 1
  echo "$dir/bin/python -m ziglang"
}
find_cyclonedx() {
  local dir=$TOOLS/cargo-cyclonedx-$CYCLONEDX_VERSION
  [ -x "$dir/bin/cargo-cyclonedx" ] ||
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_TARGET_DIR=$TOOLS/build \
      cargo install cargo-cyclonedx --locked --version "$CYCLONEDX_VERSION" --root "$dir" --quiet >&2 || return 1
  echo "$dir/bin/cargo-cyclonedx"
}
find_schema() {
  local dir=$TOOLS/cyclonedx-python
  [ -x "$dir/bin/python" ] || { python3 -m venv "$dir" && "$dir/bin/pip" install --quiet 'cyclonedx-python-lib[json-validation]==11.12.0'; } >&2 || return 1
  echo "$dir/bin/python"
}

# expect WHAT COMMAND...: has to succeed. refuse WHAT SAYS COMMAND...: has to fail, and to say why.
expect() {
  local what=$1
  shift
  if "$@" >said 2>&1; then pass "$what"; else fail "$what"; sed 's/^/    /' said; fi
}
refuse() {
  local what=$1 why=$2
  shift 2
  if "$@" >said 2>&1; then
    fail "$what: was let through"
  elif grep -qF -- "$why" said; then
    pass "$what: stopped"
  else
    fail "$what: stopped, and not for this reason"
    sed 's/^/    /' said
  fi
}

if ! { ZIG=$(find_zig) && CARGO_CYCLONEDX=$(find_cyclonedx) && schema=$(find_schema); }; then
  fail "a tool is missing"
  exit 1
fi
export ZIG CARGO_CYCLONEDX
part zig "$($ZIG version)"
part cargo-cyclonedx "$CYCLONEDX_VERSION"

clone one
version=$(one/scripts/release/version.sh)
archive=vouchsafe-$version-$TARGET.tar.gz
if [ -n "${DIST-}" ]; then
  mkdir dist
  cp "$DIST/$archive" dist/
else
  # ------------------------------------------------------------------------------------------- the same bytes, twice
  git clone --quiet one "another folder, with a longer name"
  mkdir cargo
  for part in registry git; do [ ! -e "${CARGO_HOME:-$HOME/.cargo}/$part" ] || ln -s "${CARGO_HOME:-$HOME/.cargo}/$part" "cargo/$part"; done
  expect "built" env one/scripts/release/build.sh "$TARGET" dist
  expect "built again: another folder, another target folder, another home of cargo, another day" \
    env CARGO_HOME="$STAGE/cargo" CARGO_TARGET_DIR="$STAGE/elsewhere" TZ=Asia/Tokyo \
    "another folder, with a longer name/scripts/release/build.sh" "$TARGET" again
  expect "the same bytes" cmp "dist/$archive" "again/$archive"
  sha256sum "dist/$archive" "again/$archive" | sed 's/^/    /'
fi

# ---------------------------------------------------------------------------------------------------- what is in it
tar -tzf "dist/$archive" | sed "s|^vouchsafe-$version-$TARGET/||" > listing
holds() { local name; for name in "$@"; do grep -qx -- "$name" listing || { echo "no $name"; cat listing; return 1; }; done; }
expect "the archive holds program, pages, completions, licences" holds vouchsafe man/man1/vouchsafe.1 man/man1/vouchsafe-attest.1 \
  man/man1/vouchsafe-run.1 completions/vouchsafe.bash completions/_vouchsafe completions/vouchsafe.fish LICENSE-MIT LICENSE-APACHE NOTICE.txt README.md
plain() {
  tar -tvzf "dist/$archive" --numeric-owner | awk '$2 != "0/0" { print; bad = 1 } END { exit bad }' &&
    [ "$(tar -tvzf "dist/$archive" | awk '{ print $4, $5 }' | sort -u | wc -l)" = 1 ] && LC_ALL=C sort -c listing
}
expect "its names are sorted, its owners 0, its times one" plain
# cargo binstall finds it by the words in Cargo.toml
binstall() {
  python3 - one/Cargo.toml "$version" "$TARGET" "$archive" listing <<'PY'
import re, sys, tomllib
manifest, version, target, archive, listing = sys.argv[1:]
package = tomllib.load(open(manifest, "rb"))["package"]
said = package["metadata"]["binstall"]
words = {"repo": package["repository"], "name": "vouchsafe", "version": version, "target": target, "bin": "vouchsafe", "binary-ext": ""}
fill = lambda text: re.sub(r"\{ ([a-z-]+) \}", lambda m: words[m[1]], text)
url, program = fill(said["pkg-url"]), fill(said["bin-dir"])
assert url == f"{package['repository']}/releases/download/v{version}/{archive}", url
assert program.removeprefix(f"vouchsafe-{version}-{target}/") in open(listing).read().splitlines(), program
PY
}
expect "cargo binstall would find it" binstall

# ------------------------------------------------------------------------------------------------------- rehearsal
for target in aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin; do
  echo "stands for $target" > "dist/vouchsafe-$version-$target.tar.gz"
done
echo "stands for windows" > "dist/vouchsafe-$version-x86_64-pc-windows-msvc.zip"
expect "bill of materials" one/scripts/release/sbom.sh "$TARGET" dist
valid() {
  "$schema" - "$1" <<'PY'
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
assert error is None, error
bill = json.loads(text)
names = {part["name"] for part in bill["components"]}
assert {"ring", "rustls", "libgit2-sys"} <= names and len(names) > 100, names
assert not {"proptest", "tempfile", "openssl-sys"} & names, "what only tests use is not shipped"
PY
}
expect "it is CycloneDX 1.5 by the published schema" valid "dist/vouchsafe-$version-$TARGET.cdx.json"
expect "the same bill again, from another folder" bash -c "git clone --quiet one bill && bill/scripts/release/sbom.sh $TARGET bills && cmp bills/*.json dist/*.cdx.json"
expect "sums" one/scripts/release/sums.sh dist

tar -xzf "dist/$archive"
program=$STAGE/vouchsafe-$version-$TARGET/vouchsafe
"$program" key new --output key.pem >release-key.pem 2>/dev/null
"$program" key new --output other.pem >other-key.pem 2>/dev/null
export RELEASE_KEY=$STAGE/release-key.pem
commit=$(git -C one rev-parse HEAD)
# as the job of GitHub has it
attest() {
  env VOUCHSAFE_SIGNING_KEY="$(cat "$1")" NEEDS="{\"build\":{\"result\":\"${3:-success}\",\"outputs\":{}}}" GITHUB_ACTIONS=true GITHUB_RUN_ID=4711 \
    GITHUB_RUN_ATTEMPT=1 GITHUB_REPOSITORY=vouchsafe/vouchsafe GITHUB_SERVER_URL=https://github.com GITHUB_SHA="${2:-$commit}" \
    GITHUB_REF="refs/tags/v$version-build" GITHUB_EVENT_NAME=push GITHUB_ACTOR=ada one/scripts/release/attest.sh dist
}
expect "the record of the run, by the program it built" attest key.pem
record=dist/vouchsafe-$version.record.json
if [ -x "$TOOLS/verify/cosign3/cosign" ]; then
  expect "cosign verifies it for the archive" "$TOOLS/verify/cosign3/cosign" verify-blob-attestation --bundle "$record" --key release-key.pem \
    --insecure-ignore-tlog --type https://vouchsafe.dev/run/v1 "dist/$archive"
  refuse "cosign, for another file" "" "$TOOLS/verify/cosign3/cosign" verify-blob-attestation --bundle "$record" --key release-key.pem \
    --insecure-ignore-tlog --type https://vouchsafe.dev/run/v1 dist/SHA256SUMS.not
else
  fail "no cosign: tests/outside/verify/install.sh brings it"
fi

# the second commit
(cd one && scripts/release/table.sh ../dist/SHA256SUMS && git add action && git commit --quiet -m "T" && cat action/checksums.txt) | sed 's/^/    /'
check() { one/scripts/release/check.sh "v$version" dist; }
expect "checked, and may be published" check
refuse "another tag" "Cargo.toml says" one/scripts/release/check.sh v99.0.0 dist

# what has to be stopped; each puts back what it changed
cp -r dist kept
again() { rm -rf dist; cp -r kept dist; git -C one reset --quiet --hard "$table"; }
table=$(git -C one rev-parse HEAD)
echo x >> "dist/$archive"
refuse "an archive that was changed" "a sum does not hold" check
again
echo x >> dist/SHA256SUMS
refuse "sums that were changed" "a sum does not hold" check
again
echo x > "dist/vouchsafe-$version-aarch64-apple-darwin.tar.gz"
one/scripts/release/sums.sh dist >/dev/null
refuse "an archive and its sum that were changed" "another table" check
(cd one && scripts/release/table.sh ../dist/SHA256SUMS && git commit --quiet --amend -m "T" action)
refuse "an archive, its sum and the table" "the record does not name" check
again
echo x > dist/more
refuse "a file that the record does not name" "the record does not name more" check
again
attest other.pem >/dev/null 2>&1 || true
refuse "a record by another key" "the record does not verify" check
again
attest key.pem 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f >/dev/null 2>&1
refuse "a record of another commit" "the record is of commit" check
again
attest key.pem "$commit" failure >/dev/null 2>&1
refuse "a record of a red run" "was not green" check
again
(cd one && echo x >> README.md && git commit --quiet --amend -am "T")
refuse "a second commit that changes more" "changes more than" check
again
rm "dist/vouchsafe-$version-x86_64-pc-windows-msvc.zip"
one/scripts/release/sums.sh dist >/dev/null
refuse "a target that is missing" "not one archive" check
again
expect "and with all put back, let through" check

# gh as the runner has it, as far as its words go
mkdir gh
cat > gh/gh <<'GH'
#!/bin/sh
printf '%s\n' "$*" >> "$GH_LOG"
case "$1 $2" in
  'release download') cp "$GH_DIST"/* "$5" ;;
esac
GH
chmod +x gh/gh
export GH_LOG=$STAGE/gh.log GH_DIST=$STAGE/dist
expect "draft" env PATH="$STAGE/gh:$PATH" one/scripts/release/draft.sh dist
expect "publish" env PATH="$STAGE/gh:$PATH" one/scripts/release/publish.sh "v$version"
expect "published last, after the check" bash -c "tail -n 1 gh.log | grep -qx 'release edit v$version --draft=false --verify-tag'"
rm gh.log
echo x >> "dist/$archive"
refuse "publish, with an archive that was changed" "a sum does not hold" env PATH="$STAGE/gh:$PATH" one/scripts/release/publish.sh "v$version"
expect "nothing was published" bash -c "! grep -q 'release edit' gh.log"

echo
if [ "$FAILURES" != 0 ]; then
  echo "release: $FAILURES failed"
  exit 1
fi
echo "release: all held"
