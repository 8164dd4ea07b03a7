"""The one thread that writes to PostgreSQL: all transactions waiting at the moment go there in one go.

Each stays a transaction of its own, so one that fails leaves its neighbours alone. As on SQLite one writes at a time,
in all processes together: every transaction begins with a lock that ends with it. So what a statement has seen (money
that is left, a lane that is free, a chain's last record) is still so when it writes, with no lock of its own for each.

In a group all but the last step leave the waiting for the disk to that one: a log that is on disk up to there holds
everything before it. Nobody hears success earlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import PurserError, StoreDown
from bot.store import Row, Transaction
from bot.store.groups import Groups, Result
from bot.store.postgres.address import Address
from bot.store.postgres.failures import failure
from bot.store.postgres.line import Bound, Line, Outcome
from bot.store.postgres.statements import MUST_FIND, Statements, plain

LOCK = 0x707572736572  # "purser"; whoever writes has it
TURN = plain("turn", f"SELECT pg_advisory_xact_lock({LOCK})")
QUICK = plain("turn.quick", f"SELECT pg_advisory_xact_lock({LOCK}), set_config('synchronous_commit', 'off', true)")  # fmt: skip
FLUSH = plain("flush", "SELECT pg_logical_emit_message(true, 'purser', '')")
UNSURE = "the connection to the database broke while this was written: it may be there, or not"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A transaction's statements as they are sent, and what each that finds nothing means."""

    statements: tuple[Bound, ...]
    musts: tuple[PurserError | None, ...]


class Writer:
    """Commits transactions, one group after the other.

    Args:
        address: where to.
        statements: SQL by name.

    Attributes:
        failing: whether the last write was refused by the engine, and none went through since.
        pid: of the session on the server that writes at the moment; 0 where there is none.
    """

    def __init__(self, address: Address, statements: Statements) -> None:
        self._address = address
        self._statements = statements
        self._line: Line | None = None
        self.failing = False
        self.pid = 0
        self._groups: Groups[_Bound] = Groups(self._committed)

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Queue a transaction and wait until it is on disk.

        Raises:
            PurserError: a statement's `must`, or StoreDown; see `PostgresStore.commit`.
            KeyError: there is no statement of that name, or it lacks a value.
        """
        bound: list[Bound] = []
        for one in tx.statements:
            statement = self._statements.get(one.name, must=one.must is not None)
            bound.append((statement, statement.bound(one.values)))
        return await self._groups.commit(_Bound(tuple(bound), tuple(s.must for s in tx.statements)))

    def close(self) -> None:
        """Write what is queued, then end the thread and the session."""
        self._groups.close()
        if self._line is not None:
            self._line.close()

    def _committed(self, group: Sequence[_Bound]) -> Sequence[Result]:
        try:
            line = self._connected()
        except StoreDown as down:
            self.failing = True
            return [_same(down) for _ in group]
        first = (TURN if len(group) == 1 else QUICK, list[bytes | None]())
        sent: list[Sequence[Bound]] = [[first, *one.statements] for one in group]
        if len(group) > 1:
            sent.append([(FLUSH, [])])
        outcomes = line.exchange(sent)
        flushed = outcomes[-1].known and not outcomes[-1].state
        results = [
            _result(one, outcome, durable=flushed or len(group) == 1)
            for one, outcome in zip(group, outcomes, strict=False)
        ]
        down = any(isinstance(result, StoreDown) for result in results)
        self.failing = down or (self.failing and not any(isinstance(r, list) for r in results))
        return results

    def _connected(self) -> Line:
        if self._line is None or not self._line.alive:
            if self._line is not None:
                self._line.close()
            self._line, self.pid = None, 0
            self._line = Line(self._address.connect())
            self.pid = self._line.pg.backend_pid
        return self._line


def _result(one: _Bound, outcome: Outcome, *, durable: bool) -> Result:
    if not outcome.known:
        return StoreDown(UNSURE)
    if outcome.state == MUST_FIND:
        must = one.musts[outcome.at - 1]  # behind the turn
        return must if must is not None else failure(outcome.state)
    if outcome.state:
        return failure(outcome.state)
    if not durable:
        return StoreDown(UNSURE)
    return outcome.rows[1:]


def _same(down: StoreDown) -> StoreDown:
    """An error of its own for each who waits."""
    one = StoreDown(str(down))
    one.__cause__ = down.__cause__
    return one
