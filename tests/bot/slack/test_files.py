"""Files at a whole Slack: read within limits by what their bytes are, else a sentence says why not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.ask import Attached, FileRef
from bot.demo.pages.made import pdf
from bot.demo.slack import File
from bot.slack import files as limits
from bot.slack.envelope import files_of
from bot.slack.files import Files
from bot.slack.wire import SlackWire
from integrations.pdf import Pdfs
from tests.bot.slack.answering import Desk, desk

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20
PDF = b"%PDF-1.7 " + b"x" * 20
MIB = 1024 * 1024


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk at a whole Slack."""
    async with desk(tmp_path) as made:
        yield made


def announced(*files: File) -> list[FileRef]:
    """Files as a message announces them."""
    return list(files_of({"files": [file.announced() for file in files]}))


async def read(at: Desk, *files: File) -> list[Attached]:
    """What the worker makes of attached files."""
    return await Files(at.wire(), sleep=at.sleep).read(announced(*files))


async def test_what_claude_can_read_comes_in_order(at: Desk) -> None:
    """Text, code, images and PDF, by their bytes and not by what they are called."""
    made = [
        at.slack.file("fix.py", "x = 1 < 2\n"),
        at.slack.file("shot.png", PNG),
        at.slack.file("spec.pdf", PDF),
        at.slack.file("shot.txt", PNG, mimetype="text/plain"),
        at.slack.file("umlaut.txt", "grün".encode("utf-16")),
        at.slack.file("snippet", "SELECT 1", mode="snippet"),
        at.slack.file("page.html", "<!DOCTYPE html><p>"),
    ]

    found = await read(at, *made)

    assert [file.problem for file in found] == [""] * len(made)
    assert [file.name for file in found] == [file.name for file in made]
    texts, images = [found[n].text for n in (0, 4, 5, 6)], [found[n].data for n in (1, 2, 3)]
    assert texts == ["x = 1 < 2\n", "grün", "SELECT 1", "<!DOCTYPE html><p>"]
    assert images == [PNG, PDF, PNG]
    assert found[3].mimetype == "image/png"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("tool.exe", b"MZ\x00\x01\x02", "binary"),
        ("noise.txt", b"\xff\xc3\x28\x80", "neither text"),
        ("all.zip", b"PK\x03\x04....", "archive"),
        ("empty.txt", b"", "empty"),
        ("big.log", b"x" * (MIB + 1), "larger than 1 MiB"),
        ("big.png", PNG + b"x" * (5 * MIB), "larger than 5 MiB"),
        ("big.pdf", PDF + b"x" * (10 * MIB), "larger than 10 MiB"),
    ],
)
async def test_what_claude_cannot_read_says_why(
    at: Desk, name: str, data: bytes, words: str
) -> None:
    """A sentence stands in the place of the content; whatever the file, nothing else is given."""
    (found,) = await read(at, at.slack.file(name, data))

    assert words in found.problem
    assert (found.text, found.data) == ("", b"")


@pytest.mark.parametrize("size", [0, 5])
async def test_a_size_is_not_believed(at: Desk, size: int) -> None:
    """A file that is larger than announced is read no further than the limit."""
    (ref,) = announced(at.slack.file("big.log", b"x" * (3 * MIB)))

    (found,) = await Files(at.wire(), sleep=at.sleep).read([replace(ref, size=size)])
    assert "larger than 1 MiB" in found.problem
    assert len(await at.wire().download(ref.url, limit=100)) == 101


async def test_what_is_announced_as_too_large_is_not_fetched(at: Desk) -> None:
    """Its size is enough of an answer."""
    (ref,) = announced(at.slack.file("big.log", "short"))

    (found,) = await Files(at.wire(), sleep=at.sleep).read([replace(ref, size=2 * MIB)])
    assert "larger than 1 MiB" in found.problem


async def test_a_login_page_is_no_file(at: Desk) -> None:
    """Where Slack does not know our token it shows a page with status 200: that is told, not read."""
    stranger = SlackWire(at.client(), at.session, token="xoxb-another", clock=at.clock)
    (ref,) = announced(at.slack.file("fix.py", "x = 1"))

    (found,) = await Files(stranger, sleep=at.sleep).read([ref])
    assert "login page" in found.problem
    assert found.text == ""


