"""links.py PAGE...: relative links and images of Markdown pages lead to a file that is there, and #anchors to a heading."""

import pathlib
import re
import sys

pages = [pathlib.Path(word) for word in sys.argv[1:]]
bad = []


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.M | re.S))


def anchors(page):
    heads = re.findall(r"^#+ +(.*?) *$", re.sub(r"^(```|~~~).*?^\1", "", page.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


for page in pages:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists():
            bad.append(f"{page}: {link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            bad.append(f"{page}: {link}: no such heading")
print("\n".join(bad))
sys.exit(1 if bad else 0)
