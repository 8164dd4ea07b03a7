"""What Purser does by itself: each thing once, whoever looks; budgets' marks, runaways, and the day's work."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import pytest

from bot.alerts import AdminAlerts
from bot.ask import Ask
from bot.budget import Budget
from bot.errors import StoreDown
from bot.inbox import Arrival, Inbox
from bot.ledger import Ledger
from bot.policy import Policy
from bot.rules import PolicyFile, Workspace
from bot.schedule import LOOK_SECONDS, Daily, Due, Often, Schedule
from bot.store import Store
from bot.watermarks import MARKS, Watermarks
from tests.bot.entries import NOVEMBER, book, entry
from tests.bot.stores import Clock

DAY = 86_400.0
POLICY = Policy(
    PolicyFile(
        admins=("U0RUTH",),
        channels={"C2": {"monthly_budget_usd": 10}},
        workspace=Workspace(monthly_budget_usd=Decimal(100)),
    )
)


def schedule(inbox: Inbox, clock: Clock, *looks: object) -> Schedule:
    """A schedule of a process of its own."""
    numbers = itertools.count()
    name = f"{id(looks)}"
    new_id = lambda: f"own-{name}-{next(numbers)}"  # noqa: E731
    alerts = AdminAlerts(inbox, admins=lambda: ["U0RUTH"], team="T1", new_id=new_id, now=clock)

    async def ours(channel: str) -> bool:
        return channel != "C0SHARED"

    return Schedule(
        looks,  # type: ignore[arg-type]
        inbox=inbox,
        alerts=alerts,
        ours=ours,
        team="T1",
        new_id=new_id,
        now=clock,
        glance=0.01,
    )


def watermarks(store: Store, clock: Clock) -> tuple[Watermarks, Ledger]:
    """Watermarks on a ledger."""
    ledger = Ledger(store, zone=UTC, now=clock)
    budget = Budget(store, now=clock, zone=UTC)
    return Watermarks(policy=POLICY, budget=budget, ledger=ledger, now=clock), ledger


async def waiting(inbox: Inbox) -> list[Ask]:
    """Every ask that waits."""
    asks: list[Ask] = []
    while lease := await inbox.take(person_in_flight=99, channel_in_flight=99):
        asks.append(lease.ask)
    return asks


async def test_what_is_due_is_said_once(inbox: Inbox, clock: Clock) -> None:
    """Two processes that find the same due thing, again and again, put one ask for it."""
    due = [Due("weekly:C1:2026-W48", "Five lines.", channel="C1")]
    for process in (schedule(inbox, clock), schedule(inbox, clock)):
        await process.put(due)
        await process.put(due)
    (ask,) = await waiting(inbox)

    assert (ask.channel, ask.origin, ask.text) == ("C1", "own", "Five lines.")
    assert ask.feature == "digest"


async def test_what_is_found_no_more_is_forgotten(store: Store, clock: Clock) -> None:
    """What a look finds again is put no second time, and of what it finds no more nothing is held in memory."""
    put: list[str] = []

    class Seen(Inbox):
        async def put(self, arrival: Arrival) -> Literal["new", "known"]:
            assert arrival.ask is not None
            put.append(arrival.ask.key)
            return await super().put(arrival)

    days: list[Due] = []

    async def look() -> Sequence[Due]:
        return days[-2:]

    process = schedule(Seen(store, now=clock, worker="w1"), clock)
    for day in range(9):
        days.append(Due(f"day:{day}", "A day.", channel="C1"))
        for _ in range(3):
            await process._look(look)

    assert put == [due.key for due in days]
    assert process._said == {look: {"day:7", "day:8"}}


async def test_other_organisations_do_not_hear_what_we_spend(inbox: Inbox, clock: Clock) -> None:
    """In a channel that is shared, or may be, nothing is said; its admins hear it all the same."""
    await schedule(inbox, clock).put([Due("a", "Spent.", channel="C0SHARED", admins=True)])

    assert [(ask.channel, ask.user) for ask in await waiting(inbox)] == [("", "U0RUTH")]


async def test_what_admins_hear_too(inbox: Inbox, clock: Clock) -> None:
    """What is said in a channel may be for its admins, too; what has no channel is for them alone."""
    await schedule(inbox, clock).put(
        [Due("a", "In both.", channel="C1", admins=True), Due("b", "To admins.")]
    )
    told = [(ask.channel, ask.user, ask.text) for ask in await waiting(inbox)]

    assert sorted(told) == [
        ("", "U0RUTH", "In both."),
        ("", "U0RUTH", "To admins."),
        ("C1", "", "In both."),
    ]


@pytest.mark.parametrize(
    ("spent", "mark"),
    [("24.99", None), ("25", 50), ("39.99", 50), ("40", 80), ("47.5", 95), ("60", 95)],
)
async def test_marks_of_a_budget(store: Store, clock: Clock, spent: str, mark: int | None) -> None:
    """At 50, 80 and 95 per cent of a channel's budget there is one thing to say, the highest of them."""
    clock.at = NOVEMBER
    marks, ledger = watermarks(store, clock)
    await book(store, ledger, entry(cost=Decimal(spent)))
    due = [one for one in await marks.budgets() if one.channel == "C1"]

    assert [one.key for one in due] == ([f"budget:2026-11:C1:50:{mark}"] if mark else [])
    if due:
        assert f"${Decimal(spent):.2f} of its $50.00" in due[0].text
        assert "`/purser budget 75`" in due[0].text
        assert due[0].admins


