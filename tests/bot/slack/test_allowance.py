"""First words are shown at once while streams and edits are to spare, and wait for the rest when they are scarce."""

import pytest

from bot.demo.slack.methods import TIER_2, TIER_3
from bot.settings import Settings
from bot.slack.allowance import (
    EDITS,
    MINUTE,
    SOON_SECONDS,
    STREAMS,
    WHOLE_SECONDS,
    Allowance,
    Left,
    hold,
)
from tests.demo.slack_worlds import Clock

MANY, HALF, FEW, NONE = Left(18, 18), Left(9, 18), Left(8, 18), Left(0, 18)


@pytest.mark.parametrize(
    ("streams", "edits", "seconds"),
    [
        (MANY, NONE, SOON_SECONDS),
        (HALF, NONE, SOON_SECONDS),
        (FEW, MANY, WHOLE_SECONDS),
        (Left(18, 18, refused=True), MANY, WHOLE_SECONDS),
        (NONE, HALF, SOON_SECONDS),  # by a post, which is edited
        (NONE, FEW, WHOLE_SECONDS),
        (None, HALF, SOON_SECONDS),  # by an edit of what stands there
        (None, FEW, WHOLE_SECONDS),
        (None, Left(18, 18, refused=True), WHOLE_SECONDS),
    ],
)
def test_first_words_wait_for_what_is_scarce(
    streams: Left | None, edits: Left, seconds: float
) -> None:
    """What would bring them decides: a stream, or an edit where there is none."""
    assert hold(streams, edits) == seconds


def test_what_is_known_of_slack_is_not_exceeded() -> None:
    """Of what Slack takes a little is left: for other processes, and for clocks that differ."""
    assert STREAMS == Settings().slack_streams < TIER_2
    assert EDITS < TIER_3


def test_an_allowance_comes_back_by_the_minute() -> None:
    """What was used is free again a minute later, each use by itself."""
    clock = Clock()
    allowance = Allowance(2, clock)

    assert allowance.use()
    clock.at += MINUTE / 2
    assert allowance.use()
    assert not allowance.use()
    clock.at += MINUTE / 2 + 1
    assert (allowance.left().now, allowance.use(), allowance.use()) == (1, True, False)


def test_after_a_refusal_it_is_scarce_for_a_minute() -> None:
    """Other processes use it, too: though little was used here, there is no plenty of it."""
    clock = Clock()
    allowance = Allowance(18, clock)
    allowance.refused()

    assert (allowance.left().now, allowance.left().plenty) == (18, False)
    clock.at += MINUTE + 1
    assert allowance.left().plenty
