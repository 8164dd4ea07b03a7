"""What an ask writes in passing: true with its next commit, or by itself after a moment.

A commit wakes two threads and waits for the disk, and most of what an ask writes is followed by more within
milliseconds. What a restart would find out anew need not have a commit of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bot.ask import Lease
from bot.errors import LeaseLost, PurserError
from bot.store import Row, Statement, Transaction

SOON_SECONDS = 1.0  # after which it is written by itself
Commit = Callable[[Transaction], Awaitable[list[list[Row]]]]


@dataclass(slots=True)
class _Left:
    """What is still to be written of an ask."""

    lease: Lease
    timer: asyncio.TimerHandle
    statements: list[Statement] = field(default_factory=list[Statement])


class Soon:
    """Keeps what is to be written soon, and has it written.

    Args:
        commit: makes a transaction durable.
        seconds: after which something is written by itself.
    """

    def __init__(self, commit: Commit, *, seconds: float = SOON_SECONDS) -> None:
        self._commit, self._seconds = commit, seconds
        self._left: dict[tuple[str, int], _Left] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def add(self, tx: Transaction) -> None:
        """See `Store.soon`.

        Raises:
            ValueError: it has no lease, or a statement whose failure somebody would have to hear of.
        """
        if tx.lease is None or any(one.must is not None for one in tx.statements[1:]):
            raise ValueError("only what an ask may lose is written soon")
        self._keep(tx.lease, tx.statements[1:])

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """See `Store.commit`: what is left of the same ask goes first, behind the look at its lease."""
        left = self._taken(tx.lease)
        if left is None:
            return await self._commit(tx)
        fence, *own = tx.statements
        try:
            rows = await self._commit(Transaction(statements=[fence, *left.statements, *own]))
        except LeaseLost:  # so they are nobody's any more
            raise
        except PurserError:
            self._keep(left.lease, left.statements, first=True)
            raise
        return [rows[0], *rows[1 + len(left.statements) :]]

    async def close(self) -> None:
        """Write what is left."""
        for key in list(self._left):
            self._write(key)
        if self._writing:
            await asyncio.wait(self._writing)
        for left in self._left.values():
            left.timer.cancel()

    def _keep(self, lease: Lease, statements: list[Statement], *, first: bool = False) -> None:
        key = lease.ask.id, lease.attempt
        left = self._left.get(key)
        if left is None:
            timer = asyncio.get_running_loop().call_later(self._seconds, self._write, key)
            left = self._left[key] = _Left(lease, timer)
        place = 0 if first else len(left.statements)
        left.statements[place:place] = statements

    def _taken(self, lease: Lease | None) -> _Left | None:
        left = self._left.pop((lease.ask.id, lease.attempt), None) if lease else None
        if left is not None:
            left.timer.cancel()
        return left

    def _write(self, key: tuple[str, int]) -> None:
        task = asyncio.create_task(self._by_itself(self._left[key].lease))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _by_itself(self, lease: Lease) -> None:
        with suppress(PurserError):  # it is tried again, unless it is nobody's any more
            await self.commit(Transaction(lease))
