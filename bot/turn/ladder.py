"""The rungs of a refusal: `refusal` decides which comes next, and here it is climbed, each once, visibly and counted.

Again, or Afresh (in other words, or of another model), is asked once more by the loop. Refused or Failed is the end,
with what was tried; people may be given it.
"""

from dataclasses import dataclass, replace
from typing import Literal

from bot.answer import Answer, Ended, Failed, Refused
from bot.ask import Lease
from bot.conversation import Conversation, without_code
from bot.prompts import UNCHANGED
from bot.refusal import (
    ADVICE,
    Again,
    Form,
    GiveUp,
    OtherModel,
    People,
    Refusal,
    Reword,
    Rung,
    decide,
)
from bot.turn.brief import Brief, Rooms
from bot.turn.call import Calls
from bot.turn.request import opaque, order, reworded_as
from bot.turn.response import Filtered, Outcome, Response, Unanswered

Climbed = Literal["answered", "declined", "unanswered", "skipped"]
"""What came of a rung: an answer, another refusal, no answer for another reason, or it could not be climbed at all."""

SINGLE_FILES = "Ask about single files of it, or for a person's review."
DIRECT = frozenset({"im", "mpim"})  # what is said there is for those who are in it


@dataclass(frozen=True, slots=True)
class Afresh:
    """The ask begins again with this conversation; `note` says to the person why and how."""

    conversation: Conversation
    note: str


def refusal_of(outcome: Outcome | None, model: str) -> Refusal | None:
    """How a part of a review was declined; None where it was not."""
    if isinstance(outcome, Filtered):
        return Refusal("output_filter", model, about_code=True)
    if isinstance(outcome, Response) and outcome.stop_reason == "refusal":
        return Refusal("refusal", model, outcome.category, about_code=True)
    return None


class Ladder:
    """Climbs the rungs of one ask.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        brief: what is to be done, and whom the policy names beside.
        calls: makes the call that rewords.

    Attributes:
        model: who is asked now.
        purpose: what for, as it stands in the books.
        notes: what was tried, in sentences for the person.
    """

    def __init__(self, rooms: Rooms, lease: Lease, brief: Brief, calls: Calls) -> None:
        self._rooms, self._lease, self._brief, self._calls = rooms, lease, brief, calls
        self._tried: set[Rung] = set()
        self._cannot: set[Rung] = set()
        self._rung: tuple[str, Rung] | None = None  # of which kind of refusal, until it has ended
        self.model = brief.model
        self.purpose = "answer"
        self.notes: list[str] = []

    async def climb(
        self, form: Form, category: str | None, conversation: Conversation
    ) -> Again | Afresh | Refused | Failed:
        """Climb the next rung; what was refused stays out of everything that follows.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: the books cannot be written.
        """
        self._ended("declined")
        about_code = self._brief.feature == "review" or conversation.about_code
        refusal = Refusal(form, self.model, category, about_code)
        while True:
            step = self._decide(refusal)
            if not isinstance(step, Reword):
                break
            if words := await self._reworded(conversation, about_code=about_code):
                self._begin(refusal.kind, "reword")
                return self._in_other_words(conversation.reworded(words))
            self._cannot.add("reword")
            self._rooms.metrics.climbed(refusal.kind, "reword", "skipped")
        match step:
            case Again():
                self._begin(refusal.kind, "again")
                return step
            case OtherModel(model):
                self._begin(refusal.kind, "model")
                note = f"{self.model} declined this; {model} was asked instead."
                return self._of_another(model, conversation, note)
            case People(sentence) | GiveUp(sentence):
                if form == "empty":
                    return Failed(sentence, self._calls.receipt())
                return self._refused(sentence, refusal.kind, people=isinstance(step, People))

    def turn(self, conversation: Conversation, outcome: Unanswered) -> Afresh | None:
        """Ask the policy's other model, where this one alone cannot be asked just now; None where that does not help."""
        other = self._brief.rules.fallback_model
        if not (outcome.busy and other and other != self.model) or "model" in self._tried:
            return None
        self._tried.add("model")
        note = f"{self.model} could not be asked; {other} was asked instead."
        return self._of_another(other, conversation, note)

    def nothing_read(self, sentence: str, last: Outcome | None) -> Refused:
        """The end of a review of which Claude declined every part, the last one so."""
        refusal = refusal_of(last, self.model) or Refusal("refusal", self.model, about_code=True)
        self._cannot |= {"model", "reword"}  # the parts had the one, and have no use for the other
        step = self._decide(refusal)
        refused = self._refused(sentence, refusal.kind, people=isinstance(step, People))
        return replace(refused, advice=SINGLE_FILES)

    def end(self, ended: Ended) -> None:
        """The ask has its end: so has the rung that led to it."""
        self._ended("answered" if isinstance(ended, Answer) else "unanswered")

    def _decide(self, refusal: Refusal) -> Again | Reword | OtherModel | People | GiveUp:
        ask, rules = self._lease.ask, self._brief.rules
        step = decide(
            refusal,
            frozenset(self._tried),
            rules.fallback_model,
            cannot=frozenset(self._cannot),
            people=rules.escalation_channel not in (None, ask.channel)
            and ask.channel_kind not in DIRECT
            and ask.origin not in {"reworded", "shortcut"},
        )
        rung = {
            Again: "again",
            Reword: "reword",
            OtherModel: "model",
            People: "people",
            GiveUp: "end",
        }
        self._rooms.metrics.refused(refusal.kind, rung[type(step)])
        return step

    def _begin(self, kind: str, rung: Rung) -> None:
        self._tried.add(rung)
        self._rung = kind, rung

    def _ended(self, outcome: Climbed) -> None:
        rung, self._rung = self._rung, None
        if rung is not None:
            self._rooms.metrics.climbed(*rung, outcome)

    def _in_other_words(self, conversation: Conversation) -> Afresh:
        words = " ".join(without_code(conversation.question).split())
        note = f"Claude declined the first wording. I asked it this way instead: “{words}”"
        self.notes.append(note)
        return Afresh(conversation, note)

    def _of_another(self, model: str, conversation: Conversation, note: str) -> Afresh:
        self.model, self.purpose = model, "fallback"
        self.notes.append(note)
        return Afresh(conversation, note)

    def _refused(self, sentence: str, kind: str, *, people: bool) -> Refused:
        return Refused(
            sentence,
            self._calls.receipt(),
            kind,
            advice=ADVICE,
            notes=tuple(self.notes),
            people=people,
        )

    async def _reworded(self, conversation: Conversation, *, about_code: bool) -> str | None:
        """Have the person's words put neutrally by the quick model; None where that cannot be."""
        words = without_code(conversation.question)
        if not words:
            return None
        work = "a code review" if about_code else "a question"
        asked = self._rooms.prompts.rewording(words, work=work, model=self._brief.rules.quick_model)
        messages = asked.pop("messages")
        asked["metadata"] = {"user_id": opaque(self._lease.ask, self._rooms.user_salt)}
        outcome = await self._calls.call(order("rephrase", asked, messages, aloud=False))
        if not isinstance(outcome, Response) or outcome.stop_reason != "end_turn":
            return None
        neutral = reworded_as(conversation, outcome.text)
        if neutral is None or neutral.strip(".") == UNCHANGED or neutral == words:
            return None
        return neutral
