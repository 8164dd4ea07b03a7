"""A large change read part by part, quietly, before the answer is written from what holds.

    overview ─┬─ first pass, alone until its answer begins: it writes the shared beginning to Claude's cache
              └─ the others side by side, which read it there ─ checked ─ merged ─ Studied

Each pass is a call like any other: paced, reserved, booked, journalled by its key. After a restart those that were
answered are not paid again. One that fails costs its part of the coverage, which says so, and not the review.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.answer import Event, Passing
from bot.ask import Lease
from bot.conversation import note
from bot.diffs import LINK, Pass, Reading, covered
from bot.findings import (
    SCHEMA,
    Found,
    Given,
    checked,
    digest,
    markdown,
    merged,
    parsed,
)
from bot.prompts import untagged
from bot.refusal import OtherModel, decide
from bot.turn.brief import Brief, Rooms
from bot.turn.call import Calls
from bot.turn.ladder import refusal_of
from bot.turn.request import Order, order, shape
from bot.turn.response import Filtered, Outcome, Response, Unanswered

PASS_TOKENS = 8_000  # of one pass's response, thoughts included
TASK = (
    "This change is too large for one look, so it is read part by part, and you are given one part. Nobody sees what "
    "you answer here: give your findings in this part, by the severities you know, as the schema says, and no others. "
    "`quote` is the line or the few lines it is about, character by character, without sign and number; `line` is the "
    "number before its first line; `sentence` says what goes wrong; `detail` when, what then happens, and the mend. "
    "What you would have to see elsewhere to be sure of is a question. Keep to what the request asks for."
)
DECLINED = "Claude declined to read this part"
CUT = "what Claude found here broke off"
FAILED = "Claude could not be asked about it"
LIMITED = "the limit of this ask was reached"


@dataclass(frozen=True, slots=True)
class Studied:
    """What came of the passes.

    Attributes:
        found: of all of them, each finding once.
        read: the parts that were read.
        why: the reasons for the others.
        last: what a pass that failed came to; None where all went well.
        others: how many parts another model read, by its name, since they had been declined.
    """

    found: Found
    read: tuple[Pass, ...]
    why: Mapping[Pass, str]
    last: Outcome | None = None
    others: Mapping[str, int] = field(default_factory=dict[str, int])

    def told(self, readings: Sequence[Reading]) -> tuple[str, str, str]:
        """What the answer is written from, as a tool, its input and its result."""
        found = self.found
        sections = [f"What was found in {len(self.read)} parts; held against the code already."]
        for reading in readings:
            link = [line for line in reading.head.split("\n") if line.startswith(LINK)]
            own = [one for one in found.findings if reading.touches(one.path)]
            numbers = [found.findings.index(one) + 1 for one in own]
            if own:
                sections.append(digest(own, numbers, link="".join(link)))
        if not found.findings:
            sections.append("No findings.")
        if found.questions:
            sections.append("\n".join(["## Questions", *(f"- {one}" for one in found.questions)]))
        if self.why:
            sections.append(covered(readings, self.read, self.why))
        return ("review_passes", "{}", "\n\n".join(sections))

    def markdown(self) -> str:
        """What was found, for people, where nobody is left to write the answer."""
        return markdown(self.found.findings)


def coverage(brief: Brief, studied: Studied | None) -> str:
    """What was read of a review's changes, in lines for people; "" where there was nothing."""
    if studied is not None:
        return covered(brief.readings, studied.read, studied.why)
    return covered(brief.readings, [Pass(n, 1) for n in range(len(brief.readings))])


