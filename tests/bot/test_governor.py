"""The pace follows the headers, and there is one opinion on retries."""

import random

import pytest

from bot.governor import JITTER, GiveUp, Governor, Pause, Retry, Ticket, spoken
from integrations.claude_errors import (
    BadCredentials,
    BadRequest,
    ClaudeError,
    Facts,
    Limit,
    Limits,
    Malformed,
    ModelUnknown,
    Overloaded,
    RampLimited,
    RateLimited,
    RequestTooLarge,
    ServerFailed,
    SpendLimited,
    StreamCut,
    Unreachable,
    WentSilent,
)

MODEL = "claude-sonnet-5-5"
OTHER = "claude-haiku-5-5"


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def governed() -> tuple[Governor, Clock]:
    """A governor with a clock to move and chance that is always the same."""
    clock = Clock()
    return Governor(clock=clock, rng=random.Random(7)), clock


def let_out(governor: Governor, model: str = MODEL, tokens: int = 100) -> Ticket:
    """A call that must be let out."""
    ticket = governor.admit(model, tokens)
    assert isinstance(ticket, Ticket)
    return ticket


def test_nothing_known_nothing_in_the_way() -> None:
    """Before any header was seen every call goes out, five hundred at once too."""
    governor, _ = governed()

    for _ in range(500):
        let_out(governor)


def test_an_empty_bucket_makes_wait_until_it_has_refilled() -> None:
    """Two requests a second: with none left, the next one waits half a second, and then goes."""
    governor, clock = governed()
    governor.seen(let_out(governor), Limits(requests=Limit(120, 0)))
    pause = governor.admit(MODEL, 1)

    assert isinstance(pause, Pause)
    assert 0.5 <= pause.seconds <= 0.5 * (1 + JITTER)
    assert pause.reason == "waiting for Claude's rate limit (requests)"
    let_out(governor, OTHER)
    clock.now += pause.seconds
    let_out(governor)
    assert isinstance(governor.admit(MODEL, 1), Pause)


def test_input_tokens_are_counted_apart() -> None:
    """A large call waits for input tokens while a small one may go."""
    governor, clock = governed()
    governor.seen(
        let_out(governor), Limits(input_tokens=Limit(60_000, 5_000), requests=Limit(50, 40))
    )
    pause = governor.admit(MODEL, 10_000)

    assert isinstance(pause, Pause)
    assert "input tokens" in pause.reason
    assert 4.9 <= pause.seconds <= 5.1 * (1 + JITTER)
    let_out(governor, tokens=4_000)
    clock.now += 10
    let_out(governor, tokens=10_000)


def test_a_call_larger_than_the_bucket_goes_when_it_is_full() -> None:
    """Our estimate may be too high: what is larger than the whole bucket waits for a full one only."""
    governor, clock = governed()
    governor.seen(let_out(governor), Limits(input_tokens=Limit(30_000, 0)))
    pause = governor.admit(MODEL, 90_000)

    assert isinstance(pause, Pause)
    clock.now += 61
    let_out(governor, tokens=90_000)


def test_headers_know_nothing_of_calls_let_out_later() -> None:
    """Calls on their way are taken off what an older call's response says is left."""
    governor, _ = governed()
    first = let_out(governor)
    later = [let_out(governor) for _ in range(3)]
    governor.seen(first, Limits(requests=Limit(50, 4)))
    let_out(governor)

    assert isinstance(governor.admit(MODEL, 1), Pause)
    for ticket in later:
        governor.settle(ticket)
    governor.seen(first, Limits(requests=Limit(50, 4)))
    let_out(governor)


def test_a_rate_limit_closes_the_gate_for_everybody() -> None:
    """After a 429 nobody calls that model before the time it named; other models go on."""
    governor, clock = governed()
    facts = Facts(status=429, which="output_tokens", retry_after=20.0)
    decision = governor.decide(
        let_out(governor), RateLimited(facts), attempt=1, deadline=clock.now + 600
    )

    assert isinstance(decision, Retry)
    assert 20 <= decision.seconds <= 20 * (1 + JITTER)
    assert decision.reason == "waiting for Claude's rate limit (output tokens)"
    assert isinstance(governor.admit(MODEL, 1), Pause)
    let_out(governor, OTHER)
    clock.now += 20.1
    let_out(governor)


@pytest.mark.parametrize(
    "kind",
    [
        RateLimited,
        RampLimited,
        Overloaded,
        ServerFailed,
        StreamCut,
        WentSilent,
        Malformed,
        Unreachable,
    ],
)
def test_what_passes_is_tried_once_more(kind: type[ClaudeError]) -> None:
    """One retry for what may pass, and then a sentence that says what to do."""
    governor, clock = governed()
    ticket, deadline = let_out(governor), clock.now + 600

    assert isinstance(governor.decide(ticket, kind(), attempt=1, deadline=deadline), Retry)
    ended = governor.decide(ticket, kind(), attempt=2, deadline=deadline)
    assert isinstance(ended, GiveUp)
    assert "again" in ended.sentence


def test_no_retry_beyond_the_ask() -> None:
    """A wait that ends after the ask's own end is not begun; the person hears how long it is."""
    governor, clock = governed()
    error = Overloaded(Facts(retry_after=300.0))
    ended = governor.decide(let_out(governor), error, attempt=1, deadline=clock.now + 100)

    assert isinstance(ended, GiveUp)
    assert "about" in ended.sentence
    assert "min" in ended.sentence


@pytest.mark.parametrize(
    "kind", [SpendLimited, RequestTooLarge, ModelUnknown, BadCredentials, BadRequest]
)
def test_what_stays_is_never_tried_again(kind: type[ClaudeError]) -> None:
    """Money, keys, names and our own bugs do not pass by waiting."""
    governor, clock = governed()
    error = kind(Facts(retry_after=1.0))
    ended = governor.decide(let_out(governor), error, attempt=1, deadline=clock.now + 600)

    assert isinstance(ended, GiveUp)
    assert ended.sentence.endswith(".")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "about 1 s"), (20.4, "about 20 s"), (89, "about 89 s"), (180, "about 3 min")],
)
def test_spoken(seconds: float, expected: str) -> None:
    """Waits are told as a person would tell them."""
    assert expected == spoken(seconds)
