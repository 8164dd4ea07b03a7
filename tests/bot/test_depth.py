"""Hard thought is asked for in words beside the code, by whoever asks; the word in another sense asks for nothing."""

import pytest

from bot.rules import Rules, Workspace
from bot.turn import Brief
from bot.turn.brief import wants_depth

OPUS = "claude-opus-5-5"


@pytest.mark.parametrize(
    "text",
    [
        "think hard: why does the build hang?",
        "Please think really hard about this",
        "deep: why does the build hang?",
        "Why does the build hang? deep",
        "Why does the build hang? (Deep, please)",
        "go deeper on the second point",
        "a deep dive into SHOP-12",
        "THINK DEEPLY ```x = 1```",
    ],
)
def test_hard_thought_is_asked_for(text: str) -> None:
    """Each of these wants it."""
    assert wants_depth(text)


@pytest.mark.parametrize(
    "text",
    [
        "What is deep learning?",
        "deep learning is what?",
        "I think it is hard to say",
        "How do I deep copy a list?",
        "why? ```deep: think hard```",
        "how deep",
        "https://example.com/how-we-think-hard",
        "what does https://example.com/going-deep say",
        "https://example.com/go,deep",
        "",
    ],
)
def test_the_word_alone_asks_for_nothing(text: str) -> None:
    """None of these wants it."""
    assert not wants_depth(text)


@pytest.mark.parametrize(
    ("effort", "deeper"), [("low", "high"), ("medium", "high"), ("max", "max")]
)
def test_the_deep_model_thinks_harder(effort: str, deeper: str) -> None:
    """It is asked at high effort, or at what was higher already; smaller takes it back."""
    rules = Rules(deep_model=OPUS)
    brief = Brief("chat", rules.model, effort, rules, Workspace()).deeper()

    assert (brief.model, brief.effort) == (OPUS, deeper)
    assert (brief.smaller().model, brief.smaller().effort) == (rules.quick_model, "low")
