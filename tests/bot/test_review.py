"""A review's brief: who reviews, and how hard they think."""

import pytest

from bot.ask import Attached
from bot.conversation import FILE_CHARS
from bot.review import brief, question, readable
from bot.rules import Rules, Workspace

RULES = Rules(model="claude-sonnet-5-5", deep_model="claude-opus-5-5", effort="medium")


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
    """A diff of 60,000 lines is read as far as there is room, and the rest is counted."""
    body = "".join(f"+line {n}\n" for n in range(60_000))
    text = f"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -0,0 +1,60000 @@\n{body}"
    (file,) = await readable([Attached("big.diff", "text/plain", text)], RULES)

    assert "of 60,000 changed lines" in file.text
    assert len(file.text) < FILE_CHARS
