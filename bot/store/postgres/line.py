"""One connection to PostgreSQL: named statements sent in one go, their rows and errors told apart by transaction.

Everything up to a sync is one transaction on the server, which has it whole before we hear of it: no transaction
waits for us in its middle, so a process that is paused or dies holds nothing up.
"""

import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import pq

from bot.store import Row
from bot.store.postgres.failures import failure
from bot.store.postgres.statements import Prepared

SILENT_SECONDS = 120.0  # without a word from the server while it owes us an answer
BOOLEAN = 16  # types by their numbers, which never change
INTEGERS = frozenset({20, 21, 23})
FLOATS = frozenset({700, 701, 1700})
BROKE = "08006"  # the connection ended
STALE = frozenset({"0A000", "26000", "25006"})  # planned for another schema; or a standby now
GOOD = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
Bound = tuple[Prepared, list[bytes | None]]
"""A statement with its values as the wire takes them."""


class Broken(Exception):
    """The connection ended before the server gave us an answer."""


@dataclass(slots=True)
class Outcome:
    """What became of a transaction: its statements' rows; or the SQLSTATE and place of the statement that ended it."""

    rows: list[list[Row]] = field(default_factory=list[list[Row]])
    state: str = ""
    at: int = -1
    known: bool = False  # whether the server told us how it ended


class Line:
    """A connection; `exchange` sends transactions and gives what became of them.

    Args:
        connection: for this line alone.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.pg = connection.pgconn
        self.pg.enter_pipeline_mode()
        self._known: set[bytes] = set()
        self._poll = select.poll()
        self._poll.register(self.pg.socket, select.POLLIN)

    def close(self) -> None:
        """End the session; may be done twice."""
        self._connection.close()

    @property
    def alive(self) -> bool:
        """Whether it may be used: a server that has spoken unasked has said farewell, or that its settings are new."""
        if self.pg.status != pq.ConnStatus.OK:
            return False
        self._poll.modify(self.pg.socket, select.POLLIN)
        return not self._poll.poll(0)

    def one(self, statement: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """The rows of one statement, which is a transaction of its own.

        Raises:
            Broken: the connection ended, or no longer fits; a new one may do it.
            StoreDown: the server refused it.
        """
        outcome = self.exchange([[(statement, statement.bound(values))]])[0]
        if not outcome.known or outcome.state in {BROKE, *STALE}:
            raise Broken
        if outcome.state:
            raise failure(outcome.state)
        return outcome.rows[0]

    def exchange(self, transactions: Sequence[Sequence[Bound]]) -> list[Outcome]:
        """What became of transactions, each its own; the line is closed where that of one is not known."""
        outcomes = [Outcome(state=BROKE, known=True) for _ in transactions]  # until they are sent
        try:
            refused = self._prepare({one.name: one for tx in transactions for one, _ in tx})
            sent: list[tuple[Sequence[Bound], Outcome]] = []
            for tx, outcome in zip(transactions, outcomes, strict=True):
                states = [refused[one.name] for one, _ in tx if one.name in refused]
                if states:
                    outcome.state = states[0]
                    continue
                for statement, values in tx:
                    self.pg.send_query_prepared(statement.name, values)
                outcome.state, outcome.known = "", False  # without the sync it cannot happen
                self.pg.pipeline_sync()
                sent.append((tx, outcome))
            for tx, outcome in sent:
                self._hear([one for one, _ in tx], outcome)
        except psycopg.Error:
            self.close()
        if any(outcome.state in STALE for outcome in outcomes):
            self.close()  # what was planned no longer fits; a new session plans anew
        return outcomes

    def _prepare(self, statements: Mapping[bytes, Prepared]) -> dict[bytes, str]:
        """Make statements known to the server; gives the SQLSTATE of each that it refuses."""
        new = [one for name, one in statements.items() if name not in self._known]
        for one in new:
            self.pg.send_prepare(one.name, one.sql)
            self.pg.pipeline_sync()
        refused: dict[bytes, str] = {}
        for one in new:
            outcome = Outcome()
            self._hear([one], outcome)
            if outcome.state:
                refused[one.name] = outcome.state
            else:
                self._known.add(one.name)
        return refused

    def _hear(self, statements: Sequence[Prepared], outcome: Outcome) -> None:
        """Read on until a transaction's end."""
        place = 0
        while (result := self._next()) is None or result.status != pq.ExecStatus.PIPELINE_SYNC:
            if result is None:
                continue
            if result.status in GOOD:
                outcome.rows.append(rows(result) if statements[place].rows else [])
            elif result.status != pq.ExecStatus.PIPELINE_ABORTED and not outcome.state:
                state = result.error_field(pq.DiagnosticField.SQLSTATE)
                outcome.state, outcome.at = (state or BROKE.encode()).decode(), place
            place += 1
        outcome.known = True

    def _next(self) -> "pq.abc.PGresult | None":
        """The next result, or None between those of two statements."""
        while self.pg.is_busy():
            unsent = self.pg.flush()
            self._poll.modify(self.pg.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
            if not self._poll.poll(SILENT_SECONDS * 1000):
                raise psycopg.OperationalError("the server has fallen silent")
            self.pg.consume_input()
        result = self.pg.get_result()
        if result is None and self.pg.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError("the connection ended")
        return result


def rows(result: "pq.abc.PGresult") -> list[Row]:
    """A result's rows by column names: integers, floats, and text for all else."""
    columns = range(result.nfields)
    names = [(result.fname(n) or b"").decode() for n in columns]
    kinds = [result.ftype(n) for n in columns]
    return [
        {
            name: _value(kind, result.get_value(row, n))
            for n, name, kind in zip(columns, names, kinds, strict=True)
        }
        for row in range(result.ntuples)
    ]


def _value(kind: int, value: bytes | None) -> int | float | str | None:
    if value is None:
        return None
    if kind in INTEGERS:
        return int(value)
    if kind in FLOATS:
        return float(value)
    if kind == BOOLEAN:
        return int(value == b"t")
    return value.decode()
