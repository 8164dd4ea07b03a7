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
    """What is still to be written of an ask, in its order; whoever takes it along has its turn."""

    lease: Lease
    statements: list[Statement] = field(default_factory=list[Statement])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None


class Soon:
    """Keeps what is to be written soon until it is on disk, and has it written.

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
        left = self._left.setdefault(_key(tx.lease), _Left(tx.lease))
        left.statements += tx.statements[1:]
        if left.timer is None:
            self._wind(left)

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """See `Store.commit`: what is left of the same ask goes first, behind the look at its lease."""
        left = self._left.get(_key(tx.lease)) if tx.lease else None
        if left is None:
            return await self._commit(tx)
        # One after the other: what is said later, an ask's end above all, must not be on disk without what was
        # said before, should the commit that has it fail.
        async with left.turn:
            return await self._commit_with(left, tx)

    async def close(self) -> None:
        """Write what is left."""
        for left in list(self._left.values()):
            self._write(left)
        if self._writing:
            await asyncio.wait(self._writing)
        for left in self._left.values():
            if left.timer is not None:
                left.timer.cancel()

    async def _commit_with(self, left: _Left, tx: Transaction) -> list[list[Row]]:
        """Until it is known to be on disk it stays, whatever becomes of this commit and of who waits for it."""
        fence, *own = tx.statements
        along = tuple(left.statements)
        try:
            rows = await self._commit(Transaction(statements=[fence, *along, *own]))
            del left.statements[: len(along)]
        except LeaseLost:  # so it is nobody's any more
            left.statements.clear()
            raise
        finally:
            self._wind(left)
        return [rows[0], *rows[1 + len(along) :]]

    def _wind(self, left: _Left) -> None:
        """Have it written by itself after a while, as long as there is something."""
        if left.timer is not None:
            left.timer.cancel()
        if left.statements:
            left.timer = asyncio.get_running_loop().call_later(self._seconds, self._write, left)
        elif self._left.get(_key(left.lease)) is left:
            del self._left[_key(left.lease)]

    def _write(self, left: _Left) -> None:
        task = asyncio.create_task(self._by_itself(left.lease))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _by_itself(self, lease: Lease) -> None:
        with suppress(PurserError):  # it is tried again, unless it is nobody's any more
            await self.commit(Transaction(lease))


def _key(lease: Lease) -> tuple[str, int]:
    return lease.ask.id, lease.attempt
