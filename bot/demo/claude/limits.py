"""Rate limits as the API keeps them: token buckets, refilled continuously, one set per model pool."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.demo.claude.errors import Problem

MINUTE = 60.0  # seconds
ROUNDED = 1_000  # token counts in headers are rounded to this


@dataclass(frozen=True, slots=True)
class Tier:
    """Limits per minute of each pool; None means no limit and no headers."""

    requests: int | None = 1_000
    input_tokens: int | None = 2_000_000
    output_tokens: int | None = 400_000
    counting: int | None = 2_000


UNLIMITED = Tier(None, None, None, None)


@dataclass(slots=True)
class Bucket:
    """One limit: full at the start, refilled by capacity/60 each second, may go below zero."""

    capacity: int
    level: float
    at: float

    def refill(self, now: float) -> float:
        """Bring the level up to the present and give it."""
        gained = max(0.0, now - self.at) * self.capacity / MINUTE
        self.level, self.at = min(float(self.capacity), self.level + gained), now
        return self.level

    def seconds_until(self, level: float) -> float:
        """Seconds until the bucket holds this much."""
        return max(0.0, (level - self.level) * MINUTE / self.capacity)

    def headers(self, name: str, now: float) -> dict[str, str]:
        """Give the three headers of this limit; `reset` is the time when it is full again."""
        left = max(0.0, self.refill(now))
        shown = round(left) if name == "requests" else round(left / ROUNDED) * ROUNDED
        full = datetime.fromtimestamp(now + self.seconds_until(self.capacity), UTC)
        start = f"anthropic-ratelimit-{name}"
        return {
            f"{start}-limit": str(self.capacity),
            f"{start}-remaining": str(shown),
            f"{start}-reset": full.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


@dataclass(slots=True)
class Limits:
    """All buckets of the organization."""

    tier: Tier = field(default_factory=Tier)
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict[tuple[str, str], Bucket])

    def admit(self, pool: str, tokens: int, now: float) -> None:
        """Let a request in, or not.

        Args:
            pool: the model's pool.
            tokens: input tokens that count: all but cache reads.
            now: epoch seconds.

        Raises:
            Problem: a 429 with `retry-after`; nothing is taken then.
        """
        wants = (("requests", 1.0), ("input-tokens", float(tokens)), ("output-tokens", 1.0))
        for name, amount in wants:
            bucket = self._bucket(pool, name, now)
            # A request larger than the whole bucket passes when it is full, else it never could.
            if bucket and bucket.refill(now) < min(amount, bucket.capacity):
                raise self._exceeded(pool, name, bucket, min(amount, bucket.capacity), now)
        for name, amount in wants[:2]:
            bucket = self._bucket(pool, name, now)
            if bucket:
                bucket.level -= amount

    def spend_output(self, pool: str, tokens: int, now: float) -> None:
        """Take generated tokens from the output limit as they are generated."""
        bucket = self._bucket(pool, "output-tokens", now)
        if bucket:
            bucket.refill(now)
            bucket.level -= tokens

    def admit_count(self, now: float) -> None:
        """Let a count_tokens request in: it has a limit of its own."""
        bucket = self._bucket("count_tokens", "requests", now, self.tier.counting)
        if not bucket:
            return
        if bucket.refill(now) < 1:
            raise self._exceeded("count_tokens", "requests", bucket, 1, now)
        bucket.level -= 1

    def headers(self, pool: str, now: float) -> dict[str, str]:
        """Give the limit headers of a response of this pool."""
        found: dict[str, str] = {}
        tightest: Bucket | None = None
        for name in ("requests", "input-tokens", "output-tokens"):
            bucket = self._bucket(pool, name, now)
            if bucket is None:
                continue
            found |= bucket.headers(name, now)
            if name != "requests" and (
                tightest is None
                or bucket.level / bucket.capacity < tightest.level / tightest.capacity
            ):
                tightest = bucket
        if tightest is not None:
            found |= tightest.headers("tokens", now)
        return found

    def _bucket(
        self, pool: str, name: str, now: float, capacity: int | None = None
    ) -> Bucket | None:
        sizes = {
            "requests": self.tier.requests,
            "input-tokens": self.tier.input_tokens,
            "output-tokens": self.tier.output_tokens,
        }
        size = capacity if pool == "count_tokens" else sizes[name]
        if size is None:
            return None
        bucket = self._buckets.get((pool, name))
        if bucket is None or bucket.capacity != size:
            bucket = self._buckets[pool, name] = Bucket(size, float(size), now)
        return bucket

    def _exceeded(self, pool: str, name: str, bucket: Bucket, amount: float, now: float) -> Problem:
        wait = max(1, math.ceil(bucket.seconds_until(amount)))
        headers = {} if pool == "count_tokens" else self.headers(pool, now)
        return Problem(
            429,
            f"This request would exceed your organization's rate limit of {bucket.capacity:,} "
            f"{name.replace('-', ' ')} per minute ({pool}). Please reduce the prompt length or "
            "the number of requests, or try again later.",
            headers={**headers, "retry-after": str(wait)},
        )
