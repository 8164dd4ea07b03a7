"""What is worth a place in Claude's cache: by rhythm and price, learnt, bounded."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.caching import (
    HOUR_SECONDS,
    SLOT_SECONDS,
    SLOTS,
    Asking,
    Caching,
    Lasting,
    Left,
    Marks,
    Rates,
    Read,
    Rhythm,
    Sections,
    Size,
    Thread,
    carried,
    lifetime,
    marked,
)
from bot.caching.choice import CALLS, LATE_SECONDS, THREAD_CALLS, THREADS_AT_MOST
from bot.caching.rhythm import LINES_AT_MOST, PENDING_AT_MOST
from bot.prices import DAY_SECONDS

NOVEMBER = 1_795_341_840.0  # 2026-11-22 10:04 UTC
SONNET, HAIKU = "claude-sonnet-5-5", "claude-haiku-5-5"
RATES = Rates(0.05, 1.25, 2.0)
NEVER = (0.0,) * SLOTS
BIG = Size(5_000, 30_000, 800)


def silent(*soon: float) -> tuple[float, ...]:
    """Chances in the first slots, and none after them."""
    return (*soon, *NEVER)[:SLOTS]


def thread(lane: str = "L", asks: int = 2) -> Thread:
    """A thread in C1."""
    return Thread("C1", lane, asks)


def answered(caching: Caching[str], lane: str, at: float, *, size: Size = BIG) -> None:
    """An ask that was answered after one request, kept for five minutes."""
    asking = Asking(thread(lane), "chat", SONNET, size, "5m", at=at, sent=size.thread)
    caching.answered(asking, lane, rounds=0, answer=size.answer)


@pytest.mark.parametrize(
    ("model", "rates"),
    [(SONNET, RATES), (HAIKU, Rates(0.1, 1.25, 2.0)), ("claude-unheard-of", Rates(0.1, 1.25, 2.0))],
)
def test_rates_are_those_of_the_price_list(model: str, rates: Rates) -> None:
    """Each model has its own; one without a price has the usual ones."""
    assert Rates.of(model, NOVEMBER) == rates


@pytest.mark.parametrize(
    ("hazards", "fresh", "again", "keep", "ttl"),
    [
        (NEVER, 10_000, 0.0, True, None),
        (NEVER, 10_000, 0.2, True, None),
        (NEVER, 10_000, 0.22, True, "5m"),
        (silent(0.22), 10_000, 0.0, True, "5m"),
        (silent(0.0, 0.5), 30_000, 0.0, True, "5m"),
        (silent(0.0, 0.5), 30_000, 0.0, False, None),
        (silent(0.0, 0.5), 500, 0.0, True, "1h"),
        (silent(0.9, 0.5), 30_000, 0.0, False, "5m"),
    ],
)
def test_a_mark_stands_as_long_as_it_pays(
    hazards: tuple[float, ...], fresh: int, again: float, keep: bool, ttl: str | None
) -> None:
    """None where nobody reads it, five minutes where somebody soon does, an hour where little is written for much."""
    found = lifetime(
        hazards, RATES, shared=5_000, thread=30_000, fresh=fresh, again=again, keep=keep
    )

    assert found == ttl


@given(chance=st.floats(0, 1), size=st.integers(0, 100_000), answer=st.integers(0, 5_000))
def test_a_call_is_worth_no_more_than_it_spares(chance: float, size: int, answer: int) -> None:
    """However likely the next ask is, no more is won than writing all of it again would cost."""
    worth = carried(silent(0.0, chance), RATES, shared=5_000, thread=size, answer=answer)

    assert 0 <= worth <= 1.2 * chance * (size + answer)


def test_a_rhythm_is_learnt() -> None:
    """Who always goes on after ten minutes is expected then; a channel of their own kind stays as it was."""
    rhythm = Rhythm()
    before = rhythm.hazards(thread("new"))
    for n in range(60):
        at = NOVEMBER + n * HOUR_SECONDS
        rhythm.answered(thread(f"L{n}"), at)
        rhythm.asked(f"L{n}", at + 2.1 * SLOT_SECONDS)
    after = rhythm.hazards(thread("new"))

    assert after[0] < before[0] / 2
    assert after[2] > 3 * before[2]
    assert rhythm.hazards(thread("L1"))[2] > after[2]
    assert rhythm.hazards(Thread("C2", "new", 1)) == Rhythm().hazards(Thread("C2", "new", 1))


def test_silence_is_learnt_too() -> None:
    """A thread in which nobody went on within the hour is one that ended."""
    rhythm = Rhythm()
    for n in range(60):
        rhythm.answered(thread(f"L{n}"), NOVEMBER + n * HOUR_SECONDS)

    assert max(rhythm.hazards(thread("new"))) < 0.15


def test_rounds_are_learnt_by_feature() -> None:
    """Where tickets are always read in two rounds, a third is not expected, and another feature is another matter."""
    rhythm = Rhythm()
    for _ in range(50):
        rhythm.went("summarize", 2)

    assert rhythm.again("summarize", 0) > 0.9
    assert rhythm.again("summarize", 2) < 0.1
    assert rhythm.again("chat", 0) == 0.5


def test_a_call_is_due_once_and_only_in_time() -> None:
    """When five minutes are nearly over; not before, not a second time, not when it is too late."""
    caching: Caching[str] = Caching()
    answered(caching, "L", NOVEMBER)
    answered(caching, "late", NOVEMBER - LATE_SECONDS - 2)
    at = NOVEMBER + SLOT_SECONDS

    assert caching.due(at - 1) == []
    assert caching.due(at) == ["L"]
    assert caching.due(at + 1) == []
    assert caching.due(at + HOUR_SECONDS + 1) == []


def test_what_lasts_is_not_carried_on() -> None:
    """A call is made for what would be lost, and not for what lies in cache for an hour already."""
    caching: Caching[str] = Caching()
    for lasting in (0, 29_000):
        size = Size(5_000, 30_000, 20, lasting=lasting)
        answered(caching, f"{lasting} last", NOVEMBER, size=size)

    assert caching.due(NOVEMBER + SLOT_SECONDS) == ["0 last"]


def test_a_call_that_was_refused_is_not_made() -> None:
    """Where none may be made, and where too little would be spared."""
    caching: Caching[str] = Caching()
    answered(caching, "L", NOVEMBER)
    answered(caching, "small", NOVEMBER, size=Size(5_000, 500, 800))

    assert caching.due(NOVEMBER + SLOT_SECONDS, lambda _: False) == []


def test_calls_are_bounded() -> None:
    """Of one thread so many a day are carried on, of all threads so many at a time."""
    caching: Caching[str] = Caching()
    made: list[str] = []
    for n in range(THREAD_CALLS + 5):
        answered(caching, "L", NOVEMBER + n * 1_000)
        made += caching.due(NOVEMBER + n * 1_000 + SLOT_SECONDS)
    for n in range(THREADS_AT_MOST + 5):
        answered(caching, f"L{n}", NOVEMBER + 50_000)

    assert made == ["L"] * THREAD_CALLS
    assert len(caching.due(NOVEMBER + 50_000 + SLOT_SECONDS)) == THREADS_AT_MOST


def test_all_calls_of_a_day_are_bounded() -> None:
    """Of however many threads, so many a day are carried on by one process; the next day is another."""
    caching: Caching[str] = Caching()
    made = 0
    for n in range(CALLS + 5):
        answered(caching, f"L{n}", NOVEMBER + n)
        made += len(caching.due(NOVEMBER + n + SLOT_SECONDS))
    caching.rhythm = Rhythm()  # without so much silence
    answered(caching, "L", NOVEMBER + DAY_SECONDS)

    assert made == CALLS
    assert caching.due(NOVEMBER + DAY_SECONDS + SLOT_SECONDS) == ["L"]


def test_what_is_remembered_of_rhythms_is_bounded() -> None:
    """Of more threads than are remembered the one seen last counts least; of more that are waited for, the oldest ends."""
    rhythm = Rhythm()
    for n in range(LINES_AT_MOST):
        rhythm.answered(Thread(f"C{n}", f"L{n}", 2), NOVEMBER)
        rhythm.asked(f"L{n}", NOVEMBER + 1)
    first, last, new = (
        rhythm.hazards(Thread(f"C{n}", f"L{n}", 2)) for n in (0, LINES_AT_MOST - 1, LINES_AT_MOST)
    )
    assert first == new
    assert last[0] > new[0]

    rhythm = Rhythm()
    for n in range(PENDING_AT_MOST + 1):
        rhythm.answered(Thread(f"C{n}", f"L{n}", 2), NOVEMBER)
    first, last = (rhythm.hazards(Thread(f"C{n}", f"L{n}", 2)) for n in (0, PENDING_AT_MOST))
    assert first[0] < last[0]


def test_what_is_in_cache_already_is_kept_for_an_hour_cheaply() -> None:
    """A short question in a large thread is written for an hour if that is in cache, unless it lasts as long by itself."""
    first: list[str | None] = []
    for cached, lasting in ((30_000, 0), (30_000, 30_000), (0, 0)):
        caching: Caching[str] = Caching()
        asking = caching.asked(
            thread(asks=3),
            feature="chat",
            model=SONNET,
            at=NOVEMBER,
            size=Size(5_000, 30_300, lasting=lasting),
            keep=True,
            read=(0, "5m") if cached else None,
            cached=cached,
        )
        first.append(asking.ttl)

    assert first == ["1h", "5m", "5m"]


def test_marks_follow_the_rounds() -> None:
    """Each round is kept for the next one while one is likely, or an ask soon after; asked for again, the same."""
    caching: Caching[str] = Caching()
    for _ in range(50):
        caching.rhythm.went("chat", 1)
    asking = Asking(Thread("C1", "", 1), "chat", SONNET, BIG, "1h")

    def marks(rounds: int) -> Marks:
        return caching.marks(
            asking, rounds=rounds, last=2 * rounds, tokens=rounds, at=NOVEMBER + rounds
        )

    assert marks(0) == Marks(ask="1h", end=True)
    assert marks(1) == Marks(ask="1h", end=False)
    assert (asking.held, asking.left(1, (), "").end_until) == (None, 0.0)
    asking.thread = thread("L")
    caching.rhythm.went("chat", 2)
    for n in range(40):
        caching.rhythm.answered(thread(f"L{n}"), NOVEMBER + n)
        caching.rhythm.asked(f"L{n}", NOVEMBER + n + 60)
    assert [marks(1), marks(1)] == [Marks(ask="1h", end=True)] * 2
    assert marks(2) == Marks(ask="1h", held=2, end=True)
    assert asking.in_cache == 2


@pytest.mark.parametrize(
    ("left", "at", "ways"),
    [
        (Left((2, 3), 5, 9), 1, [((2, 3), "tail"), ((2,), "own"), ((), "")]),
        (Left((2, 3), 5, 9), 6, [((2, 3), "tail"), ((), "")]),
        (Left((2,), 9, 5), 6, [((2,), "own"), ((), "")]),
        (Left((3,), 9, 5), 6, [((), "own"), ((), "")]),
        (Left((2, 3), 9, 5), 9, [((), "")]),
        (Left((2, 3), 9, 5).carried(20), 19, [((2, 3), "answer"), ((), "")]),
        (Left((1, 2, 3), 5, 5, lasting=Lasting(3, 1, 9)), 6, [((1,), "lasting"), ((), "")]),
        (Left((3,), 5, 5, lasting=Lasting(3, 2, 9)), 6, [((), "lasting"), ((), "")]),
        (Left((), 5, 7, lasting=Lasting(3, 2, 9)), 6, [((), "tail"), ((), "lasting"), ((), "")]),
    ],
)
def test_the_next_ask_changes_nothing_that_is_in_cache(
    left: Left, at: float, ways: list[tuple[tuple[int, ...], str]]
) -> None:
    """While anything lies there as it was sent, it is read so; once all is lost, it is read as it is remembered."""
    assert left.ways(at, last=3) == ways
    assert Left.read(str(left)) == left


def test_what_lies_in_cache_is_known_by_its_sections() -> None:
    """Another model, a changed section, and a tail in another form are not what was sent."""
    sent = Sections("t", "s", "c", "e", before="0", tail="0", own="1", end="2")
    left = Left((1,), 9, 9, 0, SONNET, str(sent))
    next_one = replace(sent, before="1", tail="2", own="3", end="3")

    def holds(read: Read, model: str = SONNET, *, whole: bool = True, **changes: str) -> bool:
        return left.holds(str(replace(next_one, **changes)), model, read, whole=whole)

    assert holds("tail")
    assert not holds("tail", HAIKU)
    assert not holds("own", channel="x")
    assert not holds("own", before="x")
    assert not holds("tail", tail="x")
    assert holds("own", tail="x")
    assert holds("lasting", before="x", whole=False)
    assert not holds("lasting", before="x")
    assert not holds("lasting", system="x", whole=False)
    assert not left.holds("", SONNET, "own", whole=False)


@pytest.mark.parametrize("read", ["answer", "tail"])
def test_what_is_read_is_left_for_an_hour_to_all_who_follow(read: Read) -> None:
    """An ask that reads all of the one before keeps it for an hour, and so does who reads that again, as long as it lasts."""
    left, ends = Left((1,), 5, 5), (5, 7, 9)
    place, lasting = left.place(read, ends, 1_000, last=2)
    assert (place, lasting) == ((7, "1h"), Lasting(8, 2, 1_000 + HOUR_SECONDS))
    following = Left((1, 2, 3), 1_300, 1_300, lasting=lasting)

    assert following.ways(1_400, last=3) == [((1, 2), "lasting"), ((), "")]
    again, renewed = following.place("lasting", (9, 11, 13), 1_400, last=3)
    assert (again, renewed) == ((7, "1h"), Lasting(8, 2, 1_400 + HOUR_SECONDS))
    assert following.place("own", (9, 11, 13), 1_400, last=3) == ((8, "5m"), lasting)
    assert following.place("", (9, 11, 13), 9_000, last=3) == (None, None)
    hour = Left((1,), 4_000, 5, hour=True)
    assert hour.place("own", ends, 1_000, last=2) == (
        (4, "1h"),
        Lasting(5, 1, 1_000 + HOUR_SECONDS),
    )


def test_an_answer_is_kept_by_its_first_words() -> None:
    """A mark on an answer stands behind its first words, on what people and tools said behind all of it."""
    said = [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
        {"role": "assistant", "content": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "content": [{"text": "e"}]},
    ]
    made = marked(said, Marks((1, "1h"), "5m"), asked=2)

    places = [["cache_control" in block for block in one["content"]] for one in made]
    assert places == [[False, False], [True, False], [True]]


def test_what_lasts_anyway_is_no_reason_for_a_call() -> None:
    """What lies in cache for an hour already is worth neither a call nor a longer mark."""
    hazards = silent(0.0, 0.3)
    calls = [
        carried(hazards, RATES, shared=5_000, thread=30_000, answer=20, lasting=lasting)
        for lasting in (0, 15_000, 30_000)
    ]
    lives = [
        lifetime(
            hazards,
            RATES,
            shared=5_000,
            thread=30_000,
            fresh=500,
            again=0.0,
            keep=False,
            lasting=lasting,
        )
        for lasting in (0, 29_500)
    ]

    assert calls[0] > calls[1] > calls[2] == 0.0
    assert lives == ["1h", None]
