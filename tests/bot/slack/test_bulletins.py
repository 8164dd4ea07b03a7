"""What is said by the calendar: on its day from nine on, in the workspace's time, and written once."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.account import Accounts
from bot.estimates import Estimates
from bot.hindsight import Hindsight
from bot.ledger import Ledger
from bot.policy import Policy
from bot.rules import PolicyFile, Workspace
from bot.schedule import Due
from bot.slack.bulletins import Bulletins
from bot.store import Store
from tests.bot.entries import book, entry
from tests.bot.stores import Clock

BERLIN = ZoneInfo("Europe/Berlin")
SHOP = "C1"


def moment(month: int, day: int, hour: int, minute: int = 0) -> float:
    """A moment of 2026 in Berlin."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).timestamp()


class Desk:
    """Bulletins of a workspace in Berlin whose channels have a budget of so much and want to read of it."""

    def __init__(self, store: Store, clock: Clock, budget: str = "50") -> None:
        policy = Policy(
            PolicyFile(
                defaults={"weekly_report": True, "monthly_budget_usd": Decimal(budget)},
                workspace=Workspace(timezone="Europe/Berlin"),
            )
        )
        self.store, self.clock = store, clock
        self.ledger = Ledger(store, zone=BERLIN, now=clock)
        accounts = Accounts(self.ledger, Hindsight(store), Estimates(store, now=clock), now=clock)
        self.bulletins = Bulletins(policy=policy, ledger=self.ledger, accounts=accounts, now=clock)

    async def spend(self, at: float, cost: str) -> None:
        """Book what was spent then."""
        await book(self.store, self.ledger, entry(at=at, channel=SHOP, cost=Decimal(cost)))

    async def at(self, moment: float) -> tuple[Sequence[Due], Sequence[Due]]:
        """What is due then: the week's, the month's."""
        self.clock.at = moment
        return await self.bulletins.weekly(), await self.bulletins.monthly()


async def test_what_is_due_is_written_once(store: Store, clock: Clock) -> None:
    """Looked at again on the same day it is the same, word for word; nobody draws up the books every few seconds."""
    desk = Desk(store, clock)
    await desk.spend(moment(5, 26, 12), "1.25")
    first = await desk.at(moment(6, 1, 9, 30))  # a Monday, and the first of June
    await desk.spend(moment(6, 1, 9, 40), "7")
    again = await desk.at(moment(6, 1, 17))

    assert [[due.key for due in found] for found in first] == [
        ["weekly:C1:2026-W22"],
        ["monthly:2026-05"],
    ]
    assert again == first
    assert await desk.at(moment(6, 2, 9, 30)) == ((), ())


async def test_a_week_is_a_week_when_clocks_change(store: Store, clock: Clock) -> None:
    """In the week of the clock change its last hour is in it, and the next Monday's first is not."""
    desk = Desk(store, clock)
    for at, cost in (
        (moment(10, 18, 23, 59), "100"),
        (moment(10, 19, 0), "1"),
        (moment(10, 25, 23, 59), "2"),
        (moment(10, 26, 0), "100"),
    ):
        await desk.spend(at, cost)
    nothing, _ = await desk.at(moment(10, 26, 8, 59))
    (due,), _ = await desk.at(moment(10, 26, 9))

    assert nothing == ()
    assert "$3.00" in due.text
    assert "19 Oct to 25 Oct" in due.text


async def test_a_budget_of_nothing_is_told_of_too(store: Store, clock: Clock) -> None:
    """Where nothing may be spent any more, what was spent is told all the same."""
    desk = Desk(store, clock, budget="0")
    await desk.spend(moment(5, 26, 12), "1.25")
    (due,), (month,) = await desk.at(moment(6, 1, 9))

    assert "$1.25" in due.text
    assert "$1.25" in month.text
