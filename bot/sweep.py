"""What waits for nobody: leases that ran out wait again, what was tried too often is buried, old keys are removed.

It costs no commit of its own: whoever takes an ask does it on the way, about once a second in each process.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress

from bot.ask import Ask
from bot.errors import LeaseLost, StoreDown
from bot.store import Row, Store, Transaction

FAILURES_AT_MOST = 5  # workers that died over an ask, before it is dead
# Keys are kept longer than any redelivery (five minutes, with a day's delay).
KEY_SECONDS = 48 * 3600.0
SWEEP_SECONDS = 1.0  # between looks for leases that ran out
PURGE_SECONDS = 3600.0  # between removals of old keys
BURIED = f"{FAILURES_AT_MOST} workers ended while they worked on it"


class Sweep:
    """Looks now and then.

    Args:
        store: where the asks lie.
        buried: adds to the transaction in which an ask is given up.
    """

    def __init__(self, store: Store, buried: Callable[[Transaction, Ask], None]) -> None:
        self._store, self._buried = store, buried
        self._swept = self._purged = float("-inf")

    def add(self, tx: Transaction, now: float) -> int | None:
        """Look with this transaction, if it is time to; the place of the rows that are to be buried then."""
        if now - self._swept < SWEEP_SECONDS:
            return None
        self._swept = now
        tx.add("inbox.expire", now=now)
        tx.add("inbox.unpark", now=now)
        if now - self._purged > PURGE_SECONDS:
            self._purged = now
            for name in ("inbox.purge_keys", "inbox.purge_heard", "inbox.purge_signals"):
                tx.add(name, before=now - KEY_SECONDS)
        return tx.add("inbox.hopeless", most=FAILURES_AT_MOST)

    async def bury(self, rows: Sequence[Row], now: float) -> None:
        """Give up what was tried too often; where the store fails, the next look does it."""
        with suppress(StoreDown):
            for row in rows:
                await self._bury(row, now)

    async def _bury(self, row: Row, now: float) -> None:
        tx = Transaction()
        values = {"now": now, "most": FAILURES_AT_MOST, "sentence": BURIED}
        tx.add("inbox.bury", must=LeaseLost(), ask_id=row["id"], **values)
        leave_nothing_open(tx, row["id"], now)
        self._buried(tx, Ask.from_json(json.loads(row["body"])))
        with suppress(LeaseLost):  # another process buried it
            await self._store.commit(tx)


def leave_nothing_open(tx: Transaction, ask_id: str, now: float) -> None:
    """With an ask's end, what it leaves open is booked by its estimate, and its reservations end."""
    tx.add("ledger.lost", ask_id=ask_id)
    tx.add("journal.lost", ask_id=ask_id, now=now)
    tx.add("budget.free", ask_id=ask_id)
