"""The small web: what it shows, and that what should never end does not."""

import asyncio
import gzip
import io
import zlib

import aiohttp
import pytest
from pypdf import PdfReader

from bot.demo.web import Page, WebStandIn


async def read(
    session: aiohttp.ClientSession, web: WebStandIn, page: Page
) -> tuple[int, str, bytes]:
    """Status, content type and body of a page, redirects followed."""
    async with session.get(web.address(page)) as response:
        return response.status, response.headers.get("Content-Type", ""), await response.read()


async def test_articles_have_text_and_boilerplate(
    small_web: WebStandIn, session: aiohttp.ClientSession
) -> None:
    """An article stands among menus, banners and scripts."""
    _, kind, body = await read(session, small_web, Page.ARTICLE)
    text = body.decode()

    assert kind == "text/html; charset=utf-8"
    assert "1,204 retries in October" in text
    assert "Accept all" in text
    assert "boilerplate-script" in text
    assert "<pre><code" in (await read(session, small_web, Page.DOCS))[2].decode()


async def test_the_pdf_can_be_read(small_web: WebStandIn, session: aiohttp.ClientSession) -> None:
    """It is a real PDF of two pages."""
    _, kind, body = await read(session, small_web, Page.PDF)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(body), strict=True).pages]

    assert kind == "application/pdf"
    assert "switches PAY_ROUTE" in pages[0]
    assert "phone numbers" in pages[1]


async def test_redirects_lead_where_they_say(
    small_web: WebStandIn, session: aiohttp.ClientSession
) -> None:
    """One hop, a chain, another origin, a loop, private addresses."""
    for page in (Page.REDIRECT, Page.REDIRECT_CHAIN, Page.REDIRECT_ELSEWHERE):
        assert b"1,204 retries" in (await read(session, small_web, page))[2]
    with pytest.raises(aiohttp.TooManyRedirects):
        await read(session, small_web, Page.REDIRECT_LOOP)
    targets: list[str] = []
    for page in (Page.REDIRECT_PRIVATE, Page.REDIRECT_METADATA, Page.REDIRECT_SCHEME):
        async with session.get(small_web.address(page), allow_redirects=False) as response:
            targets.append(response.headers["Location"])
    assert targets[0].startswith("http://10.")
    assert targets[1].startswith("http://169.254.169.254/")
    assert targets[2].startswith("file:")
    assert small_web.other_url != small_web.url


@pytest.mark.parametrize("page", [Page.SLOW, Page.SLOW_BODY, Page.DRIP])
async def test_slow_pages_do_not_end(
    page: Page, small_web: WebStandIn, session: aiohttp.ClientSession
) -> None:
    """They are still open when a visitor loses patience; the log knows of the visit."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(session, small_web, page), 0.1)

    assert len(small_web.visits(page)) == 1


async def test_slowness_has_a_length(session: aiohttp.ClientSession) -> None:
    """`slow_seconds` is how long the silence lasts."""
    web = WebStandIn(slow_seconds=0.02)
    await web.start()
    status, _, body = await read(session, web, Page.SLOW)
    await web.stop()

    assert status == 200
    assert b"At last" in body


async def test_the_endless_page_has_no_end(
    small_web: WebStandIn, session: aiohttp.ClientSession
) -> None:
    """As much as one reads is there."""
    async with session.get(small_web.address(Page.ENDLESS)) as response:
        assert len(await response.content.readexactly(5_000_000)) == 5_000_000


@pytest.mark.parametrize(
    ("page", "bits"), [(Page.BOMB, 31), (Page.DEFLATE_BOMB, 15)], ids=["gzip", "deflate"]
)
async def test_bombs_are_small_and_unfold(page: Page, bits: int, small_web: WebStandIn) -> None:
    """Under a megabyte on the wire, hundreds of them unpacked."""
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(small_web.address(page)) as response,
    ):
        packed = await response.read()
    unpacker = zlib.decompressobj(bits)
    unfolded = len(unpacker.decompress(packed, 50_000_000))

    assert len(packed) < 1_000_000
    assert unfolded == 50_000_000


async def test_hostile_markup_is_what_it_claims(
    small_web: WebStandIn, session: aiohttp.ClientSession
) -> None:
    """100,000 attributes, 50,000 nested elements, with a needle in each."""
    attributes = (await read(session, small_web, Page.ATTRIBUTES))[2]
    nested = (await read(session, small_web, Page.NESTED))[2]

    assert attributes.count(b'="') == 100_000
    assert nested.count(b"<div>") == 50_000
    assert b"needle" in attributes
    assert b"needle" in nested


async def test_charsets_are_declared_or_not(
    small_web: WebStandIn, session: aiohttp.ClientSession
) -> None:
    """Latin-1 without a word, UTF-16 with a mark, a declared KOI8-R, and a lie."""
    pages = {p: await read(session, small_web, p) for p in Page if p.startswith("/charset/")}

    assert "Boxkämpfer" in pages[Page.LATIN][2].decode("latin-1")
    assert "charset" not in pages[Page.LATIN][1]
    assert pages[Page.UTF16][2][:2] == b"\xff\xfe"
    assert "французских" in pages[Page.CYRILLIC][2].decode("koi8-r")
    with pytest.raises(UnicodeDecodeError):
        pages[Page.LYING][2].decode("utf-8")


async def test_broken_answers(small_web: WebStandIn, session: aiohttp.ClientSession) -> None:
    """Statuses, wrong types, a bad gzip, half a body."""
    statuses = [
        (await read(session, small_web, p))[0]
        for p in (Page.MISSING, Page.BROKEN, Page.BUSY, Page.FORBIDDEN)
    ]
    wrong = await read(session, small_web, Page.WRONG_TYPE)

    assert statuses == [404, 500, 503, 403]
    assert wrong[1] == "text/html"
    assert wrong[2].startswith(b"\x7fELF")
    with pytest.raises(aiohttp.ClientPayloadError):
        await read(session, small_web, Page.CUT)
    async with (
        aiohttp.ClientSession(auto_decompress=False) as raw,
        raw.get(small_web.address(Page.BROKEN_GZIP)) as response,
    ):
        packed = await response.read()
    with pytest.raises((gzip.BadGzipFile, zlib.error, EOFError)):
        gzip.decompress(packed)


async def test_kept_cookies_are_noticed(small_web: WebStandIn) -> None:
    """The web knows whether a visitor brought its cookie back."""
    jar = aiohttp.CookieJar(unsafe=True)  # addresses instead of names
    async with aiohttp.ClientSession(cookie_jar=jar) as keeping:
        await read(keeping, small_web, Page.COOKIE)
        assert small_web.cookies == []
        await read(keeping, small_web, Page.COOKIE)

    assert small_web.cookies == [(Page.COOKIE, "visitor=tracked")]
