# shellcheck shell=bash disable=SC2034,SC2016 # as ground.sh
# shop.sh: examples/github/shop.yml as it stands, under act. Sourced by run.sh.

example() { cp "$ROOT/examples/github/shop.yml" "$SHOP/.github/workflows/"; }

green() {
  shop green && example && commit
  ended 0
  record '.environment == "production" and .run.platform == "github" and .run.id == "4711" and .run.outcome == "succeeded"'
  record '[.run.jobs[] | "\(.name)=\(.result)"] == ["build=success", "deploy=success", "test=success"]'
  record '.tests[0].verdict == "passed" and .tests[0].counts.total == 2 and .artifacts[0].name == "registry.example/shop"'
  record ".commit.sha == \"$(git -C "$SHOP" rev-parse HEAD)\" and .operator.login == \"ada\""
  # what the step after it saw
  address=$(sed -n 's/.*recorded as succeeded at \(evidence[^ ]*\)$/\1/p' "$LOG")
  [ -f "$VAULT/$address" ] || { echo "    no record at the output \`address\`: $address"; return 1; }
  "$VOUCHSAFE_BIN" verify --vault "$VAULT" --key "$STAGE/public.pem" >/dev/null 2>&1
}

red() {
  shop red && example && touch "$SHOP/broken" && commit
  ended 1
  record '.run.outcome == "failed" and .tests[0].verdict == "failed" and .tests[0].counts.failed == 1'
  record '[.run.jobs[] | "\(.name)=\(.result)"] == ["build=success", "deploy=skipped", "test=failure"]'
  logged "recorded as failed at evidence/env=production/"
}

# A build that fails leaves no digest: there is a record, and no image in it.
unbuilt() {
  shop unbuilt && example && printf '#!/bin/sh\nexit 3\n' >"$SHOP/build.sh" && commit
  ended 1
  record '.run.outcome == "failed" and (.artifacts // []) == [] and .tests[0].verdict == "passed"'
}

# interrupted: act gets a Ctrl-C as soon as the deployment says that it is under way.
interrupted() {
  printf '#!/bin/sh\ntouch "$ARTIFACTS/deploying"\nexec sleep 60\n' >"$SHOP/deploy.sh"
  commit
  (trap - INT; run_act) &
  local act=$!
  PIDS+=("$act")
  for _ in $(seq 300); do [ -e "$ARTIFACTS/deploying" ] && break; sleep 0.1; done
  kill -INT "$act"
  wait "$act" || true
}

# In the job that is cancelled itself, `job.status` says so.
cancelled() {
  shop cancelled
  cp "$HERE/workflows/one-job.yml" "$SHOP/.github/workflows/"
  interrupted
  record '.run.outcome == "cancelled"'
}

# In a job after it: act calls the cancelled job a failure, and leaves out steps without `always()`; the record stands all the same.
cancelled_before() {
  shop cancelled-before && example
  interrupted
  record '.run.outcome == "failed" and ([.run.jobs[] | select(.name == "deploy").result] | .[0] | IN("failure", "cancelled"))'
}

# What GitHub's own `needs` says after a cancellation.
cancelled_needs() {
  shop cancelled-needs
  cp "$HERE/workflows/needs.yml" "$SHOP/.github/workflows/" && commit
  ended 0
  record '.run.outcome == "cancelled" and ([.run.jobs[].result] | sort) == ["cancelled", "skipped", "success"]'
  logged "recorded as cancelled"
}

bucket() {
  "$boto" - "$S3_ENDPOINT" "$S3_USER" "$S3_SECRET" "$1" <<'PY'
import sys, boto3
endpoint, user, secret, name = sys.argv[1:]
boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=user, aws_secret_access_key=secret
             ).create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
PY
}

# The same three on a bucket with object lock; `show` and `verify` read it with the same credentials.
minio_runs() {
  export AWS_ENDPOINT_URL=$S3_ENDPOINT AWS_REGION=us-east-1 AWS_ALLOW_HTTP=true NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
  export AWS_ACCESS_KEY_ID=$S3_USER AWS_SECRET_ACCESS_KEY=$S3_SECRET
  shop minio-green && example && commit && bucket green && VAULT=s3://green/evidence-of-shop
  ended 0
  record '.run.outcome == "succeeded" and (.run.jobs | length) == 3'
  logged "lock"
  "$VOUCHSAFE_BIN" verify --vault "$VAULT" --key "$STAGE/public.pem" >/dev/null 2>&1
  shop minio-red && example && touch "$SHOP/broken" && commit && bucket red && VAULT=s3://red
  ended 1
  record '.run.outcome == "failed" and .tests[0].verdict == "failed"'
  shop minio-cancelled && cp "$HERE/workflows/needs.yml" "$SHOP/.github/workflows/" && commit && bucket cancelled && VAULT=s3://cancelled
  ended 0
  record '.run.outcome == "cancelled"'
}

# The store does not answer: the step fails, or warns where that was asked for; the record is in the spool either way, and the
# example keeps it as an artifact.
spooled() {
  shop spooled && example && commit
  local nobody
  nobody=http://127.0.0.1:$(free_port)
  S3_ENDPOINT=$nobody VAULT=s3://nobody ended 1
  [ -n "$(find "$ARTIFACTS/vouchsafe-spool" -type f -name '*.json' 2>/dev/null)" ] || { echo "    nothing was kept"; return 1; }
}

tell "a green run: record, jobs, tests, image, outputs" green
tell "a red run" red
tell "a build that failed" unbuilt
tell "cancelled: the job itself" cancelled
tell "cancelled: a job before" cancelled_before
tell "cancelled: as GitHub's needs say it" cancelled_needs
if MINIO=$(find_minio) && boto=$(find_boto) && start_minio "$MINIO"; then
  part minio "$(minio_version "$MINIO")"
  tell "green, red and cancelled on MinIO" minio_runs
  unset S3_ENDPOINT
else
  fail "action: MinIO or boto3 is missing, nothing ran against a bucket"
fi
tell "a store that does not answer: the spool is kept" spooled
