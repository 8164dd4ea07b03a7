"""What is examined before the first ask, and daily from then on: one line each, with the mend.

    here       settings, policy, files          database   schema, who may read it
    slack      token, scopes, channels          claude     key, models, prices
    jira       account and rights               github     token

Each check returns findings and never raises for what it examines. Nothing here opens a client: the checks are given
those of `bot/app/`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

Colour = Literal["green", "yellow", "red"]
MARKS: dict[Colour, tuple[str, str]] = {
    "green": ("✔", "32"),
    "yellow": ("!", "33"),
    "red": ("✘", "31"),
}
"""Of a line: its sign, and the terminal's number for its colour."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination.

    Attributes:
        name: what was examined.
        colour: green is well, yellow is worth a look, red does not work.
        says: what was found.
        mend: what to do; "" when all is well.
        passing: it may mend itself, and is no reason to tell anybody who did not ask.
    """

    name: str
    colour: Colour
    says: str
    mend: str = ""
    passing: bool = False

    @property
    def line(self) -> str:
        """For people: what was found and what to do, without the sign."""
        return f"{self.name}: {self.says}" + (f" → {self.mend}" if self.mend else "")


TOKEN_SOON_DAYS, TOKEN_VERY_SOON_DAYS = 14, 3  # before a token ends; many live for a month alone


def ending(
    at: datetime,
    now: float,
    *,
    soon: int = TOKEN_SOON_DAYS,
    very_soon: int = TOKEN_VERY_SOON_DAYS,
) -> tuple[Colour, str]:
    """How bad it is that something ends, and when that is, in words.

    Args:
        at: when it ends.
        now: seconds since the epoch.
        soon: days before it from which on it is yellow.
        very_soon: days before it from which on it is red.
    """
    days = (at - datetime.fromtimestamp(now, UTC)).days
    colour: Colour = "red" if days < very_soon else "yellow" if days < soon else "green"
    return colour, f"on {at:%Y-%m-%d}, in {days} days"


def show(findings: Sequence[Finding], *, as_json: bool, colour: bool) -> str:
    """The findings as lines for a terminal, or as one JSON document."""
    if as_json:
        return json.dumps([asdict(found) for found in findings], indent=2)
    return "\n".join(_line(found, colour=colour) for found in findings)


def _line(found: Finding, *, colour: bool) -> str:
    sign, number = MARKS[found.colour]
    sign = f"\x1b[{number}m{sign}\x1b[0m" if colour else sign
    return f"{sign} {found.line}"
