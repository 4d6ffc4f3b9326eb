"""A vault on MinIO behind a proxy that kills the program at its n-th request, or breaks that request.

    VOUCHSAFE=… S3_ENDPOINT=… S3_USER=… S3_SECRET=… python3 tests/outside/faults/s3.py      (boto3; run.sh brings it all up)

For each scenario n = 1, 2, 3 … until the program needs no n-th request. Each time in a prefix of its own, and afterwards: no
promised record is gone from vault and spool; flush, the same step again, adopt and verify end 0; every record is in exactly
one leaf; no object has a second version.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import bucket
import ground
from bucket import Bucket
from ground import Program, hold, promised, records, waiting, whole
from proxy import Proxy

SPOOL = ".vouchsafe-spool"
KILLS = [("before", "kill"), ("after", "kill")]
# With VOUCHSAFE_ALL=1 every scenario has all of them, which takes minutes; without, the rarer ones have the first few.
FAULTS = [("after", "drop"), ("before", "409 ConditionalRequestConflict"), ("after", "503 SlowDown"), ("before", "drop"),
          ("before", "503 SlowDown"), ("after", "half")]
ALL = os.environ.get("VOUCHSAFE_ALL") == "1"
# Name, what stands there before, the command that is hit, and by how many of the faults.
SCENARIOS = [
    ("attest into nothing", "empty", lambda p: p.attest("7"), 6),
    ("attest", "two", lambda p: p.attest("7"), 6),
    ("flush", "waits", lambda p: p.words("flush"), 3),
    ("flush of what stands there", "done", lambda p: p.words("flush"), 3),
    ("ledger adopt", "orphan", lambda p: p.words("ledger adopt", "--grace", "0s"), 1),
    ("ledger compact", "two", lambda p: p.words("ledger compact"), 1),
]


class Stage:
    """A place with a proxy of its own; every vault is a new prefix."""

    def __init__(self, folder, name):
        self.s3, self.proxy, self.name, self.count = bucket.client(), Proxy(bucket.UPSTREAM), name, 0
        self.here = folder
        self.here.mkdir()
        key = Program(self.here, "s3://none")
        key.key()

    def load(self, begin):
        """What stands there before; made through the proxy, as every job would."""
        self.count += 1
        prefix = f"{self.name}-{self.count}"
        program = Program(self.here, f"s3://{bucket.BUCKET}/{prefix}", **bucket.env(self.proxy.url))
        shutil.rmtree(self.here / SPOOL, ignore_errors=True)
        self.proxy.begin()
        if begin != "empty":
            program.must(program.attest("1"))
            program.must(program.attest("2"))
        if begin == "waits":
            self.proxy.begin({n: ("before", "403 AccessDenied") for n in range(1, 100)})
            program.must(program.attest("3"), 6)
        if begin in ("orphan", "done"):
            # Killed before it creates its slot; or when all was done, before anybody heard of it.
            self.proxy.begin()
            program.must(program.attest("0"))
            puts = [n for n, e in enumerate(self.proxy.log, 1) if e["method"] == "PUT"]
            self.killed(program, program.attest("3"), puts[-1], "before" if begin == "orphan" else "after")
            hold(len(waiting(self.here / SPOOL)) == 1, "it waits in the spool")
            self.proxy.begin()
        if begin == "orphan":
            shutil.rmtree(self.here / SPOOL)
        if begin == "done":
            # Others go on, and none of them on this machine.
            shutil.move(self.here / SPOOL, self.here / "kept")
            program.must(program.attest("4"))
            program.must(program.attest("5"))
            shutil.rmtree(self.here / SPOOL, ignore_errors=True)
            shutil.move(self.here / "kept", self.here / SPOOL)
        return program, Bucket(self.s3, prefix)

    def killed(self, program, words, n, when):
        """Runs the program, killed around its n-th request. Exit code, stdout, stderr."""
        started = {}
        self.proxy.begin({n: (when, lambda: started["it"].kill())})
        started["it"] = subprocess.Popen(words, cwd=self.here, env=program.env, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = started["it"].communicate(timeout=120)
        return started["it"].returncode, out, err


def hit(stage, begin, words, n, when, what):
    """One hit and all that must hold afterwards. Whether there was an n-th request."""
    program, store = stage.load(begin)
    words, spool = words(program), stage.here / SPOOL
    before = set(records(store).values()) | waiting(spool)
    if what == "kill":
        code, out, err = stage.killed(program, words, n, when)
    else:
        stage.proxy.begin({n: (when, what)})
        code, out, err = program.run(words, timeout=120)
    log = list(stage.proxy.log)
    if len(log) < n:
        return False
    stage.proxy.begin()
    try:
        hold("panicked" not in err, f"a panic\n{err}")
        hold(what == "kill" or code in (0, 6), f"exit {code}\n{err}")
        kept = set(records(store).values()) | waiting(spool)
        hold(before <= kept, f"gone: {before - kept}")
        hold(promised(out) <= kept, f"promised and gone: {promised(out) - kept}")
        if words[1] == "attest":
            # Before its first request the record is in the spool: that is what keeps it when the machine is killed.
            hold(len(kept) > len(before), "it had begun to send, and nothing is kept")
        program.must(program.words("flush"))
        hold(not waiting(spool), "something still waits")
        standing = len(records(store))
        if words[1] in ("attest", "flush"):
            hold(whole(store) == standing, "flush left a record without a leaf")
        if words[1] == "attest":
            program.must(program.attest("7"))
        program.must(program.words("ledger adopt", "--grace", "0s"))
        if words[1:3] == ["ledger", "compact"]:
            program.must(program.words("ledger compact"))
        program.must(program.words("verify", "--grace", "0s"))
        hold(whole(store) == standing, "the same step again added something")
        hold(set(records(store).values()) == kept, "not the records that were kept")
    except ground.Wrong as e:
        done = "; ".join(f"{e['method']} {e['target'].split('?')[0]}" for e in log)
        raise ground.Wrong(f"{what} {when} request {n} of {done}: {e}\nwhat it said: {err}") from None
    return True


def sweep(folder, number):
    """All hits of one scenario: kills, faults, and what was wrong."""
    name, begin, words, most = SCENARIOS[number]
    stage = Stage(folder / str(number), f"sweep{number}-{os.getpid()}")
    kills = faults = 0
    wrong = []
    for when, what in KILLS + FAULTS[: None if ALL else most]:
        n = 1
        while True:
            try:
                if not hit(stage, begin, words, n, when, what):
                    break
                kills += what == "kill"
                faults += what != "kill"
            except ground.Wrong as e:
                wrong.append(f"{name}: {e}")
            n += 1
            if len(wrong) > 4 or n > 100:
                wrong.append(f"{name}: and so on")
                return name, kills, faults, wrong
    return name, kills, faults, wrong


def main():
    bucket.client()
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ProcessPoolExecutor(3) as pool:
        done = list(pool.map(sweep, [pathlib.Path(folder)] * len(SCENARIOS), range(len(SCENARIOS))))
    wrong = [line for *_, lines in done for line in lines]
    print("; ".join(f"{name}: {kills} kills, {faults} faults" for name, kills, faults, _ in done))
    kills, faults = sum(d[1] for d in done), sum(d[2] for d in done)
    if wrong or kills < 60:
        print("\n".join(wrong))
        print(f"s3 sweep: {kills} kills, {faults} faults injected, {len(wrong)} WRONG")
        sys.exit(1)
    print(f"s3 sweep: {kills} kills, {faults} faults injected, all clean")


if __name__ == "__main__":
    main()
