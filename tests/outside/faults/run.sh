#!/usr/bin/env bash
# run.sh: kills, broken requests and crowds of jobs, with the real program on a folder and on MinIO.
#
#   VOUCHSAFE_BIN=target/debug/vouchsafe tests/outside/faults/run.sh
#
#   local.py   the program is killed, or its disk says no, at each system call that changes something
#   s3.py      it is killed, or its request is broken, at each request to MinIO
#   crowd.py   20 and 40 jobs at once; their requests and round trips against the budget
#
# Some two minutes, a line each. VOUCHSAFE_ALL=1: every fault in every scenario, and the long tables of cargo test: a quarter of an hour.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$OUTSIDE/../.."
export VOUCHSAFE=${VOUCHSAFE_BIN:-${CARGO_TARGET_DIR:-$PWD/target}/debug/vouchsafe}
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
VOUCHSAFE=$(realpath "$VOUCHSAFE")

# attempt NAME COMMAND...: its lines as they are; a failure is told at the end too.
attempt() {
  local name=$1
  shift
  timeout 1200 "$@" || fail "faults: $name"
}

attempt "local sweep" python3 "$OUTSIDE/faults/local.py"
if MINIO=$(find_minio) && boto=$(find_boto) && start_minio "$MINIO"; then
  export S3_ENDPOINT S3_USER S3_SECRET
  part minio "$(minio_version "$MINIO")"
  attempt "s3 sweep" "$boto" "$OUTSIDE/faults/s3.py"
  attempt "crowd" "$boto" "$OUTSIDE/faults/crowd.py"
  # What ended the store is no fault of ours, and must not look like one.
  kill -0 "$STARTED" 2>/dev/null || { fail "faults: MinIO ended by itself:" && tail -5 "$STAGE/minio.log"; }
else
  fail "faults: MinIO or boto3 is missing, nothing ran against a bucket"
fi
if [ "${VOUCHSAFE_ALL:-}" = 1 ]; then
  attempt "every fault in every scenario" cargo test --quiet --lib attest::deliver -- --ignored --nocapture
fi
[ "$FAILURES" = 0 ]
