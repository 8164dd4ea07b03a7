"""What admins are told: each of them, once for each key, by an ask that any worker may speak."""

import itertools

from bot.alerts import AdminAlerts
from bot.ask import Lease
from bot.inbox import Inbox
from bot.store import Transaction
from tests.bot.stores import Clock


def alerts(inbox: Inbox, clock: Clock, *admins: str) -> AdminAlerts:
    """Alerts for these admins."""
    numbers = itertools.count()
    return AdminAlerts(
        inbox, admins=lambda: admins, team="T1", new_id=lambda: f"alert{next(numbers)}", now=clock
    )


async def spoken(inbox: Inbox) -> list[Lease]:
    """Every ask that waits."""
    leases: list[Lease] = []
    while lease := await inbox.take(person_in_flight=99, channel_in_flight=99):
        leases.append(lease)
    return leases


async def test_each_admin_is_told_once(inbox: Inbox, clock: Clock) -> None:
    """However often the same thing happens, each admin has one ask of Purser's own with the sentence."""
    told = alerts(inbox, clock, "U0RUTH", "U0MAYA")
    for _ in range(3):
        await told.tell("served:a:b:2026-11-25", "Another model answers.")

    leases = await spoken(inbox)
    assert {lease.ask.user for lease in leases} == {"U0RUTH", "U0MAYA"}
    assert {(one.ask.text, one.ask.origin) for one in leases} == {("Another model answers.", "own")}


async def test_it_is_not_told_again_after_it_was_said(inbox: Inbox, clock: Clock) -> None:
    """A key that was told stays told; another one is news."""
    told = alerts(inbox, clock, "U0RUTH")
    await told.tell("served:a:b:2026-11-25", "Another model answers.")
    [lease] = await spoken(inbox)
    tx = Transaction(lease)
    inbox.done(tx, lease, outcome="answer")
    await inbox._store.commit(tx)

    await told.tell("served:a:b:2026-11-25", "Another model answers.")
    await told.tell("served:a:b:2026-11-26", "Another model answers still.")

    assert [lease.ask.text for lease in await spoken(inbox)] == ["Another model answers still."]


async def test_without_admins_nobody_is_told(inbox: Inbox, clock: Clock) -> None:
    """Where the policy names no admin, nothing waits; the log has it."""
    await alerts(inbox, clock).tell("k", "Words.")

    assert await spoken(inbox) == []
