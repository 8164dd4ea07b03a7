"""What the stand-in keeps of each request, so that others can compare it with their books."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["open", "done", "broken_off", "client_gone"]


@dataclass(slots=True)
class Exchange:
    """One request and what came of it.

    Attributes:
        headers: of the request, in lower case, without the key.
        body: the parsed JSON, None where it was none.
        status: of the response, 0 while there is none.
        error: the error's type, "" when all went well.
        usage: as told to the client so far, and of a broken answer what it would be billed.
        at: epoch seconds when it arrived; `began` when its first byte left; `spoke` when its first text did; `ended`.
        state: "open" until it is over; "broken_off" by us, "client_gone" by the client.
    """

    n: int
    request_id: str
    path: str
    at: float
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    status: int = 0
    error: str = ""
    error_code: str | None = None
    message_id: str | None = None
    model: str | None = None
    usage: dict[str, Any] = field(default_factory=dict[str, Any])
    stop_reason: str | None = None
    refusal_category: str | None = None
    billed: bool = False
    content: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    response_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    began: float | None = None
    spoke: float | None = None
    ended: float | None = None
    state: State = "open"

    @property
    def text(self) -> str:
        """The text of the answer."""
        return "".join(b["text"] for b in self.content if b["type"] == "text")


@dataclass(frozen=True, slots=True)
class Served:
    """One response that began: what the account is billed for, or not.

    Attributes:
        complete: the client was sent everything; where not, `usage` has what was generated.
    """

    message_id: str
    request_id: str
    model: str
    usage: Mapping[str, Any]
    stop_reason: str | None
    refusal_category: str | None
    billed: bool
    complete: bool


def served(exchange: Exchange) -> Served | None:
    """Give the billing record of an exchange whose response began."""
    if exchange.message_id is None or exchange.model is None:
        return None
    return Served(
        exchange.message_id,
        exchange.request_id,
        exchange.model,
        exchange.usage,
        exchange.stop_reason,
        exchange.refusal_category,
        exchange.billed,
        exchange.state == "done",
    )
