"""Reads pages of the public web for Claude, and nothing that only this machine can reach.

Every hop of a redirect passes the same checks, and the last one sits where the socket is made: on the numeric
address that is about to be connected to. No proxy, cookie or credential takes part, sizes are counted while they
arrive and after unpacking, and one deadline covers everything. What a page says is data for whoever reads it.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from integrations import addresses
from integrations.extractor import Extractor
from integrations.resolver import Resolver
from integrations.web_errors import (
    BadUrl,
    HttpStatus,
    NoSuchPage,
    NotText,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
    Unreadable,
)

CHARS_PER_PAGE = 20_000
REDIRECTS = 5  # followed, at most
TEXT_BYTES = 2 * 1024 * 1024  # of HTML, text and JSON, unpacked
PDF_BYTES = 10 * 1024 * 1024
FETCHES = 8  # at a time; further ones wait
PIECE_BYTES = 64 * 1024
SNIFF_BYTES = 1024

_MOVED = frozenset({301, 302, 303, 307, 308})
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = frozenset(
    {"application/json", "application/xml", "application/x-ndjson", "application/yaml"}
)
_PDF = frozenset({"application/pdf", "application/x-pdf"})
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,text/plain,application/json,application/pdf;q=0.9,*/*;q=0.1",
    "Accept-Encoding": "gzip, deflate",
}
# What reading over aiohttp lets escape: its own tree, its parser's errors, sockets, and
# ValueErrors from addresses and headers that are none.
_FOREIGN = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)

AddrInfo = tuple[int, int, int, str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a document.

    Attributes:
        url: as asked for.
        final_url: where the document was, after redirects.
        title: may be empty.
        content_type: as the server named it, in lower case and without parameters.
        text: Markdown (of HTML) or plain text, at most CHARS_PER_PAGE characters.
        page: which part of the text this is, from 1.
        pages: how many parts there are.
    """

    url: str
    final_url: str
    title: str
    content_type: str
    text: str
    page: int
    pages: int


async def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class _Document:
    url: URL
    content_type: str
    kind: str
    charset: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class _Gate:
    """Makes the sockets of one hop: to public addresses, or to wherever its private origin leads.

    Args:
        private: whether the hop goes to an origin that is permitted although private.
    """

    private: bool

    def __call__(self, found: AddrInfo) -> socket.socket:
        family, kind, protocol, _, sockaddr = found
        if not self.private and not addresses.allowed(sockaddr):
            raise PermissionError("not a public address")
        return socket.socket(family, kind, protocol)


