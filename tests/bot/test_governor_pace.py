"""The governor's pure parts: turns that are fair, buckets that others take from, a breaker that lets one call try."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pace import Simulation
from bot.governor.breaker import FAILURES, REST_AT_MOST, REST_SECONDS, WITHIN, Breaker
from bot.governor.buckets import ALONE, FREE, Bucket
from bot.governor.calls import Call, Waiter
from bot.governor.pace import Pace
from bot.governor.turns import QUANTUM, Turns
from integrations.claude_errors import Limit, Limits

CALLS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz"), st.integers(0, 30_000)), max_size=30
)


def waiter(channel: str = "A", person: str = "x", tokens: int = 1_000) -> Waiter:
    """Somebody in line."""
    return Waiter(Call("m", channel, person, tokens))


def drained(turns: Turns) -> list[Waiter]:
    """All in line, in the order in which they are taken out."""
    found: list[Waiter] = []
    while (head := turns.head()) is not None:
        turns.pop()
        found.append(head)
    return found


@given(CALLS)
def test_everyone_has_a_turn_and_each_person_in_order(calls: list[tuple[str, str, int]]) -> None:
    """Nobody is lost, the head stays the head, what is foretold is what comes, and a person's own come in order."""
    turns, waiters = Turns(), [waiter(*call) for call in calls]
    for each in waiters:
        turns.add(each)
    foretold = list(turns.ahead())

    assert turns.head() is turns.head()
    taken = drained(turns)
    assert taken == foretold
    assert Counter(map(id, taken)) == Counter(map(id, waiters))
    for channel, person, _ in calls:
        own = [w for w in taken if (w.call.channel, w.call.person) == (channel, person)]
        assert own == [w for w in waiters if (w.call.channel, w.call.person) == (channel, person)]


def test_channels_share_by_tokens_and_not_by_calls() -> None:
    """While two channels want much, each has about half of the tokens, whoever asks for larger pieces."""
    turns = Turns()
    for _ in range(100):
        turns.add(waiter("large", tokens=8_000))
        turns.add(waiter("small", tokens=1_000))
    first = drained(turns)[:90]
    tokens = Counter[str]()
    for each in first:
        tokens[each.call.channel] += each.call.input_tokens

    assert abs(tokens["large"] - tokens["small"]) <= 2 * QUANTUM


def test_one_who_asks_much_holds_up_nobody() -> None:
    """A person with a hundred asks and a person with one take turns; so do a full channel and a quiet one."""
    turns = Turns()
    for n in range(100):
        turns.add(waiter("busy", f"U{n % 2}"))
    quiet, colleague = waiter("quiet", "U9"), waiter("busy", "U8")
    turns.add(quiet)
    turns.add(colleague)
    order = drained(turns)

    assert order.index(quiet) < 10
    assert order.index(colleague) < 30


def test_who_was_turned_away_goes_first_of_their_own() -> None:
    """Who had a turn and was refused stands before all else of the same person."""
    turns, again = Turns(), waiter()
    turns.add(waiter())
    turns.add(again, first=True)

    assert turns.head() is again


def test_who_has_left_is_passed_over() -> None:
    """Who no longer waits is nobody's obstacle."""
    turns, gone, next_ = Turns(), waiter(), waiter()
    turns.add(gone)
    turns.add(next_)
    gone.gone = True

    assert drained(turns) == [next_]


def test_a_full_bucket_holds_nothing_back() -> None:
    """While it is more than half full calls go as they come, and below it ever slower."""
    bucket = Bucket(60_000, 60_000, at=0.0)
    bucket.take(20_000, 0.0)
    assert bucket.seconds_until(1_000, 0.0) == 0.0
    bucket.take(25_000, 0.0)
    bucket.take(1_000, 0.0)
    after_one = bucket.seconds_until(1_000, 0.0)
    assert after_one > 0
    bucket.level = 0.1 * bucket.size
    bucket.take(1_000, after_one)

    assert bucket.seconds_until(1_000, after_one) > 2 * after_one


def test_alone_the_whole_refill_is_used() -> None:
    """At the share where one process alone settles, it takes exactly what comes in."""
    bucket = Bucket(60_000, ALONE * 60_000, at=0.0)

    assert bucket.rate == pytest.approx(bucket.refilled)
    assert ALONE < FREE


def test_output_on_its_way_is_counted() -> None:
    """A response that says how much output is left knows nothing of what the calls on their way will still take."""
    pace = Pace()
    for _ in range(3):
        pace.wait(Call("m", output_tokens=1_000))
    tickets = [each.ticket for each in pace.let_out(0.0)]
    first = tickets[0]
    assert first is not None
    pace.told(first, Limits(output_tokens=Limit(10_000, 4_000)), 1.0)

    assert pace.buckets["output_tokens"].level == 1_000


def test_a_breaker_rests_longer_each_time() -> None:
    """Each failed try doubles the rest up to its limit; one answer ends it."""
    breaker, now, rests = Breaker(), 0.0, list[float]()
    for _ in range(FAILURES - 1):
        assert not breaker.failed(now, "down")
    assert breaker.failed(now, "down")
    for _ in range(8):
        rests.append(breaker.resting(now))
        now += rests[-1]
        assert breaker.resting(now) == 0
        breaker.begin()
        assert breaker.resting(now) > 0
        assert not breaker.failed(now, "down")
    assert rests[:3] == [REST_SECONDS, 2 * REST_SECONDS, 4 * REST_SECONDS]
    assert max(rests) == REST_AT_MOST
    breaker.succeeded()

    assert breaker.resting(now) == 0


def test_failures_far_apart_open_nothing() -> None:
    """Five failures in a day are not five in a row."""
    breaker = Breaker()

    assert not any(breaker.failed(n * (WITHIN + 1), "down") for n in range(2 * FAILURES))
    assert breaker.resting(0.0) == 0


def test_a_try_that_was_stopped_leaves_room_for_another() -> None:
    """If the one call that tries is stopped by its asker, another may try."""
    breaker = Breaker()
    breaker.failed(0.0, "down", at_once=True)
    breaker.begin()
    breaker.over()

    assert breaker.resting(REST_SECONDS) == 0


@pytest.mark.parametrize("processes", [1, 4])
def test_at_three_times_the_limit_nothing_is_lost(processes: int) -> None:
    """Processes that share one account unknown to each other answer everyone, hardly refused, fairly, at its pace."""
    seen = Simulation(processes, seed=5).run()

    assert seen.answered == seen.asked
    assert seen.refused < 0.02 * seen.sent
    assert 0.9 <= seen.used() <= 1.1
    assert seen.fairness() > 0.95
    assert seen.near() > 0.8
