"""How often and when: read from people's words, and right across the days on which clocks are moved."""

from datetime import UTC, date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from bot.digests.cadence import BadCadence, Cadence, parted

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("words", "rest", "told"),
    [
        ("project SHOP nightly at 7:00", "project SHOP", "nightly at 7:00"),
        ("sprint SHOP, daily", "sprint SHOP", "nightly at 7:00"),
        ("SHOP every night at 6.30", "SHOP", "nightly at 6:30"),
        ("SHOP on weekdays at 8:05", "SHOP", "on weekdays at 8:05"),
        ("this channel weekly", "this channel", "weekly on Monday at 7:00"),
        ("this channel weekly on fridays at 4pm", "this channel", "weekly on Friday at 16:00"),
        ("SHOP every Tuesday at 12 am", "SHOP", "weekly on Tuesday at 0:00"),
        ("SHOP NIGHTLY AT 23:59", "SHOP", "nightly at 23:59"),
        ("project SHOP nightly 7:05", "project SHOP", "nightly at 7:05"),
        ("project SHOP each day, at 7:05.", "project SHOP", "nightly at 7:05"),
        ("SHOP weekly Friday 16:00!", "SHOP", "weekly on Friday at 16:00"),
        ("SHOP every Thursday and Monday", "SHOP", "weekly on Monday and Thursday at 7:00"),
        (
            "SHOP weekly on Mondays, wednesdays, and Fridays at 9",
            "SHOP",
            "weekly on Monday, Wednesday and Friday at 9:00",
        ),
    ],
)
def test_words_are_read(words: str, rest: str, told: str) -> None:
    """What is asked for and how often it comes are told apart, and what is kept is the same."""
    found = parted(words)

    assert found is not None
    assert (found[0], found[1].told) == (rest, told)
    assert Cadence.of(found[1].text) == found[1]


@pytest.mark.parametrize(
    "words",
    [
        "SHOP-12",
        "sprint SHOP",
        "project = SHOP AND text ~ nightly",
        "project = SHOP AND text ~ monthly",
        "nightly",
        "a weekly report",
        "the monthly report",
        "what we found every time",
    ],
)
def test_other_words_are_left_alone(words: str) -> None:
    """A query's own words and a plain summary are no wish for a digest."""
    assert parted(words) is None


@pytest.mark.parametrize(
    "words",
    [
        *(f"nightly at {time}" for time in ("25:00", "7:60", "noon", "13pm", "0am", "7:00 UTC")),
        "nightly 24:00",
        "weekly on Friday at 7 o'clock",
        "hourly",
        "monthly",
        "every two weeks on Friday at 16:00",
        "twice a day",
    ],
)
def test_what_is_no_time_is_told(words: str) -> None:
    """The sentence says how one is written, and what was wanted is known."""
    with pytest.raises(BadCadence, match="nightly at 7:00") as wrong:
        parted(f"project SHOP {words}")

    assert wrong.value.about == "project SHOP"


def test_no_words_take_long_to_read() -> None:
    """As many spaces as a message has room for are read at once."""
    assert parted(f"SHOP{' ' * 40_000}x") is None
    assert parted(f"SHOP{' ' * 40_000}nightly") == ("SHOP", Cadence(tuple(range(7))))


@pytest.mark.parametrize("day", [date(2026, 3, 26), date(2026, 10, 22)])
def test_the_clock_on_the_wall_counts(day: date) -> None:
    """Where clocks are moved a digest stays at its hour, and each day has one."""
    after = datetime.combine(day, time(12), BERLIN).timestamp()
    found = list(islice(Cadence(tuple(range(7))).moments(after, BERLIN), 5))

    assert {datetime.fromtimestamp(at, BERLIN).hour for _, at in found} == {7}
    assert [day.day for day, _ in found] == list(range(day.day + 1, day.day + 6))


def test_what_comes_since_the_last_time() -> None:
    """On Monday a digest of weekdays looks back to Friday."""
    weekdays = Cadence((0, 1, 2, 3, 4))
    thursday = datetime(2026, 11, 26, 8, tzinfo=UTC).timestamp()
    days = [day for day, _ in islice(weekdays.moments(thursday, UTC), 2)]

    assert [day.weekday() for day in days] == [4, 0]
    assert [weekdays.days_since_the_last(day) for day in days] == [1, 3]
