"""What is taken out before anything is shown: credentials, whatever field they stand in; and bounds on size."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from bot.log import scrub

HIDDEN = "[hidden]"
NAMES = frozenset(
    {
        "token",
        "authorization",
        "x-api-key",
        "api_key",
        "cookie",
        "set-cookie",
        "secret",
        "ticket",
        "response_url",
        "response_urls",
        "upload_url",
        "trigger_id",
        "x-slack-signature",
    }
)
"""Fields that hold a credential or a capability by their nature."""

IN_ADDRESS = re.compile(
    r"(?<=[?&])((?:ticket|token|access_token|secret|signature|sig|key|code)=)[^&\s\"'<>]+",
    re.IGNORECASE,
)
"""The same in an address's query."""

CHARACTERS = 20_000  # of one string that are shown
ITEMS = 2_000  # of one list or object that are shown
DEPTH = 40  # of what lies in what


class Redaction:
    """Takes the credentials it was told of, and whatever looks like one, out of JSON.

    Args:
        secrets: the credentials that are known.
    """

    def __init__(self, secrets: Collection[str]) -> None:
        # The longest first: one may be the beginning of another.
        self._secrets = sorted(secrets, key=len, reverse=True)

    def text(self, text: str) -> str:
        """A string without any of them, cut where it is too long to be read."""
        shown = text[: CHARACTERS + 200]  # a secret across the cut is still found whole
        for secret in self._secrets:
            shown = shown.replace(secret, HIDDEN)
        shown = IN_ADDRESS.sub(rf"\1{HIDDEN}", scrub(shown))
        left = len(text) - CHARACTERS
        return shown if left <= 0 else f"{shown[:CHARACTERS]}… [{left:,} more characters]"

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """The same JSON, fit to be shown; what is no JSON is named by its type."""
        if depth > DEPTH:
            return "…"
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, Mapping):
            return self._object(cast("Mapping[Any, Any]", value), depth)
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            items = cast("Sequence[Any]", value)
            shown = [self(item, depth + 1) for item in items[:ITEMS]]
            return shown if len(items) <= ITEMS else [*shown, f"… {len(items) - ITEMS:,} more"]
        return f"[{type(value).__name__}]"

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, item in list(value.items())[:ITEMS]:
            key = self.text(str(name))
            hidden = str(name).lower() in NAMES and item
            shown[key] = HIDDEN if hidden else self(item, depth + 1)
        return shown