class Passes:
    """Reads the parts of one review.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        brief: which changes and parts.
        calls: makes the calls.
        question: the request, which every pass is given.
        tell: hears which pass is under way.
    """

    def __init__(
        self,
        rooms: Rooms,
        lease: Lease,
        brief: Brief,
        calls: Calls,
        question: str,
        tell: Callable[[Event], None],
    ) -> None:
        self._rooms, self._lease, self._brief = rooms, lease, brief
        self._calls, self._question, self._tell = calls, question, tell
        self._outcomes: dict[Pass, Outcome] = {}
        self._others: dict[str, int] = {}  # parts read, by another model

    async def run(self) -> Studied:
        """Read all parts, and give what holds.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: the books cannot be written.
        """
        orders = {part: self._order(n) for n, part in enumerate(self._brief.passes, start=1)}
        known = [part for part, order in orders.items() if order.key in self._calls.recorded]
        fresh = [part for part in orders if part not in known]
        for part in known:
            self._outcomes[part] = await self._calls.call(orders[part])
        try:
            await self._side_by_side(orders, fresh)
        except BaseExceptionGroup as broken:  # the worker knows what to do with each by itself
            first = broken.exceptions[0]
            raise first from first.__cause__
        await self._afford(orders)
        await self._ask_another()
        return self._studied()

    async def _side_by_side(self, orders: Mapping[Pass, Order], fresh: Sequence[Pass]) -> None:
        async with asyncio.TaskGroup() as group:
            begun = asyncio.Event()
            for part in fresh:
                task = group.create_task(self._pass(part, orders[part], begun.set))
                task.add_done_callback(lambda _: begun.set())
                await begun.wait()  # of the first; behind it nobody waits

    async def _pass(self, part: Pass, order: Order, heard: Callable[[], None]) -> None:
        self._tell(self._progress(part))
        self._outcomes[part] = await self._calls.call(order, heard=heard)
        left = [other for other in self._brief.passes if other not in self._outcomes]
        if left:
            self._tell(self._progress(left[0]))

    async def _afford(self, orders: Mapping[Pass, Order]) -> None:
        """Try again, one by one, those that the ask's limit forbade while others held their share of it."""
        for part, outcome in self._outcomes.items():
            if not isinstance(outcome, Unanswered) or outcome.bound != "ask":
                continue
            self._tell(self._progress(part))
            again = await self._calls.call(orders[part])
            if isinstance(again, Unanswered):
                return
            self._outcomes[part] = again

    async def _ask_another(self) -> None:
        """Have the policy's other model read what was declined, where that is the remedy; nothing is put in other words."""
        brief, metrics = self._brief, self._rooms.metrics
        for n, part in enumerate(brief.passes, start=1):
            refusal = refusal_of(self._outcomes[part], brief.model)
            step = decide(refusal, frozenset(), brief.rules.fallback_model) if refusal else None
            if refusal is None or not isinstance(step, OtherModel):
                continue
            metrics.refused(refusal.kind, "model")
            self._tell(self._progress(part))
            again = await self._calls.call(self._order(n, model=step.model, purpose="fallback"))
            if _given(again) is None:
                declined = refusal_of(again, step.model) is not None
                came = "declined" if declined else "unanswered"
                metrics.climbed(refusal.kind, "model", came)
                continue
            metrics.climbed(refusal.kind, "model", "answered")
            self._outcomes[part] = again
            self._others[step.model] = self._others.get(step.model, 0) + 1

    def _progress(self, part: Pass) -> Passing:
        n = self._brief.passes.index(part) + 1
        where = self._brief.readings[part.change].where(part.n)
        return Passing(n, len(self._brief.passes), where)

    def _order(self, n: int, *, model: str = "", purpose: str = "answer") -> Order:
        brief = self._brief
        shaped = shape(
            replace(brief, max_tokens=min(PASS_TOKENS, brief.max_tokens)),
            ask=self._lease.ask,
            prompts=self._rooms.prompts,
            tools=self._rooms.runner.declared,
            model=model or brief.model,
            salt=self._rooms.user_salt,
            tools_allowed=False,
            previous_message_id=None,
        )
        form = {"type": "json_schema", "schema": SCHEMA}
        shaped["output_config"] = {**shaped.get("output_config", {}), "format": form}
        plain, marked = (self._messages(n, marked=marked) for marked in (False, True))
        return order(purpose, shaped, plain, marked=marked, aloud=False)

    def _messages(self, n: int, *, marked: bool) -> list[dict[str, Any]]:
        """One message: what all passes share, the cache mark behind it, then the part."""
        part = self._brief.passes[n - 1]
        overviews = "\n\n".join(reading.overview() for reading in self._brief.readings)
        shared = _text(
            f'<purser:read tool="review_overview">\n{untagged(overviews)}\n</purser:read>\n'
            f"<purser:ask>\n{untagged(self._question)}\n</purser:ask>\n{note(TASK)['text']}"
        )
        text = untagged(self._brief.readings[part.change].fitted.parts[part.n - 1])
        own = _text(
            f'<purser:read tool="pull_request_diff" part="{n} of {len(self._brief.passes)}">\n'
            f"{text}\n</purser:read>"
        )
        if marked:
            shared["cache_control"] = {"type": "ephemeral", "ttl": "5m"}
        return [{"role": "user", "content": [shared, own]}]

    def _studied(self) -> Studied:
        found: list[Found] = []
        why: dict[Pass, str] = {}
        last: Outcome | None = None
        for n, part in enumerate(self._brief.passes, start=1):
            outcome = self._outcomes[part]
            given = _given(outcome)
            if given is None:
                why[part], last = _reason(outcome), outcome
                continue
            found.append(checked(given, Given.of(self._messages(n, marked=False))))
        read = tuple(part for part in self._brief.passes if part not in why)
        return Studied(merged(found), read, why, last, self._others)


def _given(outcome: Outcome) -> Found | None:
    if isinstance(outcome, Response) and outcome.stop_reason == "end_turn":
        return parsed(outcome.text)
    return None


def _reason(outcome: Outcome) -> str:
    match outcome:
        case Filtered():
            return DECLINED
        case Unanswered(bound="ask"):
            return LIMITED
        case Response() if outcome.stop_reason == "refusal":
            return DECLINED
        case Response():
            return CUT
        case Unanswered():
            return FAILED


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
