"""What Claude's side has counted: the usage and cost reports of an organization, and its keys.

These want a key of their own (an Admin key). The reports are about five minutes late, their days are those of UTC,
and the SDK does not wrap them.
Source: https://platform.claude.com/docs/en/manage-claude/usage-cost-api
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

import aiohttp

VERSION = "2023-06-01"  # the reports are not versioned with the Messages API
CALL_SECONDS = 30.0
DAYS_A_PAGE, MINUTES_A_PAGE, KEYS_A_PAGE = 31, 1440, 1000  # the most that one page takes
PAGES = 200  # of one report, beyond which something is wrong with it
CENTS = 100  # amounts come in cents, with fractions

Width = Literal["1d", "1m"]


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; `hint` shows its two ends, `workspace` is None for the default one, `expires` where it never does."""

    id: str
    name: str
    hint: str
    workspace: str | None
    expires: datetime | None = None

    def is_hinted_at(self, secret: str) -> bool:
        """Whether a key's value fits the hint."""
        head, dots, tail = self.hint.partition("...")
        return bool(dots and head) and secret.startswith(head) and secret.endswith(tail)


@dataclass(frozen=True, slots=True)
class Used:
    """Tokens of one model in one bucket; `at` is its beginning, in UTC."""

    at: datetime
    key: str | None
    workspace: str | None
    model: str
    input_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Charged:
    """What one model's tokens of a day and a workspace cost, in dollars; no key is told."""

    day: date
    workspace: str | None
    model: str
    dollars: Decimal


class AdminProblem(Exception):
    """Claude's reports could not be read; try again later."""


class AdminRefused(AdminProblem):
    """Claude does not accept ANTHROPIC_ADMIN_KEY; make an Admin key (sk-ant-admin…) in the Console's settings."""


class AdminBusy(AdminProblem):
    """Claude's reports are busy or limited; they may be asked about once a minute, so try again later."""


class AdminRejected(AdminProblem):
    """Claude's reports do not take this request; the organization may have no such reports."""


class AdminDown(AdminProblem):
    """Claude's reports cannot be reached; check the network, the proxy and ANTHROPIC_BASE_URL."""


