"""What goes wrong at the Slack stand-in, when a test or the page says so."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Troubles:
    """Nothing goes wrong by default. Keys are Web API methods; "*" stands for all. Counters count down to nothing.

    Attributes:
        limited: So many calls get a 429 with `retry_after`, and have no effect.
        retry_after: Whole seconds a 429 asks to wait.
        broken: So many calls get HTTP `broken_status`, and have no effect.
        broken_status: The status of broken calls.
        refused: So many connections are cut before anything took effect.
        lost: So many calls take effect, and then the connection is cut instead of an answer.
        errors: Errors answered one after the other, each once ({"chat.update": ["edit_window_closed"]}).
        down: An error answered as long as it stands here ({"auth.test": "internal_error"}).
        latency: Seconds every call takes.
        slow: Seconds more for single methods.
        twice: Every event is delivered a second time although it was acknowledged.
        shuffle: So many events are collected and let go in another order; 0 or 1 = in order.
        order: Which comes first where a mention is delivered as app_mention and as message.
        deaf: So many acknowledgements are not heard.
        mute: Pings get no pong, as on a connection that died unseen.
    """

    limited: dict[str, int] = field(default_factory=dict[str, int])
    retry_after: int = 1
    broken: dict[str, int] = field(default_factory=dict[str, int])
    broken_status: int = 503
    refused: dict[str, int] = field(default_factory=dict[str, int])
    lost: dict[str, int] = field(default_factory=dict[str, int])
    errors: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    down: dict[str, str] = field(default_factory=dict[str, str])
    latency: float = 0.0
    slow: dict[str, float] = field(default_factory=dict[str, float])
    twice: bool = False
    shuffle: int = 0
    order: Literal["mention first", "message first", "any"] = "mention first"
    deaf: int = 0
    mute: bool = False

    @staticmethod
    def strike(counts: dict[str, int], method: str) -> bool:
        """Whether this call is hit; counts down."""
        for key in (method, "*"):
            if counts.get(key, 0) > 0:
                counts[key] -= 1
                return True
        return False

    def error(self, method: str) -> str:
        """The error this call is answered with, or ""."""
        waiting = self.errors.get(method)
        if waiting:
            return waiting.pop(0)
        return self.down.get(method) or self.down.get("*", "")

    def seconds(self, method: str) -> float:
        """How long this call takes."""
        return self.latency + self.slow.get(method, 0.0)