async def test_slack_connect_files_are_asked_for(at: Desk) -> None:
    """A file of a shared channel comes as an id alone; files.info tells the rest, or why there is nothing."""
    stubs = [
        at.slack.file("fix.py", "x = 1", stub=True),
        at.slack.file("huge.log", b"x" * (2 * MIB), stub=True),
        at.slack.file("far.doc", "x", mode="external", stub=True),
        at.slack.file("hidden.txt", "x", mode="hidden_by_limit", stub=True),
        at.slack.file("gone.txt", "x", mode="tombstone", stub=True),
    ]

    found = await read(at, *stubs)

    assert at.slack.calls("files.info") == len(stubs)
    assert (found[0].name, found[0].text) == ("fix.py", "x = 1")
    problems = ["", "larger than 1 MiB", "does not lie at Slack", "hidden", "file_deleted"]
    assert all(words in file.problem for words, file in zip(problems, found, strict=True))


async def test_an_address_elsewhere_is_not_fetched(at: Desk) -> None:
    """Our token goes nowhere but to Slack, whatever a message says of a file's address."""
    (ref,) = announced(at.slack.file("fix.py", "x = 1"))

    (found,) = await Files(at.wire(), sleep=at.sleep).read(
        [replace(ref, url="https://files.slack.com.evil.example/x")]
    )
    assert "foreign_address" in found.problem


async def test_slacks_troubles_are_told(at: Desk) -> None:
    """A file that Slack does not give is named with Slack's own word."""
    (ref,) = announced(at.slack.file("fix.py", "x = 1"))
    lost = replace(ref, url=ref.url.replace(ref.id, "F0UNKNOWN"))

    (found,) = await Files(at.wire(), sleep=at.sleep).read([lost])
    assert "http_404" in found.problem


async def test_a_file_that_is_not_ready_is_waited_for_once(at: Desk) -> None:
    """Slack may announce a file a moment before its bytes are there."""
    file = at.slack.file("fix.py", "")
    (ref,) = announced(file)

    async def asleep(seconds: float) -> None:
        at.waits.append(seconds)
        file.data = b"x = 1"

    (found,) = await Files(at.wire(), sleep=asleep).read([ref])
    assert found.text == "x = 1"
    assert at.waits == [limits.READY_SECONDS]


async def test_all_files_of_an_ask_are_bounded_together(at: Desk) -> None:
    """What does not fit any more is named; what is smaller and comes after it is read."""
    pdf = PDF + b"x" * (8 * MIB)
    made = [at.slack.file(f"{n}.pdf", pdf) for n in range(3)]

    found = await read(at, *made, at.slack.file("fix.py", "x = 1"))

    assert [bool(file.data) for file in found[:3]] == [True, True, False]
    assert "too much together" in found[2].problem
    assert found[3].text == "x = 1"


def png(width: int, height: int) -> bytes:
    """The beginning of a picture of this size."""
    return PNG[:8] + b"\0\0\0\rIHDR" + width.to_bytes(4) + height.to_bytes(4)


async def test_pictures_that_claude_would_refuse_are_refused_here(at: Desk) -> None:
    """Too many pixels on a side, or too many pictures at once: each in a sentence, the others are read."""
    large = at.slack.file("large.png", png(8_001, 10))
    many = [at.slack.file(f"{n}.png", png(8_000, 8_000)) for n in range(limits.PICTURES + 1)]
    found = await read(at, large, *many)

    assert found[0].problem == "it has 8,001 by 10 pixels; I can look at 8,000 on a side at most"
    assert [file.problem for file in found[1:-1]] == [""] * limits.PICTURES
    assert found[-1].problem == "I look at 10 pictures at once; ask about this one by itself"


async def test_pages_are_known_before_they_cost(at: Desk) -> None:
    """A PDF comes with its pages; one with more than Claude takes, alone or with others, is refused with both numbers."""
    pdfs = Pdfs()
    try:
        made = [
            at.slack.file(f"{count}.pdf", pdf([["words"]] * count)) for count in (3, 601, 598, 500)
        ]
        files = Files(at.wire(), pdfs=pdfs, sleep=at.sleep)
        three, too_long, too_many, fits = await files.read(announced(*made))
    finally:
        await pdfs.close()

    assert (three.pages, three.problem) == (3, "")
    assert too_long.problem == "it has 601 pages; I can read 600 at once in all"
    assert too_many.problem == "it has 598 pages; I can read 600 at once in all"
    assert (fits.pages, fits.problem) == (500, "")
