"""Stories of `vouchsafe run` with real processes. One line a story; exit 1 if any failed. See run.sh."""

import base64, glob, json, os, shutil, signal, subprocess, sys, time

BIN, STAGE = os.environ["VOUCHSAFE_BIN"], os.environ["STAGE"]
STORIES, FAILED = [], []
# nobody's CI, nobody's settings
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI", "VOUCHSAFE", "AWS_", "GIT_"))}


def story(f):
    STORIES.append(f)
    return f


class Folder:
    """A folder of its own with a home in it."""

    def __init__(self, name, path=None):
        self.path = path or os.path.join(STAGE, name)
        os.makedirs(self.path, exist_ok=True)
        self.home = os.path.join(STAGE, "home-" + name)
        os.makedirs(self.home, exist_ok=True)
        self.env = {**CLEAN, "HOME": self.home}

    def run(self, *words, head=("--environment", "production", "--reason", "a test"), **more):
        return subprocess.run([BIN, "run", *head, *words], cwd=self.path, env=self.env, capture_output=True, timeout=60, **more)

    def start(self, *words, **more):
        head = ("--environment", "production", "--reason", "a test")
        return subprocess.Popen([BIN, "run", *head, *words], cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def records(self, vault=".vouchsafe"):
        paths = sorted(glob.glob(f"{self.path}/{vault}/evidence/**/*.json", recursive=True))
        return [json.loads(base64.b64decode(json.load(open(p))["dsseEnvelope"]["payload"]))["predicate"] for p in paths]

    def only(self, vault=".vouchsafe"):
        records = self.records(vault)
        assert len(records) == 1, f"{len(records)} records"
        return records[0]

    def spool(self):
        return glob.glob(f"{self.path}/.vouchsafe-spool/*.json")

    def script(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o755)
        return path


def wait_for(what, condition, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come")


@story
def streams_are_untouched_and_the_code_is_the_commands(f):
    data = os.urandom(3_000_000)
    done = f.run("--", "cat", input=data)
    assert (done.returncode, done.stdout) == (0, data)
    for code in (1, 2, 77, 125, 255):
        done = f.run("--", "sh", "-c", f"echo out; echo err >&2; exit {code}")
        assert done.returncode == code, done
        assert done.stdout == b"out\n" and done.stderr.startswith(b"err\n"), done.stderr
    assert [r["manual"]["exitCode"] for r in f.records()] == [0, 1, 2, 77, 125, 255]
    assert [r["run"]["outcome"] for r in f.records()] == ["succeeded"] + ["failed"] * 5


@story
def a_script_without_a_first_line_runs_as_every_shell_runs_it(f):
    f.script("deploy.sh", 'echo "[$1][$2]"\n')
    done = f.run("--", "./deploy.sh", "a b", "")
    assert (done.returncode, done.stdout) == (0, b"[a b][]\n"), done
    assert f.only()["manual"]["command"] == ["./deploy.sh", "a b", ""]
    f.script("broken", "")
    os.chmod(os.path.join(f.path, "broken"), 0o644)
    assert f.run("--", "./broken").returncode == 126
    assert f.run("--", "./nowhere").returncode == 127


@story
def the_command_does_not_get_the_key(f):
    subprocess.run([BIN, "key", "new", "--output", "k.pem"], cwd=f.path, env=f.env, check=True, capture_output=True)
    key = open(f"{f.path}/k.pem").read()
    f.env["VOUCHSAFE_SIGNING_KEY"] = key
    done = f.run("--", "env")
    assert done.returncode == 0 and b"PRIVATE KEY" not in done.stdout and b"VOUCHSAFE_WRAPPED=" in done.stdout, done


@story
def a_term_goes_to_the_command_and_both_end(f):
    f.script("deploy.sh", "#!/bin/sh\ntrap 'echo term >> terms; exit 143' TERM\n: > ready\nwhile :; do sleep 0.05; done\n")
    wrapper = f.start("--", "./deploy.sh")
    wait_for("the command", lambda: os.path.exists(f"{f.path}/ready"))
    wrapper.send_signal(signal.SIGTERM)
    assert wrapper.wait(20) == 143
    assert open(f"{f.path}/terms").read() == "term\n", "exactly one"
    record = f.only()
    assert (record["run"]["outcome"], record["manual"]["exitCode"]) == ("cancelled", 143)
    assert f.spool() == []


@story
def a_command_that_does_not_end_at_a_term_is_waited_for(f):
    f.script("deploy.sh", "#!/bin/sh\ntrap 'echo rolled back' TERM\n: > ready\nfor n in 1 2 3 4 5 6; do sleep 0.1; done\nexit 0\n")
    wrapper = f.start("--", "./deploy.sh")
    wait_for("the command", lambda: os.path.exists(f"{f.path}/ready"))
    wrapper.send_signal(signal.SIGTERM)
    assert wrapper.wait(20) == 0
    assert f.only()["run"]["outcome"] == "succeeded"


@story
def a_killed_command_is_recorded_as_failed(f):
    wrapper = f.start("--", "sh", "-c", "echo $$ > pid; exec sleep 60")
    wait_for("the command", lambda: os.path.exists(f"{f.path}/pid") and open(f"{f.path}/pid").read().strip())
    os.kill(int(open(f"{f.path}/pid").read()), signal.SIGKILL)
    assert wrapper.wait(20) == 137
    record = f.only()
    assert (record["run"]["outcome"], record["manual"]["signal"]) == ("failed", 9) and "exitCode" not in record["manual"]


@story
def a_killed_wrapper_leaves_a_word_that_the_next_one_delivers(f):
    wrapper = f.start("--", "sh", "-c", "echo $$ > pid; exec sleep 60")
    wait_for("the command", lambda: os.path.exists(f"{f.path}/pid") and open(f"{f.path}/pid").read().strip())
    command = int(open(f"{f.path}/pid").read())
    # as long as the wrapper lives, nobody else speaks for it
    done = f.run("--", "true")
    assert done.returncode == 0 and len(f.records()) == 1 and len(f.spool()) == 1, done.stderr
    wrapper.kill()
    wrapper.wait(20)
    os.kill(command, 0)  # the command goes on: it was not asked
    os.kill(command, signal.SIGTERM)
    assert f.records()[0]["run"]["outcome"] == "succeeded"
    done = f.run("--", "true")
    assert b"delivered from the spool" in done.stderr, done.stderr
    outcomes = sorted(r["run"]["outcome"] for r in f.records())
    assert outcomes == ["succeeded", "succeeded", "unknown"] and f.spool() == []
    [left] = [r for r in f.records() if r["run"]["outcome"] == "unknown"]
    assert left["manual"]["command"][0] == "sh" and "finishedOn" not in left["run"]
    [why] = [c["why"] for c in left["completeness"] if c["section"] == "run"]
    assert "stopped" in why, why
    subprocess.run([BIN, "verify"], cwd=f.path, env=f.env, check=True, capture_output=True)


@story
def without_network_the_record_waits_and_the_deployment_goes_on(f):
    subprocess.run([BIN, "key", "new", "--output", "k.pem"], cwd=f.path, env=f.env, check=True, capture_output=True)
    f.env.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    far = ("--vault", "s3://evidence", "--signing-key", "k.pem")
    done = f.run(*far, "--", "sh", "-c", "echo deployed")
    assert (done.returncode, done.stdout) == (0, b"deployed\n") and b"nothing was lost" in done.stderr, done.stderr
    assert f.run(*far, "--strict", "--", "true").returncode == 6
    assert len(f.spool()) == 2
    subprocess.run([BIN, "flush", "--vault", "later", "--signing-key", "k.pem"], cwd=f.path, env=f.env, check=True, capture_output=True)
    assert len(f.records("later")) == 2 and f.spool() == []


@story
def a_full_disk_keeps_nobody_from_deploying(f):
    mount = f"{f.path}/full"
    os.makedirs(mount)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", mount], capture_output=True).returncode != 0:
        return "not run: it needs the right to mount"
    try:
        fill = os.open(f"{mount}/fill", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fill, b"x" * 1024)
        except OSError:
            os.close(fill)
        full = Folder("full", mount)
        done = full.run("--", "sh", "-c", "echo deployed; exit 4")
        assert (done.returncode, done.stdout) == (4, b"deployed\n"), done
        told = done.stderr.decode()
        assert "if this wrapper is killed, nothing will tell of it" in told and "error: could not store the record" in told, told
        assert full.run("--strict", "--", "true").returncode == 1
    finally:
        subprocess.run(["umount", mount], check=True)


@story
def every_command_of_the_page_for_people_works(f):
    page = open(f"{os.path.dirname(os.path.abspath(__file__))}/../../../docs/MANUAL.md").read()
    blocks = [b.split("```sh\n", 1)[1].split("```", 1)[0] for b in page.split("<!-- run -->")[1:]]
    assert len(blocks) >= 4, len(blocks)
    f.script("deploy.sh", '#!/bin/sh\necho "deploying $1"\n')
    shutil.copy(f"{os.path.dirname(os.path.abspath(__file__))}/../../../deploy-wrapper.sh", f.path)
    f.env["PATH"] = f"{os.path.dirname(BIN)}:{f.env['PATH']}"
    out = ""
    for block in blocks:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=f.path, env=f.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{block}: {done.stderr}"
        out += done.stdout
    assert "deploying v1.2.3" in out and "shipping v1.2.4" in out and "deploying --rollback" in out, out
    bypasses = [r for r in f.records() if "reviewDueOn" in r]
    assert [(b["kind"], b["reason"], b["ticket"]) for b in bypasses] == [("emergencyDeploy", "checkout is down", "OPS-911")], bypasses
    runs = [r for r in f.records() if "reviewDueOn" not in r]
    told = [(r["run"]["outcome"], r.get("manual", {}).get("reason"), bool(r.get("emergency"))) for r in runs]
    assert told == [
        ("succeeded", "checkout is down, SHOP-12", False),
        ("succeeded", "the release of the week", False),
        ("succeeded", "checkout is down", True),
        ("succeeded", "deployed by hand at 03:10, without vouchsafe", False),
    ], told


class Terminal:
    """A person at a terminal: tmux, with a server of its own."""

    def __init__(self, folder, words):
        self.socket = os.path.join(STAGE, "tmux-" + os.path.basename(folder.path)[:20])
        command = " ".join("'" + w.replace("'", "'\\''") + "'" for w in [BIN, *words])
        # the shell itself must outlive the key that is pressed
        line = f"trap : INT; {command}; echo code=$?; exec sleep 60"
        env = {**folder.env, "TERM": "xterm", "SHELL": "/bin/sh"}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "person", "-x", "100", "-y", "50", "-c", folder.path, line, env=env)

    def tmux(self, *words, env=None):
        done = subprocess.run(["tmux", "-S", self.socket, *words], env=env, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "person")

    def sees(self, text):
        wait_for(repr(text), lambda: text in self.screen())

    def types(self, *keys):
        self.tmux("send-keys", "-t", "person", *keys)

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


@story
def a_person_is_asked_and_the_terminal_stays_one(f):
    f.script("deploy.sh", '#!/bin/sh\ntest -t 0 && test -t 1 && test -t 2 && echo "a terminal"\nprintf "go on? "; read answer\necho "got $answer"\n')
    person = Terminal(f, ["run", "-e", "production", "--", "./deploy.sh"])
    try:
        person.sees("Why is this done by hand?")
        person.types("Enter")
        person.types("the queue is stuck", "Enter")
        person.sees("a terminal")
        person.sees("go on?")
        person.types("yes", "Enter")
        person.sees("got yes")
        person.sees("code=0")
        person.sees("recorded: manual run")
    finally:
        person.close()
    record = f.only()
    assert record["manual"]["reason"] == "the queue is stuck" and record["manual"]["tty"] is True
    assert record["manual"]["command"] == ["./deploy.sh"]


@story
def a_key_that_is_pressed_reaches_the_command_once(f):
    f.script("deploy.sh", "#!/bin/sh\ntrap 'echo int >> ints; exit 130' INT\necho ready\nwhile :; do sleep 0.05; done\n")
    person = Terminal(f, ["run", "-e", "production", "--reason", "x", "--", "./deploy.sh"])
    try:
        person.sees("ready")
        person.types("C-c")
        person.sees("code=130")
    finally:
        person.close()
    assert open(f"{f.path}/ints").read() == "int\n", "once, not twice"
    assert f.only()["run"]["outcome"] == "cancelled"


@story
def a_person_who_gives_no_reason_deploys_nothing(f):
    f.script("deploy.sh", "#!/bin/sh\n: > deployed\n")
    person = Terminal(f, ["run", "-e", "production", "--", "./deploy.sh"])
    try:
        person.sees("Why is this done by hand?")
        person.types("C-d")
        person.sees("code=125")
        person.sees("nothing was run")
    finally:
        person.close()
    assert not os.path.exists(f"{f.path}/deployed") and f.records() == []


for number, tell in enumerate(STORIES):
    name = tell.__name__.replace("_", " ")
    try:
        note = tell(Folder(f"run-{number}"))
        print(f"  {'skip' if note else 'ok  '}  run: {name}{': ' + note if note else ''}", flush=True)
    except (AssertionError, OSError, subprocess.SubprocessError) as e:
        FAILED.append(name)
        print(f"  FAIL  run: {name}: {e!r}"[:2000], flush=True)
sys.exit(1 if FAILED else 0)
