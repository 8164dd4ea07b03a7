"""The tools that an ask used: when they ran, what came of them, and whether a request was made by one of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.demo.inside.botfile import Kept, Row
from bot.demo.inside.strangers import Who
from bot.demo.loopback import Heard

LEEWAY = 0.05  # seconds that a window is wider than what was journalled
TOOL_SECONDS = 25.0  # no tool runs longer; 20 are allowed
STRANGERS: Mapping[str, tuple[Who, ...]] = {
    "jira_": ("jira",),
    "web_": ("web",),
    "pull_request_": ("github", "web"),
    "repository_": ("github", "web"),
}


@dataclass(frozen=True, slots=True)
class Use:
    """One tool call.

    Attributes:
        n: the request whose answer wanted it.
        at: when it was wanted, epoch seconds.
        until: when its result was on disk, None while it is not.
        outcome: ok, problem, timed_out or broken; "" while it runs.
    """

    id: str
    n: int
    name: str
    input: Mapping[str, Any]
    at: float
    until: float | None
    outcome: str

    @property
    def step(self) -> str:
        """Where it stands in the ask's way."""
        return f"tools:{self.n}"

    def fit(self, who: Who, heard: Heard) -> int:
        """How well a request fits to this call: 0 not at all, 1 by its time, 2 by what it asks for."""
        strangers = next((w for start, w in STRANGERS.items() if self.name.startswith(start)), ())
        until = self.at + TOOL_SECONDS if self.until is None else self.until
        if who not in strangers or not self.at - LEEWAY <= heard.at <= until + LEEWAY:
            return 0
        asked = f"{heard.path} {' '.join(heard.query.values())} {heard.body}".lower()
        return 2 if any(needle in asked for needle in self._needles()) else 1

    def _needles(self) -> Iterator[str]:
        for value in self.input.values():
            if isinstance(value, str) and value:
                yield (urlsplit(value).path if "://" in value else value).lower()


def uses(kept: Kept) -> list[Use]:
    """Every tool call of an ask, in the order in which Claude wanted them."""
    return [use for request in kept.requests for use in _of(request, kept)]


def _of(request: Row, kept: Kept) -> Iterator[Use]:
    # A request that has not ended has no answer, so nothing is wanted yet.
    if request["stop_reason"] != "tool_use" or request["ended_at"] is None:
        return
    for use in json.loads(request["uses"] or "[]"):
        result = kept.tools.get(use["id"])
        yield Use(
            id=use["id"],
            n=request["n"],
            name=use["name"],
            input=_object(use["input"]),
            at=request["ended_at"],
            until=result["at"] if result else None,
            outcome=result["outcome"] if result else "",
        )


def _object(value: Any) -> Mapping[str, Any]:
    found = json.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}
