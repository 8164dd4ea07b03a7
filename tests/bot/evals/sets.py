"""Small evaluation sets for tests, and a mind behind the wire that reviews, summarises and judges as it is told."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.demo.claude.reply import Draft, Use

DIFF = """\
diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,3 +1,9 @@
 import json
+import subprocess
 LIMIT = 5
 MOST = 9
+
+
+def total(items):
+    count = len(items)
+    return sum(items) / count
"""
DEFECT = """
[[defects]]
path = "shop/cart.py"
lines = [8, 9]
severity = "major"
needs_two = true
criterion = "An empty cart divides by zero."
"""
CASE = """
language = "python"
title = "Average of a cart"
description = "Shows the average price."
clean = {clean}
decoys = ["subprocess is imported and not used, but another module needs it here."]
"""
TICKET = """
key = "SHOP-1"
summary = "Average of a cart"
type = "Task"
status = { name = "Open", category = "to do" }
created = 2026-11-01T10:00:00Z
updated = 2026-11-02T10:00:00Z

[[comments]]
author = "Ben"
at = 2026-11-02T10:00:00Z
body = "I wait for Ana."
"""
SUMMARY = """
at = 2026-11-20T09:00:00Z
must = ["Ben waits for Ana.", "Nothing is decided yet."]
must_not = ["The ticket is done."]
"""
FINDING = """\
**1 finding**.

**Major: An empty cart divides by zero** (`shop/cart.py:9`)
```python
    return sum(items) / count
```
With no items the count is 0.
"""
NO_FINDING = "**No findings.** I would merge it."


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Files by their paths in a folder, which is given back."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def sets(folder: Path) -> Path:
    """Both sets: a case with a defect, a clean one, and a ticket."""
    return write(
        folder,
        {
            "review/001-average/change.diff": DIFF,
            "review/001-average/case.toml": CASE.format(clean="false") + DEFECT,
            "review/002-fine/change.diff": DIFF,
            "review/002-fine/case.toml": CASE.format(clean="true").replace("Average", "Sum"),
            "summarize/001-waiting/ticket.toml": TICKET,
            "summarize/001-waiting/case.toml": SUMMARY,
        },
    )


class Mind:
    """Answers in Claude's place.

    Args:
        answers: said one after the other, the last one again and again.
        judges: of a text and a statement, whether it is met.
    """

    def __init__(
        self,
        *answers: str,
        judges: Callable[[str, str], bool] = lambda text, words: words.strip(".") in text,
    ) -> None:
        self._answers = list(answers)
        self._judges = judges
        self.judged: list[Mapping[str, Any]] = []

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """A judgement where one is asked for; else the case is read, and then answered."""
        if (body.get("output_config") or {}).get("format"):
            self.judged.append(body)
            return Draft(json.dumps(self._judgement(body)))
        if body["max_tokens"] == 0:
            return Draft()
        asked: Sequence[Mapping[str, Any]] = body["messages"]
        given = json.dumps(asked)
        if "<purser:request>" in given:
            return Draft("UNCHANGED")
        if "<purser:read" not in given and '"tool_result"' not in given:
            key = re.findall(r"[A-Z]+-\d+", given)[0]
            return Draft("", "", (Use("jira_get_issue", {"key": key}),))
        return Draft(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])

    def _judgement(self, body: Mapping[str, Any]) -> dict[str, bool]:
        words = str(body["messages"][0]["content"][0]["text"])
        text = words.split("<purser:text>")[1].split("</purser:text>", maxsplit=1)[0]
        statements = re.findall(r'<purser:statement n="(\d+)" kind="\w+">(.*?)</purser', words)
        return {f"statement_{n}": self._judges(text, said) for n, said in statements}
