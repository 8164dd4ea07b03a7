"""What is too long for its model, or for what one ask may cost, is told with numbers before it is paid; a price cliff is avoided."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import Answer, Failed
from bot.demo.claude.brain import Brain
from bot.prices import cliff, window
from bot.rules import Rules
from bot.turn import estimate
from bot.turn.bounds import beyond_ask, beyond_window
from bot.turn.choice import NOTE, cheapest, others
from bot.turn.compact import SUMMED_UP
from tests.bot import test_turn
from tests.bot.test_turn import HAIKU, NOVEMBER, SONNET, World, brief_of

OPUS, OLD_HAIKU = "claude-opus-5-5", "claude-haiku-4-5"
WORDS = "The lighthouse keeper counts the ships once an hour. "
OUTPUT = 1_500

world = test_turn.world  # the fixture


def cost(model: str, prompt: int, cached: int = 0) -> int:
    """What a request is likely to cost."""
    return estimate.of(model, prompt=prompt, output=OUTPUT, cached=cached, at=NOVEMBER).picos


def chosen(model: str, *beside: str, prompt: int, **cached: int) -> str:
    """Who is asked."""
    named = {name.replace("_", "-"): tokens for name, tokens in cached.items()}
    return cheapest(model, beside, prompt=prompt, output=OUTPUT, cached=named, at=NOVEMBER)


# Pure


def test_the_price_list_knows_cliffs_and_windows() -> None:
    """Haiku costs more above 100,000 tokens, the others have one price; windows are the listed ones."""
    assert cliff(HAIKU, NOVEMBER) == 100_000
    assert cliff(SONNET, NOVEMBER) is None
    assert cliff("a-model-nobody-knows", NOVEMBER) is None
    assert (window(SONNET, NOVEMBER), window(OLD_HAIKU, NOVEMBER)) == (1_000_000, 200_000)
    assert window("a-model-nobody-knows", NOVEMBER) == 200_000


def test_below_the_cliff_nobody_else_is_asked() -> None:
    """Up to the cliff, and where a model has none, it is asked as ever."""
    warm = {"claude_sonnet_5_5": 99_000}

    assert chosen(HAIKU, SONNET, prompt=100_000, **warm) == HAIKU
    assert chosen(SONNET, HAIKU, prompt=900_000) == SONNET


def test_above_the_cliff_a_warm_cache_decides() -> None:
    """Five times its price Haiku is still cheaper than the others, unless one of them has the thread in its cache."""
    assert cost(HAIKU, 101_000) > 4 * cost(HAIKU, 100_000)
    assert chosen(HAIKU, SONNET, OPUS, prompt=120_000) == HAIKU
    assert chosen(HAIKU, SONNET, OPUS, prompt=120_000, claude_sonnet_5_5=118_000) == SONNET
    assert chosen(HAIKU, OPUS, prompt=120_000, claude_haiku_5_5=118_000) == HAIKU


@given(
    st.integers(min_value=1, max_value=900_000),
    st.sampled_from([HAIKU, SONNET, OPUS]),
    st.integers(min_value=0, max_value=900_000),
)
def test_whoever_is_chosen_costs_least(prompt: int, warm: str, cached: int) -> None:
    """Above the cliff nobody of those named would cost less than who is asked."""
    name = cheapest(
        HAIKU, (SONNET, OPUS), prompt=prompt, output=OUTPUT, cached={warm: cached}, at=NOVEMBER
    )
    costs = {
        model: cost(model, prompt, cached if model == warm else 0)
        for model in (HAIKU, SONNET, OPUS)
    }

    assert name == HAIKU if prompt <= 100_000 else costs[name] == min(costs.values())


def test_those_beside_are_the_policys() -> None:
    """Each model that the policy names stands beside the one that is asked, once."""
    rules = Rules(model=SONNET, fallback_model=OPUS)

    assert others(HAIKU, rules) == (SONNET, OPUS)
    assert others(SONNET, rules) == (OPUS, HAIKU)


def test_limits_are_told_with_numbers() -> None:
    """What is within is said nothing of; what is beyond is told with both numbers and what to do."""
    rules = Rules(ask_limit_usd=Decimal(2))
    words = beyond_window(250_000, OLD_HAIKU, NOVEMBER)

    assert beyond_window(200_000, OLD_HAIKU, NOVEMBER) is None
    assert words is not None
    assert "250,000 tokens; claude-haiku-4-5 reads 200,000 at once" in words
    assert beyond_ask(2 * 10**12, rules) is None
    assert "may cost $2.50, beyond the limit of $2.00" in str(beyond_ask(25 * 10**11, rules))


# With Claude on loopback


def sent(world: World) -> list[Any]:
    """Requests for an answer."""
    return [one.body for one in world.claude.log if one.path == "/v1/messages"]


@pytest.mark.parametrize("confirm", ["0.50", "1000"], ids=["asked first", "asked nothing"])
async def test_more_than_the_window_is_not_sent(world: World, confirm: str) -> None:
    """A request that its model cannot read is told with its tokens and costs nothing, whatever needs a word."""
    limits: dict[str, Any] = {
        "ask_limit_usd": Decimal(100),
        "confirm_above_usd": Decimal(confirm),
    }
    brief = brief_of(model=OLD_HAIKU, **limits)
    ended = (await world.events(WORDS * 20_000, brief=brief))[-1]

    assert isinstance(ended, Failed)
    assert "claude-haiku-4-5 reads 200,000 at once" in ended.sentence
    assert sent(world) == []
    assert await world.rows() == []


async def test_more_than_an_ask_may_cost_is_not_begun(world: World) -> None:
    """What is sure to pass the ask's limit is told with both sums, instead of a question that leads nowhere."""
    ended = (await world.events(WORDS * 20_000, ask_limit_usd=Decimal("0.60")))[-1]

    assert isinstance(ended, Failed)
    assert "the limit of $0.60" in ended.sentence
    assert sent(world) == []


