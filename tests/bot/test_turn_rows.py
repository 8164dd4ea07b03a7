"""From a response to rows of the books: each iteration that is billed is a row, with its own model and price."""

from decimal import Decimal
from typing import Any

from bot.ledger import Entry
from bot.turn.response import Response
from bot.turn.rows import Cause, settled, unconfirmed
from bot.usage import Usage

NOVEMBER = 1_795_000_000.0
SONNET, HAIKU, OPUS = "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5"
CAUSE = Cause(purpose="answer", prompt_version="p1", ask_id="a1", channel="C1", feature="chat")


def tokens(fresh: int, output: int, **more: Any) -> dict[str, Any]:
    """Usage as the wire has it."""
    zero = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {**zero, "input_tokens": fresh, "output_tokens": output, **more}


def response(usage: dict[str, Any], **changes: Any) -> Response:
    """A response of Sonnet's."""
    message: dict[str, Any] = {
        "id": "msg_1",
        "model": SONNET,
        "content": [{"type": "text", "text": "Yes."}],
        "stop_reason": "end_turn",
        "refusal_category": None,
        "usage": usage,
        "request_id": "req_1",
        "ttft_ms": 5,
        "latency_ms": 9,
        "cache_miss": None,
    }
    return Response({**message, **changes})


def rows_of(usage: dict[str, Any], **changes: Any) -> list[Entry]:
    """The rows of such a response."""
    rows = settled(response(usage, **changes), CAUSE, at=NOVEMBER)
    assert [row.entry_id for row in rows] == [f"msg_1:{n}" for n in range(len(rows))]
    assert [row.iteration for row in rows] == list(range(len(rows)))
    assert {(row.message_id, row.ask_id, row.status) for row in rows} == {
        ("msg_1", "a1", "settled")
    }
    return rows


def told(rows: list[Entry]) -> list[tuple[Any, ...]]:
    """What they are for, whose and what they cost."""
    return [(row.purpose, row.model, row.stop_reason, row.cost) for row in rows]


def test_a_response_is_one_row() -> None:
    """What Claude did in one go is one row, also where it is listed as the only iteration."""
    details = {"output_tokens_details": {"thinking_tokens": 7}}
    plain = rows_of(tokens(1_000, 100, **details))
    listed = rows_of(
        tokens(1_000, 100, **details, iterations=[{**tokens(1_000, 100), "type": "message"}])
    )

    assert plain == listed
    assert told(plain) == [("answer", SONNET, "end_turn", Decimal("0.003"))]
    assert plain[0].thinking_tokens == 7


def test_who_refused_and_who_took_over_are_rows_of_their_own() -> None:
    """Where another model took over on Claude's side, each attempt is priced as its own model's."""
    iterations = [
        {**tokens(1_000, 10), "type": "message", "model": SONNET},
        {**tokens(2_000, 100), "type": "fallback_message", "model": OPUS},
    ]
    rows = rows_of(tokens(2_000, 100, iterations=iterations), model=OPUS)

    assert told(rows) == [
        ("answer", SONNET, "refusal", Decimal("0.0021")),
        ("fallback", OPUS, "end_turn", Decimal("0.010")),
    ]


def test_compaction_is_a_row() -> None:
    """What compacting a conversation took stands in no usage on top, and in the books all the same."""
    iterations = [
        {**tokens(50_000, 1_000), "type": "compaction"},
        {**tokens(3_000, 100), "type": "message"},
    ]
    rows = rows_of(tokens(3_000, 100, iterations=iterations))

    assert [(row.purpose, row.input_tokens, row.stop_reason) for row in rows] == [
        ("compact", 50_000, None),
        ("answer", 3_000, "end_turn"),
    ]
    assert rows[0].cost == Decimal("0.11")


def test_tier_and_place_hold_for_every_iteration() -> None:
    """Half price in a batch and a tenth more in one place are those of the whole response."""
    wires = [{**tokens(1_000, 0), "type": "message"}] * 2
    usage = tokens(1_000, 0, iterations=wires, service_tier="batch", inference_geo="us")

    assert [row.cost for row in rows_of(usage)] == [Decimal("0.0011")] * 2


def test_a_refusal_is_billed_by_its_category() -> None:
    """A refusal before any output costs nothing, or its input: by what was refused; one in the midst always costs."""
    costs = {
        category: rows_of(
            tokens(1_000, 0), content=[], stop_reason="refusal", refusal_category=category
        )[0].cost
        for category in ("cyber", "general_harms", None, "bio", "frontier_llm")
    }
    midst = rows_of(tokens(1_000, 0), stop_reason="refusal", refusal_category="cyber")

    free, full = Decimal(0), Decimal("0.002")
    assert costs == {
        "cyber": free,
        "general_harms": free,
        None: free,
        "bio": full,
        "frontier_llm": full,
    }
    assert (midst[0].cost, midst[0].billed) == (full, True)


def test_an_unknown_price_is_none() -> None:
    """A model that is in no price list is counted in tokens."""
    (row,) = rows_of(tokens(1_000, 100), model="claude-next-1")

    assert (row.cost, row.price_version, row.input_tokens) == (None, None, 1_000)


def test_what_was_not_read_to_its_end_is_unconfirmed() -> None:
    """By its estimate, with what is known of it."""
    row = unconfirmed(
        Usage(input_tokens=1_000), CAUSE, entry_id="a1:1:unconfirmed", model=HAIKU, at=NOVEMBER
    )

    assert (row.status, row.billed, row.message_id, row.stop_reason) == (
        *("unconfirmed", True, None, None),
    )
    assert row.cost == Decimal("0.0001")
