"""cut.py: everything that can be read of a repository, out of GitHub's description of its API.

    cut.py api.github.com.json > cut.json

Prism validates our requests against it and answers by it: by its examples, or at random. Where GitHub's description says less
than its server does, an answer at random would end our program's way at once, so it is made narrower; all of it stays valid by
GitHub's own words. Two faults are mended: the example of `/activity` has none of the members that its own description demands, and
`created` of workflow runs is a range by its words and a single moment by its format.
"""

import json
import sys

ROOT = "/repos/{owner}/{repo}"
COMMIT = "^[0-9a-f]{40}$"


def references(part, found):
    """Names of components that `part` needs, with all that those need."""
    if isinstance(part, dict):
        target = part.get("$ref")
        if isinstance(target, str) and target not in found:
            found.add(target)
            references(resolve(target), found)
        for value in part.values():
            references(value, found)
    elif isinstance(part, list):
        for value in part:
            references(value, found)


def resolve(target):
    part = whole
    for name in target.removeprefix("#/").split("/"):
        part = part[name.replace("~1", "/").replace("~0", "~")]
    return part


with open(sys.argv[1], encoding="utf-8") as file:
    whole = json.load(file)
paths = {
    path: {key: value for key, value in verbs.items() if key in ("get", "parameters")}
    for path, verbs in whole["paths"].items()
    if "get" in verbs and (path == ROOT or path.startswith(ROOT + "/"))
}

schemas = whole["components"]["schemas"]
activity = schemas["activity"]["properties"]
activity["before"]["pattern"] = activity["after"]["pattern"] = COMMIT
activity["ref"]["pattern"] = "^refs/heads/[a-z]{1,8}$"
answer = paths[ROOT + "/activity"]["get"]["responses"]["200"]["content"]["application/json"]
answer.pop("examples", None)
user = {"login": "octocat", "id": 1, "type": "User", "site_admin": False, "node_id": "MDQ6VXNlcjE=", "gravatar_id": ""}
links = ["avatar", "followers", "following", "gists", "starred", "subscriptions", "organizations", "repos", "events", "html"]
user |= {f"{name}_url": "https://github.example/octocat" for name in [*links, "received_events"]}
user["url"] = "https://github.example/octocat"
answer["example"] = [
    {
        "id": 7,
        "node_id": "x",
        "before": "1" * 40,
        "after": "6dcb09b5b57875f334f61aebed695e2e4193db5e",
        "ref": "refs/heads/main",
        "timestamp": "2026-11-20T09:00:00Z",
        "activity_type": "push",
        "actor": user,
    }
]
# else a population is searched in as many parts as there may be
runs = paths[ROOT + "/actions/runs"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
runs["properties"]["total_count"] |= {"minimum": 0, "maximum": 999}

whole["components"]["parameters"]["created"]["schema"].pop("format")

needed = set()
references(paths, needed)
components = {}
for target in needed:
    _, _, kind, name = target.split("/")
    components.setdefault(kind, {})[name] = resolve(target)
json.dump({**{key: whole[key] for key in ("openapi", "info", "servers")}, "paths": paths, "components": components}, sys.stdout)
