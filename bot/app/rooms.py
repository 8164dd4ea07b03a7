"""What a worker works with, each room built once and given what it needs."""

import hashlib
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlsplit

from opentelemetry.trace import TracerProvider

from bot.adjustments import Adjustments
from bot.alerts import AdminAlerts
from bot.app.calendar import calendar
from bot.app.clients import claude_client, github_client, jira_client, secret
from bot.app.digesting import digesting
from bot.app.reload import Keyring
from bot.app.timing import Timing
from bot.audit import Audit
from bot.budget import Budget
from bot.conversation import Conversations
from bot.digests import Digests
from bot.escalations import Escalations
from bot.estimates import Estimates
from bot.governor import Governor
from bot.hindsight import Hindsight
from bot.inbox import Inbox
from bot.journal import Journal
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.policy import Policy
from bot.posting import Posting
from bot.prefetch import Prefetch
from bot.prompts import Prompts
from bot.proposals import Kind, Proposals
from bot.retention import Retention
from bot.rooms import Rooms
from bot.settings import Settings
from bot.slack.askers import Askers
from bot.slack.audited import Audited
from bot.slack.changes import Changes
from bot.slack.clicks import Clicks
from bot.slack.commands import Commands
from bot.slack.costs import Costs
from bot.slack.decisions import ACTION, Decisions
from bot.slack.digests import Wanted
from bot.slack.envelope import Us
from bot.slack.files import Files
from bot.slack.handover import Handover
from bot.slack.home import Homes
from bot.slack.offers import Offers
from bot.slack.people import People
from bot.slack.reply import Replies
from bot.slack.sharing import Sharing
from bot.slack.sheets import SHARE
from bot.slack.takeover import Takeover
from bot.slack.thread import Threads
from bot.slack.wire import SlackWire
from bot.store import Engine, Store
from bot.tool_runner import Tool, ToolRunner
from bot.tools import Desk, declare
from bot.tools.pulls import Pulls
from bot.traces import Traces
from bot.turn import Turn
from bot.worker import SLOTS
from bot.writing import Reviews, Tickets, Writer, Writing
from integrations.claude import Claude
from integrations.github import GitHub, web_of
from integrations.jira import Jira
from integrations.pdf import Pdfs
from integrations.web import Web

CODE_HOSTS = frozenset({"github.com", "gitlab.com", "docs.python.org"})  # plain links stay links


async def furnish(
    settings: Settings,
    policy: Policy,
    store: Engine,
    inbox: Inbox,
    wire: SlackWire,
    us: Us,
    metrics: Metrics,
    new_id: Callable[[], str],
    timing: Timing,
    keyring: Keyring,
    traces: TracerProvider | None,
    stack: AsyncExitStack,
) -> Rooms:
    """What a worker works with."""
    now, people = timing.now, People(wire, team=us.team, now=timing.now)
    askers = Askers(people, policy)
    adjustments = await _adjustments(store, policy, now, stack)
    github = await stack.enter_async_context(github_client(settings, now))
    keyring.add(github.rekey, "github_token")
    jira = _jira(settings, keyring, stack)
    proposals = Proposals(store, now=now)
    writers: dict[Kind, Writer] = {"review": Reviews(github, policy)}
    if jira is not None:
        writers["ticket"] = Tickets(jira, policy)
    writing = Writing(proposals, writers)
    offers = Offers(wire, proposals, writing, inbox, policy=policy, new_id=new_id, now=now)
    pdfs = _pdfs(stack)
    tools = _tools(policy, jira, github, Desk(proposals, people), pdfs, stack)
    turn = await _turn(
        policy, store, inbox, people, us, metrics, new_id, timing, tools, keyring, traces, stack
    )
    journal, ledger, budget = turn.journal, turn.ledger, turn.budget
    threads = Threads(wire, people, Files(wire, pdfs=pdfs), us)
    digests, written = digesting(policy, inbox, turn, askers, people, threads, new_id)
    hindsight = Hindsight(store)
    costs = _costs(policy, wire, people, turn, hindsight)
    sharing = Sharing(wire, store, hindsight=hindsight, costs=costs, people=people, now=now)
    decisions = Decisions(
        wire, store, inbox, turn.estimates, policy=policy, metrics=metrics, now=now
    )
    handover, takeover = _reviewers(policy, inbox, wire, people, turn, us, new_id)
    return Rooms(
        store=store,
        inbox=inbox,
        policy=policy,
        askers=askers,
        threads=threads,
        conversations=turn.conversations,
        posting=Posting(github, policy, proposals, journal, store),
        prefetch=Prefetch(Pulls(github, policy), journal, store, clock=timing.clock),
        turn=turn,
        commands=_commands(policy, turn, costs, adjustments, people, digests, jira),
        digests=written,
        clicks=_clicks(wire, decisions, sharing, offers, takeover),
        handover=handover,
        offers=offers,
        decisions=decisions,
        homes=Homes(
            wire, askers, policy=policy, ledger=ledger, budget=budget, people=people, now=now
        ),
        schedule=await calendar(
            settings, policy, inbox, turn, people, us, new_id, digests, keyring, stack
        ),
        retention=Retention(store, policy, now=now),
        replies=_replies(settings, wire, turn, us),
        metrics=metrics,
        now=now,
        tracer=traces.get_tracer("purser") if traces else None,
    )


