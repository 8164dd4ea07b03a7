"""Whether a text says what was written down beforehand, judged by the quick model at low effort."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

from bot.ask import Lease
from bot.journal import Told
from bot.prompts import effort_of, untagged
from bot.turn import Brief, Rooms
from bot.turn.books import Books
from bot.turn.call import Calls
from bot.turn.request import order
from bot.turn.response import Response, Unanswered
from bot.turn.voice import Voice

MAX_TOKENS = 8_192  # thinking counts too

Kind = Literal["says", "objects"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text is compared with: what it may say, or what it may object to."""

    words: str
    kind: Kind = "says"


class Unjudged(Exception):
    """The judge gave no judgement; the words say why."""


class Judge:
    """Judges texts for one ask, whose calls it is booked with.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        brief: for the bounds; its quick model judges.
        told: what was journalled of the ask until now.
    """

    def __init__(self, rooms: Rooms, lease: Lease, brief: Brief, told: Told) -> None:
        self._model = brief.rules.quick_model
        self._calls = Calls(
            rooms,
            lease,
            brief,
            told=told,
            voice=Voice(lambda _event: None),
            books=Books(rooms, lease, brief),
            deadline=rooms.clock() + brief.rules.ask_seconds,
        )

    @property
    def cost(self) -> Decimal | None:
        """What judging has cost so far, in dollars; None where a price is unknown."""
        return self._calls.receipt().cost

    async def judge(self, text: str, statements: Sequence[Statement]) -> tuple[bool, ...]:
        """Say of each statement whether the text meets it; nothing is asked where there are none.

        Raises:
            Unjudged: there was no answer, or none in the form that was asked for.
            LeaseLost: another worker has this ask.
            StoreDown: the books cannot be written.
        """
        if not statements:
            return ()
        asked = request(text, statements, model=self._model)
        messages = asked.pop("messages")
        outcome = await self._calls.call(order("judge", asked, messages, aloud=False))
        if isinstance(outcome, Unanswered):
            raise Unjudged(outcome.sentence)
        if not isinstance(outcome, Response) or outcome.stop_reason != "end_turn":
            raise Unjudged("The judge declined, or its answer was cut.")
        return _read(outcome.text, len(statements))


def request(text: str, statements: Sequence[Statement], *, model: str) -> dict[str, Any]:
    """The body of a judgement's request."""
    listed = "\n".join(
        f'<purser:statement n="{n}" kind="{one.kind}">{untagged(one.words)}</purser:statement>'
        for n, one in enumerate(statements, start=1)
    )
    words = f"<purser:text>\n{untagged(text)}\n</purser:text>\n\n{listed}"
    names = [f"statement_{n}" for n in range(1, len(statements) + 1)]
    schema = {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in names},
        "required": names,
        "additionalProperties": False,
    }
    shaped = effort_of(model, "low")
    config = {
        **shaped.get("output_config", {}),
        "format": {"type": "json_schema", "schema": schema},
    }
    return {
        "model": model,
        "max_tokens": MAX_TOKENS,
        "system": [{"type": "text", "text": _words()}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": words}]}],
        **shaped,
        "output_config": config,
    }


@cache
def _words() -> str:
    return files("prompts").joinpath("judge.md").read_text(encoding="utf-8").strip()


def _read(answer: str, count: int) -> tuple[bool, ...]:
    try:
        given = json.loads(answer)
    except ValueError:
        given = None
    told = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    met = [told.get(f"statement_{n}") for n in range(1, count + 1)]
    if not all(isinstance(one, bool) for one in met):
        raise Unjudged("The judge's answer is not in the form that was asked for.")
    return tuple(one is True for one in met)
