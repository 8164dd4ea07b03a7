"""Token counts are read from the wire as they are, and never guessed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.usage import Usage

WIRE: dict[str, Any] = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 700,
    "cache_read_input_tokens": 3_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 500},
    "output_tokens": 90,
    "output_tokens_details": {"thinking_tokens": 40},
    "service_tier": "batch",
    "speed": "fast",
    "inference_geo": "us",
    "server_tool_use": {"web_search_requests": 1},
}


def test_every_kind_is_read() -> None:
    """A response's usage is kept by kinds, and its prompt is the sum of them."""
    usage = Usage.from_wire(WIRE)

    assert usage == Usage(12, 200, 500, 3_000, 90, 40, "batch", "fast", "us")
    assert usage.prompt_tokens == 12 + 200 + 500 + 3_000


@pytest.mark.parametrize("split", [None, {}, "none", {"ephemeral_5m_input_tokens": None}])
def test_a_write_without_its_split_is_a_five_minute_one(split: object) -> None:
    """That is what Claude writes unless told otherwise; no written token is lost."""
    usage = Usage.from_wire({**WIRE, "cache_creation": split})

    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (700, 0)


def test_a_split_without_its_sum_is_believed() -> None:
    """The split alone says how much was written."""
    usage = Usage.from_wire({**WIRE, "cache_creation_input_tokens": None})

    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (200, 500)


def test_half_a_split_is_completed_from_the_sum() -> None:
    """What was written and is not said to be for an hour is for five minutes."""
    usage = Usage.from_wire({**WIRE, "cache_creation": {"ephemeral_1h_input_tokens": 600}})

    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens) == (100, 600)


def test_nothing_said_is_nothing_counted() -> None:
    """An empty usage is zeros at the standard price."""
    assert Usage.from_wire({}) == Usage()
    assert Usage.from_wire(dict.fromkeys(WIRE)) == Usage()


@given(
    st.dictionaries(
        st.sampled_from([*WIRE, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(0, 10**9) | st.text(max_size=5),
            lambda inner: st.dictionaries(
                st.sampled_from(["ephemeral_1h_input_tokens", "thinking_tokens", "x"]), inner
            ),
            max_leaves=5,
        ),
    )
)
def test_no_shape_breaks_it(wire: dict[str, Any]) -> None:
    """Whatever stands there, counts are whole numbers that are not negative."""
    usage = Usage.from_wire(wire)

    assert usage.prompt_tokens >= 0
    assert usage.output_tokens >= 0
    assert usage.cache_write_5m_tokens >= 0
