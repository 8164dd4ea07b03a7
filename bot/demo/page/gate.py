"""Who may speak to the page: a browser that reached it under this machine's own name, from the page itself."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
POLICY = (
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",  # a text can never become markup, whoever forgets
    "trusted-types 'none'",
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def open_to_page(answer: Answer) -> Answer:
    """The same answer with the page's headers, for requests under this machine's name.

    Another name that leads here (DNS rebinding) is refused.
    """

    async def checked(request: web.Request) -> web.StreamResponse:
        if not is_local(request.host):
            return _refused("This page answers only to its own machine's name.")
        try:
            response = await answer(request)
        except web.HTTPException as raised:
            response = sentence(raised.status, raised.text or raised.reason)
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    return checked


def from_page(answer: Answer) -> Answer:
    """As `open_to_page`, and only for requests that a script of the page itself made."""

    async def checked(request: web.Request) -> web.StreamResponse:
        if not is_own(request.headers.get("Origin", ""), request.host):
            return _refused("Only the page itself may do this.")
        return await answer(request)

    return open_to_page(checked)


def is_local(host: str) -> bool:
    """Whether a Host header names this machine, with or without a port."""
    try:
        return urlsplit(f"//{host}").hostname in NAMES
    except ValueError:
        return False


def is_own(origin: str, host: str) -> bool:
    """Whether an Origin header is the place that was asked."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and parts.netloc == host


def sentence(status: int, text: str) -> web.Response:
    """An answer that is a sentence for a person."""
    return web.json_response({"ok": False, "sentence": text}, status=status)


def _refused(text: str) -> web.Response:
    response = sentence(403, text)
    response.headers.update(HEADERS)
    return response
