"""What one turn is told to do, and what all turns share."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.ask import Alerts, Feature
from bot.budget import Budget
from bot.conversation import Conversations
from bot.governor import Governor
from bot.journal import Journal
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.prompts import Prompts
from bot.rules import Rules, Workspace
from bot.store import Store
from bot.tool_runner import ToolRunner
from integrations.claude import Claude

# An answer has 400 words or so, but thinking is billed and counted as output: below about
# 8,000 tokens an answer can end before its first word. Twice that leaves room for a review.
MAX_TOKENS = 16_000


@dataclass(frozen=True, slots=True)
class Brief:
    """What this ask's turn is to do.

    Attributes:
        feature: what is asked for, as it stands in the books.
        model: who answers.
        effort: how hard it thinks; the same for a route, since a change empties its cache.
        rules: the channel's.
        workspace: what holds for all channels together.
        tools: whether tools may be used; they are declared all the same, for the cache's sake.
        max_tokens: of one response, thinking included.
    """

    feature: Feature
    model: str
    effort: str
    rules: Rules
    workspace: Workspace
    tools: bool = True
    max_tokens: int = MAX_TOKENS


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What every turn works with.

    Attributes:
        alerts: hears what admins have to know.
        user_salt: makes the id of a person that Claude's API sees opaque.
        now: seconds since the epoch.
        clock: seconds that only grow, the governor's.
        sleep: waits.
    """

    claude: Claude
    runner: ToolRunner
    journal: Journal
    ledger: Ledger
    budget: Budget
    governor: Governor
    conversations: Conversations
    store: Store
    prompts: Prompts
    metrics: Metrics
    alerts: Alerts
    user_salt: bytes
    now: Callable[[], float]
    clock: Callable[[], float]
    rng: random.Random
    sleep: Callable[[float], Awaitable[None]]
