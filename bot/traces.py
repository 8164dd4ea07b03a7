"""What happened to an ask, step by step, as it was written down: calls of Claude, tools, people, the end and its cost.

Read only, from inbox, journal and books; what retention has removed is not known any more. Of what was said nothing is
in it but our own sentence at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.ask import Ask
from bot.prices import dollars
from bot.store import Row, Store


@dataclass(frozen=True, slots=True)
class Called:
    """One call of Claude; times in epoch seconds, `ended` None while it is under way.

    `error` is how it broke off, "" where it did not; then `stop_reason` says how it ended.
    """

    at: float
    ended: float | None
    model: str
    purpose: str
    error: str
    stop_reason: str
    category: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One ask and what happened to it.

    Attributes:
        state: of the ask in the inbox: waiting, leased, parked, done or dead.
        outcome: once it has ended: answer, refused, stopped, failed, …
        sentence: what was said at its end, "" for an answer.
        attempts: how many workers took it up.
        tools: name and outcome of each call of a tool.
        cost: in dollars, None where a price is unknown.
        people: what people did with it: a state of an escalation, "" where it was not given to any.
        who: who of them.
    """

    id: str
    channel: str
    feature: str
    at: float
    state: str
    outcome: str
    sentence: str
    attempts: int
    calls: tuple[Called, ...] = ()
    tools: tuple[tuple[str, str], ...] = ()
    cost: Decimal | None = Decimal(0)
    people: str = ""
    who: str = ""

    @property
    def reference(self) -> str:
        """What a person was told to quote."""
        return self.id[-8:]


class Traces:
    """Looks up what happened.

    Args:
        store: where all of it lies.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, ask: Ask, most: int) -> list[Trace]:
        """The last asks of who asks this, in the same channel, the newest first. Raises StoreDown."""
        rows = await self._store.read(
            "traces.of_person", team=ask.team, channel=ask.channel, user=ask.user, most=most
        )
        return await self._filled(rows)

    async def by_reference(self, reference: str, *, user: str = "") -> list[Trace]:
        """Asks that a reference names, in any channel; of that person alone, where one is named. Raises StoreDown."""
        rows = await self._store.read("traces.by_reference", reference=reference, user=user, most=2)
        return await self._filled(rows)

    async def _filled(self, rows: Sequence[Row]) -> list[Trace]:
        return [await self._trace(row) for row in rows]

    async def _trace(self, row: Row) -> Trace:
        calls = await self._store.read("traces.calls", ask_id=row["id"])
        tools = await self._store.read("traces.tools", ask_id=row["id"])
        (cost,) = await self._store.read("traces.cost", ask_id=row["id"])
        people = await self._store.read("traces.people", ask_id=row["id"])
        return Trace(
            id=row["id"],
            channel=row["channel"],
            feature=row["feature"],
            at=row["at"],
            state=row["state"],
            outcome=row["outcome"],
            sentence=row["sentence"],
            attempts=row["attempt"],
            calls=tuple(map(_called, calls)),
            tools=tuple((tool["name"], tool["outcome"]) for tool in tools),
            cost=None if cost["unpriced"] else dollars(cost["picos"]),
            people=people[0]["state"] if people else "",
            who=people[0]["who_name"] if people else "",
        )


def _called(row: Row) -> Called:
    return Called(
        at=row["at"],
        ended=row["ended_at"],
        model=row["model"],
        purpose=row["purpose"],
        error=row["error"],
        stop_reason=row["stop_reason"] or "",
        category=row["category"] or "",
    )
