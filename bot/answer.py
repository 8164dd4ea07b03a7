"""What a turn lets be heard while it works, and how it ends.

Ground floor: yielded by `turn`, spoken by `slack/reply`, counted by `worker`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer, as Markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All that Claude says has come; the end follows as soon as it is booked."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """Claude thinks; `summary` is a few words for the status line, or ""."""

    summary: str = ""


@dataclass(frozen=True, slots=True)
class Passing:
    """Part `n` of `of` of something large is being read; `where` is for people: "src/pay.py and 3 more"."""

    n: int
    of: int
    where: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call began. `label` is for people: "reading SHOP-12"."""

    use_id: str
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """A tool call has its result. `outcome` is ok, problem, timed_out or broken."""

    use_id: str
    name: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing moves for a reason a person may know: "waiting for Claude's rate limit (input tokens), about 20 s"."""

    reason: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """All text of this answer so far is taken back (refused, or started again); `notice` stands in its place."""

    notice: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """What something is likely to take; estimates add up.

    `tokens` are those read and those generated. Money is in pico-dollars, by a price above all known ones where the
    price is not known.
    """

    tokens: int = 0
    picos: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Estimate") -> "Estimate":
        """What both take, one after the other."""
        return Estimate(
            self.tokens + other.tokens, self.picos + other.picos, self.seconds + other.seconds
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """The turn did not begin: it is likely to take more than goes without a person's word. No end of the ask."""

    estimate: Estimate
    documents: tuple[str, ...] = ()  # what of it are PDFs, with their pages, in lines for people


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an ask cost. `cost` is None when a price is unknown: never 0 for unknown."""

    cost: Decimal | None = Decimal(0)  # US dollars
    unconfirmed: Decimal = Decimal(0)  # part of it that is our estimate
    input_tokens: int = 0  # all prompt tokens, cached ones too
    cached_tokens: int = 0  # of those, read from cache
    output_tokens: int = 0  # thinking included
    thinking_tokens: int = 0
    tools: int = 0
    rounds: int = 0
    seconds: float = 0.0
    model: str = ""
    estimate: Estimate | None = None  # what was expected beforehand


@dataclass(frozen=True, slots=True)
class Answer:
    """The ask was answered, with `text` as the whole answer.

    `notes` are sentences that must be seen with it: "I asked it this way instead: …". `shown` is what Slack shows
    under it, as blocks; whatever of them is refused somewhere is left out. `proposes`: something that a person decides
    on was proposed without a tool.
    """

    text: str
    receipt: Receipt
    notes: tuple[str, ...] = ()
    shown: tuple[Mapping[str, Any], ...] = ()
    proposes: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Claude refused; `sentence` says so and what was tried, `advice` what can be done now.

    `notes` tell what was tried, each rung of it. `people` says that people may be given it, where there are any.
    """

    sentence: str
    receipt: Receipt
    category: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    people: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person stopped it, or a bound did (`sentence` says which); `text` is what had been said.

    `said`: it stands in Slack already, so that nothing more is to be said. `rule`: by which it was denied.
    """

    sentence: str
    receipt: Receipt
    text: str = ""
    said: bool = False
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be answered; a sentence, what to do, and never an exception's words."""

    sentence: str
    receipt: Receipt = field(default_factory=Receipt)
    text: str = ""


Ended = Answer | Refused | Stopped | Failed
Event = (
    TextDelta
    | Whole
    | Thinking
    | Passing
    | ToolStarted
    | ToolEnded
    | Waiting
    | Withdrawn
    | Quote
    | Answer
    | Refused
    | Stopped
    | Failed
)
