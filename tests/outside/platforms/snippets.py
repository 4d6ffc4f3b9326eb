"""snippets.py: the commands of examples/platforms/, taken out of the files and run by sh, with each platform's variables.

A case is: the variables of fixtures/platforms/, what the platform adds for a green and a red end, the command, and what the
record has to say. Green and red differ only by what the platform tells; the command is the same text.
"""

import base64, json, os, pathlib, re, shlex, shutil, subprocess, sys, tempfile
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
SNIPPETS = ROOT / "examples/platforms"
STAGE = pathlib.Path(os.environ["STAGE"])
PROGRAM = os.environ["VOUCHSAFE"]
failures = 0


def tell(good, name, why=""):
    global failures
    failures += not good
    print(f"  {'ok   ' if good else 'FAIL '} {name}{'' if good else ': ' + why}")


def load(name):
    return yaml.safe_load((SNIPPETS / name).read_text())


def platform(name):
    """The variables of a fixture, without what tells how the run ended."""
    lines = (ROOT / f"fixtures/platforms/{name}.env").read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    return {k: v.replace("fixture:", f"{ROOT}/fixtures/platforms/") for k, v in pairs.items()}


class Place:
    """A checkout of the example with reports, a vault, and the program in the PATH."""

    def __init__(self, broken=False):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=STAGE))
        shutil.copytree(ROOT / "examples/shop", self.dir / "work/shop")
        self.work = self.dir / "work"
        for folder in ("bin", "home", "tmp"):
            (self.dir / folder).mkdir()
        (self.dir / "bin/vouchsafe").symlink_to(PROGRAM)
        git = ["git", "-c", "user.name=Anna", "-c", "user.email=anna@example.com"]
        subprocess.run([*git, "init", "-q", "-b", "main"], cwd=self.work, check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "SHOP-7: count the till twice"], cwd=self.work, check=True)
        if broken:
            (self.work / "broken").touch()
        subprocess.run(["sh", "shop/test.sh"], cwd=self.work)

    def run(self, command, env):
        env = {
            "PATH": f"{self.dir}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": f"{self.dir}/home", "TMPDIR": f"{self.dir}/tmp",
            "VOUCHSAFE_VAULT": f"{self.dir}/vault", **env,
        }
        # the marker of one place is none of another's
        words = ["sh", "-ec", command.replace("/tmp/vouchsafe-outcome", f"{self.dir}/tmp/vouchsafe-outcome")]
        return subprocess.run(words, cwd=self.work, env=env, capture_output=True, text=True)

    def records(self):
        files = sorted((self.dir / "vault/evidence").rglob("*.json"))
        payloads = [json.loads(base64.b64decode(json.loads(f.read_text())["dsseEnvelope"]["payload"])) for f in files]
        return sorted((p["predicate"] for p in payloads), key=lambda p: p["recordedOn"])


def check(name, commands, env, platform_name, outcome, records=1, broken=False, **more):
    """Runs the commands in order in one place; the last record must say the platform and the outcome."""
    place = Place(broken)
    for command in commands:
        lint(name, command)
        done = place.run(command, env)
    found = place.records()
    if len(found) != records:
        return tell(False, name, f"{len(found)} records, exit {done.returncode}\n{done.stderr}")
    if not records:
        return tell(done.returncode == 0, name, done.stderr)
    run = found[-1]["run"]
    wrong = [f"{k} is {run.get(k)}, not {v}" for k, v in {"platform": platform_name, "outcome": outcome, **more}.items() if run.get(k) != v]
    if found[-1]["environment"] != "production":
        wrong.append(f"environment {found[-1]['environment']}")
    verdicts = [t["verdict"] for t in found[-1].get("tests", [])]
    if verdicts != ["failed" if broken else "passed"] * 2:
        wrong.append(f"tests {verdicts}")
    tell(done.returncode == 0 and not wrong, f"{name}: {platform_name}, {outcome}", "; ".join(wrong) + "\n" + done.stderr)


linted = set()


def lint(name, command):
    if command in linted:
        return
    linted.add(command)
    done = subprocess.run(["shellcheck", "--shell=sh", "-"], input=command, capture_output=True, text=True)
    if done.returncode:
        tell(False, f"shellcheck: {name}", done.stdout)


