"""What is found wrong after a rolling update, beside what the crash harness finds."""

from collections import Counter

from benchmarks.crash.people import Asked
from benchmarks.rolling.__main__ import table
from benchmarks.rolling.found import in_jira, waiting
from benchmarks.rolling.people import GO, undecided
from benchmarks.rolling.update import Seen, Stretch
from bot.demo.slack import Message

ASKED = [
    Asked(1, "sum", "C0B001", "1.1", "1.1"),
    Asked(2, "write", "C0B001", "2.1", "2.1"),
]


def message(*ids: str) -> Message:
    """A message with buttons."""
    buttons = [{"type": "button", "action_id": one} for one in ids]
    return Message("2.2", "C0B001", "UBOT", "Shall I?", "T0", blocks=[{"elements": buttons}])


def test_what_is_written_once_is_well() -> None:
    """A proposal that was written not at all, or twice, is found; what proposed nothing is not looked for."""
    once, other = "the fix is in review (ask 2)", "somebody's (ask 3)"

    assert in_jira(ASKED, [other, once]) == []
    assert [one.n for one in in_jira(ASKED, [once, once])] == [2]
    assert [one.what for one in in_jira(ASKED, [other])] == ["written to Jira 0 times"]


def test_what_was_pressed_and_still_asks() -> None:
    """A place that goes on asking after somebody pressed is found."""
    assert undecided(message("estimate:cancel", GO)) == GO
    assert waiting([message()]) == []
    assert len(waiting([message(GO), message(GO)])) == 2


def test_the_table_says_who_answered_when() -> None:
    """Each stretch has its line, with the answers of either version."""
    seen = Seen("file: applied m002_x", asked=ASKED)
    seen.stretches.append(Stretch("both", 60.4, Counter({"1.0": 7, "ours": 8})))
    told = table("1.0", seen)

    assert "| both | 60 | 7 | 8 |" in told
    assert "while 1.0 served: applied m002_x" in told
    assert "2 asks (1 sum, 1 write)" in told
