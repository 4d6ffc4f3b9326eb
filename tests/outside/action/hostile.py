"""Text of others, everywhere that the action lets it in: it runs no command, and forges no output and no workflow command.

    ACT=… VOUCHSAFE_BIN=… hostile.py ACTION FOLDER      act runs one workflow whose branch, test names and job outputs are
                                                        hostile, and calls the action once for each input with a hostile value
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ACTION, FOLDER = map(Path, sys.argv[1:])
PROGRAM, ACT = os.environ["VOUCHSAFE_BIN"], os.environ["ACT"]
PWNED = FOLDER / "pwned"
OUTPUTS = {"bundle-path", "address", "uri", "sha256", "outcome", "checkpoint"}

LINE = ("""$(touch "$PWNED")`touch "$PWNED"`';touch "$PWNED";'"&touch "$PWNED"|' """
        "%0A::set-output name=address::forged ##[set-output name=address;]forged")
BLOB = f"""{LINE}
::set-output name=address::forged
  ::set-output name=address::forged
##[set-output name=uri;]forged
::add-mask::a
::stop-commands::forged
::error::forged
EOF
address=forged
address<<EOF
forged
EOF
"; touch "$PWNED"; #
"""
BRANCH = "x/$(touch${IFS}$PWNED)`touch${IFS}$PWNED`';touch${IFS}$PWNED;'%0A##"

# What is said in every step; its own hostile value replaces one of them.
BASE = {
    "environment": "production", "vault": "${{ vars.VAULT }}", "signing-key": "${{ secrets.KEY }}",
    "binary-path": "${{ vars.PROGRAM }}", "report": "hostile.xml", "fail-on": "never",
}


def inputs():
    text = (ACTION / "action.yml").read_text().split("\ninputs:\n")[1].split("\noutputs:\n")[0]
    return re.findall(r"^  ([a-z0-9-]+):$", text, re.M)


def workflow():
    lines = ["name: hostile", "on: push", "permissions: {}", "jobs:", "  source:", "    runs-on: ubuntu-latest",
             "    outputs:", "      blob: ${{ steps.s.outputs.blob }}", "      line: ${{ steps.s.outputs.line }}", "    steps:",
             "      - id: s", "        run: cat \"$HOSTILE_OUTPUTS\" >> \"$GITHUB_OUTPUT\"",
             "  attest:", "    needs: [source]", "    runs-on: ubuntu-latest", "    steps:",
             "      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"]

    def step(name, said):
        lines.extend([f"      - id: {name}", "        continue-on-error: true",
                      f"        uses: vouchsafe/vouchsafe@{'0' * 40}", "        with:"])
        lines.extend(f"          {key}: {json.dumps(value)}" for key, value in said.items())

    names = ["text"]
    step("text", {**BASE, "needs": "${{ toJSON(needs) }}", "reason": "${{ needs.source.outputs.blob }}",
                  "ticket": "${{ needs.source.outputs.line }}", "image-name": "${{ needs.source.outputs.line }}"})
    for kind in ["line", "blob"]:
        for name in inputs():
            names.append(f"{kind}-{name}")
            component = {} if name == "component" else {"component": f"{kind}-{name}"}
            step(names[-1], {**BASE, **component, name: f"${{{{ needs.source.outputs.{kind} }}}}"})
    lines.extend(["      - run: printf '%s' \"$STEPS\" >\"$TOLD\"", "        env:", "          STEPS: ${{ toJSON(steps) }}"])
    return names, "\n".join(lines) + "\n"


def git(*words):
    subprocess.run(["git", "-c", "user.name=$(touch $PWNED)", "-c", "user.email=a@b", *words], cwd=FOLDER / "repo", check=True,
                   stdout=subprocess.DEVNULL)