# Bitbucket: the last step, and a step before it
steps = [s["step"] for s in load("bitbucket-pipelines.yml")["pipelines"]["branches"]["main"]]
test, deploy = (s["after-script"] for s in steps)
env = platform("bitbucket.branch")
check("bitbucket, green", deploy, env | {"BITBUCKET_EXIT_CODE": "0"}, "bitbucket", "succeeded")
check("bitbucket, red", deploy, env | {"BITBUCKET_EXIT_CODE": "1"}, "bitbucket", "failed")
check("bitbucket, tests green", test, env | {"BITBUCKET_EXIT_CODE": "0"}, "bitbucket", None, records=0)
check("bitbucket, tests red", test, env | {"BITBUCKET_EXIT_CODE": "1"}, "bitbucket", "failed", broken=True)

# Azure: one job, and several
step = next(s for s in load("azure-pipelines.yml")["steps"] if s.get("displayName") == "vouchsafe")
assert step["condition"] == "always()"
env = platform("azure.branch")
for word, outcome in {"Succeeded": "succeeded", "SucceededWithIssues": "succeeded", "Failed": "failed", "Canceled": "cancelled"}.items():
    check(f"azure, {word}", [step["script"]], env | {"AGENT_JOBSTATUS": word}, "azure", outcome, broken=word == "Failed")
job = load("azure-pipelines.jobs.yml")["jobs"][-1]
step = next(s for s in job["steps"] if s.get("displayName") == "vouchsafe")
assert job["condition"] == "always()" and {"test", "deploy"} == set(job["variables"]) == set(job["dependsOn"])
for tests, deployed, outcome in [("Succeeded", "Succeeded", "succeeded"), ("Failed", "Skipped", "failed"), ("Succeeded", "Canceled", "cancelled"), ("Succeeded", "Skipped", "unknown")]:
    place_env = env | {"AGENT_JOBSTATUS": "Succeeded", "TEST_RESULT": tests, "DEPLOY_RESULT": deployed, "PIPELINE_WORKSPACE": "."}
    check(f"azure, several jobs, {tests} and {deployed}", [step["script"]], place_env, "azure", outcome)

# Jenkins: its words, by the environment as withEnv gives them
jenkinsfile = (SNIPPETS / "Jenkinsfile").read_text()
command = re.findall(r"sh '(vouchsafe [^']*)'", jenkinsfile)
assert len(command) == 1 and "VOUCHSAFE_OUTCOME=${currentBuild.currentResult}" in jenkinsfile
env = platform("jenkins.multibranch") | {"VOUCHSAFE_ENVIRONMENT": "production"}
for word, outcome in {"SUCCESS": "succeeded", "UNSTABLE": "failed", "FAILURE": "failed", "ABORTED": "cancelled"}.items():
    check(f"jenkins, {word}", command, env | {"VOUCHSAFE_OUTCOME": word}, "jenkins", outcome, broken=word == "UNSTABLE")

# CircleCI: the marker
runs = [s["run"] for s in load("circleci.yml")["jobs"]["deploy"]["steps"] if isinstance(s, dict) and "run" in s]
marker, attest = (next(r["command"] for r in runs if isinstance(r, dict) and r.get("when") == when) for when in ("on_fail", "always"))
env = platform("circleci.branch")
check("circleci, green", [attest], env, "circleci", "succeeded")
check("circleci, red", [marker, attest], env, "circleci", "failed", broken=True)

# Buildkite: the hook, by its own first line
hook = (SNIPPETS / "buildkite-pre-exit").read_text()
env = platform("buildkite.head") | {"BUILDKITE_STEP_KEY": "deploy"}
check("buildkite, green", [hook], env | {"BUILDKITE_COMMAND_EXIT_STATUS": "0"}, "buildkite", "succeeded")
check("buildkite, red", [hook], env | {"BUILDKITE_COMMAND_EXIT_STATUS": "7"}, "buildkite", "failed")
check("buildkite, cancelled", [hook], env | {"BUILDKITE_COMMAND_EXIT_STATUS": "-1", "BUILDKITE_JOB_CANCELLED": "true"}, "buildkite", "cancelled")
check("buildkite, retried", [hook], env | {"BUILDKITE_COMMAND_EXIT_STATUS": "0", "BUILDKITE_RETRY_COUNT": "1"}, "buildkite", "succeeded", attempt=2)
env |= {"BUILDKITE_STEP_KEY": "test"}
check("buildkite, tests green", [hook], env | {"BUILDKITE_COMMAND_EXIT_STATUS": "0"}, "buildkite", None, records=0)
check("buildkite, tests red", [hook], env | {"BUILDKITE_COMMAND_EXIT_STATUS": "1"}, "buildkite", "failed", broken=True)

