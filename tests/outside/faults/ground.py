"""The vault as somebody sees it who trusts nothing of ours: files or objects, JSON, SHA-256 and RFC 6962. Standard library only."""

import base64
import hashlib
import json
import os
import pathlib
import subprocess

ENVIRONMENT = "prod"
LEDGER = f"ledger/env={ENVIRONMENT}/"
LAST = 10**12 - 1


class Wrong(Exception):
    """What must hold does not."""


def hold(claim, why):
    if not claim:
        raise Wrong(why)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Folder:
    """A vault on this disk."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def objects(self, prefix):
        """Every object, byte for byte. `#1` is what a put stages and `.tags` stands beside a record."""
        found = {}
        for path in sorted((self.root / prefix).rglob("*")):
            if path.is_file() and "#" not in path.name and not path.name.endswith(".tags"):
                found[path.relative_to(self.root).as_posix()] = path.read_bytes()
        return found


class Tree:
    """RFC 6962 by its definition: the hash of every whole power of two, folded from the right."""

    def __init__(self):
        self.edge = []  # (leaves, hash), the largest first
        self.size = 0

    def push(self, leaf):
        self.edge.append((1, hashlib.sha256(b"\0" + leaf).digest()))
        self.size += 1
        while len(self.edge) > 1 and self.edge[-1][0] == self.edge[-2][0]:
            n, right = self.edge.pop()
            _, left = self.edge.pop()
            self.edge.append((2 * n, hashlib.sha256(b"\1" + left + right).digest()))

    def root(self):
        if not self.edge:
            return hashlib.sha256(b"").digest()
        root = self.edge[-1][1]
        for _, left in reversed(self.edge[:-1]):
            root = hashlib.sha256(b"\1" + left + root).digest()
        return root


def leaves(store):
    """The leaves of the ledger in order, each with its slot. Fails where the chain is not whole."""
    slots = {}
    for key, data in store.objects(LEDGER).items():
        name = key[len(LEDGER):]
        if len(name) == 12 and name.isdigit():
            slots[LAST - int(name)] = json.loads(data)
    hold(sorted(slots) == list(range(len(slots))), f"slots {sorted(slots)}: there is a hole")
    tree, all_leaves, origins = Tree(), [], set()
    for number in range(len(slots)):
        slot = slots[number]
        hold(slot["slot"] == number, f"slot {number} says that it is {slot['slot']}")
        for text in slot["leaves"]:
            leaf = base64.b64decode(text)
            said = json.loads(leaf)
            hold(said["seq"] == tree.size, f"slot {number}: leaf {said['seq']} at place {tree.size}")
            tree.push(leaf)
            all_leaves.append((number, said))
        edge = [base64.b64decode(h) for h in slot["frontier"]]
        hold(edge == [h for _, h in tree.edge], f"slot {number}: its frontier is not that of its leaves")
        origin, size, root = slot["checkpoint"].split("\n")[:3]
        origins.add(origin)
        hold(int(size) == tree.size, f"slot {number}: the checkpoint says {size} leaves, there are {tree.size}")
        hold(base64.b64decode(root) == tree.root(), f"slot {number}: the checkpoint has another root")
        records = sum(said["kind"] == "record" for _, said in all_leaves)
        hold(slot["records"] == records, f"slot {number}: it counts {slot['records']} records, there are {records}")
    hold(len(origins) <= 1, f"more than one ledger: {origins}")
    return all_leaves


def records(store):
    """The records of the vault: address to digest."""
    return {key: sha256(data) for key, data in store.objects("evidence/").items()}


def whole(store):
    """Each record in the vault is in exactly one leaf, and each leaf's record is in the vault. How many there are."""
    standing = records(store)
    named = [(said["address"], said["sha256"]) for _, said in leaves(store) if said["kind"] == "record"]
    named = [(address, digest.removeprefix("sha256:")) for address, digest in named]
    hold(len(named) == len(set(named)), f"a record is twice in the ledger: {sorted(named)}")
    hold(set(named) == set(standing.items()), f"in the ledger {sorted(named)}, in the vault {sorted(standing.items())}")
    return len(named)


def waiting(spool):
    """Digests of what waits in a spool, each checked against its bytes."""
    found = set()
    for path in pathlib.Path(spool).glob("*.json"):
        if sha256(path.read_bytes()) == path.stem:
            found.add(path.stem)
    return found


def promised(out):
    """The digests of the receipts that were printed."""
    found = set()
    for line in out.splitlines():
        try:
            found.add(json.loads(line)["sha256"].removeprefix("sha256:"))
        except (ValueError, KeyError, TypeError):
            pass
    return found


class Program:
    """The binary, in a place of its own, with nothing of our environment but what it needs."""

    def __init__(self, place, vault, **more):
        self.place = pathlib.Path(place)
        self.vault = vault
        self.binary = os.environ["VOUCHSAFE"]
        self.env = {"HOME": str(self.place), "PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1", **more}

    def words(self, command, *more):
        """The words of a command with the vault, and the one key of these tests to sign and to trust."""
        words = [self.binary, *command.split(), *more, "--key", "public.pem"]
        if command != "flush":
            words += ["--vault", self.vault]
        if command not in ("verify", "ledger compact"):
            words += ["--signing-key", "key.pem"]
        return words

    def attest(self, run):
        return self.words("attest", "--environment", ENVIRONMENT, "--run-id", run, "--json", "--outcome", "success")

    def run(self, words, timeout=60):
        done = subprocess.run(words, cwd=self.place, env=self.env, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def must(self, words, *codes):
        code, out, err = self.run(words)
        hold(code in (codes or (0,)), f"{' '.join(words[1:3])} ended with {code}\n{out}{err}")
        return out

    def key(self):
        self.must([self.binary, "key", "new", "--output", "key.pem"])
        (self.place / "public.pem").write_text(self.must([self.binary, "key", "show", "--pem", "--signing-key", "key.pem"]))
