"""How the action gets its program: action/program.sh against a server of ours, in a shell that may be /bin/sh.

    program.py ARCHIVE SHELL        an archive that holds the program; `dash`, `bash` (called sh) or `busybox sh`

Each case is a runner of its own: an action folder, a tool cache, a temporary folder. Nothing goes to a network but the loopback.
"""

import hashlib
import http.server
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE, (SHELL, *WORDS) = Path(sys.argv[1]), shlex.split(sys.argv[2])
SHELL = [shutil.which(SHELL), *WORDS]
if SHELL[0].endswith("/bash"):
    link = Path(tempfile.mkdtemp()) / "sh"  # as on a Mac
    link.symlink_to(SHELL[0])
    SHELL = [str(link)]
NAME = ARCHIVE.name
VERSION, TARGET = NAME.removeprefix("vouchsafe-").removesuffix(".tar.gz").split("-", 1)
GOOD = hashlib.sha256(ARCHIVE.read_bytes()).hexdigest()
TOKEN = "ghs_abcdefghijklmnopqrstuvwxyz0123456789"
PATHS = os.environ["PATH"]


class Server(http.server.ThreadingHTTPServer):
    """A GitHub: `public` says whether releases are shown to strangers. Remembers what was asked, and with which token."""

    daemon_threads = True

    def __init__(self, public=True, body=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.public, self.body, self.asked = public, body, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, token = self.server, self.headers.get("Authorization")
        server.asked.append((self.path, token))
        body = server.body if server.body is not None else ARCHIVE.read_bytes()
        if self.path == f"/acme/evidence/releases/download/v{VERSION}/{NAME}" and server.public:
            return self.answer(200, body)
        if self.path.startswith("/api/") and token != f"Bearer {TOKEN}":
            return self.answer(404, b"{}")
        if self.path == f"/api/repos/acme/evidence/releases/tags/v{VERSION}":
            # the shape of GitHub's answer, cut; the decoys are other assets and the uploader
            rows = ",".join(
                f'{{"url": "{server.url}/api/repos/acme/evidence/releases/assets/{n}", "id": {n}, "name": "{name}", '
                f'"uploader": {{"login": "ada", "url": "{server.url}/api/users/ada"}}, "size": 1}}'
                for n, name in [(1, "SHA256SUMS"), (2, NAME), (3, NAME + ".sig")])
            return self.answer(200, f'{{"url": "{server.url}/api/repos/acme/evidence/releases/9", "assets": [{rows}]}}'.encode())
        if self.path == "/api/repos/acme/evidence/releases/assets/2" and self.headers.get("Accept") == "application/octet-stream":
            return self.answer(200, body)
        return self.answer(404, b"not here")

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Runner:
    """A runner whose action was fetched from acme/evidence: the folder of the action says so."""

    def __init__(self, table=f"{GOOD}  {NAME}\n"):
        self.root = Path(tempfile.mkdtemp(prefix="runner "))  # with a space, as on a Mac
        self.action = self.root / "work/_actions/acme/evidence/v1"
        shutil.copytree(ROOT / "action", self.action / "action")
        shutil.copy(ROOT / "Cargo.toml", self.action)
        shutil.copy(ROOT / "Cargo.lock", self.action)
        (self.action / "src").mkdir()
        (self.action / "src/main.rs").write_text("fn main() {}\n")
        (self.action / "action/checksums.txt").write_text(table)
        self.cache, self.temp = self.root / "tools", self.root / "temp"
        self.temp.mkdir()
        self.bin = self.root / "bin"
        self.bin.mkdir()

    def command(self, name, script):
        """A command first in the PATH."""
        file = self.bin / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run(self, server, path=None, **env):
        """(exit code, what it said, the program it chose or None)."""
        output = self.root / "output"
        output.write_text("")
        done = subprocess.run(
            [*SHELL, "-euc", '. "$GITHUB_ACTION_PATH/action/program.sh"'], cwd=self.root, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, env={
                "PATH": path or f"{self.bin}:{PATHS}", "HOME": str(self.root), "NO_PROXY": "127.0.0.1",
                "GITHUB_ACTION_PATH": str(self.action), "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(self.temp),
                "RUNNER_TOOL_CACHE": str(self.cache), "RUNNER_OS": "Linux", "GITHUB_SERVER_URL": server.url,
                "GITHUB_API_URL": f"{server.url}/api", "ACTION_REPOSITORY": "somebody/else", **env})
        told = done.stdout + done.stderr
        assert TOKEN not in told, "the token was printed"
        lines = output.read_text().splitlines()
        assert len(lines) <= 1 and all(line.startswith("path=") for line in lines), lines
        return done.returncode, told, Path(lines[0].removeprefix("path=")) if lines else None


def works(program):
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return said.startswith("vouchsafe ")


def downloaded_checked_kept_and_checked_again():
    server, runner = Server(), Runner()
    code, told, program = runner.run(server)
    assert code == 0 and works(program), told
    assert server.asked == [(f"/acme/evidence/releases/download/v{VERSION}/{NAME}", None)], server.asked
    code, told, program = runner.run(server)
    assert code == 0 and works(program) and "from the tool cache" in told and len(server.asked) == 1, told
    # somebody changed it in the cache: not used, fetched anew
    kept = next(runner.cache.rglob(NAME))
    kept.write_bytes(b"#!/bin/sh\ntouch pwned\n")
    code, told, program = runner.run(server)
    assert code == 0 and works(program) and len(server.asked) == 2, told
    assert kept.read_bytes() == ARCHIVE.read_bytes()


def another_archive_is_neither_unpacked_nor_kept():
    server, runner = Server(body=ARCHIVE.read_bytes() + b"x"), Runner()
    runner.command("tar", 'touch "$HOME/unpacked"')
    runner.command("cargo", 'touch "$HOME/built"')
    code, told, program = runner.run(server)
    assert code == 1 and program is None and "::error" in told and "nothing of it was run" in told, told
    assert not (runner.root / "unpacked").exists() and not (runner.root / "built").exists() and not runner.cache.exists()


def a_server_that_shows_nothing_to_strangers_gets_the_token_and_nobody_else_does():
    server, runner = Server(public=False), Runner()
    code, told, program = runner.run(server, INPUT_GITHUB_TOKEN=TOKEN)
    assert code == 0 and works(program), told
    assert server.asked[0][1] is None and [token for _, token in server.asked[1:]] == [f"Bearer {TOKEN}"] * 2, server.asked
    code, told, _ = Runner().run(server)
    assert code == 1 and "binary-path" in told, told
    # a token with a line break would be another header
    code, told, _ = Runner().run(server, INPUT_GITHUB_TOKEN=f"{TOKEN}\nurl = http://127.0.0.1:1/")
    assert code == 1 and "binary-path" in told, told


def wget_does_where_there_is_no_curl():
    server, runner = Server(), Runner()
    for name in "sh env sed head cut awk mktemp uname sha256sum tar gzip mkdir cp mv cat rm tr find sort wget".split():
        (runner.bin / name).symlink_to(shutil.which(name))
    code, told, program = runner.run(server, path=str(runner.bin))
    assert code == 0 and works(program), told


def without_a_row_the_source_is_built_once_and_sees_no_secret():
    server, runner = Server(), Runner(table=f"{GOOD}  vouchsafe-9.9.9-{TARGET}.tar.gz\n")
    runner.command("cargo", f'''
        echo "$*" >>"$HOME/cargo"
        env >"$HOME/seen"
        while [ $# != 0 ]; do [ "$1" = --root ] && root=$2; shift; done
        mkdir -p "$root/bin" && printf '#!/bin/sh\\necho vouchsafe {VERSION}\\n' >"$root/bin/vouchsafe" && chmod +x "$root/bin/vouchsafe"''')
    secrets = {"VOUCHSAFE_SIGNING_KEY": "s3cret", "VOUCHSAFE_PASSPHRASE": "s3cret", "VOUCHSAFE_API_TOKEN": "s3cret", "VOUCHSAFE_ID_TOKEN": "s3cret", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s3cret",
               "INPUT_GITHUB_TOKEN": "s3cret", "AWS_SECRET_ACCESS_KEY": "s3cret"}
    code, told, program = runner.run(server, **secrets)
    assert code == 0 and works(program) and "::notice" in told, told
    assert "s3cret" not in (runner.root / "seen").read_text()
    asked = (runner.root / "cargo").read_text().splitlines()
    assert len(asked) == 1 and asked[0].startswith(f"install --locked --path {runner.action} --root "), asked
    code, told, again = runner.run(server)
    assert code == 0 and again == program and len((runner.root / "cargo").read_text().splitlines()) == 1, told
    # another state of the source is another program
    (runner.action / "src/main.rs").write_text("fn main() { }\n")
    code, told, other = runner.run(server)
    assert code == 0 and other != program and len((runner.root / "cargo").read_text().splitlines()) == 2, told
    assert server.asked == []


def without_a_row_and_without_cargo_it_says_what_to_do():
    runner = Runner(table="")
    runner.command("cargo", "exit 101")
    code, told, program = runner.run(Server())
    assert code == 1 and program is None and "binary-path" in told, told
    for name in "sh env sed head cut awk mktemp uname sha256sum find sort cat".split():
        if not (runner.bin / name).exists():
            (runner.bin / name).symlink_to(shutil.which(name))
    (runner.bin / "cargo").unlink()
    code, told, program = runner.run(Server(), path=str(runner.bin))
    assert code == 1 and program is None and "no cargo" in told, told


def a_version_without_a_row_is_refused_and_no_version_is_a_command():
    server = Server()
    code, told, _ = Runner().run(server, INPUT_VERSION="9.9.9")
    assert code == 2 and "no row" in told, told
    code, told, program = Runner().run(server, INPUT_VERSION=f"v{VERSION}")
    assert code == 0 and works(program), told
    for hostile in ["latest/../../x", "$(touch pwned)", "`touch pwned`", "1\n::set-output name=path::/bin/true", "../1", "-", " "]:
        runner = Runner()
        code, told, program = runner.run(server, INPUT_VERSION=hostile)
        assert code == 2 and program is None, (hostile, told)
        assert not list(runner.root.rglob("pwned")), hostile
        assert not any(line.lstrip().startswith("::set-output") for line in told.splitlines()), told


def exported_functions_stand_for_no_command():
    names = ["sha256sum", "sed", "awk", "env", "exit", "printf", "command", "read", "unset", "cut", "tar", "curl", "mktemp", "test"]
    functions = {f"BASH_FUNC_{name}%%": '() { touch "$HOME/pwned"; }' for name in names}
    server, runner = Server(), Runner()
    code, told, program = runner.run(server, **functions)
    assert not (runner.root / "pwned").exists() and code == 0 and works(program), told
    if "bash" in os.path.realpath(SHELL[0]):  # the test itself: this shell takes functions
        seen = subprocess.run([*SHELL, "-c", "sed"], env={"BASH_FUNC_sed%%": "() { echo taken; }"}, capture_output=True, text=True)
        assert seen.stdout == "taken\n", seen


failed = 0
for case in [value for value in list(globals().values()) if callable(value) and getattr(value, "__module__", "") == "__main__"
             and not isinstance(value, type) and value is not works]:
    try:
        case()
    except Exception as why:  # every case is told
        failed += 1
        print(f"    {case.__name__}: {type(why).__name__}: {why}")
sys.exit(1 if failed else 0)
