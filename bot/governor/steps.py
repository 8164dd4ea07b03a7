"""What may follow a call that failed or cannot go out, and how it is put to a person."""

from dataclasses import dataclass

from integrations.claude_errors import (
    BadCredentials,
    Broken,
    ClaudeError,
    ModelUnknown,
    Overloaded,
    RateLimited,
    RequestTooLarge,
    SpendLimited,
    Unreachable,
)

OVERLOADED = "overloaded"
_LIMITS = {
    "requests": "requests",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "tokens": "tokens",
    "acceleration": "traffic grew too fast",
}


@dataclass(frozen=True, slots=True)
class Retry:
    """Call again after this long; the reason is in words for a person."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not call, or not again; the sentence tells a person why and what to do.

    Attributes:
        busy: another model may be asked instead.
        alarm: an admin has to mend it.
    """

    sentence: str
    busy: bool = False
    alarm: bool = False


def spoken(seconds: float) -> str:
    """Say a length of time as one would: "about 20 s", "about 3 min"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"


def reason(which: str) -> str:
    """Why a call waits: for a limit by its name, or because Claude is overloaded."""
    if which == OVERLOADED:
        return "waiting, Claude is overloaded"
    return f"waiting for Claude's rate limit{_named(which)}"


def too_long(seconds: float, which: str) -> str:
    """Why an ask is not kept waiting for a limit, or for a Claude that does not answer."""
    why = "Claude does not answer" if which == OVERLOADED else "Claude's rate limit is reached"
    return (
        f"{why}, and it would take {spoken(seconds)} until it is this ask's turn, longer "
        "than an ask may take. Please try again later."
    )


def too_large(tokens: int, limit: int) -> str:
    """Why a call would never go out."""
    return (
        f"This needs about {tokens:,} tokens at once; the Claude account may send {limit:,} a minute. Please ask with "
        "less text or fewer files, or have an admin raise the rate limit in the Claude Console."
    )


def still(error: ClaudeError) -> str:
    """What failed in passing, and did so again."""
    if isinstance(error, RateLimited):
        named = _named(error.facts.which or "")
        return f"Claude's rate limit is reached{named}. Please try again in a few minutes."
    if isinstance(error, Overloaded):
        return "Claude is overloaded right now, for everybody. Please try again in a few minutes."
    if isinstance(error, Unreachable):
        return (
            "Claude cannot be reached from here. Please try again; if it stays so, tell an admin."
        )
    if isinstance(error, Broken):
        return "The connection to Claude broke twice. Please ask again."
    return "Claude failed on its own side, again and again. Please try again in a few minutes."


def final(error: ClaudeError) -> str:
    """What no second call would mend."""
    if isinstance(error, SpendLimited):
        return (
            "The Claude account has reached its spending limit. "
            "An administrator has to raise it in the Claude Console."
        )
    if isinstance(error, RequestTooLarge):
        return (
            "This is more than Claude can read at once. Please ask with less text or fewer files."
        )
    if isinstance(error, ModelUnknown):
        return (
            "The Claude account does not know the model set for this channel. Please tell an admin."
        )
    if isinstance(error, BadCredentials):
        return (
            "Claude does not accept Purser's key. Please tell an admin; `purser doctor` says more."
        )
    return "Claude rejected Purser's request; this is a bug of Purser. Please tell an admin."


def _named(which: str) -> str:
    return f" ({_LIMITS[which]})" if which in _LIMITS else ""
