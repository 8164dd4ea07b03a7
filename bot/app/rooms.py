"""What a worker works with, each room built once and given what it needs."""

import asyncio
import hashlib
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from bot.adjustments import Adjustments
from bot.alerts import AdminAlerts
from bot.app.clients import claude_client, github_client, jira_client, secret
from bot.budget import Budget
from bot.conversation import Conversations
from bot.estimates import Estimates
from bot.governor import Governor
from bot.hindsight import Hindsight
from bot.inbox import Inbox
from bot.journal import Journal
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.policy import Policy
from bot.prefetch import Prefetch
from bot.prompts import Prompts
from bot.settings import Settings
from bot.slack.askers import Askers
from bot.slack.changes import Changes
from bot.slack.clicks import Clicks
from bot.slack.commands import Commands
from bot.slack.costs import Costs
from bot.slack.envelope import Us
from bot.slack.files import Files
from bot.slack.home import Homes
from bot.slack.people import People
from bot.slack.reply import Replies
from bot.slack.sharing import Sharing
from bot.slack.sheets import SHARE
from bot.slack.thread import Threads
from bot.slack.wire import SlackWire
from bot.store import Store
from bot.tool_runner import Tool, ToolRunner
from bot.tools import declare
from bot.tools.pulls import Pulls
from bot.turn import Turn
from bot.worker import SLOTS, Rooms
from integrations.claude import Claude
from integrations.github import GitHub, web_of
from integrations.web import Web

CODE_HOSTS = frozenset({"github.com", "gitlab.com", "docs.python.org"})  # links to them stay links


async def furnish(
    settings: Settings,
    policy: Policy,
    store: Store,
    inbox: Inbox,
    wire: SlackWire,
    us: Us,
    metrics: Metrics,
    new_id: Callable[[], str],
    now: Callable[[], float],
    stack: AsyncExitStack,
) -> Rooms:
    """What a worker works with."""
    clock, rng, zone = time.monotonic, random.Random(), policy.workspace.zone  # noqa: S311 - jitter
    journal, ledger = Journal(store, now=now), Ledger(store, zone=zone, now=now)
    budget, conversations = Budget(store, now=now, zone=zone), Conversations(store)
    estimates = Estimates(store, now=now)
    people = People(wire, team=us.team, now=now)
    askers = Askers(people, policy)
    adjustments = Adjustments(store, policy, now=now)
    await adjustments.load()
    github = await stack.enter_async_context(github_client(settings, now))
    hindsight = Hindsight(store)
    costs = Costs(
        policy=policy,
        ledger=ledger,
        hindsight=hindsight,
        people=people,
        deliver=wire.hand_over,
        place=wire.permalink,
        now=now,
    )
    sharing = Sharing(wire, store, hindsight=hindsight, costs=costs, people=people, now=now)
    turn = Turn(
        claude=Claude(await stack.enter_async_context(claude_client(settings))),
        runner=ToolRunner(_tools(settings, policy, github, stack), clock=clock),
        journal=journal,
        ledger=ledger,
        estimates=estimates,
        budget=budget,
        governor=Governor(clock=clock, rng=rng),
        conversations=conversations,
        store=store,
        prompts=Prompts.load(),
        metrics=metrics,
        alerts=AdminAlerts(inbox, admins=policy.admins, team=us.team, new_id=new_id, now=now),
        user_salt=hashlib.sha256(secret(settings.slack_bot_token).encode()).digest(),
        now=now,
        clock=clock,
        rng=rng,
        sleep=asyncio.sleep,
    )
    return Rooms(
        store=store,
        inbox=inbox,
        policy=policy,
        askers=askers,
        threads=Threads(wire, people, Files(wire), us),
        conversations=conversations,
        prefetch=Prefetch(Pulls(github, policy), journal, store, clock=clock),
        turn=turn,
        commands=Commands(
            policy=policy,
            budget=budget,
            costs=costs,
            changes=Changes(policy, adjustments),
        ),
        clicks=Clicks(wire, {SHARE: sharing.press}),
        homes=Homes(
            wire,
            askers,
            policy=policy,
            ledger=ledger,
            budget=budget,
            people=people,
            now=now,
        ),
        replies=Replies(
            wire,
            journal,
            store,
            us=us.bot_user,
            hosts=_hosts(settings),
            metrics=metrics,
            clock=clock,
        ),
        metrics=metrics,
        now=now,
    )


def _tools(
    settings: Settings, policy: Policy, github: GitHub, stack: AsyncExitStack
) -> tuple[Tool, ...]:
    """The tools, on the strangers they ask."""
    web = Web()
    stack.push_async_callback(web.close)
    jira = jira_client(settings, in_flight=SLOTS)
    if jira is not None:
        stack.push_async_callback(jira.close)
    return declare(jira=jira, web=web, github=github, policy=policy)


def _hosts(settings: Settings) -> frozenset[str]:
    """Hosts whose links stay links in every answer."""
    own = (settings.jira_url or "", str(web_of(settings.github_api_url)))
    return CODE_HOSTS | {urlsplit(url).hostname or "" for url in own}
