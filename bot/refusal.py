"""What was refused, and what to try next: a table, decided purely, readable whole.

    form / category        in a review or on code      elsewhere
    ---------------------  --------------------------  --------------------------
    cyber                  another model, reword       another model
    frontier_llm           another model               another model
    bio                    -                           -
    reasoning_extraction   -                           -
    general_harms          reword                      reword
    no category            reword                      reword
    a category new to us   -                           -
    the output filter      reword                      reword
    an empty end           ask for the answer again    ask for the answer again

Each rung is tried once. Another model only where the policy names one, and first, since
the API's documents name it as the first remedy for these two categories. A rewording is
shown to the person; the same words are never simply sent to the same model again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Form = Literal["refusal", "output_filter", "empty"]
Rung = Literal["again", "reword", "model"]


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
class GiveUp:
    """Nothing is left to try; the sentence says so and what was tried."""

    sentence: str


Next = Again | Reword | OtherModel | GiveUp


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its rungs in order, and what a person is told."""

    on_code: tuple[Rung, ...]
    elsewhere: tuple[Rung, ...]
    told: str


TABLE: Mapping[str, Row] = MappingProxyType(
    {
        "cyber": Row(
            ("model", "reword"), ("model",), "touching on attacks against computer systems"
        ),
        "frontier_llm": Row(("model",), ("model",), "touching on the making of large AI models"),
        "bio": Row((), (), "touching on dangerous biology"),
        "reasoning_extraction": Row((), (), "asking for Claude's inner reasoning"),
        "general_harms": Row(("reword",), ("reword",), "possibly harmful"),
        "none": Row(("reword",), ("reword",), "not allowed, without naming a reason"),
        "output_filter": Row(
            ("reword",), ("reword",), "leading to text that its output filter blocks"
        ),
        "empty": Row(("again",), ("again",), ""),
    }
)
UNKNOWN = Row((), (), "of a kind that this release of Purser does not know")


def decide(
    refusal: Refusal,
    tried: frozenset[Rung],
    fallback_model: str | None = None,
    *,
    cannot: frozenset[Rung] = frozenset(),
) -> Next:
    """Choose what to do next.

    Args:
        refusal: what was said, by whom, to what.
        tried: the rungs that were tried for this ask.
        fallback_model: who else may be asked by the channel's policy.
        cannot: the rungs that cannot be climbed here (no neutral wording was found).
    """
    row = TABLE.get(refusal.kind, UNKNOWN)
    for rung in row.on_code if refusal.about_code else row.elsewhere:
        if rung in tried | cannot:
            continue
        if rung == "again":
            return Again()
        if rung == "reword":
            return Reword()
        if fallback_model and fallback_model != refusal.model:
            return OtherModel(fallback_model)
    return GiveUp(sentence(refusal, tried))


def sentence(refusal: Refusal, tried: frozenset[Rung]) -> str:
    """Say to the person what happened, what was tried, and what they can do."""
    if refusal.form == "empty":
        return "Claude ended without an answer, twice. Please ask again, perhaps in smaller parts."
    told = TABLE.get(refusal.kind, UNKNOWN).told
    said = f"Claude declined to answer this, as {told}."
    if "reword" in tried:
        said += " I asked it once more in neutral words; that was declined too."
    if "model" in tried:
        said += " I also asked another model."
    return f"{said} You can ask about a part of it, or in other words; if it is needed as it is, ask a colleague."
