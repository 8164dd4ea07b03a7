"""The page of owners and the glossary against the tree: nobody without an owner, no word without a meaning."""

import ast
import re
from pathlib import Path
from typing import get_args

from bot.answer import Ended

ROOT = Path(__file__).parent.parent
OWNERSHIP = (ROOT / "docs" / "ownership.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def modules() -> set[str]:
    """Every module below the attic, packages' own pages left out."""
    found = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("integrations/*.py")]
    names = {path.relative_to(ROOT).as_posix() for path in found}
    return {n for n in names if "/demo/" not in n and not n.endswith("__init__.py")}


def test_each_module_has_an_owner_line() -> None:
    """Every module is named once on the page of owners, and every line there names a module that exists."""
    named = re.findall(r"^\| `([^`]+\.py)` \|", OWNERSHIP, re.MULTILINE)

    assert sorted(named) == sorted(modules())


def test_each_end_of_an_ask_is_a_glossary_word() -> None:
    """However an ask can end, the word for it has a meaning."""
    words = re.findall(r"^\| \*\*(\w+)\*\* \|", GLOSSARY, re.MULTILINE)

    assert {end.__name__ for end in get_args(Ended)} <= set(words)


def test_each_capital_word_of_the_glossary_is_a_class() -> None:
    """A word written like a class is one."""
    classes = {
        node.name
        for path in [*ROOT.glob("bot/**/*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    words = re.findall(r"^\| \*\*([A-Z]\w+)\*\* \|", GLOSSARY, re.MULTILINE)

    assert [w for w in words if w not in classes] == []