async def test_a_long_request_is_reserved_by_its_count(world: World) -> None:
    """A request whose bound alone would pass the limit is counted, and answered."""
    world.claude.brain = Brain()
    ended = (
        await world.events(
            WORDS * 6_000, ask_limit_usd=Decimal("0.60"), confirm_above_usd=Decimal(9)
        )
    )[-1]

    assert isinstance(ended, Answer)


async def test_a_thread_in_anothers_cache_is_answered_by_it(world: World) -> None:
    """Past Haiku's cliff, who has the thread in the cache is asked; the answer says so."""
    world.claude.brain = Brain()
    rules: dict[str, Any] = {"confirm_above_usd": Decimal(9), "ask_limit_usd": Decimal(9)}
    await world.events("1: " + WORDS * 6_000, **rules)
    await world.events("2: And?", **rules)  # a single question is not written to the cache; this is
    ended = (await world.events("3: " + WORDS * 400, brief=brief_of(model=HAIKU, **rules)))[-1]

    assert isinstance(ended, Answer)
    assert NOTE.format(asked=HAIKU, chosen=SONNET) in ended.notes
    assert ended.receipt.model == SONNET
    assert ended.receipt.cached_tokens > 90_000


async def test_a_cold_thread_is_shortened_below_the_cliff(world: World) -> None:
    """Where nobody has the thread in the cache, it is shortened, and Haiku answers at its lower price."""
    world.claude.brain = Brain()
    rules: dict[str, Any] = {"confirm_above_usd": Decimal(9), "ask_limit_usd": Decimal(9)}
    await world.events("1: " + WORDS * 6_000, brief=brief_of(model=OPUS, **rules))
    ended = (await world.events("2: " + WORDS * 400, brief=brief_of(model=HAIKU, **rules)))[-1]

    assert isinstance(ended, Answer)
    assert SUMMED_UP in ended.notes
    assert [row.model for row in await world.rows()] == [OPUS, HAIKU, HAIKU]
    assert all(row.usage.prompt_tokens <= 100_000 for row in (await world.rows())[1:])
