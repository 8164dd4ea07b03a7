"""Images and PDFs of tickets: what they are, how large they may be, and where the credentials go."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.demo.jira import JiraStandIn
from integrations.jira import Jira, JiraBroken, JiraNotFound, JiraRejected
from tests.integrations.jira_worlds import SECONDS, client, elsewhere, saying, serving, standing_in

MOST = 100_000


@pytest.fixture
async def site() -> AsyncIterator[JiraStandIn]:
    """Jira with its seeded company."""
    async with standing_in() as made:
        yield made


@pytest.fixture
async def jira(site: JiraStandIn) -> AsyncIterator[Jira]:
    """Our client."""
    made = client(site)
    yield made
    await made.close()


async def test_images_and_pdfs_are_read(site: JiraStandIn, jira: Jira) -> None:
    """By the ids that came with the issue; Jira itself gives the bytes, no other host is asked."""
    issue = await jira.issue("SHOP-12", deadline=SECONDS)
    image, _, pdf = [
        await jira.attachment(a.id, deadline=SECONDS, most_bytes=MOST)
        if "text" not in a.mimetype
        else None
        for a in issue.attachments
    ]

    assert image is not None
    assert pdf is not None
    assert (image.mimetype, pdf.mimetype) == ("image/png", "application/pdf")
    assert (image.content[:4], pdf.name) == (b"\x89PNG", "load-test.pdf")
    assert not any("/media/" in heard.path for heard in site.log)


async def test_other_kinds_are_refused_by_what_they_are(site: JiraStandIn, jira: Jira) -> None:
    """A text is no image, whatever somebody called it."""
    issue = site.world.issues["SHOP-12"]
    text = replace(issue.attachments[1], name="harmless.png", mime="image/png")
    issue.attachments[1] = text

    with pytest.raises(JiraRejected, match=r"harmless\.png is neither an image nor a PDF"):
        await jira.attachment(text.id, deadline=SECONDS, most_bytes=MOST)


async def test_too_large_ones_are_not_fetched(site: JiraStandIn, jira: Jira) -> None:
    """The size is asked first; the sentence has the name and the bound."""
    found = site.world.issues["SHOP-12"].attachments[0]
    big = replace(found, content=found.content + bytes(2_048))
    site.world.issues["SHOP-12"].attachments[0] = big

    with pytest.raises(JiraRejected, match="is larger than 2 KiB and was not read"):
        await jira.attachment(big.id, deadline=SECONDS, most_bytes=2_048)
    assert not any("/content/" in heard.path for heard in site.log)


@pytest.mark.parametrize("ident", ["1", "99999999", "", "../myself", "x"])
async def test_unknown_ones_are_not_there(ident: str, jira: Jira) -> None:
    """Also what is no id at all."""
    with pytest.raises(JiraNotFound, match="This attachment does not exist"):
        await jira.attachment(ident, deadline=SECONDS, most_bytes=MOST)


async def test_a_redirect_is_not_followed() -> None:
    """Where Jira sends us elsewhere after all, nobody else hears of us."""
    asked: list[bytes] = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))

    async with serving(other) as port:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(
                b"HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n"
                + f"Location: http://127.0.0.1:{port}/media\r\n\r\n".encode()
            )

        async with saying(answer) as url:
            jira = elsewhere(url)
            with pytest.raises(JiraBroken):
                await jira.attachment("20001", deadline=SECONDS, most_bytes=MOST)
            await jira.close()

    assert asked == []
