"""The wire to Jira: each byte is read against one deadline, and nothing is sent again behind anybody's back.

    until(ends) -> DeadlineSession.request -> _Adapter -> _Http, _Https -> _Response -> _Reads
                   (one retry of a GET)       (requests, urllib3, http.client)    (every recv)

The library's own session waits for minutes, repeats writes whose answer was lost, and its timeout is for each read
of the socket: a server that drips keeps a thread for ever. A thread cannot be killed, so it has to end by itself.
Only a look-up of the host's name takes the time that the system gives it; whoever waits is let go all the same.
"""

import io
import socket
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from jira.resilientsession import ResilientSession
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ProxyError, SSLError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from integrations.jira_errors import (
    JiraBroken,
    JiraSlow,
    login_failed,
    of_answer,
    retry_after,
)

BODY_BYTES = 8 * 1024 * 1024  # of one answer, unpacked
PIECE_BYTES = 16 * 1024
CONNECT_SECONDS = 3.05  # for each address of the host; just above TCP's first repetition
RETRY_RESERVE = 1.0  # seconds that must be left after waiting for a rate limit

TOO_LARGE = f"Jira's answer is larger than {BODY_BYTES // 1024 // 1024} MiB and was not read."
UNTRUSTED = (
    "No connection to Jira can be trusted on this machine; an operator has to check JIRA_API_URL "
    "and SSL_CERT_FILE."
)
NO_WAY = "The proxy lets nothing through to Jira; an operator has to check HTTPS_PROXY."

# All that requests and urllib3 let escape: requests' tree is below OSError, and addresses and
# headers that are none are ValueErrors.
FOREIGN = (OSError, HTTPError, ValueError)

# No connection was made, so nothing can have been sent.
_UNMET = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError, ProxyError)

_ends: ContextVar[float] = ContextVar("jira_ends")


@contextmanager
def until(ends: float) -> Generator[None]:
    """Let everything inside, in this thread, end by `ends` of time.monotonic()."""
    token = _ends.set(ends)
    try:
        yield
    finally:
        _ends.reset(token)


def remaining() -> float:
    """Seconds that are left, more than 0.

    Raises:
        TimeoutError: none are.
    """
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Reads(io.RawIOBase):
    """What a socket receives, each piece within what is left of the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(remaining())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(HTTPResponse):
    """An answer whose status line and headers, too, are read against the deadline."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Reads(sock))


class _Http(HTTPConnection):
    response_class = _Response


class _Https(HTTPSConnection):
    response_class = _Response


class _Adapter(HTTPAdapter):
    """Makes connections that answer with `_Response`, through a proxy too."""

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        found: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        found.ConnectionCls = _Https if found.scheme == "https" else _Http
        return found


class DeadlineSession(ResilientSession):
    """A session of the library that ends in time; used by one thread at a time, inside `until`.

    It keeps no cookie, follows no redirect (Jira's interface has none, and credentials must not travel),
    and takes nothing from the environment.

    Args:
        made: the session that the library made: its headers, credentials, proxies and trust are taken over.
    """

    def __init__(self, made: Session) -> None:
        super().__init__(max_retries=0)
        self.headers.update(made.headers)
        self.auth, self.verify, self.proxies = made.auth, made.verify, made.proxies
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def get_redirect_target(self, resp: Response) -> None:
        """No answer leads anywhere else."""

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        """Ask once; a rate-limited GET once more, when the wait fits in the deadline.

        Raises:
            JiraProblem: anything but a whole answer of 2xx; the only error there is.
        """
        answer = self._once(method, url, **kwargs)
        if answer.status_code == 429 and method.upper() == "GET" and _waited(answer):
            answer = self._once(method, url, **kwargs)
        if not 200 <= answer.status_code < 300 or login_failed(answer.headers):
            raise of_answer(answer.status_code, answer.headers, answer.content)
        return answer

    def _once(self, method: str, url: str | bytes, **kwargs: Any) -> Response:
        try:
            left = remaining()
        except TimeoutError:
            raise JiraSlow(unsent=True) from None
        try:
            made: dict[str, Any] = {
                **self._jira_prepare(**kwargs),
                "timeout": (min(CONNECT_SECONDS, left), left),
                "stream": True,
            }
            answer = Session.request(self, method, url, **made)
            with closing(answer.raw) as raw:  # what was not read to its end is not used again
                answer.raw = io.BytesIO(_body(raw))
        except FOREIGN as error:
            raise _problem(error) from None  # its words hold addresses and headers
        return answer


def _body(raw: BaseHTTPResponse) -> bytes:
    """All of an answer's body, unpacked.

    Raises:
        JiraBroken: it is too large.
    """
    pieces: list[bytes] = []
    size = 0
    while piece := raw.read1(PIECE_BYTES, decode_content=True):
        remaining()  # unpacking takes time, too
        size += len(piece)
        if size > BODY_BYTES:
            raise JiraBroken(TOO_LARGE)
        pieces.append(piece)
    return b"".join(pieces)


def _waited(limited: Response) -> bool:
    """Whether a rate limit was waited for: Jira says how long, and time is left after it."""
    seconds = retry_after(limited.headers)
    if seconds is None or seconds + RETRY_RESERVE > _ends.get() - time.monotonic():
        return False
    time.sleep(seconds)
    return True


def _problem(error: Exception) -> JiraBroken | JiraSlow:
    """What fails once the deadline has passed failed because of it."""
    unsent = any(isinstance(cause, _UNMET) for cause in _causes(error))
    if isinstance(error, TimeoutError) or time.monotonic() >= _ends.get():
        return JiraSlow(unsent=unsent)
    if isinstance(error, SSLError | ssl.SSLError):
        return JiraBroken(UNTRUSTED, unsent=unsent)
    if isinstance(error, ProxyError):
        return JiraBroken(NO_WAY, unsent=unsent)
    return JiraBroken(unsent=unsent)


def _causes(error: Exception) -> Iterator[object]:
    """An error and those that the libraries have wrapped in it."""
    cause: object = error
    while isinstance(cause, Exception):
        yield cause
        cause = getattr(cause, "reason", None) or next(iter(cause.args), None)
