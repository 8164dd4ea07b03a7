"""One request to the stand-in: who asks, what was sent, and how an error is worded."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.demo.jira.shapes import Shapes
from bot.demo.jira.world import ANONYMOUS, Account, World
from bot.demo.loopback import Refusal

API = "/rest/api/{version:3}"
ANY_API = "/rest/api/{version:2|3|latest}"
AGILE = "/rest/agile/1.0"
MISSING = "Issue does not exist or you do not have permission to see it."
PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."
LOGIN = "You are not authenticated. Authentication required to perform this operation."

Answer = Callable[["Call"], Awaitable[web.StreamResponse]]


class Call:
    """One authenticated request: who asks, about what, and how to write the answer."""

    def __init__(
        self,
        request: web.Request,
        viewer: Account,
        world: World,
        *,
        base: str,
        now: Callable[[], float],
        count_write: Callable[[str], None],
    ) -> None:
        self.request = request
        self.viewer = viewer
        self.world = world
        self.shapes = Shapes(world, base, viewer)
        self.now = now
        self.count_write = count_write

    def number(self, name: str, default: int, most: int) -> int:
        """A query parameter as a number between 0 and `most`.

        Raises:
            Refusal: 400, it is none.
        """
        text = self.request.query.get(name, "")
        if text and not text.lstrip("-").isdigit():
            raise Refusal(400, (f"The value '{text}' of '{name}' is not a number.",))
        return max(0, min(int(text), most)) if text else default

    def names(self, name: str) -> list[str]:
        """A query parameter as a list, whether repeated or with commas."""
        return [n.strip() for v in self.request.query.getall(name, []) for n in v.split(",")]

    async def body(self) -> dict[str, Any]:
        """The request's JSON object.

        Raises:
            Refusal: 400, it is none.
        """
        try:
            value = await self.request.json()
        except ValueError:
            raise Refusal(
                400, ("There was an error parsing JSON. Check that your request body is valid.",)
            ) from None
        if not isinstance(value, dict):
            raise Refusal(400, ("The request body is not an object.",))
        return value

    def part(self, body: Mapping[str, Any], name: str) -> dict[str, Any]:
        """An object inside a body; an absent one is empty.

        Raises:
            Refusal: 400, something else stands there.
        """
        value = body.get(name) or {}
        if not isinstance(value, dict):
            raise Refusal(400, fields={name: "data was not an object"})
        return value

    def require_login(self) -> None:
        """Turn anonymous callers away.

        Raises:
            Refusal: 401.
        """
        if self.viewer is ANONYMOUS:
            raise Refusal(401, (LOGIN,))

    def require(self, right: str, sentence: str) -> None:
        """Turn callers without a right away.

        Raises:
            Refusal: 401 for anonymous callers, else 403.
        """
        self.require_login()
        if right not in self.viewer.rights:
            raise Refusal(403, (sentence,))


def refused(refusal: Refusal) -> web.Response:
    """An error in Jira's form; a failed login and a rate limit are not JSON objects there."""
    if refusal.status == 401 and not refusal.messages:
        return web.Response(
            status=401,
            text="Client must be authenticated to access this resource.",
            headers=refusal.headers,
        )
    if refusal.status == 429:
        return web.json_response(
            {"errorMessages": ["Rate limit exceeded."], "errors": {}},
            status=429,
            headers=refusal.headers,
        )
    body: Mapping[str, object] = {
        "errorMessages": list(refusal.messages),
        "errors": dict(refusal.fields),
    }
    return web.json_response(body, status=refusal.status, headers=refusal.headers)
