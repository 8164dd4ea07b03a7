"""What is told while an answer comes adds up to the answer, and thoughts become a status line."""

from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Event, TextDelta, Withdrawn
from bot.turn.thoughts import STATUS_CHARS, Thoughts
from bot.turn.voice import Mark, Voice

WORDS = st.text(alphabet="ab \n", max_size=5)


def heard(events: list[Event]) -> str:
    """What a reader has before them."""
    text = ""
    for event in events:
        if isinstance(event, Withdrawn):
            text = ""
        elif isinstance(event, TextDelta):
            text += event.text
    return text


@given(st.lists(st.one_of(WORDS, st.just(None), st.integers(0, 8))))
def test_what_is_heard_is_what_is_said(acts: list[str | int | None]) -> None:
    """However speech, pauses and withdrawals follow each other, the reader has all that is said."""
    events: list[Event] = []
    voice = Voice(events.append)
    for act in acts:
        if act is None:
            voice.pause()
        elif isinstance(act, str):
            voice.say(act)
        else:
            voice.take_back(Mark(min(act, len(voice.said))), "taken back")

        assert heard(events) == voice.said


def test_after_a_pause_comes_a_paragraph() -> None:
    """Text before and after a tool call stands apart, without gaps at the beginning."""
    events: list[Event] = []
    voice = Voice(events.append)
    voice.pause()
    voice.say("I look.")
    voice.pause()
    voice.say("\n")
    voice.say("\nIt is there.")

    assert voice.said == heard(events) == "I look.\n\nIt is there."


def test_thoughts_are_shown_by_the_line() -> None:
    """A line is shown once, when it is whole or long enough, bare of its markup."""
    thoughts = Thoughts()
    long = "x" * STATUS_CHARS

    assert thoughts.more("**Reading") is None
    assert thoughts.more(" the code**\n\nThen") == "Reading the code"
    assert thoughts.more(long) == f"Then{long}"[:STATUS_CHARS]
    assert thoughts.more("yyy") is None
    assert thoughts.more("\nNext\n") == "Next"
