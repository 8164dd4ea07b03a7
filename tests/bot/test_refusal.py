"""The whole table of refusals, row by row, and that no rung is climbed twice."""

import itertools

import pytest

from bot.refusal import (
    TABLE,
    Again,
    Form,
    GiveUp,
    Next,
    OtherModel,
    People,
    Refusal,
    Reword,
    Rung,
    decide,
)

NOTHING: frozenset[Rung] = frozenset()
SONNET, OPUS = "claude-sonnet-5-5", "claude-opus-5"


@pytest.mark.parametrize(
    ("form", "category", "on_code", "elsewhere"),
    [
        ("refusal", "cyber", [OtherModel(OPUS), Reword()], [OtherModel(OPUS)]),
        ("refusal", "frontier_llm", [OtherModel(OPUS)], [OtherModel(OPUS)]),
        ("refusal", "bio", [], []),
        ("refusal", "reasoning_extraction", [], []),
        ("refusal", "general_harms", [Reword()], [Reword()]),
        ("refusal", None, [Reword()], [Reword()]),
        ("refusal", "category_of_next_year", [], []),
        ("output_filter", None, [Reword()], [Reword()]),
        ("empty", None, [Again()], [Again()]),
    ],
)
def test_the_ladder(
    form: Form, category: str | None, on_code: list[Next], elsewhere: list[Next]
) -> None:
    """Each row's rungs come in their order, once each, and then an honest end."""
    for about_code, expected in ((True, on_code), (False, elsewhere)):
        assert expected == climb(Refusal(form, SONNET, category, about_code), OPUS)


@pytest.mark.parametrize("kind", [*TABLE, "category_of_next_year"])
@pytest.mark.parametrize("about_code", [True, False])
def test_people_are_asked_last_and_of_every_refusal(kind: str, about_code: bool) -> None:
    """Where the policy names people, each refusal comes to them behind all other rungs; an empty end is none."""
    forms: dict[str, Form] = {"empty": "empty", "output_filter": "output_filter"}
    category = None if kind in {"none", *forms} else kind
    refusal = Refusal(forms.get(kind, "refusal"), SONNET, category, about_code)
    without, rungs = climb(refusal, OPUS), climb(refusal, OPUS, people=True)

    assert rungs[: len(without)] == without
    assert [type(rung) for rung in rungs[len(without) :]] == ([] if kind == "empty" else [People])


def climb(refusal: Refusal, fallback: str | None, *, people: bool = False) -> list[Next]:
    """All rungs until nothing is left."""
    names: dict[type, Rung] = {
        Again: "again",
        Reword: "reword",
        OtherModel: "model",
        People: "people",
    }
    rungs: list[Next] = []
    tried: list[Rung] = []
    while not isinstance(
        step := decide(refusal, frozenset(tried), fallback, people=people), GiveUp
    ):
        rungs.append(step)
        tried.append(names[type(step)])
        assert len(rungs) <= 3
    return rungs


def test_no_other_model_without_one_in_the_policy() -> None:
    """Where the policy names no other model, or the one that refused, that rung is not there."""
    refusal = Refusal("refusal", SONNET, "cyber", about_code=True)

    assert climb(refusal, None) == [Reword()]
    assert climb(refusal, SONNET) == [Reword()]


def test_never_rewording_three_categories() -> None:
    """No wording makes these three be asked again in other words."""
    for category, about_code, fallback in itertools.product(
        ("bio", "frontier_llm", "reasoning_extraction"), (True, False), (None, OPUS)
    ):
        assert Reword() not in climb(Refusal("refusal", SONNET, category, about_code), fallback)


def test_a_rung_that_cannot_be_climbed_is_not_claimed() -> None:
    """Where no neutral wording was found, the end does not say that one was asked."""
    ended = decide(Refusal("refusal", SONNET), NOTHING, cannot=frozenset({"reword"}))

    assert isinstance(ended, GiveUp)
    assert "in neutral words" not in ended.sentence


@pytest.mark.parametrize("kind", [*TABLE, "category_of_next_year"])
def test_every_end_is_honest(kind: str) -> None:
    """Each last sentence says that it was declined, what was tried, and what one can do."""
    if kind in ("output_filter", "empty"):
        refusal = Refusal("output_filter" if kind == "output_filter" else "empty", SONNET)
    else:
        refusal = Refusal("refusal", SONNET, None if kind == "none" else kind)
    plain = decide(refusal, frozenset({"again", "reword", "model"}), None)

    assert isinstance(plain, GiveUp)
    assert ("in neutral words" in plain.sentence) is (kind != "empty")
    assert "ask" in plain.sentence
    assert "_" not in plain.sentence