# Forgejo: ${{ job.status }} by the environment
step = load("forgejo.yml")["jobs"]["deploy"]["steps"][-1]
assert step["if"] == "always()" and step["env"]["VOUCHSAFE_OUTCOME"] == "${{ job.status }}"
env = platform("forgejo.push")
for word, outcome in {"success": "succeeded", "failure": "failed", "cancelled": "cancelled"}.items():
    check(f"forgejo, {word}", [step["run"]], env | {"VOUCHSAFE_OUTCOME": word}, "forgejo", outcome)

# Woodpecker: the twins; a variable that older servers set must not overrule them
env = {k: v for k, v in platform("woodpecker.deployment").items() if k != "CI_PIPELINE_STATUS"}
for step in load("woodpecker.yml")["steps"][-2:]:
    [when] = step["when"]
    outcome = {"success": "succeeded", "failure": "failed"}[when["status"]]
    env |= {k: v for k, v in step["environment"].items() if isinstance(v, str)}
    check(f"woodpecker, {when['status']}", step["commands"], env, "woodpecker", outcome)

# Kubernetes: the container's own command and variables, with the Job's id as the downward API gives it
for name, operator in (("argocd", "argocd"), ("flux", "flux")):
    for job in yaml.safe_load_all((SNIPPETS / f"{name}.yaml").read_text()):
        if job["kind"] != "Job":
            continue
        [container] = job["spec"]["template"]["spec"]["containers"]
        env = {e["name"]: e.get("value", "4d2a1c9e-uid") for e in container["env"]}
        del env["VOUCHSAFE_VAULT"], env["VOUCHSAFE_SIGNING_KEY"]
        outcome = "failed" if "failure" in job["metadata"]["name"] else "succeeded"
        place = Place()
        tries = [place.run(shlex.join(container["command"]), env) for _ in (1, 2)]
        found = place.records()
        good = len(found) == 1 and [t.returncode for t in tries] == [0, 0] and found[0]["run"]["id"] == "4d2a1c9e-uid"
        good = good and found[0]["run"]["outcome"] == outcome and found[0]["operator"]["login"] == operator and found[0]["artifacts"][0]["kind"] == "image"
        tell(good, f"{name}: {outcome}; a second try of the pod finds the record of the first", "\n".join(t.stderr for t in tries) + str(found))

# Terraform: a stand-in that plans, and applies what it planned
TERRAFORM = """#!/bin/sh
if [ "$1" = plan ]; then
  for word; do case $word in -out=*) printf 'a plan\\n' >"${word#-out=}" ;; esac; done
  exit "$PLAN"
fi
for plan; do :; done
cat "$plan"
exit "$APPLY"
"""
script = str(SNIPPETS / "terraform-apply.sh")
for plan, apply, code, records, outcome in [("2", "0", 0, 1, "succeeded"), ("2", "3", 3, 1, "failed"), ("0", "0", 0, 0, None), ("1", "0", 1, 0, None)]:
    place = Place()
    (place.dir / "bin/terraform").write_text(TERRAFORM)
    (place.dir / "bin/terraform").chmod(0o755)
    done = place.run(f"{script} -var-file=production.tfvars", {"PLAN": plan, "APPLY": apply, "VOUCHSAFE_ENVIRONMENT": "production", "VOUCHSAFE_REASON": "SHOP-7: a bigger till"})
    found = place.records()
    good = done.returncode == code and len(found) == records and not list((place.dir / "tmp").iterdir())
    if records:
        digest = subprocess.run(["sha256sum"], input=b"a plan\n", capture_output=True).stdout.decode().split()[0]
        good = good and found[0]["run"]["outcome"] == outcome and digest in json.dumps(found[0]["artifacts"]) and found[0]["run"]["platform"] == "manual"
        good = good and "a plan" in done.stdout
    tell(good, f"terraform: plan {plan}, apply {apply}: {records} record", f"exit {done.returncode}\n{done.stderr}{found}")

sys.exit(bool(failures))
