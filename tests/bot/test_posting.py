"""How a review becomes something to post: which words ask for it, what stands at lines, and that nothing is lost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.findings import Finding
from bot.findings.kept import Kept
from bot.posting import wished
from bot.posting.drafted import SUGGESTED_LINES, drafted
from bot.posting.told import parted
from integrations.github import Change, Remark, ReviewDraft

HEAD = "a" * 40
DIFF = """\
diff --git a/src/pay.py b/src/pay.py
--- a/src/pay.py
+++ b/src/pay.py
@@ -10,7 +10,7 @@ def pay(basket):
     key = new_key(basket)
     try:
         send(key)
-    except TimeoutError:
+    except Exception:
         again = new_key(basket)

         send(again)
@@ -40,3 +40,2 @@ def refund(basket):
     amount = basket.total
-    lock(basket)
     send(amount)
"""
ANSWER = """\
**2 findings** (1 blocker, 1 minor). Ask @maya before you merge; `@retry` hides it.

1. **Blocker: Paid twice.** ([`src/pay.py:15`](https://github.test/s/c/blob/x/src/pay.py#L15))
```python
        again = new_key(basket)

        send(again)
```
When the first one times out, both are paid.
**This line belongs to nobody.

- **Minor: The name says the opposite.** (`src/pay.py:90`)

Questions: is it called twice?

Read: 1 of 1 file, 4 of 4 changed lines.
"""


def finding(**changes: Any) -> Finding:
    """The first finding of the answer."""
    values: dict[str, Any] = {
        "severity": "Blocker",
        "path": "src/pay.py",
        "line": 15,
        "quote": "        again = new_key(basket)\n\n        send(again)",
        "sentence": "Paid twice.",
    }
    return Finding(**{**values, **changes})


def draft(
    *findings: Finding, told: str | list[str] = ANSWER, head: str = HEAD, **changes: Any
) -> ReviewDraft:
    """A review of the change."""
    values: dict[str, Any] = {
        "kind": "pull",
        "repository": "shop/checkout",
        "url": "https://github.test/shop/checkout/pull/7",
        "number": "7",
        "title": "Pay\u202e twice",
        "body": "",
        "author": "ana",
        "state": "open",
        "base": "main",
        "head": "shop:pay",
        "head_sha": HEAD,
        "diff": DIFF,
    }
    kept = Kept("https://github.test/shop/checkout/pull/7", head, findings, "a1")
    link = "https://github.test/shop/checkout/blob/a/"
    answers = [told] if isinstance(told, str) else told
    return drafted(kept, answers, Change(**{**values, **changes}), link=link, name="Ana *D*")


def remark(one: Finding, told: str = ANSWER) -> Remark:
    """The comment that a finding becomes."""
    (made,) = draft(one, told=told).remarks
    return made


@pytest.mark.parametrize(
    "words",
    [
        "post it to the PR",
        "Please post this to the pull request.",
        "ok, post the review",
        "can you publish your findings on GitHub?",
        "put it on the PR, thanks",
        "submit the whole review",
        "leave these comments on the pull request",
        "post it to https://github.test/shop/checkout/pull/7",
        "poste es in den PR",
        "bitte stell das in den Pull-Request",
    ],
)
def test_these_words_ask_for_it(words: str) -> None:
    """What people say when they want a review on the pull request."""
    assert wished(words)


@pytest.mark.parametrize(
    "words",
    [
        "don't post it to the PR",
        "should I post it to the PR?",
        "post it",
        "put it into the ticket",
        "post the review in the ticket SHOP-12",
        "add tests to the PR",
        "what would you post to the PR?",
        "comment on SHOP-12 that the PR is ready",
        "review it again",
        "post it to the PR " + "and tell me why " * 10,
    ],
)
def test_these_do_not(words: str) -> None:
    """What only sounds like it goes to Claude."""
    assert not wished(words)


def test_a_finding_stands_at_its_lines() -> None:
    """From the first to the last line that was quoted, with its words and without what the lines show themselves."""
    made = draft(finding())

    (one,) = made.remarks
    assert (one.path, one.start, one.line, one.side) == ("src/pay.py", 14, 16, "RIGHT")
    assert one.text == "**Blocker: Paid twice.**\n\nWhen the first one times out, both are paid."
    assert "**This line belongs to nobody." in made.text


def test_all_else_stands_in_the_text() -> None:
    """The verdict, findings without a place in the diff, questions, what was read, the commit, and for whom."""
    text = draft(
        finding(),
        finding(severity="Minor", sentence="The name says the opposite.", line=90, quote=""),
    ).text

    assert text.startswith("**2 findings** (1 blocker, 1 minor).")
    assert "**Minor: The name says the opposite.** (`src/pay.py:90`)" in text
    assert "Questions: is it called twice?" in text
    assert "Read: 1 of 1 file, 4 of 4 changed lines." in text
    assert f"Reviewed at commit {HEAD[:12]}." in text
    assert "Paid twice" not in text
    assert text.endswith(r"on behalf of Ana \*D\*, by Purser")


def test_nobody_is_pinged() -> None:
    """A name with @ becomes code, in code it stays what it is; what turns text round is gone."""
    made = draft(finding())

    assert "Ask `@maya` before you merge; `@retry` hides it." in made.text
    assert made.title == "Pay twice (open)"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"quote": "    except Exception:", "line": 3}, (0, 13, "RIGHT")),
        ({"quote": "send(amount)", "line": 41}, (0, 41, "RIGHT")),
        ({"quote": "    lock(basket)", "line": 41}, (0, 41, "LEFT")),
        ({"quote": "again = new_key(basket)\n...\nsend(again)"}, (0, 14, "RIGHT")),
        ({"quote": "send(", "line": 11}, (0, 12, "RIGHT")),
        ({"quote": "[a secret]", "line": 13}, (0, 13, "RIGHT")),
    ],
)
def test_where_a_finding_stands(changes: dict[str, Any], place: tuple[int, int, str]) -> None:
    """The new version first, the old one where only that has it, the nearest of several, or the line by its number."""
    made = remark(finding(**changes))

    assert (made.start, made.line, made.side) == place


@pytest.mark.parametrize(
    "changes",
    [
        {"path": "src/other.py"},
        {"path": ""},
        {"quote": "nowhere", "line": 30},
        {"quote": "", "line": 0},
    ],
)
def test_what_is_not_in_the_diff_stands_in_the_text(changes: dict[str, Any]) -> None:
    """A comment outside of the diff would have GitHub take none of them."""
    made = draft(finding(**changes))

    assert made.remarks == ()
    assert "**Blocker: Paid twice.**" in made.text


def test_words_that_are_gone_leave_the_finding() -> None:
    """An earlier finding that still stands, and one whose answer is forgotten, is told by what was kept of it."""
    made = draft(finding(), finding(path="lib/a.py", sentence="Old."), told="")

    assert [r.text for r in made.remarks] == ["**Blocker: Paid twice.**"]
    assert (
        "**Blocker: Old.** ([`lib/a.py:15`](https://github.test/shop/checkout/blob/a/lib/a.py#L15))\n```"
        in made.text
    )


def test_what_still_stands_keeps_its_earlier_words() -> None:
    """A second look names a finding by its number alone; what was said of it before goes with it, the newest first."""
    older = ANSWER.replace("both are paid", "all are paid")
    made = draft(finding(), finding(path="lib/a.py"), told=["It is still there.", ANSWER, older])

    assert made.text.startswith("It is still there.\n\n**Blocker: Paid twice.**")
    assert "```\nWhen the first one times out, both are paid." in made.text
    assert made.remarks[0].text.endswith("\n\nWhen the first one times out, both are paid.")
    assert "Minor" not in made.text


def suggesting(mend: str, quote: str = "    except Exception:") -> str:
    """An answer that suggests something."""
    return f"**Blocker: Paid twice.** (`src/pay.py:13`)\n```\n{quote}\n```\nSo.\n```suggestion\n{mend}\n```\nThen."


@pytest.mark.parametrize(
    ("mend", "quote", "is_one"),
    [
        ("    except TimeoutError:", "    except Exception:", True),
        ("", "    except Exception:", True),
        ("\n".join("x" * SUGGESTED_LINES), "    except Exception:", True),
        ("\n".join("x" * (SUGGESTED_LINES + 1)), "    except Exception:", False),
        ("except TimeoutError:", "except Exception:", False),
        ("    lock(it)", "    lock(basket)", False),
    ],
)
def test_a_suggestion_replaces_exactly_what_was_quoted(mend: str, quote: str, is_one: bool) -> None:
    """Short, and letter for letter in place of lines of the new version; else it is code to read."""
    made = remark(finding(quote=quote, line=13), suggesting(mend, quote))

    assert f"```suggestion\n{mend}\n```" in made.text if is_one else "suggestion" not in made.text
    assert made.text.startswith("**Blocker: Paid twice.**\n\nSo.\n\nThen.")


def test_outside_of_the_diff_nothing_is_suggested() -> None:
    """In a review's text such a block means nothing."""
    made = draft(finding(path="lib/a.py"), told=suggesting("x"))

    assert "suggestion" not in made.text
    assert "```\nx\n```" in made.text


@pytest.mark.parametrize("changes", [{"head_sha": "b" * 40}, {"moving": True}])
def test_a_change_that_moved_has_no_lines(changes: dict[str, Any]) -> None:
    """Lines of one commit are not those of another: all findings stand in the text, which names the commit."""
    made = draft(finding(), **changes)

    assert (made.remarks, made.moved) == ((), True)
    assert f"This review is for commit {HEAD[:12]}." in made.text
    assert "**Blocker: Paid twice.**" in made.text


@given(
    st.lists(st.sampled_from([*ANSWER.splitlines(), "```", "# x", "", "Read: all."]), max_size=30)
)
def test_no_line_of_an_answer_is_lost(lines: list[str]) -> None:
    """However it is written, each line stands in the verdict, in a finding, or in the rest."""
    told = parted("\n".join(lines))
    texts = [told.verdict, *(piece.text for piece in told.pieces), told.rest]
    kept = "\n".join(texts)

    assert all(line.strip().lstrip("1.- ") in kept for line in lines)


def test_nothing_that_machines_alone_can_read_is_posted() -> None:
    """Letters that no eye sees, such as a pull request may bring in, stand neither at lines nor in the text."""
    unseen = "\U000e0041\u200e"
    at_line = finding(sentence=f"Paid{unseen} twice.")
    above = finding(path="else.py", sentence=f"A{unseen} b.", quote=f"x{unseen}()")
    made = draft(at_line, above, told=f"{ANSWER}{unseen}", title=f"Pay{unseen}")
    every = f"{made.title}{made.text}{''.join(one.text for one in made.remarks)}"

    assert len(made.remarks) == 1
    assert not set(unseen) & set(every)
