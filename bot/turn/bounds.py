"""What one ask may not pass, told with its numbers: what its model reads at once, and what it may cost."""

from bot.prices import dollars, window
from bot.rules import Rules

PART = "Please ask for a part of it, or with less text or fewer files."


def beyond_window(tokens: int, model: str, at: float) -> str | None:
    """Why a request cannot be read at once; None where it can.

    Args:
        tokens: by Claude's count.
        model: who is asked.
        at: epoch seconds.
    """
    most = window(model, at)
    if tokens <= most:
        return None
    return f"This has about {tokens:,} tokens; {model} reads {most:,} at once. {PART}"


def beyond_ask(worst: int, rules: Rules) -> str | None:
    """Why an ask is not begun that is sure to end at its limit; None where it may stay below.

    Args:
        worst: what its first request may cost at most, in pico-dollars.
        rules: with the limit of one ask.
    """
    if dollars(worst) <= rules.ask_limit_usd:
        return None
    return (
        f"This may cost ${dollars(worst):.2f}, beyond the limit of ${rules.ask_limit_usd:.2f} for one ask, so Claude "
        f"was not asked. {PART}"
    )


def over(scope: str, rules: Rules) -> str:
    """Which budget does not cover what comes next: that of the ask, of its channel or of the workspace."""
    if scope == "ask":
        return f"This ask has reached its limit of ${rules.ask_limit_usd:.2f} and was ended."
    whose = "the workspace's" if scope == "workspace" else "this channel's"
    return (
        f"This would go beyond {whose} budget for the month, so Claude was not asked. "
        "`/purser policy` shows the budget; an admin can raise it with `/purser budget`."
    )
