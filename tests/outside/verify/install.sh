#!/usr/bin/env bash
# install.sh PREFIX: puts the outside verifiers that run.sh uses into PREFIX; leaves the system as it is.
#
#   PREFIX/cosign3/cosign   cosign 3.1 from Debian unstable      PREFIX/venv          securesystemslib, cryptography
#   PREFIX/cosign2/cosign   cosign 2.5 from Debian trixie        PREFIX/node_modules  @sigstore/verify
#
# What is there already stays. The Debian mirror is the one this machine uses: its address is read from
# /etc/apt at run time, into an apt configuration of its own under PREFIX.
set -euo pipefail

PREFIX=${1:?usage: install.sh PREFIX}
mkdir -p "$PREFIX"
PREFIX=$(cd "$PREFIX" && pwd)

COSIGN3_SUITE=sid      # 3.1: reads Sigstore bundles signed with a plain key, offline
COSIGN3_WANT='3\.1\.'
COSIGN2_SUITE=trixie   # 2.5: the last line that reads bare DSSE envelopes as its first format
COSIGN2_WANT='2\.5\.'
PY_PINS=(securesystemslib==1.6.0 cryptography==50.0.2 jsonschema==4.26.0)
NPM_PINS=(@sigstore/verify@3.1.1 @sigstore/bundle@4.0.0)

say() { printf 'install: %s\n' "$*" >&2; }

# The archive of the running Debian: the first address in /etc/apt that ends in /debian.
debian_mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oE 'https?://[^[:space:]]+/debian/?' | head -n 1
}

keyring() { printf '%s\n' /usr/share/keyrings/debian-archive-keyring.* | head -n 1; }

# cosign SUITE WANT DIR: downloads the package `cosign` of SUITE and unpacks its one binary into DIR.
cosign() {
  local suite=$1 want=$2 dir=$3 apt mirror version
  if [ -x "$dir/cosign" ]; then say "$dir/cosign is there"; return; fi
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || { say "no Debian mirror in /etc/apt: set COSIGN2 and COSIGN3 for run.sh instead"; return 1; }
  apt="$PREFIX/apt-$suite"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial,etc/parts,unpacked} "$dir"
  : > "$apt/status"
  echo "deb [signed-by=$(keyring)] $mirror $suite main" > "$apt/etc/sources.list"
  local options=(
    -o "Dir::Etc::sourcelist=$apt/etc/sources.list" -o "Dir::Etc::sourceparts=$apt/etc/parts"
    -o "Dir::Etc::preferences=/dev/null" -o "Dir::Etc::preferencesparts=$apt/etc/parts"
    -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache"
    -o "APT::Sandbox::User=$(id -un)" -o "Acquire::Languages=none" -o "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false"
  )
  apt-get "${options[@]}" -qq update
  version=$(apt-cache "${options[@]}" madison cosign | awk '{print $3}' | grep -E "^$want" | head -n 1)
  [ -n "$version" ] || { say "suite $suite has no cosign that matches $want"; return 1; }
  (cd "$apt" && apt-get "${options[@]}" -qq download "cosign=$version" && dpkg -x cosign_*.deb unpacked)
  cp "$apt/unpacked/usr/bin/cosign" "$dir/cosign"
  rm -rf "$apt"
  say "cosign $version from $suite"
}

python() {
  if [ -x "$PREFIX/venv/bin/python" ] && "$PREFIX/venv/bin/python" -c 'import securesystemslib, cryptography, jsonschema' 2>/dev/null; then
    say "$PREFIX/venv is there"; return
  fi
  python3 -m venv "$PREFIX/venv"
  "$PREFIX/venv/bin/pip" install --quiet "${PY_PINS[@]}"
  say "${PY_PINS[*]}"
}

node() {
  if [ -d "$PREFIX/node_modules/@sigstore/verify" ]; then say "$PREFIX/node_modules is there"; return; fi
  (cd "$PREFIX" && npm install --silent --no-fund --no-audit --no-save "${NPM_PINS[@]}")
  say "${NPM_PINS[*]}"
}

failed=0
cosign "$COSIGN3_SUITE" "$COSIGN3_WANT" "$PREFIX/cosign3" || failed=1
cosign "$COSIGN2_SUITE" "$COSIGN2_WANT" "$PREFIX/cosign2" || failed=1
python || failed=1
node || failed=1
exit "$failed"
