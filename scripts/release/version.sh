#!/usr/bin/env bash
# version.sh [TAG]: the version that Cargo.toml says. With TAG (v1.2.3 or v1.2.3-build), fails unless it is that one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
if [ -z "$version" ]; then
  echo "version.sh: no version in Cargo.toml" >&2
  exit 1
fi
if [ $# -gt 0 ] && [ "v$version" != "${1%-build}" ]; then
  echo "version.sh: the tag is $1, Cargo.toml says $version" >&2
  exit 1
fi
printf '%s\n' "$version"