async def test_a_small_budget_is_raised_to_more_than_nothing(store: Store, clock: Clock) -> None:
    """What an admin is told to write raises a budget of cents, too."""
    clock.at = NOVEMBER
    small = Policy(PolicyFile(channels={"C1": {"monthly_budget_usd": "0.3"}}))
    _, ledger = watermarks(store, clock)
    budget = Budget(store, now=clock, zone=UTC)
    marks = Watermarks(policy=small, budget=budget, ledger=ledger, now=clock)
    await book(store, ledger, entry(cost=Decimal("0.3")))
    (due,) = await marks.budgets()

    assert "`/purser budget 1`" in due.text


async def test_each_budget_has_its_marks(store: Store, clock: Clock) -> None:
    """A channel's own limit counts for it, and the workspace's for all together; a new month begins anew."""
    clock.at = NOVEMBER
    marks, ledger = watermarks(store, clock)
    await book(store, ledger, entry(channel="C2", cost=Decimal(9)), entry(cost=Decimal(42)))

    keys = {one.key for one in await marks.budgets()}
    assert keys == {"budget:2026-11:C2:10:80", "budget:2026-11:C1:50:80", "budget:2026-11::100:50"}
    clock.at += 20 * DAY
    assert await marks.budgets() == []


async def test_marks_are_told_once_each(store: Store, inbox: Inbox, clock: Clock) -> None:
    """As spending grows each mark is said once in the channel."""
    clock.at = NOVEMBER
    marks, ledger = watermarks(store, clock)
    process = schedule(inbox, clock)
    for _ in range(25):
        await book(store, ledger, entry(cost=Decimal(2)))
        await process.put(await marks.budgets())
    said = [ask.key for ask in await waiting(inbox) if ask.channel == "C1"]

    assert said == [f"budget:2026-11:C1:50:{mark}" for mark in sorted(MARKS)]


async def usual_days(store: Store, ledger: Ledger, days: int) -> None:
    """A channel that spends a dollar a day."""
    rows = [entry(at=NOVEMBER - n * DAY, cost=Decimal(1)) for n in range(1, days + 1)]
    await book(store, ledger, *rows)


@pytest.mark.parametrize(
    ("days", "spent", "runs"), [(10, "5.01", True), (10, "5", False), (2, "50", False)]
)
async def test_a_runaway_is_told_at_once(
    store: Store, clock: Clock, days: int, spent: str, runs: bool
) -> None:
    """Over five usual days in one hour are told to channel and admins; without a usual day nothing is usual."""
    clock.at = NOVEMBER
    marks, ledger = watermarks(store, clock)
    await usual_days(store, ledger, days)
    await book(store, ledger, entry(at=NOVEMBER - 60, cost=Decimal(spent)))
    due = await marks.runaways()

    assert bool(due) is runs
    for one in due:
        assert one.key == "runaway:C1:2026-11-18"
        assert (one.channel, one.admins) == ("C1", True)
        assert "$1.00" in one.text


