"""Findings held against what was given: a quotation that is nowhere is never shown, and everything else passes as it is."""

from typing import Any

import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from bot.diffs import fit
from bot.findings import Given, Sieve

DIFF = """\
diff --git a/shop/pay.py b/shop/pay.py
--- a/shop/pay.py
+++ b/shop/pay.py
@@ -10,4 +10,5 @@ def pay():
 def pay(basket):
-    key = old_key(basket)
+    key = new_key(basket.id)
+    charge(basket.total, key=key)
     return key
 # the end
"""
PASTED = "```python\ndef total(rows):\n    return sum(r.price for r in rows) / len(rows)\n```"
LINK = "https://github.com/shop/till/blob/abc/"


def user(text: str) -> dict[str, Any]:
    """A message with some words."""
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def tool(text: str) -> dict[str, Any]:
    """A message with what a tool gave."""
    content = [{"type": "text", "text": text}]
    return {"role": "user", "content": [{"type": "tool_result", "content": content}]}


def diffed(link: str = LINK) -> dict[str, Any]:
    """The result of pull_request_diff, as far as it matters here."""
    head = f"# shop/till#1: T\nLink to a line of it: {link}PATH#LNUMBER\n" if link else ""
    return tool(f"{head}\n## Diff\n\n{fit(DIFF).parts[0]}")


def sieved(answer: str, *messages: dict[str, Any], size: int = 10_000) -> tuple[str, Sieve]:
    """What passes of an answer that comes in pieces of a size."""
    sieve = Sieve(lambda: Given.of(messages))
    pieces = [sieve.feed(answer[at : at + size]) for at in range(0, len(answer), size)]
    return "".join([*pieces, sieve.rest()]), sieve


def finding(quotation: str, place: str = "", severity: str = "Blocker") -> str:
    """A finding as the prompt asks for it."""
    where = f" ({place})" if place else ""
    return f"**{severity}: It breaks.**{where}\n```python\n{quotation}\n```\nWith an empty basket it fails.\n\n"


def test_a_true_quotation_passes_as_it_is() -> None:
    """A finding whose quoted lines are in the pasted code is shown, however it is indented."""
    answer = f"**1 finding.**\n\n{finding('return sum(r.price for r in rows) / len(rows)')}Done."

    assert sieved(answer, user(PASTED))[0] == answer


def test_an_invented_quotation_is_left_out() -> None:
    """A finding that quotes what is nowhere is dropped whole, counted, and what follows goes on."""
    good = finding("return sum(r.price for r in rows) / len(rows)")
    bad = finding("eval(rows)") + "Mend:\n```python\n**not** a finding\n```\n"
    said, sieve = sieved(f"Two.\n\n{bad}{good}{bad}Not checked: callers.", user(PASTED))

    assert said == f"Two.\n\n{good}Not checked: callers."
    assert sieve.left_out == 2
    assert (
        sieve.note
        == "2 findings were left out: their quotations are not in the code that was read."
    )


def test_one_invented_line_among_true_ones() -> None:
    """Every quoted line has to be there; only what is left out with dots counts for nothing."""
    true = "def total(rows):\n    ...\n    return sum(r.price for r in rows) / len(rows)"

    assert sieved(finding(true), user(PASTED))[1].left_out == 0
    assert sieved(finding(f"{true}\nreturn rows"), user(PASTED))[1].left_out == 1


@pytest.mark.parametrize("place", ["`shop/pay.py:11`", "`shop/pay.py:12`", "`pay.py:12`"])
def test_a_wrong_number_is_put_right(place: str) -> None:
    """Beside a true quotation the number is the one of the quoted line, and leads to it at the head."""
    said, _ = sieved(finding("charge(basket.total, key=key)", place), diffed())

    assert f"([`shop/pay.py:12`]({LINK}shop/pay.py#L12))" in said


def test_a_removed_line_has_no_link() -> None:
    """A line that is gone has its old number and no link, since there is nothing at the head."""
    said, sieve = sieved(finding("key = old_key(basket)", "`shop/pay.py:11`"), diffed())

    assert "(`shop/pay.py:11`)" in said
    assert sieve.left_out == 0


def test_without_a_known_head_there_is_no_link() -> None:
    """A place is put right all the same."""
    said, _ = sieved(finding("return key", "`shop/pay.py:99`"), diffed(""))

    assert "(`shop/pay.py:13`)" in said


def test_marks_of_a_diff_may_be_quoted() -> None:
    """A quotation may carry the + of its line."""
    assert sieved(finding("+    key = new_key(basket.id)", "`shop/pay.py:11`"), diffed())[1].left_out == 0  # fmt: skip


def test_the_right_line_in_the_wrong_file_is_left_out() -> None:
    """A quotation that stands in another file than the one named is not shown under a wrong name."""
    other = tool("# a.py of shop/till\nLines 1 to 1 of 1.\n\n    1| import os")
    said, sieve = sieved(finding("import os", "`shop/pay.py:1`"), diffed(), other)

    assert (said, sieve.left_out) == ("", 1)


