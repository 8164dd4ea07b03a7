"""A review's brief: who reviews, and how hard they think."""

import pytest

from bot.review import brief, question
from bot.rules import Rules, Workspace

RULES = Rules(model="claude-sonnet-5-5", deep_model="claude-opus-5-5", effort="medium")


@pytest.mark.parametrize(
    ("text", "model", "effort"),
    [
        ("review ```x = 1```", "claude-sonnet-5-5", "medium"),
        ("a deep review please ```x = 1```", "claude-opus-5-5", "high"),
        ("review ```deep = copy.deepcopy(deep)```", "claude-sonnet-5-5", "medium"),
    ],
)
def test_deep_is_asked_for_in_words_not_in_code(text: str, model: str, effort: str) -> None:
    """The word "deep" beside the code calls the deep model; inside the code it does not."""
    made = brief(text, RULES, Workspace(), tools=True)

    assert (made.feature, made.model, made.effort) == ("review", model, effort)


def test_code_alone_is_a_request() -> None:
    """Code without a word is reviewed; words of the asker are left as they are."""
    assert question("```x = 1```").startswith("Please review this.")
    assert question("only security ```x```") == "only security ```x```"
