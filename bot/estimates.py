"""What asks were likely to take, what people decided about it, and what they really took.

An estimate is written in the commit that lets an ask's first request out, or, where a person has to decide first,
before they are asked. A decision is made once, whoever else presses, and is there after a restart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from bot.answer import Estimate
from bot.ask import Lease
from bot.errors import PurserError
from bot.prices import dollars
from bot.store import Row, Store, Transaction

THREAD_SECONDS = 300.0  # that a thread's part of Claude's cache lives at least after its last use
SHARED_SECONDS = 3600.0  # the same for what all requests share
LATELY = 50  # responses that are looked at

State = Literal["", "asked", "go", "smaller", "cancel", "lapsed", "stopped"]
"""Of an ask's estimate: nobody had to decide, somebody has to, and what was decided."""


class Decided(PurserError):
    """Somebody has decided already."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An estimate and what was decided about it.

    Attributes:
        at: when it was made first, epoch seconds.
        asker: whose ask it is.
        user: who decided, "" if nobody did.
        press: the press of a button by which they did.
    """

    estimate: Estimate
    at: float
    asker: str
    state: State
    user: str
    press: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An estimate beside what its ask really took; `error` is the part of the estimate by which it was missed."""

    ask_id: str
    channel: str
    feature: str
    at: float
    estimate: Estimate
    state: State
    cost: Decimal
    prompt_tokens: int
    output_tokens: int

    @property
    def error(self) -> Decimal:
        """Above 0 where more was spent than estimated: 0.5 is half as much again."""
        estimated = dollars(self.estimate.picos)
        return (self.cost - estimated) / estimated if estimated else Decimal(0)


@dataclass(frozen=True, slots=True)
class Warmth:
    """Tokens of a prompt that are likely to be in Claude's cache, and tokens a second generated lately, if any were."""

    cached: int
    speed: float | None


class Estimates:
    """Keeps estimates and decisions.

    Args:
        store: where they lie.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def put(self, tx: Transaction, lease: Lease, estimate: Estimate) -> None:
        """Write down what an ask is likely to take."""
        tx.add(
            "estimates.put",
            ask_id=lease.ask.id,
            now=self._now(),
            tokens=estimate.tokens,
            picos=estimate.picos,
            seconds=estimate.seconds,
        )

    def ask(self, tx: Transaction, lease: Lease, estimate: Estimate) -> None:
        """The same, and that somebody has to decide."""
        self.put(tx, lease, estimate)
        tx.add("estimates.ask", ask_id=lease.ask.id)

    def decide(
        self, tx: Transaction, ask_id: str, state: State, *, user: str = "", press: str = ""
    ) -> None:
        """Decide; the commit raises Decided where somebody has already, or nobody was asked."""
        values = {"state": state, "user": user, "press": press, "now": self._now()}
        tx.add("estimates.decide", must=Decided(), ask_id=ask_id, **values)

    async def of(self, ask_id: str) -> Asked | None:
        """What an ask was likely to take, and what was decided; None where nothing was estimated."""
        rows = await self._store.read("estimates.of", ask_id=ask_id)
        if not rows:
            return None
        row = rows[0]
        state = cast("State", row["state"])
        return Asked(_estimate(row), row["at"], row["asker"], state, row["user"], row["press"])

    async def pairs(self, *, since: float, until: float) -> list[Pair]:
        """Estimates of a span of time (epoch seconds, `until` excluded) with what became of them, the oldest first.

        An ask that was never asked of Claude, or has not ended, is left out.
        """
        return [
            Pair(
                ask_id=row["ask_id"],
                channel=row["channel"],
                feature=row["feature"],
                at=row["at"],
                estimate=_estimate(row),
                state=cast("State", row["state"]),
                cost=dollars(row["spent"]),
                prompt_tokens=row["prompt_tokens"],
                output_tokens=row["output_tokens"],
            )
            for row in await self._store.read("estimates.pairs", since=since, until=until)
        ]

    async def warmth(
        self, *, model: str, prompt_version: str, message_id: str | None, until: float = 0.0
    ) -> Warmth:
        """What the books say of Claude's cache.

        Args:
            model: whose cache.
            prompt_version: of the shared beginning.
            message_id: Claude's last message in the thread, None where there is none.
            until: when what that left there is lost, in epoch seconds; five minutes after it at the earliest.
        """
        now = self._now()
        rows = await self._store.read(
            "estimates.warmth",
            entry_id=f"{message_id}:0",
            model=model,
            prompt_version=prompt_version,
            since_thread=0.0 if now < until else now - THREAD_SECONDS,
            since_shared=now - SHARED_SECONDS,
            most=LATELY,
        )
        return Warmth(max(rows[0]["thread"], rows[0]["shared"]), rows[0]["speed"])


def _estimate(row: Row) -> Estimate:
    return Estimate(row["tokens"], row["picos"], row["seconds"])
