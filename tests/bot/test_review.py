"""A review's brief: who reviews, how hard they think, and what is read in how many passes."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.ask import Attached
from bot.diffs import Pass
from bot.labels import FILE_CHARS
from bot.prefetch import Fetched, addresses
from bot.review import brief, passes, prepared, question
from bot.rules import Rules, Workspace

RULES = Rules(model="claude-sonnet-5-5", deep_model="claude-opus-5-5", effort="medium")


async def readable(files: Sequence[Attached], rules: Rules) -> list[Attached]:
    """Attached files as a review is given them."""
    _, attached, _ = await prepared(brief("review", rules, Workspace(), tools=True), files)
    return attached


def large(name: str = "a.py", lines: int = 60_000) -> Attached:
    """A diff that adds so many lines to one file."""
    body = "".join(f"+line {n}\n" for n in range(lines))
    head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n"
    return Attached("big.diff", "text/plain", f"{head}@@ -0,0 +1,{lines} @@\n{body}")


@pytest.mark.parametrize(
    ("text", "model", "effort"),
    [
        ("review ```x = 1```", "claude-sonnet-5-5", "medium"),
        ("a deep review please ```x = 1```", "claude-opus-5-5", "high"),
        ("review ```deep = copy.deepcopy(deep)```", "claude-sonnet-5-5", "medium"),
    ],
)
def test_deep_is_asked_for_in_words_not_in_code(text: str, model: str, effort: str) -> None:
    """The word "deep" beside the code calls the deep model; inside the code it does not."""
    made = brief(text, RULES, Workspace(), tools=True)

    assert (made.feature, made.model, made.effort) == ("review", model, effort)


def test_code_alone_is_a_request() -> None:
    """Code without a word is reviewed; words of the asker are left as they are."""
    assert question("```x = 1```").startswith("Please review this.")
    assert question("only security ```x```") == "only security ```x```"


PATCH = (
    "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -9,0 +10 @@\n+x = 1\n"
    "diff --git a/uv.lock b/uv.lock\n--- a/uv.lock\n+++ b/uv.lock\n@@ -0,0 +1 @@\n+y\n"
)


@pytest.mark.parametrize("name", ["fix.patch", "fix.diff", "pasted.txt"])
async def test_an_attached_diff_is_numbered(name: str) -> None:
    """Whatever it is called, a diff is given with its line numbers and with what was left out of it."""
    (file,) = await readable([Attached(name, "text/plain", PATCH)], RULES)

    assert "Read: 1 of 2 files, 1 of 2 changed lines; not read: uv.lock (lock file)." in file.text
    assert "\n+   10| x = 1" in file.text


async def test_a_secret_in_an_attached_diff_is_hidden() -> None:
    """It is hidden as in one that was read from GitHub, by the channel's rules."""
    token = "gh" + "p_" + "a1B2" * 9
    given = [Attached("fix.diff", "text/plain", PATCH.replace("x = 1", f'x = "{token}"'))]
    (hidden,), (shown,) = [await readable(given, r) for r in (RULES, Rules(redact=()))]

    assert token not in hidden.text
    assert "hidden from you in these lines: a.py:10" in hidden.text
    assert token in shown.text


@pytest.mark.parametrize(
    "file",
    [
        Attached("a.py", "text/plain", "x = 1\n--- not a diff\n"),
        Attached("empty.diff", "text/plain", "nothing of the kind"),
        Attached("a.png", "image/png", data=b"1"),
        Attached("b.diff", "text/plain", problem="it is empty"),
    ],
)
async def test_other_files_stay_as_they_are(file: Attached) -> None:
    """Sources, images, what could not be read, and what only looks like a diff are given as they were."""
    assert await readable([file], RULES) == [file]


async def test_a_long_attached_diff_is_bounded() -> None:
    """A diff of 60,000 lines is read in as many passes as there may be, and the rest is counted."""
    asked = brief("review", RULES, Workspace(), tools=True)
    made, (file,), _ = await prepared(asked, [large()])
    (reading,) = made.readings

    assert made.passes == tuple(Pass(0, n) for n in range(1, 9))
    assert "of its 60,000 lines are read" in file.text
    assert len(file.text) < 2_000
    assert len(file.text) < FILE_CHARS
    assert reading.fitted.coverage.all_lines == 60_000
    assert made.beyond.picos > 0
    assert made.beyond.seconds > 0


async def test_a_chat_reads_a_long_diff_at_once() -> None:
    """Where no review is asked for, a long diff is given as far as there is room, and the rest is counted."""
    asked = replace(brief("what is this?", RULES, Workspace(), tools=True), feature="chat")
    made, (file,), _ = await prepared(asked, [large()])

    assert (made.passes, made.readings) == ((), ())
    assert "of 60,000 changed lines" in file.text
    assert len(file.text) < FILE_CHARS


async def test_smaller_is_the_riskiest_part_alone() -> None:
    """Who wants it smaller gets one request with the riskiest files; the others are counted as not read."""
    asked = brief("review", RULES, Workspace(), tools=True).smaller()
    made, (file,), _ = await prepared(asked, [large()])

    assert made.passes == ()
    assert passes(made.readings, small=True) == ()
    assert file.text.count("\n+") < 5_000
    assert "of 60,000 changed lines" in file.text


async def test_several_changes_share_the_passes() -> None:
    """Of several changes the riskiest parts come first, and one that fits is a pass, too."""
    asked = brief("review", RULES, Workspace(), tools=True)
    made, _, _ = await prepared(asked, [large(lines=2_500), large("b.py", 10)])

    assert made.passes[:3] == (Pass(0, 1), Pass(1, 1), Pass(0, 2))


async def test_what_was_not_read_is_told_with_its_sentence() -> None:
    """A change that could not be read reaches Claude as the sentence why, and is no part of the coverage."""
    asked = brief("review", RULES, Workspace(), tools=True)
    made, _, read = await prepared(asked, [], [Fetched("https://x/o/r/pull/1", problem="No.")])

    assert read == [("pull_request_diff", '{"url": "https://x/o/r/pull/1"}', "[not read: No.]")]
    assert made.readings == ()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("review https://github.com/o/r/pull/7, please", ["https://github.com/o/r/pull/7"]),
        ("<https://github.com/o/r/commit/abc1234>", ["https://github.com/o/r/commit/abc1234"]),
        ("see https://github.com/o/r/compare/a...b.", ["https://github.com/o/r/compare/a...b"]),
        ("https://github.com/o/r and https://github.com/o/r/issues/7", []),
        ("twice https://h/o/r/pull/7 https://h/o/r/pull/7", ["https://h/o/r/pull/7"]),
    ],
)
def test_addresses_of_changes_in_words(words: str, found: list[str]) -> None:
    """A pull request, a commit or a comparison is found by its address, once, without what ends a sentence."""
    assert addresses(words) == found


def test_many_addresses_that_are_none_are_read_at_once() -> None:
    """A long run of beginnings takes no time that grows with its square: minutes, in which nobody else is served."""
    assert addresses("http://" * 100_000) == []
