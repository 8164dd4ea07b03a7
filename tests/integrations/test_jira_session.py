"""The wire to Jira against a server that says what it is told: drips, bombs, redirects, cookies, proxies."""

import asyncio
import gzip
import json
import time
import zlib

import pytest

from integrations.jira import JiraBroken, JiraRefused, JiraSlow
from integrations.jira_client import Client
from integrations.jira_session import until
from tests.integrations.jira_worlds import (
    SECONDS,
    SHORT,
    elsewhere,
    happened,
    saying,
    serving,
    threads,
)

ME = json.dumps({"accountId": "1", "displayName": "Purser ✓"}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def whole(body: bytes, head: bytes = HEAD) -> bytes:
    """An answer with its length."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send the same again and again until the other side has left."""
    while not writer.is_closing():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD + b"Content-Length: 99999\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (HEAD + b"\r\n", b" "),
        (
            HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"", mtime=0)[:10],
            b"\x00\x00\x00\xff\xff",
        ),
        (b"HTTP/1.1 500 No\r\nContent-Length: 99999\r\n\r\n", b" "),
    ],
)
async def test_a_drip_anywhere_ends_with_the_deadline(start: bytes, piece: bytes) -> None:
    """Bytes that trickle in the status line, headers, chunks or body keep no thread for ever."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await drip(writer, piece)

    async with saying(answer) as url:
        jira = elsewhere(url)
        with pytest.raises((JiraSlow, JiraBroken)) as raised:
            await jira.myself(deadline=SHORT)

        assert await happened(lambda: threads() == 0)
    # http.client gives up by itself after a hundred headers, and a size of chunk may be too long
    assert isinstance(raised.value, JiraSlow) or start.endswith((b"OK\r\n", b"chunked\r\n\r\n"))


@pytest.mark.parametrize("body", [b"", b" "], ids=["hangs", "drips"])
async def test_a_thread_ends_by_itself(body: bytes) -> None:
    """Even when nobody watches, the thread is back at its deadline, and knows that time was the reason."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Length: 99999\r\n\r\n")
        await drip(writer, body)

    def work(url: str) -> None:
        client = Client(api_url=url, email="e", token="t", proxy=None, cafile=None)
        with until(time.monotonic() + SHORT), pytest.raises(JiraSlow):
            client.read("myself")
        client.close()

    async with saying(answer) as url:
        await asyncio.to_thread(work, url)


async def test_a_login_that_failed_is_told_at_any_status() -> None:
    """Jira answers as if to a stranger when credentials are dropped, and says so in a header alone."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(whole(ME, HEAD + b"X-Seraph-LoginReason: AUTHENTICATED_FAILED\r\n"))

    async with saying(answer) as url:
        with pytest.raises(JiraRefused, match="JIRA_API_TOKEN"):
            await elsewhere(url).myself(deadline=SECONDS)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Length: %d\r\n\r\n" % len(ME), ME),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(ME), ME)),
        (
            b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
            % len(gzip.compress(ME, mtime=0)),
            gzip.compress(ME, mtime=0),
        ),
        (
            b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(zlib.compress(ME)),
            zlib.compress(ME),
        ),
        (b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(ME), ME),
    ],
)
async def test_an_answer_is_read_however_it_is_packed(head: bytes, body: bytes) -> None:
    """With a length, in chunks, compressed, or on a connection that closes."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + head + body)

    async with saying(answer) as url:
        me = await elsewhere(url).myself(deadline=SECONDS)

    assert me.name == "Purser ✓"


@pytest.mark.parametrize(
    "sent",
    [
        whole(b" " * (9 * 1024 * 1024)),
        whole(gzip.compress(b" " * (64 * 1024 * 1024)), HEAD + b"Content-Encoding: gzip\r\n"),
    ],
    ids=["plain", "bomb"],
)
async def test_what_is_too_large_is_not_taken(sent: bytes) -> None:
    """More than 8 MiB, as sent or unpacked, is refused in a sentence."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)

    async with saying(answer) as url:
        with pytest.raises(JiraBroken, match="larger than 8 MiB"):
            await elsewhere(url).myself(deadline=SECONDS)

        assert await happened(lambda: threads() == 0)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 12, 13\r\n\r\n" + ME,
        whole(b""),
        whole(b"[]"),
        whole(b'"text"'),
        whole(b"{" * 100_000),
        whole(b'{"a":' * 100_000),
        whole(b'{"accountId": ' + b"9" * 5_000 + b"}"),
        whole(b"\xff\xfe\x00"),
        whole(b"{}"),
        whole(b'{"accountId": 5}'),
        whole(b"not gzip", HEAD + b"Content-Encoding: gzip\r\n"),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: 999\r\n\r\n" + ME,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_garbage_is_no_answer(sent: bytes) -> None:
    """Whatever comes instead of Jira's JSON is told as that, with a way to mend it or to try again."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    async with saying(answer) as url:
        with pytest.raises(JiraBroken, match=r"try again|check"):
            await elsewhere(url).myself(deadline=SECONDS)


async def test_redirects_are_not_followed() -> None:
    """Credentials go to Jira's address and nowhere else."""
    asked: list[str] = []

    async def trap(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append("trap")
        writer.write(whole(ME))

    async with saying(trap) as elsewhere_url:

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append("jira")
            head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere_url}/\r\n".encode()
            writer.write(whole(b"moved", head))

        async with saying(answer) as url:
            with pytest.raises(JiraBroken, match="JIRA_API_URL"):
                await elsewhere(url).myself(deadline=SECONDS)

    assert asked == ["jira"]


async def test_connections_are_kept_and_cookies_are_not() -> None:
    """A second call goes out on the connection of the first, without what the first was told to remember."""
    heads: list[bytes] = []
    met: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append("connection")
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(whole(ME, HEAD + b"Set-Cookie: atlassian.xsrf.token=1; Path=/\r\n"))
            await writer.drain()

    async with serving(serve) as port:
        jira = elsewhere(f"http://127.0.0.1:{port}")
        await jira.myself(deadline=SECONDS)
        await jira.myself(deadline=SECONDS)
        await jira.close()

    assert met == ["connection"]
    assert len(heads) == 2
    assert all(b"Authorization: Basic " in head and b"ookie:" not in head for head in heads)


async def test_no_https_where_it_was_promised_is_told() -> None:
    """An address that does not speak https says what to check."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(whole(ME))

    async with serving(serve) as port:
        with pytest.raises(JiraBroken, match="SSL_CERT_FILE"):
            await elsewhere(f"https://127.0.0.1:{port}").myself(deadline=SECONDS)


async def test_https_goes_through_the_proxy_and_its_refusal_is_told() -> None:
    """The proxy is asked for a way to Jira, without Jira's credentials; when it gives none that is said."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with serving(serve) as port:
        jira = elsewhere("https://jira.example", proxy=f"http://127.0.0.1:{port}")
        with pytest.raises(JiraBroken, match="HTTPS_PROXY"):
            await jira.myself(deadline=SECONDS)

    assert heads[0].startswith(b"CONNECT jira.example:443 ")
    assert b"Basic" not in heads[0]


async def test_a_proxy_that_drips_ends_with_the_deadline() -> None:
    """The proxy's answer, too, is read against the deadline."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        await drip(writer, b"a")

    async with saying(answer) as proxy:
        with pytest.raises((JiraSlow, JiraBroken)):
            await elsewhere("https://jira.example", proxy=proxy).myself(deadline=SHORT)

        assert await happened(lambda: threads() == 0)