async def test_what_was_spent_over_an_hour_ago_runs_no_more(store: Store, clock: Clock) -> None:
    """What lies longer back than an hour is no runaway any more."""
    clock.at = NOVEMBER
    marks, ledger = watermarks(store, clock)
    await usual_days(store, ledger, 10)
    await book(store, ledger, entry(at=NOVEMBER - 3_601, cost=Decimal(40)))

    assert await marks.runaways() == ()


async def test_daily_work_is_done_once_from_its_hour_on() -> None:
    """Before its hour nothing is done, then once, and again the next day; silence says nothing."""
    done: list[datetime] = []
    here = datetime(2026, 11, 25, 5, 59, tzinfo=UTC)

    async def work() -> str | None:
        done.append(here)
        return "They differ." if here.day == 26 else None

    daily = Daily("reconcile", work, hour=6, here=lambda: here)
    found: list[Sequence[Due]] = []
    for day, hour in ((25, 5), (25, 6), (25, 23), (26, 0), (26, 7), (26, 8), (27, 0)):
        here = datetime(2026, 11, day, hour, tzinfo=UTC)
        found.append(await daily.look())
    said = [Due("reconcile:2026-11-26", "They differ.")]

    assert [at.day for at in done] == [25, 26]
    assert found == [(), (), (), (), said, said, ()]


async def test_daily_work_that_failed_is_due_still() -> None:
    """Where the database was away at the hour, the day's work is done at a later look, and not left to the next day."""
    here = datetime(2026, 11, 25, 6, tzinfo=UTC)
    results: list[Exception | str] = [StoreDown("away"), StoreDown("away"), "Done."]

    async def work() -> str:
        if isinstance(result := results.pop(0), Exception):
            raise result
        return result

    daily = Daily("retention", work, hour=3, here=lambda: here)
    for _ in range(2):
        with pytest.raises(StoreDown):
            await daily.look()

    assert await daily.look() == [Due("retention:2026-11-25", "Done.")]
    assert results == []


@pytest.mark.parametrize("error", [StoreDown("away"), ZeroDivisionError()])
async def test_one_look_that_fails_does_not_stop_the_others(
    error: Exception, inbox: Inbox, clock: Clock
) -> None:
    """While the books cannot be read, or one look is broken, what others find is said."""

    async def broken() -> Sequence[Due]:
        raise error

    stopping = asyncio.Event()

    async def fine() -> Sequence[Due]:
        stopping.set()
        return [Due("k", "Words.", channel="C1")]

    await schedule(inbox, clock, broken, fine).run(stopping)

    assert [ask.text for ask in await waiting(inbox)] == ["Words."]


async def test_looks_go_by_the_clock_of_the_house(inbox: Inbox, clock: Clock) -> None:
    """A clock that is moved brings the next look at once, and one that is set back does not put it off."""
    stopping, looked = asyncio.Event(), asyncio.Event()
    moments: list[float] = []

    async def look() -> Sequence[Due]:
        moments.append(clock.at)
        looked.set()
        return ()

    running = asyncio.create_task(schedule(inbox, clock, look).run(stopping))
    for seconds in (LOOK_SECONDS, -DAY, 0.0):
        async with asyncio.timeout(LOOK_SECONDS / 2):
            await looked.wait()
        looked.clear()
        clock.at += seconds
    stopping.set()
    await running

    began = moments[0]
    assert moments == [began, began + LOOK_SECONDS, began + LOOK_SECONDS - DAY]


async def test_what_is_done_often_is_done_when_it_is_due(clock: Clock) -> None:
    """At the first look and again after its seconds; while the database is down it stays due."""
    done: list[float] = []
    down = False

    async def work() -> None:
        if down:
            raise StoreDown
        done.append(clock.at)

    often = Often(work, every=300.0, now=clock)
    began = clock.at
    for seconds in (0.0, 15.0, 284.0, 1.0, 300.0):
        clock.at += seconds
        down = seconds == 300.0
        with suppress(StoreDown):
            await often.look()
    down = False
    await often.look()

    assert [at - began for at in done] == [0.0, 300.0, 600.0]
