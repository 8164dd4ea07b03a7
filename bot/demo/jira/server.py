"""The stand-in's front: logins, the gateway, rate limits and errors in Jira's own form."""

import base64
import binascii
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

from aiohttp import web

from bot.demo.jira import agile, directory, issues, meta, searches, writes
from bot.demo.jira.call import MISSING, Answer, Call, refused
from bot.demo.jira.seed import company
from bot.demo.jira.world import ANONYMOUS, CLOUD_ID, Account, World
from bot.demo.loopback import Loopback, Refusal, Troubles

WRITES_PER_ISSUE = 20  # writes to one ticket within WRITE_SECONDS
WRITE_SECONDS = 2.0
GATEWAY = f"/ex/jira/{CLOUD_ID}"
PARTS = (issues, writes, searches, directory, meta, agile)


class JiraStandIn(Loopback):
    """Jira Cloud, REST v3 and agile 1.0, with its own small company.

    Args:
        world: The site; None is the seeded company, dated from `now`.
        now: The clock, epoch seconds.
        rng: Chance, for what Jira makes up (page tokens).

    Attributes:
        token: The classic API token of every account, for Basic email:token at `url`.
        scoped_token: A service account's token, which works at `gateway_url` alone.
    """

    def __init__(
        self,
        *,
        world: World | None = None,
        now: Callable[[], float] = time.time,
        rng: Random | None = None,
        token: str = "jira-demo-token",
        scoped_token: str = "jira-scoped-demo-token",
    ) -> None:
        super().__init__(now=now)
        self.world = world or company(now())
        self.rng = rng or Random(7)
        self.email = "purser@shop.example"
        self.token = token
        self.scoped_token = scoped_token
        self.expired = False
        self._writes: dict[str, deque[float]] = defaultdict(deque)

    @property
    def gateway_url(self) -> str:
        """The base that scoped tokens are for."""
        return self.url + GATEWAY

    def routes(self) -> list[web.RouteDef]:
        """Every path, on the site and behind the gateway."""
        made = [
            web.route(method, prefix + path, self._called(answer))
            for part in PARTS
            for method, path, answer in part.PATHS
            for prefix in ("", GATEWAY)
        ]
        return [web.get("/_edge/tenant_info", self._tenant), *made]

    async def _tenant(self, request: web.Request) -> web.Response:
        return web.json_response({"cloudId": CLOUD_ID})

    def _called(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                gateway = request.path.startswith(GATEWAY)
                viewer = self._login(request, gateway=gateway)
                base = self.gateway_url if gateway else self.url
                call = Call(
                    request,
                    viewer,
                    self.world,
                    base=base,
                    now=self.now,
                    count_write=self.count_write,
                )
                return await answer(call)
            except Refusal as refusal:
                return refused(refusal)

        return handle

    def _login(self, request: web.Request, *, gateway: bool) -> Account:
        header = request.headers.get("Authorization", "")
        if not header:
            return ANONYMOUS
        try:
            email, _, token = (
                base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
            )
        except (binascii.Error, UnicodeDecodeError):
            email = token = ""
        account = self.world.by_email(email)
        good = token == self.token or (gateway and token == self.scoped_token)
        if account is None or not account.active or not good or self.expired:
            headers = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
            raise Refusal(401, headers=headers)
        return account

    def count_write(self, issue_id: str) -> None:
        """Note a write to a ticket.

        Raises:
            Refusal: 429, too many to this ticket at once.
        """
        recent, now = self._writes[issue_id], self.now()
        while recent and recent[0] <= now - WRITE_SECONDS:
            recent.popleft()
        if len(recent) >= WRITES_PER_ISSUE:
            raise Refusal(429, headers=self._limit_headers("jira-per-issue-on-write", "2"))
        recent.append(now)

    def complaint(self, request: web.Request, trouble: Troubles) -> web.StreamResponse:
        """An ordered error as Jira or its gateway words it."""
        if trouble.limited:
            return refused(
                Refusal(429, headers=self._limit_headers(trouble.limited, trouble.retry_after))
            )
        if trouble.html:
            return super().complaint(request, trouble)
        if trouble.status == 401:
            return refused(Refusal(401, headers={"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}))
        words = {
            403: "You do not have permission to perform this operation.",
            404: MISSING,
            503: "The service is temporarily unavailable.",
        }
        headers = (
            {"Retry-After": trouble.retry_after}
            if trouble.status == 503 and trouble.retry_after
            else {}
        )
        sentence = words.get(trouble.status, "Internal server error")
        return refused(Refusal(trouble.status, (sentence,), headers=headers))

    def _limit_headers(self, reason: str, retry_after: str | None) -> dict[str, str]:
        headers = {"RateLimit-Reason": reason, "X-RateLimit-Remaining": "0"}
        if retry_after is not None:
            headers["Retry-After"] = retry_after
        if retry_after is not None and retry_after.isdigit():
            reset = datetime.fromtimestamp(self.now() + int(retry_after), UTC)
            headers["X-RateLimit-Reset"] = f"{reset:%Y-%m-%dT%H:%MZ}"
        return headers
