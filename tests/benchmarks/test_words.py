"""Slow answers are measured from Claude's first token to Slack's first text, less what Slack takes itself."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.town import CALL_SECONDS
from benchmarks.trial import Scale, crowd
from benchmarks.words import Words, judged, speak, table

TINY = Scale(asks=2, at_a_time=2, rounds=1, crowd=1, hold_seconds=0.0)


async def test_both_apps_show_words_long_before_their_answer_is_whole(tmp_path: Path) -> None:
    """Each ask of each app has its time; Slack's own is in none of them, and the answer's two seconds neither."""
    body = (await crowd(tmp_path, TINY)).body
    (tmp_path / "slow").mkdir()
    said: list[str] = []
    seen = await speak(tmp_path / "slow", body, TINY, said.append)

    for rounds in (seen.bare, seen.purser):
        assert [len(values) for values in rounds] == [TINY.asks]
        assert all(-CALL_SECONDS < value < 1.0 for values in rounds for value in values)
    assert said == ["slow answers, round 1, bare", "slow answers, round 1, purser"]
    assert "| first token to first text, p99 | " in table(seen)


@pytest.mark.parametrize(("seconds", "met"), [(0.1, True), (0.101, False)])
def test_a_tenth_of_a_second_is_the_limit(seconds: float, met: bool) -> None:
    """Purser's 99th percentile is judged, the median of the rounds."""
    purser: list[Sequence[float]] = [[seconds, 0.01], [0.5], [0.0]]

    (target,) = judged(Words([[9.0]], purser))
    assert target.ok is met
