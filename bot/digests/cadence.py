"""How often a digest comes, and when: in the words of whoever asks for it, and as moments. Pure.

    nightly at 7:00        weekdays at 8:30        weekly on Friday at 16:00        every Monday and Thursday

A time is that of the clock on the wall, so that it stays the same when clocks are moved; a day has one at most.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from bot.errors import PurserError

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY, WEEKDAYS = tuple(range(7)), tuple(range(5))
HOUR = 7  # where no time is named
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_DAYS = rf"{_DAY}(?:\s*(?:,|&|,?\s+and)\s*{_DAY})*"
# Not a word that a query compares something with, as in `text ~ nightly`.
_APART = r"(?<![=~<>(,\"'])[,;]?\s+"
_OFTEN = re.compile(
    rf"{_APART}(?:posted\s+)?"
    r"(?:(?P<every>nightly|daily|(?:every|each)\s+(?:day|night|morning))"
    r"|(?P<weekdays>(?:on\s+|every\s+)?weekdays?)"
    rf"|(?P<weekly>weekly|every\s+week)(?:\s+(?:on\s+)?(?P<on>{_DAYS}))?|(?:on|every)\s+(?P<day>{_DAYS}))"
    # What follows a number is no time any more, but was meant to be one: `7:00 UTC`.
    r"(?:,?\s+(?:at\s+(?P<time>\d\S*(?:\s+\S+){0,2}|\S+)|(?P<bare>\d{1,2}[:.]\d\d\S*(?:\s+\S+){0,2})))?[\s.!]*$",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    rf"{_APART}(?:hourly|monthly|quarterly|yearly|fortnightly|bi-?weekly|twice\s+an?\s+\w+"
    r"|every\s+(?:hour|month|quarter|year|other\s+\w+|(?:\d+|two|three|four)\s+\w+))(?:\s+(?:on|at)\s.*)?$",
    re.IGNORECASE,
)
_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap]m)?", re.IGNORECASE)
HOW = "Write `nightly at 7:00`, `on weekdays at 8:30` or `weekly on Friday at 16:00`"
NO_TIME = "`{words}` is no time of day. " + HOW + "; the clock is the workspace's."
NOT_SO = "`{words}` is not how often a digest can come. " + HOW + "."


class BadCadence(PurserError):
    """This is no time of day, or not how often a digest comes; the sentence says how one is written.

    Attributes:
        about: the words before, which say what was wanted.
    """

    def __init__(self, sentence: str, about: str) -> None:
        super().__init__(sentence)
        self.about = about


@dataclass(frozen=True, slots=True)
class Cadence:
    """On which days of the week (0 is Monday), and at which time of the wall's clock."""

    days: tuple[int, ...]
    hour: int = HOUR
    minute: int = 0

    def moments(self, after: float, zone: tzinfo) -> Iterator[tuple[date, float]]:
        """Every day on which it comes, and the moment (epoch seconds), from the first one after a moment on."""
        day = datetime.fromtimestamp(after, zone).date()
        while True:
            at = datetime.combine(day, time(self.hour, self.minute), zone).timestamp()
            if day.weekday() in self.days and at > after:
                yield day, at
            day += timedelta(days=1)

    def days_since_the_last(self, due: date) -> int:
        """How many days before a day on which it comes it came last."""
        return next(n for n in range(1, 8) if (due - timedelta(days=n)).weekday() in self.days)

    @property
    def told(self) -> str:
        """For people: "nightly at 7:00"."""
        often = {EVERY: "nightly", WEEKDAYS: "on weekdays"}.get(self.days)
        if often is None:
            *others, last = (NAMES[day] for day in self.days)
            often = f"weekly on {', '.join(others)}{' and ' if others else ''}{last}"
        return f"{often} at {self.hour}:{self.minute:02}"

    @property
    def text(self) -> str:
        """As it is kept: "01234 07:30"."""
        return f"{''.join(map(str, self.days))} {self.hour:02}:{self.minute:02}"

    @classmethod
    def of(cls, text: str) -> "Cadence":
        """From what is kept."""
        days, _, at = text.partition(" ")
        hour, _, minute = at.partition(":")
        return cls(tuple(map(int, days)), int(hour), int(minute))


def parted(words: str) -> tuple[str, Cadence] | None:
    """What is asked for, and how often; None where nothing is said of that.

    Raises:
        BadCadence: the time cannot be read, or no digest comes so often.
    """
    # A run of spaces would be searched from each of its places on.
    words = " ".join(words.split())
    if other := _OTHERWISE.search(words):
        often = " ".join(other[0].strip(" ,;").split()).replace("`", "'")
        raise BadCadence(NOT_SO.format(words=often[:40]), words[: other.start()].strip())
    found = _OFTEN.search(words)
    if found is None:
        return None
    about, written = words[: found.start()].strip(), found["time"] or found["bare"]
    hour, minute = _time(written.rstrip(" .!,;"), about) if written else (HOUR, 0)
    if found["every"]:
        days: tuple[int, ...] = EVERY
    elif found["weekdays"]:
        days = WEEKDAYS
    else:
        named = re.findall(_DAY, found["on"] or found["day"] or NAMES[0], re.IGNORECASE)
        days = tuple(sorted({NAMES.index(day.title().rstrip("s")) for day in named}))
    return about, Cadence(days, hour, minute)


def _time(words: str, about: str) -> tuple[int, int]:
    found = _TIME.fullmatch(words)
    hour, minute = (int(found["hour"]), int(found["minute"] or 0)) if found else (24, 0)
    if found and found["half"]:
        hour = hour % 12 + 12 * (found["half"].lower() == "pm") if 1 <= hour <= 12 else 24
    if hour > 23 or minute > 59:
        raise BadCadence(NO_TIME.format(words=words[:20].replace("`", "'")), about)
    return hour, minute
