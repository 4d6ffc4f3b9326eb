"""A vault on this disk, and a program that is killed, or whose disk says no, at each system call that changes anything.

    VOUCHSAFE=target/debug/vouchsafe tests/outside/faults/local.py

For each scenario the n-th call is hit for n = 1, 2, 3 … until the program is done before it comes to its n-th. Each time on a
fresh copy of a small vault, and afterwards: no promised record is gone; the same step again ends 0; flush ends 0; adopt and
verify end 0; and by our own reader every record is in exactly one leaf of a whole ledger.
"""

import concurrent.futures
import pathlib
import shutil
import sys
import tempfile

import ground
import tracer
from ground import Folder, Program, hold, promised, records, waiting, whole

SPOOL = ".vouchsafe-spool"


class Stage:
    """One place where everything happens, and what it was like at the beginnings. A spool knows its vault by its whole path,
    so a copy elsewhere would deliver into the original."""

    def __init__(self, folder):
        self.here, self.starts = folder / "here", folder / "starts"
        self.here.mkdir(parents=True)
        self.starts.mkdir()
        program = Program(self.here, "vault")
        program.key()
        self.save("empty")
        for run in ("1", "2", "3"):
            program.must(program.attest(run))
        self.save("three")
        evidence, away = self.here / "vault/evidence", self.here / "away"
        evidence.rename(away)
        evidence.write_text("a file where a folder has to be")
        for run in ("4", "5"):
            program.must(program.attest(run), 6)
        evidence.unlink()
        away.rename(evidence)
        hold(len(waiting(self.here / SPOOL)) == 2, "two records wait in the spool")
        self.save("waits")
        self.load("three")
        program.must(program.attest("6"))
        slots = self.here / "vault" / ground.LEDGER
        sorted(path for path in slots.iterdir() if path.is_file())[0].unlink()
        self.save("orphan")

    def save(self, name):
        shutil.copytree(self.here, self.starts / name)

    def load(self, name):
        shutil.rmtree(self.here)
        shutil.copytree(self.starts / name, self.here)


# Name, place it begins in, words of the command that is hit.
SCENARIOS = [
    ("attest, first of all", "empty", lambda p: p.attest("7")),
    ("attest", "three", lambda p: p.attest("7")),
    ("attest that also flushes", "waits", lambda p: p.attest("7")),
    ("flush", "waits", lambda p: p.words("flush")),
    ("ledger adopt", "orphan", lambda p: p.words("ledger adopt", "--grace", "0s")),
    ("ledger compact", "three", lambda p: p.words("ledger compact")),
]


def hit(stage, begin, words, **how):
    """One hit and all that must hold afterwards. Whether the program came so far."""
    stage.load(begin)
    place = stage.here
    program = Program(place, "vault")
    store, spool = Folder(place / "vault"), place / SPOOL
    before = set(records(store).values()) | waiting(spool)
    words = words(program)
    code, seen = tracer.trace(words, program.env, place, place / "out", place / "err", **how)
    out, err = (place / "out").read_text(), (place / "err").read_text()
    at = how.get("kill_at") or how.get("fail_at")
    if len(seen) < at:
        return None
    what = f"{'killed' if 'kill_at' in how else 'failed'} at {at}, {seen[at - 1]}"
    try:
        hold("panicked" not in err, f"a panic\n{err}")
        hold("fail_at" not in how or code in (0, 1, 4, 5, 6), f"exit {code}\n{err}")
        kept = set(records(store).values()) | waiting(spool)
        hold(before <= kept, f"gone: {before - kept}")
        hold(promised(out) <= kept, f"promised and gone: {promised(out) - kept}\n{err}")
        if code in (0, 6) and words[1] == "attest":
            hold(len(kept) > len(before), f"exit {code} and nothing is kept\n{err}")
        # A ledger is never worse than short of what stands in the vault.
        named = [said["sha256"] for _, said in ground.leaves(store) if said["kind"] == "record"]
        hold(len(named) == len(set(named)), "a record is twice in the ledger")
        if code == 0 and words[1] in ("attest", "flush"):
            hold(promised(out) <= {d.removeprefix("sha256:") for d in named}, "exit 0 and not in the ledger")
        if words[1] == "attest":
            program.must(program.attest("7"))
        program.must(program.words("flush"))
        hold(not waiting(spool), "something still waits")
        program.must(program.words("verify", "--grace", "0s"), 0, 4)
        program.must(program.words("ledger", "adopt", "--grace", "0s"))
        program.must(program.words("verify", "--grace", "0s"))
        if words[1:3] == ["ledger", "compact"]:
            program.must(program.words("ledger compact"))
            program.must(program.words("verify", "--grace", "0s"))
        count = whole(store)
        more = words[1] == "attest"
        hold(count == len(before) + more, f"{count} records, not {len(before)} and {int(more)}")
    except ground.Wrong as e:
        raise ground.Wrong(f"{what}: {e}\nwhat it said: {err}") from None
    return seen


def sweep(place, number):
    """All hits of one scenario: kills, failures, and what was wrong."""
    name, begin, words = SCENARIOS[number]
    stage = Stage(place / str(number))
    kills = failures = 0
    wrong = []
    for mode in ("kill_at", "fail_at"):
        at = 1
        while True:
            try:
                seen = hit(stage, begin, words, **{mode: at})
                if seen is None:
                    break
                kills += mode == "kill_at"
                failures += mode == "fail_at" and seen[at - 1] in tracer.ERRORS
            except ground.Wrong as e:
                wrong.append(f"{name}: {e}")
            at += 1
            if len(wrong) > 4 or at > 500:
                wrong.append(f"{name}: and so on")
                break
    return name, kills, failures, wrong


def main():
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            done = list(pool.map(sweep, [place] * len(SCENARIOS), range(len(SCENARIOS))))
    wrong = [line for *_, lines in done for line in lines]
    print("; ".join(f"{name}: {kills} kills, {failures} failures" for name, kills, failures, _ in done))
    kills, failures = sum(d[1] for d in done), sum(d[2] for d in done)
    if wrong or kills < 100:
        print("\n".join(wrong))
        print(f"local sweep: {kills} kills, {failures} failures injected, {len(wrong)} WRONG")
        sys.exit(1)
    print(f"local sweep: {kills} kills, {failures} failures injected, all clean")


if __name__ == "__main__":
    main()
