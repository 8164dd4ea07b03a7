"""What an admin set in Slack: it wins over the policy file, is kept with who and when, and goes with a reset.

set -> checked as the file is -> committed -> in force at once, and after every restart

Where several processes share a database, the others follow within a second.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

from pydantic import ValidationError

from bot.audit import Record, record
from bot.errors import PurserError, StoreDown
from bot.policy import EVERYWHERE, PAUSED, Adjusted, Policy
from bot.prices import price
from bot.rules import Rules
from bot.store import Store, Transaction
from bot.usage import Usage

FOLLOW_SECONDS = 1.0  # between looks at what other processes set
KEYS = ("monthly_budget_usd", "model", PAUSED)


class BadAdjustment(PurserError):
    """This cannot be set; the sentence says why, with an example."""


class Adjustments:
    """Sets and takes back what the policy holds besides its file.

    Args:
        store: where it is kept.
        policy: where it takes force.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, policy: Policy, *, now: Callable[[], float]) -> None:
        self._store, self._policy, self._now = store, policy, now
        self._known: set[tuple[str, str]] = set()  # what is in force, by channel and key
        self._changing = asyncio.Lock()  # nothing read before a change takes force after it

    async def load(self) -> None:
        """Put in force what was set before, and no more what another process took back.

        Raises:
            StoreDown: it cannot be read.
        """
        async with self._changing:
            rows = await self._store.read("adjusted.read")
            for row in rows:
                known = (row["channel"], row["key"], row["value"], row["user"], row["at"])
                self._policy.adjust(Adjusted(*known))
            kept = {(row["channel"], row["key"]) for row in rows}
            for channel, key in self._known - kept:
                self._policy.unadjust(channel, key)
            self._known = kept

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """While inside, what other processes set takes force, too; with the database down, what held holds."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            with suppress(StoreDown):
                await self.load()

    async def set(self, channel: str, key: str, value: str, *, user: str, team: str = "") -> None:
        """Set a value of a channel, or of all with EVERYWHERE (PAUSED only).

        The end of a pause is kept only where the file pauses, too: else what is written there later would not hold.

        Args:
            channel: where.
            key: one of KEYS.
            value: as it was written.
            user: who sets it, as the audit tells with their `team`.
            team: of the workspace.

        Raises:
            BadAdjustment: it is none of KEYS, or no value for its key.
            StoreDown: it was not written, and is not in force.
        """
        adjusted = Adjusted(channel, key, checked(key, value, at=self._now()), user, self._now())
        over_file = channel == EVERYWHERE and self._policy.workspace.paused
        kept = key != PAUSED or value == "true" or over_file
        tx = Transaction()
        if kept:
            tx.add(
                "adjusted.put",
                channel=channel,
                key=key,
                value=adjusted.value,
                user=user,
                at=adjusted.at,
            )
        else:
            tx.add("adjusted.drop", channel=channel, key=key)
        what = Record(team, channel, user, "", "set", key, reference=adjusted.value)
        record(tx, what, at=adjusted.at)
        async with self._changing:
            await self._store.commit(tx)
            if kept:
                self._policy.adjust(adjusted)
                self._known.add((channel, key))
            else:
                self._policy.unadjust(channel, key)

    async def reset(self, channel: str, key: str, *, user: str = "", team: str = "") -> bool:
        """Take a value back; False where none was set.

        Raises:
            StoreDown: it was not written, and is still in force.
        """
        tx = Transaction()
        tx.add("adjusted.drop", channel=channel, key=key)
        record(tx, Record(team, channel, user, "", "reset", key), at=self._now())
        async with self._changing:
            dropped = bool((await self._store.commit(tx))[0])
            self._policy.unadjust(channel, key)
        return dropped


def checked(key: str, value: str, *, at: float) -> str:
    """A value as it is kept, if the key takes it.

    Raises:
        BadAdjustment: it does not.
    """
    if key not in KEYS:
        raise BadAdjustment(f"In Slack these can be set: {', '.join(KEYS)}.")
    if key == PAUSED:
        return value
    text = value.strip().lstrip("$").strip("`")
    try:
        rules = Rules.model_validate({key: _number(text) if key != "model" else text})
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadAdjustment(f"This is no value for {key}: {why}.") from None
    if key == "model" and price(Usage(input_tokens=1), model=text, at=at) is None:
        raise BadAdjustment(
            f"I know no price for `{text[:60]}`, so no budget would hold; write a model such as "
            "`claude-sonnet-5-5`."
        )
    return str(getattr(rules, key))


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except ArithmeticError:
        found = Decimal("NaN")
    if not found.is_finite():
        raise BadAdjustment("A budget is a sum in dollars, such as `/purser budget 80`.")
    return found
