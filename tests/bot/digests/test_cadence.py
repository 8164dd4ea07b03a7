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
    ["SHOP-12", "sprint SHOP", "project = SHOP AND text ~ nightly", "nightly", "a weekly report"],
)
def test_other_words_are_left_alone(words: str) -> None:
    """A query's own words and a plain summary are no wish for a digest."""
    assert parted(words) is None


@pytest.mark.parametrize("time", ["25:00", "7:60", "noon", "13pm", "0am"])
def test_what_is_no_time_is_told(time: str) -> None:
    """The sentence says how one is written."""
    with pytest.raises(BadCadence, match="nightly at 7:00"):
        parted(f"project SHOP nightly at {time}")


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
