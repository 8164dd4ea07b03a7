"""The stand-in's Message Batches: many requests at once, at half the price, answered when there is time.

    POST /v1/messages/batches                 in_progress
    GET  /v1/messages/batches                 the newest first
    GET  /v1/messages/batches/{id}            ended, once its time has come
    POST /v1/messages/batches/{id}/cancel     canceling, then ended
    GET  /v1/messages/batches/{id}/results    a line of JSON for each request

Time is the stand-in's: a batch takes `seconds`, and what is not done after a day has expired. As with the API, a
request that is wrong in itself is found out when its turn comes, and then is one errored line among the results.
Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from aiohttp import web

from bot.demo.claude.errors import Problem, invalid

DAY_SECONDS = 86_400.0
REQUESTS_AT_MOST = 100_000
LISTED_AT_MOST = 1_000
KINDS = ("succeeded", "errored", "canceled", "expired")
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

Json = dict[str, Any]


@dataclass(slots=True)
class Batch:
    """One batch; times are epoch seconds."""

    id: str
    requests: Mapping[str, Any]  # by custom_id
    created: float
    canceled: float | None = None
    ended: float | None = None
    results: Json = field(default_factory=dict[str, Any])  # by custom_id

    @property
    def expires(self) -> float:
        """When what is not done by then is not done any more."""
        return self.created + DAY_SECONDS

    @property
    def status(self) -> str:
        """How far it is, in the API's word."""
        if self.ended is not None:
            return "ended"
        return "in_progress" if self.canceled is None else "canceling"

    def counts(self) -> dict[str, int]:
        """Requests by what became of them; until the batch has ended all of them are being processed."""
        ends = [result["type"] for result in self.results.values()]
        counts = {kind: ends.count(kind) for kind in KINDS}
        return {"processing": len(self.requests) - len(ends), **counts}


class Batches:
    """Keeps batches, and works on them as the clock goes.

    Args:
        work: answers one request: a `result` of the results file.
        now: epoch seconds.
        new_id: makes ids.
        url: of the stand-in.
    """

    def __init__(
        self,
        work: Callable[[Any], Json],
        *,
        now: Callable[[], float],
        new_id: Callable[[str], str],
        url: Callable[[], str],
    ) -> None:
        self._work, self._now, self._new_id, self._url = work, now, new_id, url
        self.all: list[Batch] = []
        self.seconds = 0.0  # that a batch takes
        self.cut = 0  # so many batches are made, and nobody hears of it
        self.problems: list[Problem] = []  # instead of the next ones
        self.looks = 0  # how often somebody asked how far a batch is

    def routes(self) -> list[tuple[str, str, Callable[[web.Request, Json], Json | web.Response]]]:
        """Methods and paths, and what answers there: a request and its parsed body, to JSON."""
        path = "/v1/messages/batches"
        return [
            ("POST", path, self._create),
            ("GET", path, self._list),
            ("GET", path + "/{id}", self._retrieve),
            ("POST", path + "/{id}/cancel", self._cancel),
            ("GET", path + "/{id}/results", self._results),
        ]

    def _create(self, request: web.Request, body: Json) -> Json:
        if self.problems:
            raise self.problems.pop(0)
        batch = Batch(self._new_id("msgbatch_"), _requests(body), self._now())
        self.all.append(batch)
        if self.cut:
            self.cut -= 1
            if request.transport is not None:
                request.transport.abort()
        return self._told(batch)

    def _list(self, request: web.Request, _body: Json) -> Json:
        limit = int(request.query.get("limit", "20"))
        if not 1 <= limit <= LISTED_AT_MOST:
            raise invalid(f"limit: Input should be between 1 and {LISTED_AT_MOST}")
        newest = [self._went_on(batch) for batch in reversed(self.all)]
        ids = [batch.id for batch in newest]
        after = request.query.get("after_id")
        start = ids.index(after) + 1 if after in ids else 0
        page = newest[start : start + limit]
        return {
            "data": [self._told(batch) for batch in page],
            "has_more": start + limit < len(newest),
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }

    def _retrieve(self, request: web.Request, _body: Json) -> Json:
        self.looks += 1
        return self._told(self._found(request))

    def _cancel(self, request: web.Request, _body: Json) -> Json:
        batch = self._found(request)
        if batch.ended is None and batch.canceled is None:
            batch.canceled = self._now()
        return self._told(batch)

    def _results(self, request: web.Request, _body: Json) -> web.Response:
        batch = self._found(request)
        if batch.ended is None:
            raise Problem(404, f"Batch {batch.id} has no available results")
        lines = [
            json.dumps({"custom_id": custom_id, "result": result}) + "\n"
            for custom_id, result in reversed(batch.results.items())  # in no order one may rely on
        ]
        return web.Response(body="".join(lines).encode(), content_type="application/x-jsonl")

    def _found(self, request: web.Request) -> Batch:
        wanted = request.match_info["id"]
        for batch in self.all:
            if batch.id == wanted:
                return self._went_on(batch)
        raise Problem(404, f"Batch not found: {wanted}")

    def _went_on(self, batch: Batch) -> Batch:
        """The batch as it is by now."""
        now, done = self._now(), batch.created + self.seconds
        if batch.ended is not None:
            return batch
        if batch.canceled is not None and batch.canceled < min(now, done):
            self._end(batch, batch.canceled, {"type": "canceled"})
        elif now >= batch.expires and done > batch.expires:
            self._end(batch, batch.expires, {"type": "expired"})
        elif now >= done:
            self._end(batch, done)
        return batch

    def _end(self, batch: Batch, at: float, result: Json | None = None) -> None:
        batch.ended = at
        batch.results = {
            custom_id: dict(result) if result is not None else self._work(params)
            for custom_id, params in batch.requests.items()
        }

    def _told(self, batch: Batch) -> Json:
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": batch.counts(),
            "created_at": _moment(batch.created),
            "expires_at": _moment(batch.expires),
            "ended_at": _moment(batch.ended),
            "archived_at": None,
            "cancel_initiated_at": _moment(batch.canceled),
            "results_url": f"{self._url()}/v1/messages/batches/{batch.id}/results"
            if batch.ended is not None
            else None,
        }


def _requests(body: Json) -> dict[str, Any]:
    """The requests by their ids; what the API sees at once is refused at once."""
    given = body.get("requests")
    if not isinstance(given, list) or not given:
        raise invalid("requests: List should have at least 1 item")
    if len(cast("list[Any]", given)) > REQUESTS_AT_MOST:
        raise invalid(f"requests: List should have at most {REQUESTS_AT_MOST} items")
    found: dict[str, Any] = {}
    for n, one in enumerate(cast("list[Json]", given)):
        custom_id, params = one.get("custom_id"), one.get("params")
        if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
            raise invalid(
                f"requests.{n}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
            )
        if custom_id in found:
            raise invalid(f"requests.{n}.custom_id: {custom_id} is used twice")
        if not isinstance(params, dict):
            raise invalid(f"requests.{n}.params: Field required")
        found[custom_id] = params
    return found


def check_batched(body: Mapping[str, Any]) -> None:
    """Refuse what a request of a batch cannot have.

    Raises:
        Problem: it has it.
    """
    if body.get("stream"):
        raise invalid("stream: streaming is not supported in batches")
    if body.get("speed") not in (None, "standard"):
        raise invalid("speed: is not supported in batches")
    if body.get("max_tokens") == 0:
        raise invalid("max_tokens: 0 is not supported in batches")


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
