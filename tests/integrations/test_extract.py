"""Documents become text, and the processes that do it can be lost without loss."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfWriter

from bot.demo.pages.made import pdf as made_pdf
from integrations.extract import LENGTH, decoded, extract, framed
from integrations.extractor import JOBS, Extractor
from integrations.pdf import Pdfs, Sheets
from integrations.web_errors import TooSlow, Unreadable

HOSTILE = b"<p " + b" ".join(b'a%d="1"' % n for n in range(100_000)) + b">needle</p>"
SMALL = b"<html><head><title>Hi</title></head><body><p>Small but whole.</p></body></html>"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
async def extractor() -> AsyncIterator[Extractor]:
    """One process, warm."""
    made = Extractor(processes=1)
    await made.start()
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        (b"\xef\xbb\xbf\xc3\xa4", "latin-1", "ä"),
        ("ä".encode("utf-16"), None, "ä"),
        (b"\xe4", None, "ä"),
        (b"\xc3\xa4", None, "ä"),
        (b"\xc3\xa4", "iso-8859-1", "Ã¤"),
        (b"\x93x\x94", "iso-8859-1", "“x”"),
        (b"\xe4", "utf-8", "ä"),
        (b"\xc3\xa4", "x-klingon", "ä"),
        (b"\xc3\xa4", "rot13", "ä"),
        (b"\xc3\xa4", "punycode", "ä"),
        (b"\xc3\xa4", "unicode_escape", "ä"),
        (b"\xc3\xa4", "a\x00b", "ä"),
        (b"\x82\xa0", "shift_jis", "あ"),
        (b"<meta charset='koi8-r'>\xc1", None, "<meta charset='koi8-r'>а"),
        (b"<meta content='text/html; charset=nonsense'>\xc3\xa4", None, None),
        (b"", None, ""),
    ],
)
def test_bytes_find_their_charset(body: bytes, charset: str | None, text: str | None) -> None:
    """Mark, announcement, declaration, UTF-8, Windows-1252: the first that fits decides."""
    got = decoded(body, charset)

    assert got == text if text is not None else got.endswith("ä")


def test_links_are_whole_and_code_is_left_alone() -> None:
    """A link of the text gets its full address; a link inside code leaves only its words."""
    filler = "The module repeats what is safe to repeat, and never what is not. " * 6
    body = (
        f"<html><body><article><h1>Retries</h1><p>{filler}See <a href='/more'>more</a>.</p>"
        "<pre><code>from shop import <a href='/api#x'>retrying</a>\nretrying(4)</code></pre>"
        f"<p>{filler}</p></article></body></html>"
    )
    text = extract("html", body.encode(), None, "https://docs.example/a/b").text

    assert "[more](https://docs.example/more)" in text
    assert "from shop import retrying\nretrying(4)" in text


def test_text_can_be_stored_anywhere() -> None:
    """Control characters, half surrogates and old line ends do not come through."""
    text = extract("text", b"a\x00b\r\nc\x1b[31m\rd\n\n\n\n\ne\x07", None).text

    assert text == "ab\nc[31m\nd\n\ne"
    assert extract("text", b'"\xed\xa0\x80"', None).text.encode()


@pytest.mark.parametrize(
    "damage", [b"", b"%PDF-1.4 nothing", b"%PDF-1.7\n" + bytes(range(256)) * 40]
)
def test_a_damaged_pdf_has_no_text(damage: bytes) -> None:
    """What is no PDF is empty, not an error."""
    assert extract("pdf", damage, None).text == ""


@pytest.mark.parametrize("cut", range(100, 1500, 100))
def test_a_pdf_that_is_cut_does_not_break_the_process(cut: int) -> None:
    """A PDF cut anywhere gives what can be read, or nothing."""
    whole = made_pdf([["First line", "Second line"], ["Third line"]])
    assert "Third line" in extract("pdf", whole, None).text
    assert "Fourth" not in extract("pdf", whole[:cut], None).text


async def test_the_process_answers_jobs_in_frames() -> None:
    """Two jobs in, two answers out, and the end of the stream ends it."""
    head = framed(json.dumps({"kind": "html", "charset": None, "url": ""}).encode())
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(  # it limits its own seconds, for good
        sys.executable, "-m", "integrations.extract", stdin=pipe, stdout=pipe
    )
    out, _ = await process.communicate((head + framed(SMALL)) * 2 + head + LENGTH.pack(9) + b"cut")

    assert process.returncode == 0
    found = list[dict[str, str]]()
    while out:
        size = LENGTH.unpack(out[: LENGTH.size])[0]
        found.append(json.loads(out[LENGTH.size : LENGTH.size + size]))
        out = out[LENGTH.size + size :]
    answer = {"title": "Hi", "text": "Small but whole.", "pages": 0, "locked": False}
    assert found == [answer] * 2


async def test_a_late_process_is_killed_and_replaced() -> None:
    """The seconds of a document are kept, and the next one is read by a new process."""
    extractor = Extractor(processes=1, seconds=0.8)
    try:
        await extractor.extract("html", SMALL, None)
        before = extractor.pids
        with pytest.raises(TooSlow):
            await extractor.extract("html", HOSTILE, None)
        assert extractor.pids == []
        with pytest.raises(ProcessLookupError):
            os.kill(before[0], 0)
        assert (await extractor.extract("html", SMALL, None)).text == "Small but whole."
    finally:
        await extractor.close()


async def test_a_cancelled_reader_takes_its_process_along(extractor: Extractor) -> None:
    """A cancel in the middle of a document leaves neither a busy process nor a lost place."""
    await extractor.extract("html", SMALL, None)
    reading = asyncio.create_task(extractor.extract("html", HOSTILE, None))
    await asyncio.sleep(0.05)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

    assert reading.cancelled()
    assert extractor.pids == []
    assert (await extractor.extract("html", SMALL, None)).title == "Hi"


async def test_a_waiting_reader_can_leave_the_queue(extractor: Extractor) -> None:
    """Whoever waits for a place and is cancelled takes none away."""
    first = asyncio.create_task(extractor.extract("html", HOSTILE, None))
    waiting = asyncio.create_task(extractor.extract("html", SMALL, None))
    await asyncio.sleep(0.02)
    waiting.cancel()
    first.cancel()
    await asyncio.gather(first, waiting, return_exceptions=True)

    assert (await extractor.extract("html", SMALL, None)).title == "Hi"


async def test_a_process_that_died_is_noticed(extractor: Extractor) -> None:
    """Its document is unreadable at worst; the one after it is read."""
    await extractor.extract("html", SMALL, None)
    os.kill(extractor.pids[0], signal.SIGKILL)
    results = [
        await asyncio.gather(extractor.extract("html", SMALL, None), return_exceptions=True)
        for _ in range(2)
    ]

    assert isinstance(results[0][0], Unreadable) or results[0][0] == results[1][0]
    assert not isinstance(results[1][0], BaseException)


async def test_a_process_is_replaced_after_its_jobs(extractor: Extractor) -> None:
    """No process lives for ever, so that what it forgets to free does not add up."""
    for _ in range(JOBS - 1):
        await extractor.extract("text", b"x", None)
    assert len(extractor.pids) == 1
    await extractor.extract("text", b"x", None)
    assert extractor.pids == []
    assert (await extractor.extract("text", b"y", None)).text == "y"


async def test_a_closed_extractor_has_no_processes(extractor: Extractor) -> None:
    """Closing kills them, running documents end as unreadable, and nothing is read afterwards."""
    reading = asyncio.create_task(extractor.extract("html", HOSTILE, None))
    await asyncio.sleep(0.05)
    await extractor.close()
    with pytest.raises(Unreadable):
        await reading
    with pytest.raises(Unreadable):
        await extractor.extract("html", SMALL, None)
    assert extractor.pids == []


@linux
async def test_a_process_knows_no_secret_and_has_limits(extractor: Extractor) -> None:
    """Its environment is not ours; memory, files and cores are limited."""
    await extractor.extract("html", SMALL, None)
    process = Path(f"/proc/{extractor.pids[0]}")
    names = {line.partition(b"=")[0] for line in (process / "environ").read_bytes().split(b"\0")}
    limits = {
        line[:26].strip(): line[26:].split()[0]
        for line in (process / "limits").read_text().splitlines()
    }

    assert names <= {b"PYTHONUTF8", b"LC_CTYPE", b""}
    assert limits["Max address space"] == str(1024**3)
    assert limits["Max file size"] == limits["Max core file size"] == "0"
    assert limits["Max cpu time"] != "unlimited"


def locked(body: bytes) -> bytes:
    """The same PDF behind a password."""
    writer = PdfWriter(clone_from=BytesIO(body))
    writer.encrypt("secret", algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


async def test_pages_are_counted_without_being_read() -> None:
    """As many as there are; one behind a password says so; what is broken, or breaks the process, has none."""
    body = made_pdf([["one"], ["two"], ["three"]])
    pdfs = Pdfs()
    try:
        assert await pdfs.count(body) == Sheets(pages=3)
        assert await pdfs.count(locked(body)) == Sheets(locked=True)
        assert await pdfs.count(b"%PDF-1.7 nonsense") == Sheets()
    finally:
        await pdfs.close()
    assert await pdfs.count(body) == Sheets()