class Web:
    """Reads web pages.

    Args:
        extractor: turns documents into text; started and closed with this.
        resolver: asks DNS; closed with this. None = the system's.
        agent: how we introduce ourselves to servers.
    """

    def __init__(
        self,
        *,
        extractor: Extractor | None = None,
        resolver: AbstractResolver | None = None,
        agent: str = "Purser",
    ) -> None:
        self._extractor = extractor or Extractor()
        self._resolver = resolver or Resolver()
        self._closed = False
        self._headers = {**_HEADERS, "User-Agent": agent}
        self._turns = asyncio.Semaphore(FETCHES)

    async def start(self) -> None:
        """Warm up, so that the first page is not late."""
        await self._extractor.start()

    async def close(self) -> None:
        """Let go of processes and threads."""
        self._closed = True
        await self._extractor.close()
        await self._resolver.close()

    async def fetch(
        self,
        url: str,
        *,
        page: int = 1,
        deadline: float,
        allowed_hosts: tuple[str, ...] | None = None,
        private_origins: tuple[str, ...] = (),
        edited: Callable[[str], Awaitable[str]] = _as_it_is,
    ) -> Page:
        """Read a part of a page.

        Args:
            url: absolute, http or https.
            page: which part of a long text, from 1.
            deadline: seconds for everything, waiting for a turn included.
            allowed_hosts: hosts that may be read, with their subdomains; None = the whole public web.
            private_origins: `scheme://host:port` that may be read although private. A redirect never
                leads into one, except within the origin that was asked for.
            edited: gives the whole text as it is to be cut into parts.

        Raises:
            WebProblem: the page was not read; the message is a sentence for the reader.
        """
        try:
            async with asyncio.timeout(deadline), self._turns:
                document = await self._document(url, allowed_hosts, private_origins)
                found = await self._extractor.extract(
                    document.kind, document.body, document.charset, str(document.url)
                )
                text = await edited(found.text)
        except TimeoutError:
            raise TooSlow from None
        if not text:
            raise Unreadable
        pages = -(-len(text) // CHARS_PER_PAGE)
        if not 1 <= page <= pages:
            raise NoSuchPage(page, pages)
        return Page(
            url=url,
            final_url=str(document.url),
            title=found.title,
            content_type=document.content_type,
            text=text[(page - 1) * CHARS_PER_PAGE : page * CHARS_PER_PAGE],
            page=page,
            pages=pages,
        )

    async def _document(
        self, text: str, allowed_hosts: tuple[str, ...] | None, private_origins: tuple[str, ...]
    ) -> _Document:
        """Follow the redirects to a document, each hop through the same door."""
        url = addresses.opened(text)
        home = addresses.origin(url)
        at_home_private = addresses.is_private_origin(url, private_origins)
        for _ in range(REDIRECTS + 1):
            private = at_home_private and addresses.origin(url) == home
            if not private:
                addresses.check_public(url, allowed_hosts)
            found = await self._hop(url, _Gate(private))
            if isinstance(found, _Document):
                return found
            url = found
        raise TooManyRedirects

    async def _hop(self, url: URL, gate: _Gate) -> _Document | URL:
        """Ask one address: its document, or the address it points to."""
        if self._closed:
            raise Unreachable
        connector = aiohttp.TCPConnector(
            socket_factory=gate,
            resolver=self._resolver,
            use_dns_cache=False,
            force_close=True,
            limit=1,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers=self._headers,
        )
        try:
            async with session, session.get(url, allow_redirects=False) as response:
                return await _answer(url, response)
        except aiohttp.ClientPayloadError:
            raise Unreadable from None  # cut short, or packed badly
        except _FOREIGN:
            raise Unreachable from None


async def _answer(url: URL, response: aiohttp.ClientResponse) -> _Document | URL:
    """What a server said: a document, the address of another, or that there is none."""
    target = response.headers.get("Location")
    if response.status in _MOVED and target:
        return _joined(url, target)
    if not 200 <= response.status < 300:
        raise HttpStatus(response.status)
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    kind = _kind(content_type)
    most = PDF_BYTES if kind in {"pdf", "unsaid"} else TEXT_BYTES
    body = await _body(response, most)
    if kind == "unsaid":
        kind = _sniffed(body)
    if kind != "pdf" and len(body) > TEXT_BYTES:
        raise TooLarge
    if kind != "pdf" and _binary(body):
        raise NotText
    return _Document(url, content_type, kind, response.charset, body)


def _joined(url: URL, target: str) -> URL:
    if "\\" in target or any(c <= " " for c in target):
        raise BadUrl
    try:
        joined = url.join(URL(target)).with_fragment(None)
    except ValueError:
        raise BadUrl from None
    return addresses.opened(str(joined))


def _kind(content_type: str) -> str:
    """How a document of this type is read: "html", "text", "pdf", or "unsaid" to look at it."""
    if content_type in _HTML:
        return "html"
    if content_type in _PDF:
        return "pdf"
    if content_type.startswith("text/") or content_type in _TEXT:
        return "text"
    if content_type.endswith(("+json", "+xml")) and not content_type.startswith("image/"):
        return "text"
    if not content_type:
        return "unsaid"
    raise NotText


def _sniffed(body: bytes) -> str:
    start = body[:SNIFF_BYTES].lstrip()
    if start.startswith(b"%PDF-"):
        return "pdf"
    return "html" if start.startswith(b"<") else "text"


def _binary(body: bytes) -> bool:
    """Whether a document that calls itself text is none."""
    start = body[:SNIFF_BYTES]
    return b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff"))


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Read at most so many unpacked bytes.

    Raises:
        TooLarge: there are more.
    """
    announced = response.content_length
    if announced is not None and announced > most:
        raise TooLarge
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_chunked(PIECE_BYTES):
        size += len(piece)
        if size > most:
            raise TooLarge
        pieces.append(piece)
    return b"".join(pieces)


__all__ = ["CHARS_PER_PAGE", "Page", "Web"]