def commands(log):
    """What GitHub's runner would obey of the steps' own words (actions/runner, ActionCommand.cs): `::name::` at the start of a
    line, spaces aside, and `##[name]` anywhere in it. act obeys both only at the very start, and shows those without the bar."""
    mine = False
    for line in log.splitlines():
        if not line.startswith("["):  # act repeats a script of several lines
            continue
        text = line.split("]", 1)[1].strip()
        if re.match(r"[^\s\w|]+\s+(Run|Success|Failure)\b|LocalRepositoryCache|⚙\s+::set-output::", text):  # act's own words
            continue
        text = re.sub(r"^(\||[^\s\w|:#]+)\s*", "", text)
        found = re.match(r"::([a-z-]+)[ :]", text) or re.search(r"##\[([a-z-]+)[ \]]", text)
        if found:
            mine = True
            yield found[1], text
    assert mine, "not one annotation was seen: this function is blind"


def main():
    (FOLDER / "repo/.github/workflows").mkdir(parents=True)
    names, text = workflow()
    (FOLDER / "repo/.github/workflows/hostile.yml").write_text(text)
    xml = BLOB.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", "&#10;")
    (FOLDER / "repo/hostile.xml").write_text(
        f'<testsuite name="{xml}" tests="2"><testcase classname="{xml}" name="{xml}"><failure message="{xml}">{xml}</failure>'
        f'</testcase><testcase classname="a" name="b"/></testsuite>')
    git("init", "--quiet", "--initial-branch", BRANCH)
    git("add", "--all")
    git("commit", "--quiet", "--message", BLOB)
    (FOLDER / "outputs").write_text(f"blob<<q7J\n{BLOB}q7J\nline<<q7J\n{LINE}\nq7J\n")
    subprocess.run([PROGRAM, "key", "new", "--output", FOLDER / "key.pem"], check=True, capture_output=True,
                   env={"HOME": str(FOLDER)})
    env = {"PATH": os.environ["PATH"], "HOME": str(FOLDER), "PWNED": str(PWNED), "TOLD": str(FOLDER / "told.json"),
           "HOSTILE_OUTPUTS": str(FOLDER / "outputs"), "NO_PROXY": "*"}
    done = subprocess.run(
        [ACT, "push", "--platform", "ubuntu-latest=-self-hosted", "--no-cache-server", "--actor", "$(touch $PWNED)",
         "--local-repository", f"vouchsafe/vouchsafe@{'0' * 40}={ACTION}", "--var", f"VAULT={FOLDER / 'vault'}",
         "--var", f"PROGRAM={PROGRAM}", "--secret", f"KEY={(FOLDER / 'key.pem').read_text()}"],
        cwd=FOLDER / "repo", env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500)
    log = done.stdout + done.stderr
    (FOLDER / "log").write_text(log)
    assert done.returncode == 0, log[-3000:]
    assert not PWNED.exists(), "a command ran"

    told = json.loads((FOLDER / "told.json").read_text())
    assert set(names) <= set(told), sorted(set(names) - set(told))
    recorded = 0
    for name in names:
        outputs = told[name]["outputs"]
        assert set(outputs) == OUTPUTS, (name, outputs)
        for key, value in outputs.items():
            ours = {"address": r"evidence/env=\S+/run\S*\.json", "uri": r"file:///\S+\.json", "sha256": "[0-9a-f]{64}",
                    "outcome": "succeeded|failed|cancelled|unknown", "bundle-path": r"/\S+/record\.json",
                    "checkpoint": r"vouchsafe\.dev/ledger/[\s\S]+"}[key]
            assert value == "" or re.fullmatch(ours, value), (name, key, value)
        recorded += outputs["address"] != ""
    # a value that is refused leaves no record; text that may be anything does
    assert told["text"]["outputs"]["outcome"] == "succeeded", told["text"]
    for name in ["reason", "ticket", "operator"]:
        assert told[f"blob-{name}"]["outputs"]["address"], (name, told[f"blob-{name}"])
    obeyed = list(commands(log))
    assert {name for name, _ in obeyed} <= {"warning", "error", "notice"}, obeyed
    assert not any(text.startswith("::error::") for _, text in obeyed), "a forged annotation"
    print(f"    {len(names)} steps, {recorded} records; {len(obeyed)} workflow commands, all of them our annotations")


main()
