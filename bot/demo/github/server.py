"""The stand-in's front: GitHub's REST interface for reviews, at the root and under /api/v3."""

import hashlib
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.demo.github import reviews
from bot.demo.github.answers import PATHS, Answer, Call
from bot.demo.github.repositories import seeded
from bot.demo.github.shapes import Shapes
from bot.demo.loopback import Loopback, Refusal, Troubles

ENTERPRISE = "/api/v3"
ANONYMOUS_LIMIT = 60  # requests an hour without a token
TOKEN_LIMIT = 5000  # requests an hour with one
WINDOW_SECONDS = 3600
DOCS = "https://docs.github.com/rest"


class GitHubStandIn(Loopback):
    """GitHub's interface; `url` is a github.com-like base, `enterprise_url` an Enterprise server's.

    Args:
        now: The clock, epoch seconds.
        token: Reads everything and may comment.
        public_token: Good, but reads public repositories alone.

    Attributes:
        remaining: Requests left in this hour, by token ("" without one).
        moved: Former names of repositories, with the id that they are answered by.
        may_write: Whether tokens may review, too.
        told: Headers that tell of our token, such as X-OAuth-Scopes.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        token: str = "github-demo-token",
        public_token: str = "github-public-demo-token",
    ) -> None:
        super().__init__(now=now)
        self.repositories = seeded()
        self.token = token
        self.public_token = public_token
        self.remaining: dict[str, int] = {
            token: TOKEN_LIMIT,
            public_token: TOKEN_LIMIT,
            "": ANONYMOUS_LIMIT,
        }
        self.moved: dict[str, int] = {}
        self.may_write = True
        self.told: dict[str, str] = {}
        self._reset_at = now() + WINDOW_SECONDS

    @property
    def enterprise_url(self) -> str:
        """The base as a GitHub Enterprise server has it."""
        return self.url + ENTERPRISE

    def routes(self) -> list[web.RouteDef]:
        """Every path, at the root and under /api/v3; what people's browsers show is not here."""
        made = [
            web.route(method, prefix + path, self._called(answer))
            for method, path, answer in (*PATHS, *reviews.PATHS)
            for prefix in ("", ENTERPRISE)
        ]
        made += [web.get(f"{prefix}/rate_limit", self._rates) for prefix in ("", ENTERPRISE)]
        return made

    def _called(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                token = self._token(request)
                self._spend(token)
                base = self.enterprise_url if request.path.startswith(ENTERPRISE) else self.url
                call = Call(
                    request,
                    self.repositories,
                    Shapes(base, self.url, self.now()),
                    login="purser-bot" if token else "",
                    writes=self.may_write,
                    readable=set(self.repositories) if token == self.token else (),
                    moved=self.moved,
                )
                response = await answer(call)
            except Refusal as refusal:
                return self._refused(request, refusal)
            return self._tagged(request, response)

        return handle

    def _token(self, request: web.Request) -> str:
        header = request.headers.get("Authorization", "")
        if not header:
            return ""
        token = header.partition(" ")[2]
        if token not in (self.token, self.public_token):
            raise Refusal(401, ("Bad credentials",))
        return token

    def _spend(self, token: str) -> None:
        if self.now() >= self._reset_at:
            self._reset_at = self.now() + WINDOW_SECONDS
            self.remaining.update(
                {t: TOKEN_LIMIT if t else ANONYMOUS_LIMIT for t in self.remaining}
            )
        if self.remaining[token] <= 0:
            raise self._limit("primary", None)
        self.remaining[token] -= 1

    def _limit(self, kind: str, retry_after: str | None) -> Refusal:
        """The two ways GitHub says "too much"."""
        if kind == "secondary":
            headers = {"Retry-After": retry_after} if retry_after is not None else {}
            words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            return Refusal(403, (words,), headers=headers)
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Used": str(ANONYMOUS_LIMIT)}
        return Refusal(403, ("API rate limit exceeded for 127.0.0.1.",), headers=headers)

    def complaint(self, request: web.Request, trouble: Troubles) -> web.StreamResponse:
        """An ordered error in GitHub's words."""
        if trouble.limited:
            return self._refused(request, self._limit(trouble.limited, trouble.retry_after))
        if trouble.html:
            return super().complaint(request, trouble)
        words = {401: "Bad credentials", 403: "Resource not accessible by personal access token"}
        sentence = words.get(trouble.status, "Server Error")
        return self._refused(request, Refusal(trouble.status, (sentence,)))

    def _rate_headers(self, request: web.Request) -> dict[str, str]:
        token = request.headers.get("Authorization", "").partition(" ")[2]
        limit = TOKEN_LIMIT if token in (self.token, self.public_token) else ANONYMOUS_LIMIT
        left = self.remaining.get(token, 0)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Used": str(limit - left),
            "X-RateLimit-Reset": str(int(self._reset_at)),
            "X-RateLimit-Resource": "core",
            **(self.told if token == self.token else {}),
        }

    def _refused(self, request: web.Request, refusal: Refusal) -> web.Response:
        body = {
            "message": " ".join(refusal.messages),
            "documentation_url": DOCS,
            "status": str(refusal.status),
        }
        headers = {**self._rate_headers(request), **refusal.headers}
        return web.json_response(body, status=refusal.status, headers=headers)

    def _tagged(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """ETag and 304; an answer that has not changed costs nothing."""
        body = response.body if isinstance(response, web.Response) else None
        if request.method == "GET" and isinstance(body, bytes):
            tag = f'W/"{hashlib.sha256(body).hexdigest()}"'
            if request.headers.get("If-None-Match") == tag:
                self.remaining[self._token(request)] += 1
                response = web.Response(status=304)
            response.headers["ETag"] = tag
        response.headers.update(self._rate_headers(request))
        return response

    async def _rates(self, request: web.Request) -> web.Response:
        try:
            self._token(request)
        except Refusal as refusal:
            return self._refused(request, refusal)
        headers = self._rate_headers(request)
        core = {
            name.lower(): int(headers[f"X-RateLimit-{name}"])
            for name in ("Limit", "Remaining", "Used", "Reset")
        }
        return web.json_response({"resources": {"core": core}, "rate": core}, headers=headers)
