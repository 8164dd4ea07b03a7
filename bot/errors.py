"""Every error of Purser's own, in one tree; a docstring is the sentence a log or a person reads.

    PurserError
    ├── BadSettings        the environment or the policy file has problems, all named at once
    ├── StoreDown          the database did not take or give something
    │   ├── StoreAway      a server is away, or a file locked; it may pass by itself
    │   └── StoreTaken     another process serves this SQLite file
    ├── LeaseLost          another worker has this ask now: fall silent
    ├── OverBudget         spent plus reserved would pass a budget
    └── ToolProblem        words for Claude: read this and adapt

Integrations have error trees of their own (`integrations/*.py`), and so has Slack's wire (`slack/wire.py`).
"""

from collections.abc import Sequence


class PurserError(Exception):
    """The root of all our own errors."""


class BadSettings(PurserError):
    """Some settings are missing or malformed; each problem names the setting and the mend."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class StoreDown(PurserError):
    """The database is not reachable, full or locked; nothing of this was written."""


class StoreAway(StoreDown):
    """The database server does not answer, starts, stops or is crowded, or somebody holds the file locked; it passes."""


class StoreTaken(StoreDown):
    """Another `purser serve` works on this SQLite file; stop it first, or name another file in DATABASE_URL."""


class LeaseLost(PurserError):
    """Another worker took this ask over; whatever is still done here must not be seen."""


class OverBudget(PurserError):
    """Spent plus reserved would pass the budget.

    Args:
        scope: `channel`, `workspace` or `ask`: whose limit it is.
    """

    def __init__(self, scope: str = "channel") -> None:
        self.scope = scope
        super().__init__(f"the {scope}'s budget does not cover this call")


class ToolProblem(PurserError):
    """Words that Claude reads as the result of a tool call, and adapts to.

    Args:
        sentence: the words.
        rule: of the policy, where it denied the call.
    """

    def __init__(self, sentence: str = "", *, rule: str = "") -> None:
        self.rule = rule
        super().__init__(sentence)
