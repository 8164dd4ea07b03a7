"""What rows of the books add up to, day by day and month by month, kept beside them.

The engine adds each row up in the commit that books it, so a report costs what its days and channels are, however
many rows lie beneath. Months are kept too: a span of whole months is read by them, the rest of it by days.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Literal, Self

from bot.prices import dollars
from bot.store import Row

By = Literal["channel", "user", "model", "feature", "purpose", "day"]
EVERYBODY = EVERYWHERE = "*"  # in the place of a person, and of a channel
LAST = "~"  # behind every channel's id


@dataclass(frozen=True, slots=True)
class Sum:
    """What rows add up to: tokens by kind, money in exact dollars.

    An ask counts once, where and when its first row was booked, so sums of days are those of their month; with
    models it counts once for each model that worked on it (`model_asks`).
    """

    entries: int = 0
    asks: int = 0
    model_asks: int = 0
    input_tokens: int = 0  # neither read from nor written to cache
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0  # thinking included
    thinking_tokens: int = 0
    unpriced_tokens: int = 0  # of the above, those whose price is unknown
    cost: Decimal = Decimal(0)  # of all the rest
    unconfirmed: Decimal = Decimal(0)  # part of the cost that is our estimate
    refused: Decimal = Decimal(0)  # part of the cost that ended in a refusal
    saved: Decimal = Decimal(0)  # what the cache saved, its writes and its warming paid

    @property
    def prompt_tokens(self) -> int:
        """Everything that was in the prompts: fresh, written to cache and read from it."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + written + self.cache_read_tokens

    def __add__(self, other: "Sum") -> "Sum":
        """Both together, exactly."""
        return Sum(**{name: getattr(self, name) + getattr(other, name) for name in _FIGURES})

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the engine's sums."""
        return cls(*_counts(row), *map(dollars, _picos(row)))  # thousands of them are read at once


_FIGURES = tuple(Sum.__dataclass_fields__)
_counts = itemgetter(*_FIGURES[: _FIGURES.index("cost")])
_picos = itemgetter("cost_picos", "unconfirmed_picos", "refused_picos", "saved_picos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """The sum of a day's rows that agree in all of these; `day` in the workspace's time zone.

    What all share (keeping caches warm) has no channel and no feature.
    """

    day: date
    channel: str | None
    feature: str | None
    purpose: str
    model: str
    status: Literal["settled", "unconfirmed"]
    sum: Sum

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the engine's sums."""
        return cls(
            day=date.fromisoformat(row["span"]),
            channel=row["channel"] or None,
            feature=row["feature"] or None,
            purpose=row["purpose"],
            model=row["model"],
            status=row["status"],
            sum=Sum.of(row),
        )


def reach(channel: str | None) -> tuple[str, str]:
    """The first and the last channel that is meant; None is every one, and what all share."""
    return ("", LAST) if channel is None else (channel, channel)


def spans(since: date, until: date, *, months: bool) -> list[str]:
    """Days and, where wanted, whole months that make up the time from `since` to `until`, which is excluded."""
    found: list[str] = []
    while since < until:
        following = (since.replace(day=1) + timedelta(days=32)).replace(day=1)
        if months and since.day == 1 and following <= until:
            found.append(f"{since:%Y-%m}")
            since = following
        else:
            found.append(since.isoformat())
            since += timedelta(days=1)
    return found
