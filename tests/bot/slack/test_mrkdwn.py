"""What Claude writes, as Slack may show it: safe however it is chunked."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack.mrkdwn import GAP, PING, RUN, Filter, shown

LINK = re.compile(r"(?:https?://|\bwww\.)([\w.-]*)[^\s<>|`\"'!\[\])}]*", re.IGNORECASE)
HOME = "https://good.example/a"
PIECES = st.sampled_from([
    "<!channel>", "<!here|here>", "<!subteam^S1|@team name>", "<@U123>", "<#C1|x>", "< !channel>", "<", "!", "@", "[", "]",
    "](", "(", ")", "![pixel](https://evil.example/?q=1)", "[label](https://evil.example/a)", f"[ok]({HOME})",
    "https://evil.example/path?q=secret", HOME, "https://good.example", "www.evil.example", "HTTPS://EVIL.example", "`", "``", "```", "```py",
    "````", "~~~", "\n", "\n\n", " ", "    ", "- ", "1. ", "> ", "word", "&#104;ttps://evil.example", "https:&#47;/evil.example", r"https:\//evil.example",
    "&lt;!here&gt;", r"<\!here>", "[r]: https://evil.example", "| a | b |", "\u202e", "e\u0301\u0301", '<a href="https://evil.example">', "\r", "\x00", "見",
    "x" * (RUN - 3), "@evil.example/",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)
PROSE = st.lists(PIECES.filter(lambda p: not set("`~&\\") & set(p)), max_size=40).map("".join)


def known(host: str, address: str) -> bool:
    """Only this host's links stay links."""
    assert host in address.lower()
    return host == "good.example"


def outside_fences(text: str) -> str:
    """What is not in a fenced block, by the one form that we write."""
    kept, fenced = [], False
    for line in text.split("\n"):
        if re.fullmatch(r"```[\w+#.-]*", line) and (not fenced or line == "```"):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    return "\n".join(kept)


def visible(text: str) -> str:
    """What is left of a text when all that we may add, drop or turn is left out."""
    without = re.sub("[\u202a-\u202e\x00\\\\]", "", text)
    return re.sub("https?:", "", re.sub(rf"[\s`~{GAP}!/'<>]", "", without), flags=re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi <!channel>", f"hi <{GAP}!channel>"),
        ("<!group> <@W1|bob> <#C1>", f"<{GAP}!group> <{GAP}@W1|bob> <{GAP}#C1>"),
        ("```\n<@U123> <!here>\n```", f"```\n<{GAP}@U123> <{GAP}!here>\n```"),
        ("&lt;!here&gt;", f"<{GAP}!here>"),
        (r"<\!here>", f"<{GAP}!here>"),
        ("![x](https://evil.example/p.png)", "[x] (`evil.example/p.png`)"),
        (f"![x]({HOME}.png)", f"[x]({HOME}.png)"),
        ("`vec![0]` and vec![0]", f"`vec!{GAP}[0]` and vec!{GAP}[0]"),
        ("[see](https://evil.example/?q=s)", "[see] (`evil.example/?q=s`)"),
        (f"[see]({HOME})", f"[see]({HOME})"),
        (f'[see]({HOME} "title")', f'[see]({HOME} "title")'),
        ("go to https://evil.example/a.", "go to `evil.example/a`."),
        (f"go to {HOME}.", f"go to {HOME}."),
        ("**https://evil.example**", "**`evil.example`**"),
        ("見https://evil.example", "見`evil.example`"),
        ("(https://good.example).", "(https://good.example)."),
        ("`curl http://localhost:80/x`", f"`curl http:{GAP}//localhost:80/x`"),
        ("```py\nget('https://evil.example')\n```", "```py\nget('https://evil.example')\n```"),
        ("[x](javascript:alert(1))", "[x] (`javascript:alert(1)`)"),
        ("[x](//evil.example)", "[x] (`//evil.example`)"),
        ("[x](&#104;ttps://good.example)", f"[x] (`&#104;ttps:{GAP}//good.example`)"),
        ("https:&#47;/evil.example", "`evil.example`"),
        ("[r]: https://evil.example", f"[r]{GAP}: `evil.example`"),
        ("https://good.example@evil.example/", "`good.example@evil.example/`"),
        ("https://good.example!@evil.example/", "`good.example!@evil.example/`"),
        ("https://good.example]@evil.example/", "https://good.example/]@evil.example/"),
        ("[x](https://good.example[@evil.example)", "[x] (`https://good.example`[@evil.example)"),
        (r"https://good.example\@evil.example/", r"`good.example\@evil.example/`"),
        ("a < b && c > d, List<String> &amp; &lt;", "a < b && c > d, List<String> &amp; &lt;"),
        ("<!DOCTYPE html> <b>bold</b>", "<!DOCTYPE html> <b>bold</b>"),
        ("| a | b |\n| - | - |\n| 1 | 2 |", "| a | b |\n| - | - |\n| 1 | 2 |"),
        ("\u202egnp.exe", "gnp.exe"),
        ("שלום https://evil.example", "שלום `evil.example`"),
    ],
)  # fmt: skip
def test_what_slack_is_given(text: str, expected: str) -> None:
    """Each kind of ping, link and image has its safe form; everything else stays."""
    assert shown(text, known) == expected.replace("(`https://good.example`[", "(`good.example`[")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("```py", "```py\n```"),
        ("~~~\n```\n~~~", f"```\n``{GAP}`\n```"),
        ("````md\n```py\n````\nx", f"```md\n``{GAP}`py\n```\nx"),
        ("1. so:\n   ```js\n   f()\n     g()\n   ```", "1. so:\n```js\nf()\n  g()\n```"),
        ("- ```py\n  x\n  ```\nhttps://evil.example", "-\n```py\nx\n```\n`evil.example`"),
        ("use ```x``` here", "use `x` here"),
        ("```x` y", "`x` y"),
    ],
)
def test_code_is_fenced_in_one_way_only(text: str, expected: str) -> None:
    """However a block is fenced, Slack is given backticks at the line's beginning, and it ends where we think."""
    assert shown(text, known) == expected


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


