"""What one ask may not pass, told with its numbers: what its model reads at once, and what it may cost."""

from collections.abc import Sequence

from bot.prices import dollars, window
from bot.rules import Rules

ADMINS_NAMED = 3  # of those who can raise a budget

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


def over(scope: str, rules: Rules, admins: Sequence[str] = ()) -> str:
    """Which budget does not cover what comes next: that of the ask, of its channel or of the workspace.

    Args:
        scope: whose budget it is.
        rules: of the channel.
        admins: the names of those who can raise it, as far as they are known.
    """
    if scope == "ask":
        return f"This ask has reached its limit of ${rules.ask_limit_usd:.2f} and was ended."
    who = " or ".join(admins[:ADMINS_NAMED]) or "an admin"
    if scope == "workspace":
        whose, how = "the workspace's", "in purser.toml"
    else:
        whose, how = "this channel's", "with `/purser budget`"
    return (
        f"This would go beyond {whose} budget for the month, so Claude was not asked. "
        f"`/purser policy` shows what holds here; {who} can raise it {how}."
    )
