"""What a worker works with; the roof builds each of them once."""

from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import Tracer

from bot.conversation import Conversations
from bot.digests.writing import Writing
from bot.inbox import Inbox
from bot.metrics import Metrics
from bot.policy import Policy
from bot.posting import Posting
from bot.prefetch import Prefetch
from bot.retention import Retention
from bot.schedule import Schedule
from bot.slack.askers import Askers
from bot.slack.clicks import Clicks
from bot.slack.commands import Commands
from bot.slack.decisions import Decisions
from bot.slack.handover import Handover
from bot.slack.home import Homes
from bot.slack.offers import Offers
from bot.slack.reply import Replies
from bot.slack.thread import Threads
from bot.store import Store
from bot.turn import Turn


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """Everything that the way of an ask leads through."""

    store: Store
    inbox: Inbox
    policy: Policy
    askers: Askers
    threads: Threads
    conversations: Conversations
    prefetch: Prefetch
    posting: Posting
    turn: Turn
    commands: Commands
    clicks: Clicks
    offers: Offers
    handover: Handover
    homes: Homes  # shown by the door
    decisions: Decisions
    digests: Writing
    replies: Replies
    schedule: Schedule
    retention: Retention
    metrics: Metrics
    now: Callable[[], float]
    tracer: Tracer | None = None  # where nobody collects traces
