"""What Claude writes, as Slack may show it: safe however it is chunked, whole however it is split."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.mrkdwn import GAP, LIMIT, PING, Filter, cut, plain, shown, split

LINK = re.compile(r"(?:https?://|\bwww\.)([\w.-]+)[^\s<>|`\"'!\[\])}]*", re.IGNORECASE)
PIECES = st.sampled_from([
    "<!channel>", "<!here|here>", "<!subteam^S1|@team name>", "<@U123>", "<#C1|x>", "< !channel>", "<", "!", "@", "[", "]",
    "](", "(", ")", "![pixel](https://evil.example/?q=1)", "[label](https://evil.example/a)", "[ok](https://good.example/b)",
    "https://evil.example/path?q=secret", "https://good.example/x", "www.evil.example", "HTTPS://EVIL.example", "`", "```", "```py",
    "~~~", "\n", "\n\n", " ", "word", "&#104;ttps://evil.example", "[r]: https://evil.example", "| a | b |", "\u202e", "e\u0301\u0301", '<a href="https://evil.example">',
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def known(host: str) -> bool:
    """Only this host's links stay links."""
    return host == "good.example"


def outside_fences(text: str) -> str:
    """What is not in a fenced block."""
    kept, fence = [], ""
    for line in text.split("\n"):
        found = re.match(r"\s*(`{3,}|~{3,})([^`]*)$", line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
            continue
        if found:
            fence = found[1]
            continue
        kept.append(line)
    return "\n".join(kept)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi <!channel>", f"hi <{GAP}!channel>"),
        ("```\n<@U123> <!here>\n```", f"```\n<{GAP}@U123> <{GAP}!here>\n```"),
        ("![x](https://evil.example/p.png)", "[x] (`evil.example/p.png`)"),
        ("![x](https://good.example/p.png)", "[x](https://good.example/p.png)"),
        ("[see](https://evil.example/?q=s)", "[see] (`evil.example/?q=s`)"),
        ("[see](https://good.example/x)", "[see](https://good.example/x)"),
        ("go to https://evil.example/a.", "go to `evil.example/a`."),
        ("go to https://good.example/a.", "go to https://good.example/a."),
        ("`https://evil.example`", "`evil.example`"),
        ("```py\nget('https://evil.example')\n```", "```py\nget('https://evil.example')\n```"),
        ("[x](javascript:alert(1))", "[x] (`alert(1)`)"),
        ("[x](&#104;ttps://good.example)", f"[x] (`&#104;ttps:{GAP}//good.example`)"),
        ("[r]: https://evil.example", f"[r]{GAP}: `evil.example`"),
        ("https://good.example@evil.example/", "`good.example@evil.example/`"),
        ("a < b && c > d, List<String>", "a < b && c > d, List<String>"),
        ("<!DOCTYPE html>", "<!DOCTYPE html>"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("| a | b |\n| - | - |\n| 1 | 2 |", "| a | b |\n| - | - |\n| 1 | 2 |"),
    ],
)  # fmt: skip
def test_what_slack_is_given(text: str, expected: str) -> None:
    """Each kind of ping, link and image has its safe form; everything else stays."""
    assert shown(text, known) == expected


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 7), min_size=1, max_size=50))
def test_chunks_change_nothing(text: str, sizes: list[int]) -> None:
    """However the text is chunked, the same is shown."""
    made, position, out = Filter(known), 0, ""
    for n in range(len(text) + 1):
        size = sizes[n % len(sizes)]
        out += made.feed(text[position : position + size])
        position += size
        if position >= len(text):
            break

    assert out + made.finish() == shown(text, known)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_nothing_pings_and_no_unknown_host_is_linked(text: str) -> None:
    """Whatever Claude writes, no ping survives, and outside fenced code no unknown host stands as a link."""
    result = shown(text, known)

    assert PING.search(result) is None
    assert "![" not in outside_fences(result)
    hosts = {host.lower() for host in LINK.findall(outside_fences(result))}
    assert [host for host in hosts if not host.startswith("good.example")] == []


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab \n`|é", max_size=3000), st.integers(60, 400))
def test_splitting_keeps_every_visible_character(text: str, limit: int) -> None:
    """All messages together hold the text's visible characters in order, and none is too long."""
    parts = split(text, limit)

    assert all(len(part) <= limit for part in parts)
    letters = re.sub(r"[\s`]", "", text)
    assert re.sub(r"[\s`]", "", "".join(parts)) == letters


def test_a_fence_is_closed_and_opened_again() -> None:
    """Code that goes on in the next message is code there too, in its language."""
    text = "```py\n" + "\n".join(f"line_{n} = {n}" for n in range(100)) + "\n```\nafter"

    parts = split(text, 400)
    assert len(parts) > 2
    assert all(part.startswith("```py\n") for part in parts[:-1])
    assert all(part.count("```") == 2 for part in parts)
    assert "line_99 = 99" in parts[-1]


def test_it_is_cut_at_a_paragraph() -> None:
    """Where a paragraph ends late enough, the message ends there."""
    first, rest = cut("a" * 300 + "\n\n" + "b" * 300, 500)

    assert (first, rest) == ("a" * 300, "b" * 300)


def test_long_answers_take_linear_time_and_keep_their_end() -> None:
    """A hundred thousand characters are split into messages that Slack takes."""
    parts = split("word " * 20_000 + "END")

    assert all(len(part) <= LIMIT for part in parts)
    assert parts[-1].endswith("END")


def test_a_notification_is_plain_and_short() -> None:
    """The fallback text has no marks, no pings, and at most 3,000 characters."""
    text = plain("**bold** <!channel> " + "x" * 5000)

    assert text.startswith(f"bold <{GAP}!channel")
    assert len(text) == 3000
