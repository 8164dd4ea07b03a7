"""The shelf where everything durable lies: one protocol, two engines (SQLite here, PostgreSQL beside it).

Rooms speak to a store in named statements, never in SQL: `inbox.take`, `journal.sending`. The SQL of a name
lies in `store/<engine>/*.sql`. A `Transaction` collects statements and is committed whole or not at all, so that
a worker or a turn can settle several records at once:

    tx = Transaction(lease)                # first of all the lease must still be ours
    ledger.book(tx, entry)
    journal.response(tx, lease, response)
    await store.commit(tx)                 # returns only after it is on disk
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.ask import Lease
from bot.errors import LeaseLost, PurserError

Row = Mapping[str, Any]
"""A row by column names. JSON columns come as text, times as seconds since the epoch, money as integers."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A named statement with its values.

    `must` is raised, and the whole transaction undone, when the statement touches or returns no row.
    """

    name: str
    values: Mapping[str, Any]
    must: PurserError | None = None


@dataclass(slots=True)
class Transaction:
    """Statements that become true together. With a lease, the first one checks that it is still ours."""

    lease: Lease | None = None
    statements: list[Statement] = field(default_factory=list[Statement])

    def __post_init__(self) -> None:
        if self.lease is not None:
            self.add(
                "inbox.fence",
                must=LeaseLost(),
                ask_id=self.lease.ask.id,
                attempt=self.lease.attempt,
            )

    def add(self, name: str, *, must: PurserError | None = None, **values: Any) -> int:
        """Add a statement; returns its index in what `commit` returns."""
        self.statements.append(Statement(name, values, must))
        return len(self.statements) - 1


class Store(Protocol):
    """Where the durable rooms keep their records."""

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Make a transaction durable and return each statement's rows ([] for those that return none).

        Raises:
            PurserError: a statement's `must`; then nothing of the transaction happened.
            StoreDown: the engine failed; then nothing of it happened. (Where the way to a server broke, nobody can say
                so: see the engine.)
        """
        ...

    def soon(self, tx: Transaction) -> None:
        """Let what an ask writes in passing become true with its next commit, or by itself after a second.

        It is for what a restart would find out anew: until then it goes with the process, and nobody hears of it.

        Raises:
            ValueError: the transaction has no lease, or somebody would have to hear of its failure.
        """
        ...

    async def read(self, name: str, **values: Any) -> list[Row]:
        """Rows of a named query, from a connection of its own.

        Raises:
            StoreDown: the engine failed.
        """
        ...

    async def ready(self) -> bool:
        """Whether a read goes through now (for /readyz)."""
        ...

    async def close(self) -> None:
        """Finish what was queued and close all connections."""
        ...


class Engine(Store, Protocol):
    """A store as it was opened: what only the roof has to know about it."""

    @property
    def alone(self) -> bool:
        """Whether no other process works on what lies here while this one does."""
        ...

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since the epoch, the same for all who work here."""
        ...

    def listen(self, hear: Callable[[str | None], None]) -> None:
        """Tell what other processes put here, in the running loop and until it is closed; once at most.

        Args:
            hear: told the channel where something was said; "" when an ask waits; None when anything may have happened.
        """
        ...


__all__ = ["Engine", "Row", "Statement", "Store", "Transaction"]
