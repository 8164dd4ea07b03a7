"""A review: what is asked of Claude, of whom, and how hard it should think.

The instructions are in prompts/review.md, which every ask shares; here stands what differs between asks.
"""

import re

from bot.rules import Rules, Workspace
from bot.turn import Brief

_DEEP = re.compile(r"\b(deep|deeply|think hard|thorough(ly)?)\b", re.IGNORECASE)


def brief(text: str, rules: Rules, workspace: Workspace, *, tools: bool) -> Brief:
    """What a review's turn is told; "deep" asks the deep model.

    Args:
        text: the asker's words.
        rules: the channel's.
        workspace: what holds for all channels together.
        tools: whether this person may have Claude use tools.
    """
    deep = _DEEP.search(_prose(text)) is not None
    return Brief(
        feature="review",
        model=rules.deep_model if deep else rules.model,
        effort="high" if deep else rules.effort,
        rules=rules,
        workspace=workspace,
        tools=tools,
    )


def question(text: str) -> str:
    """The request as Claude reads it: pasted code alone is a request for a review."""
    return text if _prose(text).strip() else f"Please review this.\n\n{text}"


def _prose(text: str) -> str:
    """The words around the code, so that a variable named `deep` decides nothing."""
    return re.sub(r"```.*?(```|\Z)", " ", text, flags=re.DOTALL)
