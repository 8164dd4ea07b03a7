"""Pages and documents made to eat time and memory: each ends in bounds, and what comes next is read."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import brotli
import pytest
from aiohttp import web as server

from bot.demo.loopback import Loopback
from integrations.extract import TEXT_CHARS
from integrations.extractor import Extractor
from integrations.web import TEXT_BYTES, Web
from integrations.web_errors import WebProblem

SECONDS = 15.0
HOSTILE_SECONDS = 0.5  # that a hostile document gets here
UNPACKED = 100 * 1024 * 1024  # bytes that a bomb unfolds to
HELD = 16 * 1024 * 1024  # bytes that may be held meanwhile
PIECE = b"<p>no</p>" * 100_000


def _brotli() -> bytes:
    packer = brotli.Compressor(quality=1)
    pieces = [packer.process(PIECE) for _ in range(UNPACKED // len(PIECE))]
    return b"".join([*pieces, packer.finish()])


class Bomb(Loopback):
    """Answers with whatever it was given, packed as it says."""

    body, encoding = b"", ""

    def routes(self) -> list[server.RouteDef]:
        """One page."""
        return [server.get("/", self._answer_whole)]

    async def _answer_whole(self, _request: server.Request) -> server.Response:
        headers = {"Content-Encoding": self.encoding, "Content-Type": "text/html"}
        return server.Response(body=self.body, headers=headers)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("br", _brotli),
        ("gzip", lambda: gzip.compress(PIECE * (UNPACKED // len(PIECE)), 1)),
        ("gzip, gzip", lambda: gzip.compress(gzip.compress(PIECE * (UNPACKED // len(PIECE)), 1))),
    ],
    ids=["brotli", "gzip", "twice"],
)
async def test_a_bomb_is_never_unpacked(encoding: str, packed: Callable[[], bytes]) -> None:
    """Whatever a page is packed in, it is given up at the limit of what is read, and no more of it was ever in memory."""
    bomb, web = Bomb(), Web()
    bomb.body, bomb.encoding = packed(), encoding
    assert len(bomb.body) < TEXT_BYTES
    await bomb.start()
    tracemalloc.start()
    try:
        with pytest.raises(WebProblem):
            await web.fetch(bomb.url, deadline=SECONDS, private_origins=(bomb.url,))
        assert tracemalloc.get_traced_memory()[1] < HELD
    finally:
        tracemalloc.stop()
        await web.close()
        await bomb.stop()


@pytest.fixture
async def extractor() -> AsyncIterator[Extractor]:
    """What reads documents, in one process."""
    made = Extractor(processes=1)
    await made.start()
    yield made
    await made.close()


def _pdf(marks: int, pages: int = 1) -> bytes:
    """A PDF whose pages all show one packed stream with so many marks."""
    stream = zlib.compress(b"BT /F1 9 Tf (x) Tj ET\n" * marks)
    kids, fonts = b"3 0 R " * pages, b"<< /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources %s >>"
        % fonts,
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, places = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + end


def test_the_pdfs_here_are_real() -> None:
    """One that is small is read like any other, so that the large ones are hostile by their size alone."""
    from integrations.extract import extract

    assert extract("pdf", _pdf(2, pages=2), None).text.split() == ["xx", "xx"]


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("html", lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(1_000_000)) + b">x</p>"),
        ("html", lambda: b"<table><tr><td>" * 200_000),
        ("pdf", lambda: _pdf(2_000_000)),
        ("pdf", lambda: _pdf(20_000, pages=500)),
        ("pages", lambda: _pdf(1, pages=200_000)),
    ],
    ids=["attributes", "nested", "bomb", "pages", "counted"],
)
async def test_a_hostile_document_costs_its_reader_alone(
    extractor: Extractor, kind: str, made: Callable[[], bytes]
) -> None:
    """It ends within its time, in a text that is not too long or in a sentence, and the next document is read."""
    body = made()
    with suppress(TimeoutError, WebProblem):
        async with asyncio.timeout(HOSTILE_SECONDS):
            found = await extractor.extract(kind, body, None)
            assert len(found.text) <= TEXT_CHARS

    assert (await extractor.extract("text", b"Still here.", None)).text == "Still here."
