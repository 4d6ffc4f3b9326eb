# shellcheck shell=bash disable=SC2034 # names are for the scripts that read this
# lib.sh: parts and words that the scripts of tests/outside share. Sourced, never run.
#
# Parts go to $VOUCHSAFE_TOOLS (default ~/.cache/vouchsafe-ci), one folder a part and version, and are used again.
# Whatever `start` started is ended by its process id when the script ends, however it ends.

OUTSIDE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOOLS=${VOUCHSAFE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/vouchsafe-ci}
STAGE=$(mktemp -d "${TMPDIR:-/tmp}/vouchsafe-outside.XXXXXX")
mkdir -p "$TOOLS"

# The proxy has no tag of MinIO after 2025, so the commit is named by its pseudo-version: the last one of the archived
# repository. Building it takes 5 min of CPU, once.
MINIO_VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
# A real S3 server that answers 200 to lock headers and tags and drops both. 0.14.1 is the last for rustc 1.95.
# 2 min of CPU, once.
S3S_FS_VERSION=0.14.1
BOTO3_VERSION=1.44.5
# A runner of GitHub workflows that is not ours, here without containers. 1 min of CPU, once.
ACT_VERSION=v0.2.89

PIDS=()
FAILURES=0

# part NAME WHAT: a part that ran, with its version.
part() { printf 'part  %-22s %s\n' "$1" "$2"; }
pass() { printf '  ok    %s\n' "$*"; }
fail() {
  printf '  FAIL  %s\n' "$*"
  FAILURES=$((FAILURES + 1))
}

# start LOG COMMAND...: in the background, ended by `stop_all`. Its id is in $STARTED.
start() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null &
  STARTED=$!
  PIDS+=("$STARTED")
}

stop_all() {
  local pid
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${PIDS[@]}"; do
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || continue 2
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
  done
  PIDS=()
  rm -rf "$STAGE"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# answers PORT PID: waits until the process listens; fails when it ended or after 30 s.
answers() {
  local port=$1 pid=$2
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || return 1
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
    sleep 0.2
  done
  return 1
}

# ------------------------------------------------------------------------------------------------------------ parts
# Each prints the path of what it found or installed, and fails when there is none.

find_minio() {
  local dir=$TOOLS/minio-$MINIO_VERSION found
  for found in "${MINIO:-}" "$dir/minio" "$(go env GOPATH)/bin/minio"; do
    # only the pinned version counts as found, except where the caller names one
    if [ -n "$found" ] && [ -x "$found" ]; then
      if [ "$found" = "${MINIO:-}" ] || [ "$(minio_version "$found")" = "$MINIO_VERSION" ]; then
        echo "$found"
        return
      fi
    fi
  done
  GOBIN=$dir GOFLAGS=-buildvcs=false go install "github.com/minio/minio@$MINIO_VERSION" >&2 || return 1
  echo "$dir/minio"
}

minio_version() { go version -m "$1" | awk '$1 == "mod" { print $3 }'; }

find_act() {
  local dir=$TOOLS/act-$ACT_VERSION
  if [ ! -x "$dir/act" ]; then
    GOBIN=$dir GOFLAGS=-buildvcs=false go install "github.com/nektos/act@$ACT_VERSION" >&2 || return 1
  fi
  echo "$dir/act"
}

find_s3s_fs() {
  local dir=$TOOLS/s3s-fs-$S3S_FS_VERSION
  if [ ! -x "$dir/bin/s3s-fs" ]; then
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
      CARGO_TARGET_DIR=$TOOLS/build \
      cargo install s3s-fs --locked --version "$S3S_FS_VERSION" --features binary --root "$dir" --quiet >&2 || return 1
  fi
  echo "$dir/bin/s3s-fs"
}

# An S3 client that is not ours, for looking at what we stored and for trying to remove it.
find_boto() {
  local dir=$TOOLS/boto3-$BOTO3_VERSION
  if ! "$dir/bin/python" -c 'import boto3' 2>/dev/null; then
    python3 -m venv --clear "$dir" >&2 || return 1
    "$dir/bin/pip" install --quiet "boto3==$BOTO3_VERSION" >&2 || return 1
  fi
  echo "$dir/bin/python"
}

# ----------------------------------------------------------------------------------------------------------- servers

S3_USER=vouchsafe-test
S3_SECRET=correct-horse-battery # of servers that listen on the loopback for the length of a test

# start_minio: MinIO over an empty folder; sets S3_ENDPOINT.
start_minio() {
  local minio=$1 port
  port=$(free_port)
  MINIO_ROOT_USER=$S3_USER MINIO_ROOT_PASSWORD=$S3_SECRET MINIO_BROWSER=off \
    start "$STAGE/minio.log" "$minio" server --quiet --address "127.0.0.1:$port" "$STAGE/minio"
  S3_ENDPOINT=http://127.0.0.1:$port
  if ! answers "$port" "$STARTED"; then
    sed 's/^/    /' "$STAGE/minio.log"
    return 1
  fi
}

# start_liar: s3s-fs over an empty folder, with one bucket; sets LIAR_ENDPOINT.
start_liar() {
  local server=$1 port
  port=$(free_port)
  mkdir -p "$STAGE/liar/lying"
  start "$STAGE/liar.log" "$server" --host 127.0.0.1 --port "$port" \
    --access-key "$S3_USER" --secret-key "$S3_SECRET" "$STAGE/liar"
  LIAR_ENDPOINT=http://127.0.0.1:$port
  if ! answers "$port" "$STARTED"; then
    sed 's/^/    /' "$STAGE/liar.log"
    return 1
  fi
}
