"""Whole commands against real stores, each story in a bucket of its own. Started by run.sh, which brings the stores up.

What the program says it did is looked at with boto3, never with the program itself.
"""

import concurrent.futures
import datetime
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BIN = os.environ["VOUCHSAFE_BIN"]
MINIO, LIAR = os.environ["S3_ENDPOINT"], os.environ["LIAR_ENDPOINT"]
USER, SECRET = os.environ["S3_USER"], os.environ["S3_SECRET"]
RETENTION_DAYS = 400
# longer than the bounded retries of the program, much shorter than a person waits
PATIENCE_S = 120


def client(endpoint=MINIO):
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 8})
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=USER,
                        aws_secret_access_key=SECRET, config=config)


class Stage:
    """A working directory, a key, a bucket, and the program called with nothing else of this process."""

    def __init__(self, name, root, lock=True):
        self.bucket, self.vault, self.root = name, f"s3://{name}", root / name
        self.root.mkdir()
        self.s3 = client()
        self.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(self.root), "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL": MINIO, "AWS_ENDPOINT": MINIO, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET,
            "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "4711", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_ACTOR": "ada",
            "GITHUB_REPOSITORY": "example/shop", "GITHUB_SHA": "1f" * 20, "GITHUB_SERVER_URL": "https://git.example",
            "GITHUB_WORKFLOW": "deploy", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main",
        }
        (self.root / "shop.tar").write_bytes(b"an artifact\n" * 1000)
        self.report()
        code, _, err = self.run("key", "new", "--output", "k.pem")
        assert code == 0, f"key new: {code}: {err}"
        code, out, err = self.run("key", "show", "--pem", "--signing-key", "k.pem")
        assert code == 0 and "BEGIN PUBLIC KEY" in out, f"key show: {code}: {err}"
        (self.root / "pub.pem").write_text(out)

    def report(self, passed=3):
        cases = "".join(f'<testcase classname="shop" name="case {n}"/>' for n in range(passed))
        text = f'<testsuites><testsuite name="shop" tests="{passed}">{cases}</testsuite></testsuites>'
        (self.root / "junit.xml").write_text(text)

    def run(self, *args, **env):
        done = subprocess.run([BIN, *args], cwd=self.root, env={**self.env, **env}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S)
        assert "panicked" not in done.stderr, done.stderr
        assert SECRET not in done.stdout + done.stderr, "the secret was printed"
        return done.returncode, done.stdout, done.stderr

    def words(self, vault=None):
        return ["attest", "--environment", "prod", "--vault", vault or self.vault, "--signing-key", "k.pem",
                "--report", "*.xml", "--artifact", "*.tar", "--outcome", "succeeded", "--json"]

    def attest(self, want=0, vault=None, **env):
        """Runs attest, wants its exit code: (receipt or None, what it told people)."""
        code, out, err = self.run(*self.words(vault), **env)
        assert code == want, f"attest ended with {code}, not {want}: {err or out}"
        return (json.loads(out) if out.strip() else None), err

    def records(self):
        """Every version of every object under evidence/: (key, version id); delete markers are not objects."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix="evidence/")
        return [(v["Key"], v["VersionId"]) for page in pages for v in page.get("Versions", [])]

    def body(self, key, version):
        return self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=version)["Body"].read()

    def verify(self, want=0):
        code, out, err = self.run("verify", "--vault", self.vault, "--key", "pub.pem")
        assert code == want, f"verify ended with {code}, not {want}: {err or out}"


def refused(call):
    try:
        call()
    except ClientError as error:
        # AWS says AccessDenied; MinIO says InvalidRequest, which could also be our mistake, so its reason is read
        said = error.response["Error"]
        because_locked = said["Code"] == "AccessDenied" or "WORM protected" in said["Message"]
        assert because_locked, f"refused for another reason: {said}"
    else:
        raise AssertionError("the store did it")


def told(err, *words):
    """An error that helps: it says so, names what and where, and is short."""
    assert "error: " in err, f"no `error: ` in: {err}"
    for word in words:
        assert word.lower() in err.lower(), f"no `{word}` in: {err}"
    assert len(err) < 3000, f"{len(err)} characters of error"


# -------------------------------------------------------------------------------------------------- what must hold


def attest_is_locked_and_tagged(stage):
    receipt, _ = stage.attest()
    [(key, version)] = stage.records()
    assert receipt["address"] == key and receipt["versionId"] == version, receipt
    assert receipt["sha256"] == hashlib.sha256(stage.body(key, version)).hexdigest(), "receipt and store differ"
    today = datetime.datetime.now(datetime.timezone.utc).date()
    # a run over midnight UTC may carry yesterday's date
    dates = {today.isoformat(), (today - datetime.timedelta(days=1)).isoformat()}
    assert key.startswith("evidence/env=prod/date=") and "run=github-4711-1" in key, key

    tags = stage.s3.get_object_tagging(Bucket=stage.bucket, Key=key, VersionId=version)["TagSet"]
    tags = {tag["Key"]: tag["Value"] for tag in tags}
    assert tags.pop("date") in dates and tags == {"env": "prod", "pipeline-run-id": "4711"}, tags

    lock = stage.s3.get_object_retention(Bucket=stage.bucket, Key=key, VersionId=version)["Retention"]
    days = (lock["RetainUntilDate"] - datetime.datetime.now(datetime.timezone.utc)) / datetime.timedelta(days=1)
    assert lock["Mode"] == "COMPLIANCE" and RETENTION_DAYS - 1 < days < RETENTION_DAYS + 1, lock
    assert receipt["retention"]["mode"].lower() == "compliance", receipt


def a_stored_record_cannot_be_removed(stage):
    stage.attest()
    [(key, version)] = stage.records()
    at = {"Bucket": stage.bucket, "Key": key, "VersionId": version}
    before = stage.body(key, version)
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    refused(lambda: stage.s3.delete_object(**at))
    refused(lambda: stage.s3.delete_object(**at, BypassGovernanceRetention=True))
    shorter, weaker = {"Mode": "COMPLIANCE", "RetainUntilDate": soon}, {"Mode": "GOVERNANCE", "RetainUntilDate": soon}
    for retention in (shorter, weaker):
        refused(lambda: stage.s3.put_object_retention(**at, Retention=retention))
    stage.s3.put_object(Bucket=stage.bucket, Key=key, Body=b"{}")  # a version on top hides it, but cannot replace it
    assert stage.body(key, version) == before


def a_step_that_runs_twice_adds_nothing(stage):
    stage.attest()
    before = stage.records()
    stage.attest()
    assert stage.records() == before and len(before) == 1, stage.records()


def a_different_record_of_the_same_run_is_refused(stage):
    stage.attest()
    [(key, version)] = stage.records()
    before = stage.body(key, version)
    stage.report(passed=4)
    _, err = stage.attest(want=5)
    assert key in err, f"the record that stands is not named: {err}"
    after = stage.records()
    assert [v for k, v in after if k == key] == [version] and stage.body(key, version) == before
    assert len(after) == 2, f"the second record is not kept in sight: {after}"


def what_was_stored_can_be_read(stage):
    stage.attest()
    stage.attest(GITHUB_RUN_ID="4712")
    stage.verify()
    code, out, err = stage.run("list", "--vault", stage.vault, "--environment", "prod", "--key", "pub.pem",
                               "--format", "json")
    assert code == 0 and "4711" in out and "4712" in out, f"list: {code}: {err or out}"


def an_altered_record_is_found(stage):
    stage.attest()
    [(key, version)] = stage.records()
    bundle = json.loads(stage.body(key, version))
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"][::-1]
    stage.s3.put_object(Bucket=stage.bucket, Key=key, Body=json.dumps(bundle).encode())
    stage.verify(want=3)


def ten_runs_at_once_all_stand(stage):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: stage.attest(GITHUB_RUN_ID=str(5000 + n)), range(10)))
    keys = [key for key, _ in stage.records()]
    assert len(keys) == 10 == len(set(keys)), keys
    stage.verify()


def a_killed_step_can_be_run_again(stage):
    dice = random.Random(1)
    began = time.monotonic()
    stage.attest(GITHUB_RUN_ID="4710")
    whole = time.monotonic() - began
    for _ in range(20):
        process = subprocess.Popen([BIN, *stage.words()], cwd=stage.root, env=stage.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0, whole))
        process.kill()
        process.wait()
    stage.attest()
    assert len(stage.records()) == 2, stage.records()  # of 4710 and of 4711
    stage.verify()


# --------------------------------------------------------------------------------- what must fail, and how it says so


def undelivered(stage, *words, vault=None, **env):
    """attest cannot deliver: exit 6, a clear error, no receipt; the signed record is kept here and verifies."""
    receipt, err = stage.attest(want=6, vault=vault, **env)
    assert receipt is None, f"a receipt for what was not stored: {receipt}"
    told(err, *words)
    assert stage.records() == [], "something was stored"
    kept = [path for path in stage.root.rglob("*.json") if b"dsseEnvelope" in path.read_bytes()]
    assert len(kept) == 1, f"not one record kept in the spool but {len(kept)}"
    code, _, err = stage.run("verify", str(kept[0]), "--key", "pub.pem")
    assert code == 0, f"the kept record does not verify: {code}: {err}"


def delivered(stage):
    """The same step, run again, stores its record once as soon as the store can be used."""
    stage.attest()
    assert len(stage.records()) == 1, stage.records()
    stage.verify()


def a_wrong_secret(stage):
    undelivered(stage, stage.bucket, AWS_SECRET_ACCESS_KEY="wrong")
    delivered(stage)


def a_missing_bucket(stage):
    undelivered(stage, "nowhere", vault="s3://nowhere")
    delivered(stage)


def a_store_that_does_not_answer(stage):
    undelivered(stage, AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_ENDPOINT="http://127.0.0.1:9")
    delivered(stage)


def a_bucket_without_lock(stage):
    client().create_bucket(Bucket="lockless")
    code, out, err = stage.run(*stage.words("s3://lockless"))
    assert code in (4, 6), f"attest ended with {code}: {err or out}"
    told(err, "lock", "lockless")
    delivered(stage)


def a_store_that_takes_the_lock_and_drops_it(stage):
    code, out, err = stage.run(*stage.words("s3://lying"), AWS_ENDPOINT_URL=LIAR, AWS_ENDPOINT=LIAR)
    assert code == 4, f"attest ended with {code}, not 4: {err or out}"
    told(err, "lock", "lying")


STORIES = [
    attest_is_locked_and_tagged,
    a_stored_record_cannot_be_removed,
    a_step_that_runs_twice_adds_nothing,
    a_different_record_of_the_same_run_is_refused,
    what_was_stored_can_be_read,
    an_altered_record_is_found,
    ten_runs_at_once_all_stand,
    a_killed_step_can_be_run_again,
    a_wrong_secret,
    a_missing_bucket,
    a_store_that_does_not_answer,
    a_bucket_without_lock,
    a_store_that_takes_the_lock_and_drops_it,
]


def main():
    failed = 0
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="vouchsafe-stories.") as root:
        for story in STORIES:
            name = story.__name__
            if wanted and name not in wanted:
                continue
            began = time.monotonic()
            try:
                story(Stage(name.replace("_", "-")[:60], Path(root)))
                print(f"  ok    {name.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception as error:  # a story that cannot be told is a failure like any other
                failed += 1
                print(f"  FAIL  {name.replace('_', ' ')}: {error}", flush=True)
                if not isinstance(error, AssertionError):
                    traceback.print_exc(limit=-3)
    print(f"stories: {len(wanted or STORIES) - failed} held, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
