"""What was refused, and what to try next: a table, decided purely, readable whole.

    form / category        in a review or on code          elsewhere
    ---------------------  ------------------------------  -----------------------
    cyber                  another model, reword, people   another model, people
    frontier_llm           another model, people           another model, people
    bio                    people                          people
    reasoning_extraction   people                          people
    general_harms          reword, people                  reword, people
    no category            reword, people                  reword, people
    a category new to us   people                          people
    the output filter      reword, people                  reword, people
    an empty end           ask for the answer again        ask for the answer again

Each rung is tried once. Another model only where the policy names one, and first, since
the API's documents name it as the first remedy for these two categories. A rewording is
shown to the person; the same words are never simply sent to the same model again. People
only where the policy names a channel in which they take over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Form = Literal["refusal", "output_filter", "empty"]
Rung = Literal["again", "reword", "model", "people"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """How Claude said no.

    Attributes:
        form: an end with `stop_reason: refusal`, the output filter's error, or an empty end.
        category: as the API names it; None when it names none.
        model: who refused.
        about_code: the ask is a review, or has code in it.
    """

    form: Form
    model: str
    category: str | None = None
    about_code: bool = False

    @property
    def kind(self) -> str:
        """The row of the table: the form, or for a refusal its category."""
        return (self.category or "none") if self.form == "refusal" else self.form


@dataclass(frozen=True, slots=True)
class Again:
    """Ask the same model once more for its answer."""


@dataclass(frozen=True, slots=True)
class Reword:
    """Put the person's request in neutral words, show them, and ask that."""


@dataclass(frozen=True, slots=True)
class OtherModel:
    """Ask another model the same."""

    model: str


@dataclass(frozen=True, slots=True)
class People:
    """Give it to people; the sentence says what happened and what was tried."""

    sentence: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing is left to try; the sentence says so and what was tried."""

    sentence: str


Next = Again | Reword | OtherModel | People | GiveUp


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its rungs in order, and what a person is told."""

    on_code: tuple[Rung, ...]
    elsewhere: tuple[Rung, ...]
    told: str


TABLE: Mapping[str, Row] = MappingProxyType(
    {
        "cyber": Row(
            ("model", "reword", "people"),
            ("model", "people"),
            "touching on attacks against computer systems",
        ),
        "frontier_llm": Row(
            ("model", "people"), ("model", "people"), "touching on the making of large AI models"
        ),
        "bio": Row(("people",), ("people",), "touching on dangerous biology"),
        "reasoning_extraction": Row(
            ("people",), ("people",), "asking for Claude's inner reasoning"
        ),
        "general_harms": Row(("reword", "people"), ("reword", "people"), "possibly harmful"),
        "none": Row(
            ("reword", "people"), ("reword", "people"), "not allowed, without naming a reason"
        ),
        "output_filter": Row(
            ("reword", "people"),
            ("reword", "people"),
            "leading to text that its output filter blocks",
        ),
        "empty": Row(("again",), ("again",), ""),
    }
)
UNKNOWN = Row(("people",), ("people",), "of a kind that this release of Purser does not know")
ADVICE = (
    "You can ask about a part of it, or in other words; if it is needed as it is, ask a colleague."
)
"""What who asked can do where people were not given it."""


def decide(
    refusal: Refusal,
    tried: frozenset[Rung],
    fallback_model: str | None = None,
    *,
    cannot: frozenset[Rung] = frozenset(),
    people: bool = False,
) -> Next:
    """Choose what to do next.

    Args:
        refusal: what was said, by whom, to what.
        tried: the rungs that were tried for this ask.
        fallback_model: who else may be asked by the channel's policy.
        cannot: the rungs that cannot be climbed here (no neutral wording was found).
        people: whether there are people who take over what stays refused.
    """
    row = TABLE.get(refusal.kind, UNKNOWN)
    for rung in row.on_code if refusal.about_code else row.elsewhere:
        if rung in tried | cannot:
            continue
        if rung == "again":
            return Again()
        if rung == "reword":
            return Reword()
        if rung == "model" and fallback_model and fallback_model != refusal.model:
            return OtherModel(fallback_model)
        if rung == "people" and people:
            return People(sentence(refusal, tried))
    return GiveUp(sentence(refusal, tried))


def sentence(refusal: Refusal, tried: frozenset[Rung]) -> str:
    """Say to the person what happened and what was tried."""
    if refusal.form == "empty":
        return "Claude ended without an answer, twice. Please ask again, perhaps in smaller parts."
    told = TABLE.get(refusal.kind, UNKNOWN).told
    said = f"Claude declined to answer this, as {told}."
    if "reword" in tried:
        said += " I asked it once more in neutral words; that was declined too."
    if "model" in tried:
        said += " I also asked another model."
    return said
