"""Claude's Message Batches: requests that can wait, at half the price, answered within a day.

A batch is made, looked at now and then, and has results once it has ended; what became of each request is a line of
its own. Requests and content travel as plain dicts. Everything here is asked once per call; who asks again decides
whoever calls.
Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from anthropic import AsyncAnthropic, omit

from integrations.claude import (
    FOREIGN,
    SHAPE,
    SHORT_SECONDS,
    named,
)
from integrations.claude_errors import Facts, Malformed
from integrations.claude_message import Forming, Json

LISTED = 200  # batches in one answer; Claude lists 1,000 at most

Outcome = Literal["succeeded", "errored", "canceled", "expired"]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch on its way: whether it has ended, when it was made (epoch seconds), how many requests it has."""

    id: str
    ended: bool
    created: float
    requests: int


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one request.

    Attributes:
        custom_id: by which it was sent.
        outcome: a refusal is a success, too; nothing but a success can be billed.
        message: of a success: `id`, `model`, `content`, `stop_reason`, `refusal_category`, `usage`.
        error: of an error: its type, such as `invalid_request_error`.
    """

    custom_id: str
    outcome: Outcome
    message: Mapping[str, Any] | None = None
    error: str = ""


class Batches:
    """Calls the Message Batches API through a client that app has made.

    Args:
        client: an `AsyncAnthropic` with `max_retries=0`.
        now: the present in UTC, for `retry-after` given as a date.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._now = client, now

    async def create(self, custom_id: str, request: Mapping[str, Any]) -> Batch:
        """Make a batch of one request.

        Where the connection breaks the batch may have been made all the same: see `recent`.

        Args:
            custom_id: names the request in the results; letters, digits, `_` and `-`, 64 at most.
            request: the body of POST /v1/messages, without `stream`.

        Raises:
            ClaudeError: in one of its kinds.
        """
        one: Any = {"custom_id": custom_id, "params": request}
        with self._named():
            return _batch(
                await self._client.messages.batches.create(requests=[one], timeout=SHORT_SECONDS)
            )

    async def look(self, batch_id: str) -> Batch:
        """How far a batch is.

        Raises:
            ModelUnknown: there is none of that id.
            ClaudeError: in another of its kinds.
        """
        with self._named():
            return _batch(
                await self._client.messages.batches.retrieve(batch_id, timeout=SHORT_SECONDS)
            )

    async def recent(self, *, before: str = "") -> list[Batch]:
        """The newest batches of the account's workspace, the newest first, `LISTED` at most.

        Args:
            before: only those older than the batch of this id; "" for the newest of all.

        Raises:
            ClaudeError: in one of its kinds.
        """
        with self._named():
            page = await self._client.messages.batches.list(
                limit=LISTED, after_id=before or omit, timeout=SHORT_SECONDS
            )
            return [_batch(one) for one in page.data]

    async def line(self, batch_id: str, custom_id: str) -> Line | None:
        """What became of a request of a batch that has ended; None where the batch has no such request.

        Raises:
            ClaudeError: in one of its kinds.
        """
        with self._named():
            lines = await self._client.messages.batches.results(batch_id, timeout=SHORT_SECONDS)
            try:
                async for one in lines:
                    if one.custom_id == custom_id:
                        return _line(one)
            finally:
                await lines.close()
        return None

    async def cancel(self, batch_id: str) -> Batch:
        """Ask that a batch be given up; it ends a little later, and may have results all the same.

        Raises:
            ClaudeError: in one of its kinds.
        """
        with self._named():
            return _batch(
                await self._client.messages.batches.cancel(batch_id, timeout=SHORT_SECONDS)
            )

    @contextmanager
    def _named(self) -> Generator[None]:
        try:
            yield
        except FOREIGN as foreign:
            # Not chained: the SDK's message can quote the request or the answer.
            raise named(foreign, Facts(), self._now()) from None
        except SHAPE as foreign:
            raise Malformed(Facts(cause=type(foreign).__name__)) from None


def _batch(found: Any) -> Batch:
    counts = found.request_counts
    requests = (
        counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
    )
    ended = str(found.processing_status) == "ended"
    return Batch(str(found.id), ended, found.created_at.timestamp(), requests)


def _line(found: Any) -> Line:
    result = found.result
    if result.type == "succeeded":
        return Line(found.custom_id, "succeeded", _message(result.message))
    if result.type == "errored":
        return Line(found.custom_id, "errored", error=str(result.error.error.type))
    return Line(found.custom_id, result.type)


def _message(message: Any) -> Json:
    whole = Forming(message.to_dict())
    return {
        "id": whole.id,
        "model": whole.model,
        "content": [dict(block) for block in whole.content()],
        "stop_reason": whole.stop_reason,
        "refusal_category": whole.refusal_category,
        "usage": dict(whole.usage),
    }