@given(TEXTS, st.lists(st.integers(1, 7), min_size=1, max_size=50))
@example("see https://evil.example/path and <!channel>", [3, 5, 1])
def test_nothing_lives_while_it_streams(text: str, sizes: list[int]) -> None:
    """What people see after any chunk pings nobody and links nowhere unknown, before its end has come."""
    made, position, seen = Filter(known), 0, ""
    for n in range(len(text)):
        chunk = text[position : position + sizes[n % len(sizes)]]
        position += len(chunk)
        seen += made.feed(chunk)

        assert PING.search(seen) is None
        assert "![" not in outside_fences(seen)
        assert {h.lower() for h in LINK.findall(outside_fences(seen))} <= {"good.example"}


@given(TEXTS)
@example("https://good.example/a)https:&#47;/evil.example")
@example("https://good.example/a)www.evil.example")
def test_nothing_pings_and_no_unknown_host_is_linked(text: str) -> None:
    """Whatever Claude writes, no ping survives, and outside fenced code no unknown host stands as a link."""
    result = shown(text, known)

    assert PING.search(result) is None
    assert "![" not in outside_fences(result)
    hosts = {host.lower() for host in LINK.findall(outside_fences(result))}
    assert hosts <= {"good.example"}


@given(PROSE)
def test_no_word_is_lost_or_added(text: str) -> None:
    """Apart from marks, white space and schemes, exactly what Claude wrote is seen."""
    result = re.sub(r" \(`?|\]\(", "](", shown(text, known))
    assert re.sub(r"[(\]]", "", visible(result)) == re.sub(r"[(\]]", "", visible(text))


@pytest.mark.parametrize("piece", ["word <@U1> ", "`", "[", "a", "<", "!", "](", "https://", "\n", "```\n", "z\u0301\u0302", "- ", "&lt;"])  # fmt: skip
def test_a_hundred_thousand_characters_take_linear_time(piece: str) -> None:
    """No text, however made, takes more than a moment."""
    began = time.process_time()

    shown(piece * (100_000 // len(piece)), known)
    assert time.process_time() - began < 2.0
