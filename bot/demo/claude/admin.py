"""The stand-in's admin side: its keys, and the usage and cost reports of what it has served.

    GET /v1/organizations/usage_report/messages    tokens by bucket of a minute, an hour or a day
    GET /v1/organizations/cost_report              cents by day
    GET /v1/organizations/api_keys                 the keys, by the ends of their values

Buckets are those of UTC and lie at the moment a request came in. Whether a refusal that is not billed stands in the
usage report is written nowhere; here it does, and costs nothing.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from bot.demo.claude.errors import Problem, invalid
from bot.demo.claude.record import Exchange, served

LATE_SECONDS = 300.0  # until a request stands in the reports
WIDTHS: Mapping[str, tuple[timedelta, int, int]] = {  # of a bucket; how many by default and at most
    "1d": (timedelta(days=1), 7, 31),
    "1h": (timedelta(hours=1), 24, 168),
    "1m": (timedelta(minutes=1), 60, 1440),
}
USAGE_GROUPS = frozenset({"api_key_id", "workspace_id", "model", "service_tier", "context_window"})
COST_GROUPS = frozenset({"workspace_id", "description"})
KEYS_AT_MOST = 1000
KINDS = ("uncached_input", "cache_creation.5m", "cache_creation.1h", "cache_read_input", "output")
PRICES = {  # dollars for a million tokens, in the order of KINDS
    "claude-sonnet-5-5": ("2", "2.5", "4", "0.1", "10"),
    "claude-opus-5-5": ("4", "5", "8", "0.2", "20"),
    "claude-haiku-5-5": ("0.1", "0.125", "0.2", "0.01", "0.5"),
    "claude-opus-5": ("5", "6.25", "10", "0.5", "25"),
}
CENTS_OF_A_MILLIONTH = Decimal(100) / 1_000_000  # a price is for a million tokens


@dataclass(frozen=True, slots=True)
class Use:
    """What one request used; `key` is an id."""

    at: datetime
    key: str
    workspace: str | None
    model: str
    tokens: tuple[int, int, int, int, int]
    billed: bool = True
    batch: bool = False


class Admin:
    """Answers for the organization that the stand-in's key belongs to.

    Args:
        log: of the stand-in: what its one key has used.
        secret: that key's value.
        now: epoch seconds.
    """

    def __init__(
        self, log: Callable[[], Sequence[Exchange]], *, secret: str, now: Callable[[], float]
    ) -> None:
        self._log, self._now = log, now
        self.key = "sk-ant-admin-stand-in"
        self.late = LATE_SECONDS
        self.page_buckets: int | None = None  # fewer on a page than were asked for
        self.others: list[Use] = []  # what other keys have used, or this one elsewhere
        self.prices = dict(PRICES)
        self.key_id, self.workspace = "apikey_01StandIn", "wrkspc_01StandIn"
        self._keys = [self._shown(self.key_id, "purser", secret, self.workspace)]
        self.failures: list[Problem] = []

    def add_key(self, key_id: str, name: str, secret: str, workspace: str | None) -> None:
        """Give the organization another key."""
        self._keys.append(self._shown(key_id, name, secret, workspace))

    def routes(self) -> list[tuple[str, Callable[[web.Request], dict[str, Any]]]]:
        """Paths, and what answers there."""
        return [
            ("/v1/organizations/usage_report/messages", self._usage),
            ("/v1/organizations/cost_report", self._cost),
            ("/v1/organizations/api_keys", self._list_keys),
        ]

    def authenticate(self, key: str) -> None:
        """Let an Admin key through.

        Raises:
            Problem: it is another one, or a failure was planted.
        """
        if key != self.key:
            raise Problem(401, "invalid x-api-key")
        if self.failures:
            raise self.failures.pop(0)

    @property
    def uses(self) -> list[Use]:
        """All that stands in the reports by now."""
        newest = datetime.fromtimestamp(self._now() - self.late, UTC)
        own = [use for one in self._log() if (use := self._own(one)) is not None]
        return [use for use in [*own, *self.others] if use.at <= newest]

    def _own(self, exchange: Exchange) -> Use | None:
        one = served(exchange)
        if one is None:
            return None
        usage = one.usage
        written = usage.get("cache_creation") or {}
        tokens = (
            usage["input_tokens"],
            written.get("ephemeral_5m_input_tokens", 0),
            written.get("ephemeral_1h_input_tokens", 0),
            usage["cache_read_input_tokens"],
            usage["output_tokens"],
        )
        at = datetime.fromtimestamp(exchange.at, UTC)
        batch = usage.get("service_tier") == "batch"
        return Use(at, self.key_id, self.workspace, one.model, tokens, one.billed, batch)

    def _usage(self, request: web.Request) -> dict[str, Any]:
        groups = _groups(request, USAGE_GROUPS)
        keys = request.query.getall("api_key_ids[]", [])
        uses = [use for use in self.uses if not keys or use.key in keys]
        width = request.query.get("bucket_width", "1d")

        def results(within: Iterable[Use]) -> list[dict[str, Any]]:
            sums: dict[tuple[str | None, ...], list[int]] = {}
            for use in within:
                sides = {"api_key_id": use.key, "workspace_id": use.workspace, "model": use.model}
                found = sums.setdefault(
                    tuple(sides[g] if g in groups else None for g in sides), [0] * len(KINDS)
                )
                found[:] = [a + b for a, b in zip(found, use.tokens, strict=True)]
            return [_used(key, tokens) for key, tokens in sums.items()]

        return self._paged(request, uses, width, results)

    def _cost(self, request: web.Request) -> dict[str, Any]:
        groups = _groups(request, COST_GROUPS)
        uses = [use for use in self.uses if use.billed and use.model in self.prices]

        def results(within: Iterable[Use]) -> list[dict[str, Any]]:
            sums: dict[tuple[str | None, ...], Decimal] = {}
            for use in within:
                workspace = use.workspace if "workspace_id" in groups else None
                for kind, tokens, dear in zip(
                    KINDS, use.tokens, self.prices[use.model], strict=True
                ):
                    split = (use.model, kind) if "description" in groups else (None, None)
                    cents = tokens * Decimal(dear) * _tier(use) * CENTS_OF_A_MILLIONTH
                    sums[workspace, *split] = sums.get((workspace, *split), Decimal(0)) + cents
            return [_charged(key, amount) for key, amount in sums.items() if amount]

        return self._paged(request, uses, "1d", results)

    def _paged(
        self,
        request: web.Request,
        uses: Sequence[Use],
        width: str,
        results: Callable[[Iterable[Use]], list[dict[str, Any]]],
    ) -> dict[str, Any]:
        if width not in WIDTHS:
            raise invalid("bucket_width: Input should be '1d', '1m' or '1h'")
        step, default, most = WIDTHS[width]
        limit = _limit(request, default, most)
        if "starting_at" not in request.query:
            raise invalid("starting_at: Field required")
        since = _snapped(request.query["starting_at"], step)
        until = _snapped(request.query.get("ending_at", ""), step, self._now())
        if until <= since:
            raise invalid("ending_at: must be after starting_at")
        if page := request.query.get("page"):
            since = _turned(page)
        limit = min(limit, self.page_buckets or limit)
        end = min(until, since + limit * step)
        by_bucket: dict[datetime, list[Use]] = {}
        for use in uses:
            by_bucket.setdefault(_floor(use.at, step), []).append(use)
        data: list[dict[str, Any]] = []
        while since < end:
            shown = {"starting_at": _text(since), "ending_at": _text(since + step)}
            data.append({**shown, "results": results(by_bucket.get(since, []))})
            since += step
        more = since < until
        return {"data": data, "has_more": more, "next_page": _page(since) if more else None}

    def _list_keys(self, request: web.Request) -> dict[str, Any]:
        limit = _limit(request, 20, KEYS_AT_MOST)
        ids = [key["id"] for key in self._keys]
        after = request.query.get("after_id")
        start = ids.index(after) + 1 if after in ids else 0
        limit = min(limit, self.page_buckets or limit)
        page = self._keys[start : start + limit]
        return {
            "data": page,
            "has_more": start + limit < len(ids),
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        }

    def _shown(self, key_id: str, name: str, secret: str, workspace: str | None) -> dict[str, Any]:
        return {
            "type": "api_key",
            "id": key_id,
            "name": name,
            "expires_at": None,
            "partial_key_hint": f"{secret[:9]}...{secret[-4:]}",
            "workspace_id": workspace,
            "status": "active",
            "created_at": "2026-09-01T00:00:00Z",
            "created_by": {"id": "user_01StandIn", "type": "user"},
        }


def _used(key: tuple[str | None, ...], tokens: Sequence[int]) -> dict[str, Any]:
    fresh, five, hour, read, output = tokens
    return {
        "uncached_input_tokens": fresh,
        "cache_creation": {"ephemeral_1h_input_tokens": hour, "ephemeral_5m_input_tokens": five},
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0},
        "api_key_id": key[0],
        "workspace_id": key[1],
        "model": key[2],
        "service_tier": None,
        "context_window": None,
    }


def _tier(use: Use) -> Decimal:
    """Haiku 5.5 costs five times as much above 100,000 tokens of prompt; a batch costs half."""
    long = use.model == "claude-haiku-5-5" and sum(use.tokens[:4]) > 100_000
    return (Decimal(5) if long else Decimal(1)) / (2 if use.batch else 1)


def _charged(key: tuple[str | None, ...], cents: Decimal) -> dict[str, Any]:
    workspace, model, kind = key
    return {
        "currency": "USD",
        "amount": f"{cents.normalize():f}",
        "workspace_id": workspace,
        "description": f"{model} usage, {kind}" if model else None,
        "cost_type": "tokens" if model else None,
        "context_window": "0-200k" if model else None,
        "model": model,
        "service_tier": "standard" if model else None,
        "token_type": f"{kind}_tokens" if kind else None,
    }


def _groups(request: web.Request, known: frozenset[str]) -> list[str]:
    wanted = request.query.getall("group_by[]", [])
    if unknown := sorted(set(wanted) - known):
        raise invalid(f"group_by: unknown {', '.join(unknown)}")
    return wanted


def _limit(request: web.Request, default: int, most: int) -> int:
    text = request.query.get("limit", str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(f"limit: should be from 1 to {most}")
    return int(text)


def _snapped(text: str, step: timedelta, otherwise: float = 0.0) -> datetime:
    try:
        read = datetime.fromisoformat(text) if text else datetime.fromtimestamp(otherwise, UTC)
        return _floor(read.astimezone(UTC), step)
    except ValueError:
        raise invalid("starting_at, ending_at: should be RFC 3339") from None


def _floor(at: datetime, step: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // step * step


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(at: datetime) -> str:
    return "page_" + base64.urlsafe_b64encode(_text(at).encode()).decode()


def _turned(page: str) -> datetime:
    try:
        text = base64.urlsafe_b64decode(page.removeprefix("page_")).decode()
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid("page: is not one of ours") from None
