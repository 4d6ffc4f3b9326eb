"""grammar.py FILE...: whether PowerShell scripts parse, by a grammar of theirs; there is no PowerShell to run them here."""

import sys
from pathlib import Path

import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def wrong(node):
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from wrong(child)


assert list(wrong(parser.parse(b"if ($x { exit }").root_node)), "the grammar accepts everything"
found = [(name, *node.start_point) for name in sys.argv[1:] for node in wrong(parser.parse(Path(name).read_bytes()).root_node)]
for name, line, column in found:
    print(f"{name}:{line + 1}:{column + 1}: no PowerShell")
sys.exit(1 if found else 0)
