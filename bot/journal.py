"""What an ask did so far, written down before or as it happens, so that a restart goes on where it stopped.

Requests are journalled before they leave, responses when they end, parts of the answer before they are opened.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bot.ask import Lease
from bot.errors import PurserError
from bot.store import Row, Store, Transaction
from bot.usage import Usage

PartState = Literal["opening", "open", "said"]
SHARED, SHARED_END = "shared:", "shared;"  # in the place of an ask's id: what is nobody's


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that left, or was about to.

    `estimate_cost` is in pico-dollars, None where the price is unknown; `at` in epoch seconds.
    """

    n: int
    attempt: int
    model: str
    purpose: str
    prefix_hash: str
    estimate: Usage
    estimate_cost: int | None
    at: float
    status: Literal["open", "ended"]
    message_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the answer in Slack; `ts` is "" until it is known, `text` what it holds when said."""

    n: int
    state: PartState
    kind: str
    channel: str
    ts: str
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of an ask's earlier attempts."""

    attempts: tuple[Sent, ...] = ()
    responses: Mapping[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])
    tool_results: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Shared:
    """A request that is nobody's, such as one that keeps a cache warm; `at` in epoch seconds."""

    call: str
    model: str
    purpose: str
    estimate: Usage
    prompt_version: str
    at: float


class Journal:
    """Writes and reads the journal.

    Args:
        store: where it lies.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self.now = now

    async def read(self, ask_id: str) -> Told:
        """Everything about an ask, in one read."""
        attempts: list[Sent] = []
        responses: dict[int, Mapping[str, Any]] = {}
        tool_results: dict[str, Any] = {}
        parts: list[Part] = []
        for row in await self._store.read("journal.told", ask_id=ask_id):
            record = json.loads(row["record"])
            if row["what"] == "request":
                attempts.append(_sent(record))
                if row["content"] is not None:
                    responses[record["n"]] = json.loads(row["content"])
            elif row["what"] == "tool":
                tool_results[record["use_id"]] = json.loads(row["content"])
            else:
                parts.append(Part(**record))
        return Told(tuple(attempts), responses, tool_results, tuple(parts))

    def sending(
        self,
        tx: Transaction,
        lease: Lease,
        *,
        n: int,
        model: str,
        purpose: str,
        prefix_hash: str,
        estimate: Usage,
        estimate_cost: int | None,
        price_version: str = "",
        prompt_version: str = "",
        sections: str = "",
    ) -> None:
        """A request leaves once this is on disk.

        If nobody sees its end, it is booked by this estimate when its ask ends.
        """
        tx.add(
            "journal.sending",
            ask_id=lease.ask.id,
            n=n,
            attempt=lease.attempt,
            model=model,
            purpose=purpose,
            prefix_hash=prefix_hash,
            prompt_version=prompt_version,
            estimate=_text(asdict(estimate)),
            estimate_cost=estimate_cost,
            price_version=price_version,
            sections=sections,
            now=self.now(),
        )

    def started(self, tx: Transaction, lease: Lease, *, n: int, message_id: str) -> None:
        """Its answer has begun, and has this id."""
        tx.add("journal.started", ask_id=lease.ask.id, n=n, message_id=message_id)

    async def names(self, message_id: str, *, since: float) -> bool:
        """Whether a request that left since then (epoch seconds) has this id for its answer. Raises StoreDown."""
        return bool(await self._store.read("journal.names", message_id=message_id, since=since))

    def ended(
        self,
        tx: Transaction,
        lease: Lease,
        *,
        n: int,
        response: Mapping[str, Any] | None,
        error: str = "",
    ) -> None:
        """It has ended, with a response or with an error."""
        text = None if response is None else _text(response)
        tx.add(
            "journal.ended",
            ask_id=lease.ask.id,
            n=n,
            response=text,
            error=error,
            now=self.now(),
        )

    def sharing(
        self,
        tx: Transaction,
        call: str,
        *,
        model: str,
        purpose: str,
        estimate: Usage,
        prompt_version: str,
    ) -> None:
        """A request that is nobody's leaves once this is on disk; `call` is an id of its own."""
        tx.add(
            "journal.sending",
            ask_id=SHARED + call,
            n=1,
            attempt=1,
            model=model,
            purpose=purpose,
            prefix_hash="",
            prompt_version=prompt_version,
            estimate=_text(asdict(estimate)),
            estimate_cost=None,
            price_version="",
            sections="",
            now=self.now(),
        )

    def shared(
        self, tx: Transaction, call: str, *, error: str = "", must: PurserError | None = None
    ) -> None:
        """A request that is nobody's has ended; its row stands in the same transaction.

        `must` undoes the transaction where the end was written down before.
        """
        values = {"n": 1, "response": None, "error": error, "now": self.now()}
        tx.add("journal.ended", must=must, ask_id=SHARED + call, **values)

    async def shared_open(self) -> list[Shared]:
        """Requests that are nobody's and whose end nobody saw, the oldest first."""
        rows = await self._store.read("journal.shared_open", prefix=SHARED, end=SHARED_END)
        return [
            Shared(
                call=row["ask_id"].removeprefix(SHARED),
                model=row["model"],
                purpose=row["purpose"],
                estimate=Usage(**json.loads(row["estimate"])),
                prompt_version=row["prompt_version"],
                at=row["at"],
            )
            for row in rows
        ]

    def tool_result(
        self, tx: Transaction, lease: Lease, *, use_id: str, content: Any, outcome: str
    ) -> None:
        """What a tool gave, so that it is not run again."""
        tx.add(
            "journal.tool_result",
            ask_id=lease.ask.id,
            use_id=use_id,
            content=_text(content),
            outcome=outcome,
            now=self.now(),
        )

    def part(
        self,
        tx: Transaction,
        lease: Lease,
        *,
        n: int,
        state: PartState,
        channel: str,
        ts: str = "",
        text: str = "",
        kind: str = "post",
    ) -> None:
        """A part of the answer is about to be opened, is open, or is said."""
        tx.add(
            "journal.part",
            ask_id=lease.ask.id,
            n=n,
            state=state,
            kind=kind,
            channel=channel,
            ts=ts,
            text=text,
            now=self.now(),
        )


def _sent(record: Row) -> Sent:
    values: dict[str, Any] = {name: record[name] for name in Sent.__dataclass_fields__}
    values["estimate"] = Usage(**record["estimate"])
    return Sent(**values)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
