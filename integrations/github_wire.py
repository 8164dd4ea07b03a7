"""The wire to GitHub's interface: gidgethub with our bounds round it.

Requests go to one origin and nowhere else, so that neither a redirect nor a page's link takes the token along.
Bytes are counted while they arrive, after unpacking. What has not changed since is not sent again (ETag).
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from gidgethub import sansio
from gidgethub.aiohttp import GitHubAPI
from yarl import URL

from integrations.github_errors import GitHubDown, GitHubTooLarge

ANSWER_BYTES = 8 * 1024 * 1024  # of one answer, unpacked
KEPT_BYTES = 16 * 1024 * 1024  # of answers that may be confirmed instead of sent again
KEPT_EACH = 1024 * 1024
PIECE_BYTES = 64 * 1024
REQUESTER = "Purser"
_RATES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")

Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True, slots=True)
class _Known:
    etag: str
    headers: Mapping[str, str]
    body: bytes


class Kept:
    """Answers with their ETags, the least used forgotten first.

    Args:
        most: bytes of all bodies together.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._size = 0
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    def get(self, key: tuple[str, str]) -> _Known | None:
        """What is known of a request."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: tuple[str, str], etag: str, headers: Mapping[str, str], body: bytes) -> None:
        """Remember an answer, unless it is large."""
        if len(body) > KEPT_EACH:
            return
        if (old := self._known.pop(key, None)) is not None:
            self._size -= len(old.body)
        self._known[key] = _Known(etag, headers, body)
        self._size += len(body)
        while self._size > self._most:
            self._size -= len(self._known.popitem(last=False)[1].body)


class Wire(GitHubAPI):
    """Asks one GitHub, as ourselves or as nobody; what nobody may see is never kept where nobody asks.

    Args:
        session: makes the connections.
        api_url: the interface's base.
        token: "" asks as nobody.
        proxy: for https, or None.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, api_url: str, token: str, proxy: str | None
    ) -> None:
        super().__init__(session, REQUESTER, oauth_token=token or None, base_url=api_url)
        self._origin = URL(api_url).origin()
        self._proxy = proxy if self._origin.scheme == "https" else None
        self._answers = Kept()

    async def told(self, path: str) -> Answer:
        """GET a path below the base, with all that the answer tells beside its data."""
        token, accept = self.oauth_token, sansio.accept_format()
        headers = sansio.create_headers(self.requester, accept=accept, oauth_token=token)
        return await self._request(
            "GET", sansio.format_url(path, {}, base_url=self.base_url), headers
        )

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """One request; the library makes data or an error of what this gives.

        Raises:
            GitHubTooLarge: the answer is longer than ANSWER_BYTES.
            GitHubDown: the address is of another host.
        """
        target = URL(url, encoded=True)
        if target.origin() != self._origin:
            raise GitHubDown("GitHub's answer leads to another host; nothing was asked there.")
        key = (url, headers["accept"])
        known = self._answers.get(key) if method == "GET" else None
        sent = {**headers, "if-none-match": known.etag} if known else dict(headers)
        async with self._session.request(
            method, target, headers=sent, data=body, allow_redirects=False, proxy=self._proxy
        ) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            if response.status == 304 and known is not None:
                fresh = {name: told[name] for name in _RATES if name in told}
                return 200, {**known.headers, **fresh}, known.body
            content = await _read(response)
        told, content = _decodable(told, content)
        if response.status == 200 and "etag" in told:
            self._answers.put(key, told["etag"], told, content)
        return response.status, told, content


async def _read(response: aiohttp.ClientResponse) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_chunked(PIECE_BYTES):
        size += len(piece)
        if size > ANSWER_BYTES:
            raise GitHubTooLarge
        pieces.append(piece)
    return b"".join(pieces)


def _decodable(headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """The same as UTF-8: files and diffs may be in any encoding, and the library reads strictly.

    What is no UTF-8 becomes U+FFFD, which is seen.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {"", "application/json"}:
        return headers, body
    clean = body.decode("utf-8", "replace").encode()
    return {**headers, "content-type": "text/plain; charset=utf-8"}, clean