def _jira(settings: Settings, keyring: Keyring, stack: AsyncExitStack) -> Jira | None:
    """Jira, where it is set up."""
    jira = jira_client(settings, in_flight=SLOTS)
    if jira is not None:
        keyring.add(jira.rekey, "jira_email", "jira_api_token")
        stack.push_async_callback(jira.close)
    return jira


async def _adjustments(
    store: Engine, policy: Policy, now: Callable[[], float], stack: AsyncExitStack
) -> Adjustments:
    """What admins set in Slack, in force; where other processes take their words, too, they are followed."""
    adjustments = Adjustments(store, policy, now=now)
    await adjustments.load()
    if not store.alone:
        await stack.enter_async_context(adjustments.following())
    return adjustments


def _commands(
    policy: Policy,
    turn: Turn,
    costs: Costs,
    adjustments: Adjustments,
    people: People,
    digests: Digests,
    jira: Jira | None,
) -> Commands:
    """What answers commands."""
    return Commands(
        policy=policy,
        budget=turn.budget,
        costs=costs,
        changes=Changes(policy, adjustments),
        traces=Traces(turn.store),
        audited=Audited(Audit(turn.store), policy, people),
        wanted=Wanted(digests, policy, people, jira),
    )


def _costs(
    policy: Policy, wire: SlackWire, people: People, turn: Turn, hindsight: Hindsight
) -> Costs:
    """What answers /cost."""
    return Costs(
        policy=policy,
        ledger=turn.ledger,
        hindsight=hindsight,
        estimates=turn.estimates,
        people=people,
        deliver=wire.hand_over,
        place=wire.permalink,
        now=turn.now,
    )


def _clicks(
    wire: SlackWire, decisions: Decisions, sharing: Sharing, offers: Offers, takeover: Takeover
) -> Clicks:
    """Who answers for which button, and opens which form."""
    own = {ACTION: decisions.press, SHARE: sharing.press}
    return Clicks(
        wire,
        {**own, **offers.handlers(), **takeover.handlers()},
        {**offers.openers(), **takeover.openers()},
    )


def _reviewers(
    policy: Policy,
    inbox: Inbox,
    wire: SlackWire,
    people: People,
    turn: Turn,
    us: Us,
    new_id: Callable[[], str],
) -> tuple[Handover, Takeover]:
    """What shows people what Claude refused, and what does what they decide."""
    metrics, now = turn.metrics, turn.now
    escalations = Escalations(turn.store, inbox, now=now)
    handover = Handover(
        wire,
        escalations,
        people=people,
        policy=policy,
        alerts=turn.alerts,
        metrics=metrics,
        us=us.bot_user,
        new_id=new_id,
    )
    takeover = Takeover(
        wire, escalations, handover, people=people, metrics=metrics, new_id=new_id, now=now
    )
    return handover, takeover


def _replies(settings: Settings, wire: SlackWire, turn: Turn, us: Us) -> Replies:
    """What speaks in Slack."""
    return Replies(
        wire,
        turn.journal,
        turn.store,
        us=us.bot_user,
        hosts=frozenset({_host(settings.jira_url or "")}),
        code_hosts=CODE_HOSTS | {_host(str(web_of(settings.github_api_url))), us.host},
        metrics=turn.metrics,
        clock=turn.clock,
        streams=settings.slack_streams,
    )


async def _turn(
    policy: Policy,
    store: Store,
    inbox: Inbox,
    people: People,
    us: Us,
    metrics: Metrics,
    new_id: Callable[[], str],
    timing: Timing,
    tools: Sequence[Tool],
    keyring: Keyring,
    traces: TracerProvider | None,
    stack: AsyncExitStack,
) -> Turn:
    """What every turn works with; the books among it are everybody's."""
    now, clock, zone = timing.now, timing.clock, policy.workspace.zone
    rng = random.Random()  # noqa: S311 - jitter

    async def admins() -> Sequence[str]:
        return list((await people.names(policy.admins)).values())

    client = await stack.enter_async_context(claude_client(keyring.settings, traces))
    keyring.add(partial(setattr, client, "api_key"), "anthropic_api_key")
    return Turn(
        claude=Claude(client),
        runner=ToolRunner(tools, clock=clock),
        journal=Journal(store, now=now),
        ledger=Ledger(store, zone=zone, now=now),
        estimates=Estimates(store, now=now),
        budget=Budget(store, now=now, zone=zone),
        governor=Governor(clock=clock, rng=rng),
        conversations=Conversations(store),
        store=store,
        prompts=Prompts.load(),
        metrics=metrics,
        alerts=AdminAlerts(
            inbox, admins=lambda: policy.admins, team=us.team, new_id=new_id, now=now
        ),
        user_salt=hashlib.sha256(secret(keyring.settings.slack_bot_token).encode()).digest(),
        now=now,
        clock=clock,
        rng=rng,
        sleep=timing.sleep,
        admins=admins,
    )


def _tools(
    policy: Policy,
    jira: Jira | None,
    github: GitHub,
    desk: Desk,
    pdfs: Pdfs,
    stack: AsyncExitStack,
) -> tuple[Tool, ...]:
    """The tools, on the strangers they ask."""
    web = Web()
    stack.push_async_callback(web.close)
    return declare(jira=jira, web=web, github=github, policy=policy, desk=desk, pdfs=pdfs)


def _pdfs(stack: AsyncExitStack) -> Pdfs:
    """What counts the pages of PDFs; its process starts with the first."""
    pdfs = Pdfs()
    stack.push_async_callback(pdfs.close)
    return pdfs


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
