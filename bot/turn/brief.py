"""What one turn is told to do, and what all turns share."""

import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.answer import Estimate
from bot.ask import Alerts, Ask, Feature
from bot.budget import Budget
from bot.caching import Caching, Left
from bot.conversation import Conversations, without_code
from bot.diffs import Pass, Reading
from bot.estimates import Estimates
from bot.findings import Finding
from bot.governor import Governor
from bot.journal import Journal
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.prompts import Prompts
from bot.rules import Rules, Workspace
from bot.store import Store
from bot.tool_runner import ToolRunner
from bot.turn.starts import Starts
from integrations.claude import Claude

# An answer has 400 words or so, but thinking is billed and counted as output: below about
# 8,000 tokens an answer can end before its first word. Twice that leaves room for a review.
MAX_TOKENS = 16_000
SMALL_TOKENS = 8_000  # of one response of an ask that is done smaller; see above
SMALL_ROUNDS = 4  # and its rounds
SMALL_EFFORT = "low"
DEEP_EFFORT = "high"
# "think hard", "a deep look", "deep: why …", "why …? deep": the word alone is no wish ("deep learning").
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_DEEP = re.compile(
    r"\bthink (really |very )?(hard|harder|deep|deeper|deeply)\b"
    r"|\b(go|look|dig) deep(er)?\b|\bdeep (dive|look|thought|analysis|review)\b"
    r"|^\W*deep(ly)?\s*[:,;.!?–—-]|[,;:.!?–—(-]\s*deep(ly)?([,\s]+please)?\W*$",
    re.IGNORECASE,
)


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
        beyond: what the ask is likely to take beside the turn itself, such as further passes of a review.
        agreed: what a person has agreed to, so that they are not asked for their word; None where nobody was asked.
        small: the person wants it done for less. A review then looks at the riskiest part alone.
        readings: the changes of a review, read already; what was read of them is said under the answer.
        standing: findings of an earlier review of the same change whose code still stands.
        passes: their parts that are read one by one before the answer; none where the request holds all.
    """

    feature: Feature
    model: str
    effort: str
    rules: Rules
    workspace: Workspace
    tools: bool = True
    max_tokens: int = MAX_TOKENS
    beyond: Estimate = field(default_factory=Estimate)
    agreed: Estimate | None = None
    small: bool = False
    readings: tuple[Reading, ...] = ()
    passes: tuple[Pass, ...] = ()
    standing: tuple[Finding, ...] = ()

    def deeper(self) -> "Brief":
        """The same by the deep model, which thinks hard; what was to be thought about harder still stays so."""
        effort = self.effort if self.effort in ("xhigh", "max") else DEEP_EFFORT
        return replace(self, model=self.rules.deep_model, effort=effort)

    def smaller(self) -> "Brief":
        """The same for less: low effort, few rounds, and the quick model but for a review, which has the usual one."""
        rounds = min(self.rules.rounds, SMALL_ROUNDS)
        return replace(
            self,
            model=self.rules.model if self.feature == "review" else self.rules.quick_model,
            effort=SMALL_EFFORT,
            rules=self.rules.model_copy(update={"rounds": rounds}),
            max_tokens=min(self.max_tokens, SMALL_TOKENS),
            beyond=Estimate(),
            small=True,
            passes=(),
        )


def wants_depth(text: str) -> bool:
    """Whether a person wants hard thought, by their words beside code and addresses."""
    return _DEEP.search(_ADDRESS.sub(" ", without_code(text))) is not None


@dataclass(frozen=True, slots=True)
class Carry:
    """A call that carries a thread's cache on.

    Attributes:
        ask: whose answer ends the thread so far.
        body: of the call.
        tokens: of the thread at most, about.
        fresh_tokens: those of them that are not in cache.
        n: the number of that ask in its thread.
        left: what it left in cache.
    """

    ask: Ask
    body: Mapping[str, Any]
    tokens: int
    fresh_tokens: int
    n: int = 0
    left: Left | None = None


async def nobody() -> Sequence[str]:
    """No names: where there is no workspace to ask for them."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What every turn works with.

    Attributes:
        alerts: hears what admins have to know.
        admins: gives their names.
        user_salt: makes the id of a person that Claude's API sees opaque.
        now: seconds since the epoch.
        clock: seconds that only grow, the governor's.
        sleep: waits.
        caching: what is known of Claude's cache, and of how people go on.
        starts: which shared beginnings are in cache.
    """

    claude: Claude
    runner: ToolRunner
    journal: Journal
    ledger: Ledger
    estimates: Estimates
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
    admins: Callable[[], Awaitable[Sequence[str]]] = nobody
    caching: Caching[Carry] = field(default_factory=Caching[Carry])
    starts: Starts = field(default_factory=Starts)
