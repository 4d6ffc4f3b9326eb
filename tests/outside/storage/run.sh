#!/usr/bin/env bash
# The vault against a real store: every test that cargo marks `needs MinIO` runs, and it is an error if one does not.
#
#   tests/outside/storage/run.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."

wanted=$(grep -c 'ignore = "needs MinIO' src/vault/minio_tests.rs)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$here/minio.sh" cargo test --quiet --lib vault::minio_tests -- --ignored --nocapture --test-threads=1 2>&1 | tee "$log" | grep -v '^warning\|^ \|^$' || true
ran=$(sed -n 's/^test result: ok\. \([0-9]*\) passed; 0 failed.*/\1/p' "$log")
if [ "${ran:-0}" -ne "$wanted" ]; then
  echo "storage: FAILED: ${ran:-0} of $wanted tests passed against MinIO" >&2
  exit 1
fi
echo "storage: $ran tests passed against $(sed -n 's/^minio.sh: \(.*\) on .*/\1/p' "$log")"
