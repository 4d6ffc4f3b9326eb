"""Many jobs at once into one environment: all are in the ledger, none twice; and what it costs each of them.

    VOUCHSAFE=… S3_ENDPOINT=… S3_USER=… S3_SECRET=… python3 tests/outside/faults/crowd.py [LOG-FOLDER]     (boto3; run.sh)

Each job speaks to MinIO through a proxy of its own, which counts its requests and its round trips: the longest chain of
requests of which each began after the one before had ended.
"""

import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import bucket
import ground
from ground import Folder, Program, hold, promised, whole
from proxy import Proxy

# DESIGN section 9: of 20 jobs at once the slowest needs no more.
MOST_ROUND_TRIPS = 15


def proxies(n, delay, pipe):
    """A process of its own, so that the proxies of one half do not wait for those of the other."""
    made = [Proxy(bucket.UPSTREAM, delay) for _ in range(n)]
    pipe.send([p.url for p in made])
    pipe.recv()
    pipe.send([(p.log, p.round_trips()) for p in made])


def crowd(name, jobs, program_of, store):
    """Starts them all, waits for all; seconds of each. Everything must be where it belongs afterwards."""
    before = len(store.objects("evidence/")) if store else 0
    started = []
    for n in range(jobs):
        program = program_of(n)
        words = program.attest(f"crowd{n}")
        started.append((time.monotonic(), subprocess.Popen(words, cwd=program.place, env=program.env, stdin=subprocess.DEVNULL,
                                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)))
    seconds, digests = [None] * jobs, set()
    left = set(range(jobs))
    deadline = time.monotonic() + 120
    while left and time.monotonic() < deadline:
        for n in list(left):
            if started[n][1].poll() is not None:
                seconds[n] = time.monotonic() - started[n][0]
                left.discard(n)
        time.sleep(0.002)
    for n, (_, job) in enumerate(started):
        if n in left:
            job.kill()
        out, err = job.communicate()
        hold(job.returncode == 0, f"{name}: job {n} ended with {job.returncode}\n{err}")
        digests |= promised(out)
        hold(json.loads(out)["ledger"]["size"] > 0, f"{name}: job {n} has no place in the ledger")
    hold(len(digests) == jobs, f"{name}: {len(digests)} receipts of {jobs} jobs")
    hold(whole(store) == jobs + before, f"{name}: not all are in")
    named = {said["sha256"].removeprefix("sha256:") for _, said in ground.leaves(store) if said["kind"] == "record"}
    hold(digests <= named, f"{name}: a receipt is not in the ledger")
    return seconds


def times(seconds):
    return f"{statistics.median(seconds):.2f} s median, {max(seconds):.2f} s the slowest"


def local(folder, jobs):
    program = Program(folder, "vault")
    folder.mkdir()
    program.key()
    seconds = crowd(f"{jobs} jobs, a folder", jobs, lambda _: program, Folder(folder / "vault"))
    program.must(program.words("verify", "--grace", "0s"))
    slots = len({slot for slot, _ in ground.leaves(Folder(folder / "vault"))})
    print(f"crowd: {jobs} jobs into a folder: all in, none twice, {slots} slots; {times(seconds)}", flush=True)


def remote(folder, s3, jobs, delay, name):
    """Jobs on MinIO; the most round trips of one."""
    halves = []
    for part in (jobs - jobs // 2, jobs // 2):
        if part:
            ours, theirs = multiprocessing.Pipe()
            process = multiprocessing.Process(target=proxies, args=(part, delay, theirs), daemon=True)
            process.start()
            halves.append((process, ours))
    urls = [url for _, pipe in halves for url in pipe.recv()]
    folder.mkdir()
    vault = f"s3://{bucket.BUCKET}/{name}"
    first = Program(folder, vault, **bucket.env(bucket.ENDPOINT))
    first.key()
    # The ledger has a beginning: nobody starts twenty jobs on the first day.
    first.must(first.attest("first"))
    first.must(first.attest("second"))
    programs = []
    for n, url in enumerate(urls):
        # A spool of its own: jobs run on machines of their own.
        program = Program(folder, vault, VOUCHSAFE_SPOOL=str(folder / f"spool{n}"), **bucket.env(url))
        programs.append(program)
    store = bucket.Bucket(s3, name)
    seconds = crowd(f"{jobs} jobs, MinIO", jobs, programs.__getitem__, store)
    first.must(first.words("verify", "--grace", "0s"))
    slots = len({slot for slot, _ in ground.leaves(store)}) - 2
    logs = []
    for process, pipe in halves:
        pipe.send("done")
        logs += pipe.recv()
        process.join()
    requests, chains = [len(log) for log, _ in logs], [chain for _, chain in logs]
    print(f"crowd: {jobs} job{'s' * (jobs > 1)} on MinIO{f' at {delay * 1000:.0f} ms a request' if delay else ''}: all in, none twice, {slots} slots; "
          f"requests {statistics.mean(requests):.1f} mean, {max(requests)} most; round trips {statistics.mean(chains):.1f} mean, {max(chains)} most; "
          f"{times(seconds)}", flush=True)
    if len(sys.argv) > 1:
        with open(pathlib.Path(sys.argv[1]) / f"{name}.json", "w") as out:
            json.dump([[[e["method"], e["target"], e["began"], e["ended"]] for e in log] for log, _ in logs], out)
    return max(chains)


def main():
    s3 = bucket.client()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for jobs in (20, 40):
            local(folder / f"local{jobs}", jobs)
        name = f"crowd{os.getpid()}"
        remote(folder / "alone", s3, 1, 0, f"{name}-alone")
        most = remote(folder / "m20", s3, 20, 0, f"{name}-20")
        remote(folder / "m40", s3, 40, 0, f"{name}-40")
        remote(folder / "alone30", s3, 1, 0.03, f"{name}-alone30")
        slow = remote(folder / "m20slow", s3, 20, 0.03, f"{name}-20slow")
        remote(folder / "m40slow", s3, 40, 0.03, f"{name}-40slow")
        if max(most, slow) > MOST_ROUND_TRIPS:
            # A machine that is busy with other things tears apart what was sent at once: it gets one more chance.
            most, slow = 0, remote(folder / "again", s3, 20, 0.03, f"{name}-again")
    hold(max(most, slow) <= MOST_ROUND_TRIPS, f"crowd: {max(most, slow)} round trips, the budget is {MOST_ROUND_TRIPS}")


if __name__ == "__main__":
    main()