class ClaudeAdmin:
    """Reads an organization's reports.

    Args:
        session: for HTTP.
        base_url: of Claude's API.
        key: the Admin key.
        proxy: where calls go through.
    """

    def __init__(
        self, session: aiohttp.ClientSession, *, base_url: str, key: str, proxy: str | None = None
    ) -> None:
        self._session, self._url, self._proxy = session, base_url.rstrip("/"), proxy
        self.rekey(key)

    def rekey(self, key: str) -> None:
        """Use another Admin key from the next request on."""
        self._headers = {"x-api-key": key, "anthropic-version": VERSION}

    async def keys(self) -> list[Key]:
        """List the organization's API keys.

        Raises:
            AdminProblem: in one of its kinds.
        """
        found: list[Key] = []
        after: list[tuple[str, str]] = []
        for _ in range(PAGES):
            query = [("limit", str(KEYS_A_PAGE)), *after]
            page = await self._get("/v1/organizations/api_keys", query)
            found += [_key(one) for one in _list(page, "data")]
            if not page.get("has_more"):
                return found
            after = [("after_id", str(page.get("last_id")))]
        raise AdminRejected(_said(AdminRejected, "the list of keys has no end"))

    async def usage(
        self, since: datetime, until: datetime, *, width: Width = "1d", keys: Sequence[str] = ()
    ) -> list[Used]:
        """Tokens by bucket, key, workspace and model.

        Args:
            since: the first bucket's beginning.
            until: the last one's end.
            width: of a bucket: a day or a minute.
            keys: ids of the keys that are asked about; none is all.

        Raises:
            AdminProblem: in one of its kinds.
        """
        most = DAYS_A_PAGE if width == "1d" else MINUTES_A_PAGE
        query = [
            ("bucket_width", width),
            ("limit", str(most)),
            *(("group_by[]", name) for name in ("api_key_id", "workspace_id", "model")),
            *(("api_key_ids[]", key) for key in keys),
        ]
        path = "/v1/organizations/usage_report/messages"
        return [_used(at, result) async for at, result in self._report(path, since, until, query)]

    async def cost(self, since: date, until: date) -> list[Charged]:
        """Dollars by day, workspace and model; what is not of a model is left out.

        Raises:
            AdminProblem: in one of its kinds.
        """
        query = [
            ("limit", str(DAYS_A_PAGE)),
            *(("group_by[]", name) for name in ("workspace_id", "description")),
        ]
        first, end = (datetime.combine(day, time(), UTC) for day in (since, until))
        path = "/v1/organizations/cost_report"
        return [
            Charged(at.date(), result.get("workspace_id"), str(result["model"]), _dollars(result))
            async for at, result in self._report(path, first, end, query)
            if result.get("model")
        ]

    async def _report(
        self, path: str, since: datetime, until: datetime, query: list[tuple[str, str]]
    ) -> AsyncGenerator[tuple[datetime, Mapping[str, Any]]]:
        span = [("starting_at", _moment(since)), ("ending_at", _moment(until))]
        page: list[tuple[str, str]] = []
        for _ in range(PAGES):
            answer = await self._get(path, [*span, *query, *page])
            for bucket in _list(answer, "data"):
                at = _read(bucket.get("starting_at"))
                for result in _list(bucket, "results"):
                    yield at, result
            if not answer.get("has_more"):
                return
            page = [("page", str(answer.get("next_page")))]
        raise AdminRejected(_said(AdminRejected, "the report has no end"))

    async def _get(self, path: str, query: list[tuple[str, str]]) -> Mapping[str, Any]:
        try:
            async with self._session.get(
                self._url + path,
                params=query,
                headers=self._headers,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(total=CALL_SECONDS),
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Not chained: the request in it holds the key.
            raise AdminDown(_said(AdminDown, type(error).__name__)) from None
        if response.status != 200:
            raise _named(response.status, body)
        try:
            return _mapping(json.loads(body))
        except ValueError:
            raise AdminDown(_said(AdminDown, "what answers there is not Claude's API")) from None


def _named(status: int, body: bytes) -> AdminProblem:
    kind: type[AdminProblem] = AdminRejected
    if status in {401, 403}:
        kind = AdminRefused
    elif status in {408, 429} or status >= 500:
        kind = AdminBusy
    try:
        told = str(_mapping(_mapping(json.loads(body)).get("error")).get("type") or "")
    except ValueError:
        told = ""
    return kind(_said(kind, f"{status} {told}".strip()))


def _said(kind: type[AdminProblem], why: str) -> str:
    return f"{kind.__doc__} [{why}]"


def _key(wire: Mapping[str, Any]) -> Key:
    hint = str(wire.get("partial_key_hint") or "")
    return Key(
        *(str(wire.get("id")), str(wire.get("name") or ""), hint, wire.get("workspace_id")),
        expires=_end(wire.get("expires_at")),
    )


def _end(told: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(told)).astimezone(UTC)
    except ValueError:
        return None


def _used(at: datetime, wire: Mapping[str, Any]) -> Used:
    written = _mapping(wire.get("cache_creation"))
    return Used(
        at,
        wire.get("api_key_id"),
        wire.get("workspace_id"),
        str(wire.get("model") or ""),
        _count(wire, "uncached_input_tokens"),
        _count(written, "ephemeral_5m_input_tokens"),
        _count(written, "ephemeral_1h_input_tokens"),
        _count(wire, "cache_read_input_tokens"),
        _count(wire, "output_tokens"),
    )


def _dollars(wire: Mapping[str, Any]) -> Decimal:
    try:
        return Decimal(str(wire.get("amount"))) / CENTS
    except InvalidOperation:
        raise AdminRejected(_said(AdminRejected, "an amount that is no number")) from None


def _count(wire: Mapping[str, Any], name: str) -> int:
    value = wire.get(name)
    return value if isinstance(value, int) else 0


def _list(wire: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = wire.get(name)
    return [_mapping(one) for one in cast("list[object]", value)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        raise AdminRejected(_said(AdminRejected, "a bucket without a beginning")) from None
