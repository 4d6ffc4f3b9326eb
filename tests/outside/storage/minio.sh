#!/usr/bin/env bash
# Starts MinIO on a free port of loopback with a throw-away folder and certificate, makes the buckets that the tests want,
# and runs the command it is given with VOUCHSAFE_TEST_S3* set. MinIO is stopped (by its pid) when the command ends.
#
#   tests/outside/storage/minio.sh CMD ...
#
# MINIO names the program; else `minio` on PATH or in Go's bin. Install:
#   go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
set -euo pipefail

minio=${MINIO:-$(command -v minio || echo "$(go env GOPATH 2>/dev/null)/bin/minio")}
[ -x "$minio" ] || { echo "minio.sh: no MinIO found; set MINIO or go install it (see the head of this script)" >&2; exit 1; }

dir=$(mktemp -d)
pid=
stop() {
  [ -z "$pid" ] || { kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; }
  rm -rf "$dir"
}
trap stop EXIT

user=vouchsafe-test secret=vouchsafe-test-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
mkdir -p "$dir/certs"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=vouchsafe-test \
  -addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' -addext 'basicConstraints=critical,CA:false' \
  -keyout "$dir/certs/private.key" -out "$dir/certs/public.crt" 2>/dev/null
# A port that is free now; tried again should somebody take it in between.
for _ in 1 2 3 4 5; do
  port=$(( (RANDOM % 20000) + 30000 ))
  MINIO_ROOT_USER=$user MINIO_ROOT_PASSWORD=$secret MINIO_BROWSER=off MINIO_UPDATE=off \
    "$minio" server --quiet --certs-dir "$dir/certs" --address "127.0.0.1:$port" "$dir/data" >"$dir/log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do
    curl -fsS --noproxy '*' --cacert "$dir/certs/public.crt" -o /dev/null "https://127.0.0.1:$port/minio/health/ready" 2>/dev/null && break 2
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  pid=
done
[ -n "$pid" ] || { echo "minio.sh: MinIO did not start:" >&2; tail -5 "$dir/log" >&2; exit 1; }

# make BUCKET [curl options]: one signed request. Everything else (versioning, default retention) the tests set by
# presigned requests: curl before 8 signs a query with a body wrongly. MinIO may say 503 for a moment after it said
# that it is ready, so this is tried again.
make() {
  local bucket=$1
  shift
  curl -fsS --retry 20 --retry-delay 1 --noproxy '*' --cacert "$dir/certs/public.crt" -o /dev/null -X PUT --aws-sigv4 aws:amz:us-east-1:s3 --user "$user:$secret" "$@" \
    "https://127.0.0.1:$port/$bucket"
}
make plain
make versioned
make locked -H 'x-amz-bucket-object-lock-enabled: true'
make defaulted -H 'x-amz-bucket-object-lock-enabled: true'

echo "minio.sh: $("$minio" --version 2>/dev/null | head -1) on 127.0.0.1:$port, pid $pid" >&2
export VOUCHSAFE_TEST_S3=https://127.0.0.1:$port
export VOUCHSAFE_TEST_S3_CA=$dir/certs/public.crt VOUCHSAFE_TEST_S3_USER=$user VOUCHSAFE_TEST_S3_SECRET=$secret
"$@"
