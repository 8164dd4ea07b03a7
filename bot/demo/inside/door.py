"""Who may look: pages of this machine, under this machine's name; and what such a page may do."""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away whoever calls this machine by another name, or comes from another site's page.

    A page elsewhere can make its own name mean 127.0.0.1; the name it calls us by gives it away.
    """
    if not _is_here(request, f"//{request.host}"):
        raise web.HTTPMisdirectedRequest(text="This page is for this machine alone.")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="Another site's page may not look inside.")
    return await handler(request)


def same_origin(request: web.Request) -> bool:
    """Whether a WebSocket is asked for by a page of ours: browsers always say whose page it is."""
    origin = request.headers.get("Origin", "")
    return origin == f"http://{request.host}" and _is_here(request, origin)


async def set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says to the browser."""
    response.headers.update(HEADERS)


def _is_here(request: web.Request, address: str) -> bool:
    try:
        named = urlsplit(address)
        port = named.port
    except ValueError:
        return False
    socket = request.transport.get_extra_info("sockname") if request.transport else None
    return named.hostname in LOCAL and socket is not None and port == socket[1]
