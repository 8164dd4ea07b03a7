"""How many asks may be worked on at the same time: of one person, and of one channel. More wait their turn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.ask import Ask


@dataclass(frozen=True, slots=True)
class Caps:
    """How many asks of one person, and of one channel, may be worked on at the same time.

    A person's are counted wherever they asked. `own` has, for channels with caps of their own, both: an ask there
    waits as soon as its person has as many at work as that channel lets one have.
    """

    person: int
    channel: int
    own: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def of(self, channel: str) -> tuple[int, int]:
        """Of a person and of the channel, for asks in that channel."""
        return self.own.get(channel, (self.person, self.channel))

    def values(self) -> dict[str, Any]:
        """As statements take them."""
        return {
            "person_in_flight": self.person,
            "channel_in_flight": self.channel,
            "own_caps": json.dumps(self.own),
        }


@dataclass(frozen=True, slots=True)
class Late:
    """An ask that waits, and what for: its own thread, or others of its person or channel that are at work."""

    ask: Ask
    why: Literal["thread", "person", "channel"]
