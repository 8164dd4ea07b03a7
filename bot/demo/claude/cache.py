"""The prompt cache: what was written at marks, how long it lives, and what a request reads of it.

Rules kept: entries are written only at marks and only above the model's minimum; a mark
finds entries up to 20 positions back, itself counted; the longest one is read; a use
renews its life; nothing is readable before the response of its writer has begun.
"""

from dataclasses import dataclass

from bot.demo.claude.prompt import Prompt

LOOK_BACK = 20  # block positions per mark, the mark's own counted
SECONDS = {"5m": 300.0, "1h": 3600.0}
SWEEP = 2_000  # commits between two sweeps of dead entries


@dataclass(slots=True)
class Entry:
    """One cached prefix."""

    ttl: str
    expires: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request takes from the cache and puts into it."""

    read: int
    write_5m: int
    write_1h: int
    uncached: int
    writes: tuple[tuple[bytes, str], ...]
    used: tuple[bytes, ...]

    def usage(self) -> dict[str, object]:
        """Give the input side of a response's `usage`."""
        return {
            "input_tokens": self.uncached,
            "cache_creation_input_tokens": self.write_5m + self.write_1h,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.write_5m,
                "ephemeral_1h_input_tokens": self.write_1h,
            },
        }

    @property
    def limited(self) -> int:
        """Tokens that count toward the input rate limit: cache reads don't."""
        return self.uncached + self.write_5m + self.write_1h


class PromptCache:
    """All entries of one workspace; digests contain the model, so models share nothing."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}
        self._commits = 0

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget everything, as after an eviction."""
        self._entries.clear()

    def plan(self, prompt: Prompt, now: float) -> Plan:
        """Find what this request reads, and what it would write once its response begins."""
        pieces, minimum = prompt.pieces, prompt.model.cache_minimum
        marks = [i for i, p in enumerate(pieces) if p.ttl and p.tokens >= minimum]
        hit = self._longest(prompt, marks, now)
        start = pieces[hit].tokens if hit is not None else 0
        new = [i for i in marks if hit is None or i > hit]
        hours = [pieces[i].tokens for i in new if pieces[i].ttl == "1h"]
        middle = max(hours, default=start)
        end = pieces[new[-1]].tokens if new else start
        used = {pieces[i].key for i in marks if hit is not None and i <= hit}
        if hit is not None:
            used.add(pieces[hit].key)
        return Plan(
            read=start,
            write_5m=end - middle,
            write_1h=middle - start,
            uncached=prompt.tokens - end,
            writes=tuple((pieces[i].key, pieces[i].ttl or "5m") for i in new),
            used=tuple(used),
        )

    def commit(self, plan: Plan, now: float) -> None:
        """Renew what was used and make the writes readable; called as the response begins."""
        for key in plan.used:
            entry = self._entries.get(key)
            if entry is not None and entry.expires > now:
                entry.expires = now + SECONDS[entry.ttl]
        for key, ttl in plan.writes:
            self._entries[key] = Entry(ttl, now + SECONDS[ttl])
        self._commits += 1
        if self._commits % SWEEP == 0:
            self._entries = {k: e for k, e in self._entries.items() if e.expires > now}

    def _longest(self, prompt: Prompt, marks: list[int], now: float) -> int | None:
        # From the last mark backwards: whatever is found first is the longest there is.
        for mark in reversed(marks):
            for i in range(mark, max(-1, mark - LOOK_BACK), -1):
                entry = self._entries.get(prompt.pieces[i].key)
                if entry is not None and entry.expires > now:
                    return i
        return None
