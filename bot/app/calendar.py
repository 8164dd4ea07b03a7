"""What is done by the calendar and by the books, without anybody asking."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

from bot.account import Accounts
from bot.app.clients import admin_client, secret
from bot.app.examination import checkups, daily
from bot.app.reload import Keyring
from bot.digests import Digests
from bot.hindsight import Hindsight
from bot.inbox import Inbox
from bot.policy import Policy
from bot.reconcile import Reconciler
from bot.retention import Retention
from bot.schedule import Daily, Look, Often, Schedule
from bot.settings import Settings
from bot.slack.bulletins import Bulletins
from bot.slack.envelope import Us
from bot.slack.people import People
from bot.turn import Turn
from bot.watermarks import Watermarks

RETENTION_HOUR = 3  # of the workspace's night
LIGHTEN_SECONDS = 1_800.0  # between removals of what was kept for Claude's cache alone
GONE_SECONDS = 300.0  # after which no living process waits for an answer in nobody's name
RECONCILE_HOUR = 7  # of the workspace's morning: the day before (UTC) is whole nearly everywhere


async def calendar(
    settings: Settings,
    policy: Policy,
    inbox: Inbox,
    turn: Turn,
    people: People,
    us: Us,
    new_id: Callable[[], str],
    digests: Digests,
    keyring: Keyring,
    stack: AsyncExitStack,
) -> Schedule:
    """Everything that is looked at again and again."""
    now, ledger = turn.now, turn.ledger
    marks = Watermarks(policy=policy, budget=turn.budget, ledger=ledger, now=now)
    accounts = Accounts(ledger, Hindsight(turn.store), turn.estimates, now=now)
    bulletins = Bulletins(policy=policy, ledger=ledger, accounts=accounts, now=now)
    here = lambda: datetime.fromtimestamp(now(), policy.workspace.zone)  # noqa: E731

    async def lost() -> None:
        # Where many serve, nobody else books what one that was killed had sent.
        await turn.settle_shared(before=now() - GONE_SECONDS)

    retention = Retention(turn.store, policy, now=now)
    erasing = Daily("retention", retention.daily, hour=RETENTION_HOUR, here=here)
    looks: list[Look] = [
        marks.budgets,
        marks.runaways,
        bulletins.weekly,
        bulletins.monthly,
        digests.look,
        erasing.look,
        Often(retention.lighten, every=LIGHTEN_SECONDS, now=now).look,
        Often(lost, every=GONE_SECONDS, now=now).look,
    ]
    made = checkups(keyring, policy, turn.store, turn.alerts, now=now)
    looks.append(daily(made, now=now, here=here))
    if settings.anthropic_admin_key is not None:
        admin = await stack.enter_async_context(admin_client(settings))
        reconciler = Reconciler(
            turn.store, admin, secret=secret(settings.anthropic_api_key), now=now
        )
        keyring.add(admin.rekey, "anthropic_admin_key")
        keyring.add(reconciler.rekey, "anthropic_api_key")
        looks.append(Daily("reconcile", reconciler.told, hour=RECONCILE_HOUR, here=here).look)

    async def ours(channel: str) -> bool:
        return await people.shared(channel) is False

    return Schedule(
        looks, inbox=inbox, alerts=turn.alerts, ours=ours, team=us.team, new_id=new_id, now=now
    )
