#!/usr/bin/env bash
# A local vault on a full disk, a read-only one, somebody else's folder and a file system without hard links, as a user
# who is nobody. Needs root (or a user namespace) for the mounts, which nobody else sees.
#
#   tests/outside/storage/folders.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."

if [ "${1:-}" != inside ]; then
  wanted=$(grep -c 'ignore = "needs mounts' src/vault/folder_tests.rs)
  log=$(mktemp)
  base=$(mktemp -d)
  trap 'rm -rf "$log" "$base"' EXIT
  # The newest test binary of the library, copied to where nobody may read it from.
  bin=$(cargo test --lib --no-run --message-format=json 2>/dev/null | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
  install -m 755 "$bin" "$base/tests"
  chmod 755 "$base"
  unshare -m "$0" inside "$base" 2>&1 | tee "$log"
  ran=$(sed -n 's/^test result: ok\. \([0-9]*\) passed; 0 failed.*/\1/p' "$log")
  grep -q 'is not run$' "$log" && wanted=$((wanted - 1))
  [ "${ran:-0}" -eq "$wanted" ] || { echo "storage: FAILED: ${ran:-0} of $wanted folder tests passed" >&2; exit 1; }
  echo "storage: $ran tests passed on folders that refuse$(sed -n 's/^folders.sh: \(.*is not run\)$/; \1/p' "$log")"
  exit
fi

base=$2
mkdir "$base"/{full,readonly,denied,nolinks}
mount -t tmpfs -o size=64k,mode=777 none "$base/full"
mount -t tmpfs -o ro none "$base/readonly"
chmod 755 "$base/denied"
# FAT has no hard links. Where the kernel knows it, the test must run.
skip=()
modprobe vfat 2>/dev/null || true
if grep -qw vfat /proc/filesystems; then
  truncate -s 2M "$base/fat"
  PATH=$PATH:/sbin:/usr/sbin mkfs.vfat "$base/fat" >/dev/null
  mount -o loop,uid=54321,umask=0 "$base/fat" "$base/nolinks"
else
  echo "folders.sh: this kernel has no FAT: a_disk_without_hard_links_says_so is not run"
  skip=(--skip without_hard_links)
fi
VOUCHSAFE_TEST_FOLDERS=$base setpriv --reuid 54321 --regid 54321 --clear-groups \
  "$base/tests" vault::folder_tests --ignored --nocapture --test-threads=1 "${skip[@]}"