@pytest.mark.parametrize(("line", "left_out"), [(12, 0), (500, 1)])
def test_a_finding_without_a_quotation_needs_its_line(line: int, left_out: int) -> None:
    """Without a block the line has to be one that was shown."""
    answer = f"**Minor: A name lies.** (`shop/pay.py:{line}`)\n\nSo it is."
    said, sieve = sieved(answer, diffed())

    assert sieve.left_out == left_out
    assert ("A name lies" in said) == (not left_out)


def test_several_places_are_each_looked_at() -> None:
    """With several places each is linked; one that was not shown ends the finding."""
    good = "**Minor: Twice.** (`shop/pay.py:11`, `shop/pay.py:12`)\n"
    said, _ = sieved(good, diffed())

    assert f"{LINK}shop/pay.py#L11" in said
    assert f"{LINK}shop/pay.py#L12" in said
    assert sieved(good.replace(":12", ":99"), diffed())[1].left_out == 1


def test_files_that_were_attached_have_lines() -> None:
    """In an attached file lines are counted from its first."""
    file = user('<purser:file name="a.py">\nimport os\nos.kill(1, 9)\n</purser:file>')
    said, _ = sieved(finding("os.kill(1, 9)", "`a.py:7`"), file)

    assert "(`a.py:2`)" in said


def test_files_that_were_read_have_lines() -> None:
    """What repository_file gave may be quoted with its numbers."""
    file = tool("# shop/a.py of shop/till at main\nLines 9 to 9 of 40.\n\n    9| import os")

    assert "(`shop/a.py:9`)" in sieved(finding("import os", "`shop/a.py:3`"), file)[0]


def test_an_image_proves_nothing_wrong() -> None:
    """Where code was shown as an image or a PDF, no quotation can be looked for, so none is left out."""
    image = {"role": "user", "content": [{"type": "image", "source": {}}]}

    assert sieved(finding("eval(rows)"), user(PASTED), image)[1].left_out == 0


def test_without_code_there_is_nothing_to_hold_against() -> None:
    """Where no code was given, an example of a review passes."""
    assert sieved(finding("eval(rows)"), user("Show me what a review looks like."))[1].left_out == 0


def test_code_is_no_finding() -> None:
    """A line in a block that looks like a finding's first is code."""
    answer = "Write it so:\n```markdown\n**Blocker: x** (`shop/pay.py:500`)\n```\n"

    assert sieved(answer, diffed()) [0] == answer  # fmt: skip


def test_a_finding_that_breaks_off_in_its_quotation() -> None:
    """If the answer ends there, the finding is not shown."""
    said, sieve = sieved("One.\n\n**Major: x**\n```\ndef total", user(PASTED))

    assert (said, sieve.left_out) == ("One.\n\n", 1)


def test_nothing_is_held_longer_than_needed() -> None:
    """Words that are no finding pass at once, in the middle of a line too; a finding passes with its quotation."""
    sieve = Sieve(lambda: Given.of([user(PASTED)]))

    assert sieve.feed("The ") == "The "
    assert sieve.feed("code\n*") == "code\n"
    assert sieve.feed("*Good*") == "**Good*"
    assert sieve.feed("*\n**Maj") == "*\n"
    assert sieve.feed("or: x**\n```\ndef total(rows):") == ""
    assert sieve.feed("\n```\n") == "**Major: x**\n```\ndef total(rows):\n```\n"
    assert sieve.feed("It") == "It"


PIECES = st.sampled_from(
    [
        "Words. ", "\n", "\n\n", "**bold** ", "**Blocker: a** (`shop/pay.py:12`)\n", "**Minor: b**\n", "1. **Major: c**\n", "- **Major",
        "```python\n", "```\n", "def total(rows):\n", "eval(rows)\n", "...\n", "Not checked: x.", "# Heading\n", "``", "*", "  ",
    ]
)  # fmt: skip


@each(st.lists(PIECES, max_size=14).map("".join), st.integers(1, 9))
def test_pieces_make_no_difference(answer: str, size: int) -> None:
    """However an answer is cut into deltas, the same of it is said and the same is left out."""
    whole, counted = sieved(answer, user(PASTED), diffed())
    pieced, also = sieved(answer, user(PASTED), diffed(), size=size)

    assert (pieced, also.left_out) == (whole, counted.left_out)


@each(st.text("ab*`#- \n1.BM", max_size=60), st.integers(1, 9))
def test_what_holds_no_finding_passes_unchanged(answer: str, size: int) -> None:
    """Any answer without a finding is said to the last character."""
    assert sieved(answer, user(PASTED), size=size)[0] == answer


def test_a_line_that_moved_is_where_it_is_now() -> None:
    """Where a quoted line was removed and stands again elsewhere, its new place is the one that counts."""
    moved = "--- a/a.py\n+++ b/a.py\n@@ -5,2 +5,2 @@\n-call_it()\n b = 2\n+call_it()\n"
    text = fit(f"diff --git a/a.py b/a.py\n{moved}").parts[0]

    assert "(`a.py:6`)" in sieved(finding("call_it()", "`a.py:5`"), tool(text))[0]


def test_a_word_is_no_quotation() -> None:
    """A few letters that stand somewhere inside of a line are not taken for a quotation of it."""
    assert sieved(finding("rows"), user(PASTED))[1].left_out == 1
