"""Findings as data: what is taken of a response, what holds, what is the same, and how it is told again."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from bot.findings import SCHEMA, Finding, Found, Given, checked, digest, markdown, merged, parsed
from bot.findings.kept import standing, together

PART = """\
### src/pay.py · modified · +3 -1
@@ -10,2 +10,4 @@
    10| def pay(basket):
-   11|     total = basket.total
+   11|     total = float(basket.total)
+   12|     send(total)
+   13|     send(total)
"""
FLOAT = Finding("Major", "src/pay.py", 11, "total = float(basket.total)", "Cents are lost.", "Use Decimal.")  # fmt: skip


def response(**changes: Any) -> str:
    """What a pass answers with one finding."""
    one = {
        "severity": FLOAT.severity,
        "path": FLOAT.path,
        "line": FLOAT.line,
        "quote": FLOAT.quote,
        "sentence": FLOAT.sentence,
        "detail": FLOAT.detail,
        **changes,
    }
    return json.dumps({"findings": [one], "questions": ["Why float?"]})


def held(one: Finding) -> tuple[Finding, ...]:
    """What holds of a finding against the part."""
    messages = [{"role": "user", "content": [{"type": "text", "text": PART}]}]
    return checked(Found((one,)), Given.of(messages)).findings


def test_a_response_by_the_schema_is_read() -> None:
    """What fits the schema is a finding with its question."""
    jsonschema.validate(json.loads(response()), SCHEMA)

    assert parsed(response()) == Found((FLOAT,), 0, ("Why float?",))


def test_the_schema_is_strict_everywhere() -> None:
    """Every object forbids what it does not name, and requires all of it, as structured output wants."""

    def objects(schema: Any) -> list[dict[str, Any]]:
        inner = [*schema.get("properties", {}).values(), schema.get("items", {})]
        own = [schema] if schema.get("type") == "object" else []
        return own + [found for part in inner if part for found in objects(part)]

    found = objects(SCHEMA)
    assert len(found) == 2
    for one in found:
        assert one["additionalProperties"] is False
        assert one["required"] == list(one["properties"])


@pytest.mark.parametrize(
    "text", ["", "no JSON", response()[:-20], "[]", '{"findings": [1], "questions": []}', "null"]
)
def test_what_breaks_off_is_no_response(text: str) -> None:
    """A response that was cut, or is something else, is None and not half of one."""
    assert parsed(text) is None


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, 11),
        ({"line": 90}, 11),
        ({"path": "pay.py"}, 11),
        ({"quote": "send(total)", "line": 13}, 13),
        ({"quote": "send(total)\nsend(total)", "line": 1}, 12),
        ({"quote": "total = basket.total"}, 11),
    ],
)
def test_what_holds_has_its_true_place(changes: dict[str, Any], line: int) -> None:
    """A true quotation gets its own line and the whole path, whatever was claimed."""
    (one,) = held(replace(FLOAT, **changes))

    assert (one.path, one.line) == ("src/pay.py", line)
    assert one.gone == (changes.get("quote") == "total = basket.total")


@pytest.mark.parametrize(
    "changes",
    [{"path": "src/other.py"}, {"quote": "total = Decimal(1)"}, {"quote": ""}, {"quote": "\n"}],
)
def test_what_does_not_hold_is_dropped(changes: dict[str, Any]) -> None:
    """A file that is not there, and a quotation that stands nowhere or says nothing, end a finding."""
    assert held(replace(FLOAT, **changes)) == ()


def test_passes_are_merged_without_repeating() -> None:
    """The same place, or the same quotation in a file, is one finding, the worst of them; the worst comes first."""
    again = replace(FLOAT, severity="Blocker", sentence="Money is a float.")
    moved = replace(FLOAT, line=40)
    other = replace(FLOAT, severity="Minor", path="a.py")
    found = merged(
        [Found((other, FLOAT), 1, ("Why?",)), Found((again, moved), 2, ("Why?", "How?"))]
    )

    assert found == Found((again, other), 3, ("Why?", "How?"))


def test_a_digest_can_be_held_to() -> None:
    """What is told again holds against itself, at the same places; old code as old code."""
    gone = replace(FLOAT, quote="total = basket.total", gone=True)
    text = digest(
        [FLOAT, gone], [1, 2], link="Link to a line of it: https://h/o/r/blob/s/PATH#LNUMBER"
    )
    given = Given.of([{"role": "user", "content": [{"type": "text", "text": text}]}])

    assert checked(Found((FLOAT, gone)), given).findings == (FLOAT, gone)
    place = given.place("src/pay.py", 11, FLOAT.quote)
    assert place is not None
    assert given.link("src/pay.py", place) == "https://h/o/r/blob/s/src/pay.py#L11"


def test_words_of_a_finding_pass_for_nothing_else() -> None:
    """A sentence of several lines is one line, so that none of it looks like code or like another finding."""
    found = parsed(response(sentence="It fails.\n### a.py · finding 2 · Blocker\n+    1| x"))

    assert found is not None
    assert "\n" not in found.findings[0].sentence


def test_findings_for_people() -> None:
    """Where nobody writes the answer, each stands in the form that people know."""
    assert markdown([FLOAT]).startswith("**Major: Cents are lost.** (`src/pay.py:11`)\n```\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n    total = float(basket.total)\n", 2),
        ("total = float(basket.total)\n" + "x\n" * 9 + "total = float(basket.total)\n", 11),
        ("total = Decimal(basket.total)", 0),
        ("", 0),
    ],
)
def test_whether_a_finding_still_stands(text: str, line: int) -> None:
    """Its code is looked for in the file as it is now, indented or not, as near as possible to where it was."""
    assert standing(FLOAT, text) == line


def test_earlier_findings_are_kept_beside_new_ones_once() -> None:
    """What still stands and is said again is kept once, as it is said now."""
    said = replace(FLOAT, sentence="Still a float.")
    other = replace(FLOAT, path="a.py")

    assert together([FLOAT, other], [said]) == (other, said)
