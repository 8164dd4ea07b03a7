"""Slack's rate limits as the stand-in keeps them: a bucket for each method, one more for each channel posted to."""

import math
from collections.abc import Callable

from bot.demo.slack.methods import POST_BURST, POST_PER_CHANNEL, RULES


class Limits:
    """Buckets that refill by the clock; one look-up a call. `on=False` lets everything through."""

    def __init__(self, *, now: Callable[[], float], on: bool = True) -> None:
        self.on = on
        self._now = now
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}  # tokens left, when counted

    def take(self, method: str, channel: str = "") -> int:
        """Count one call; 0 when it may go on, else the whole seconds to wait."""
        rule = RULES.get(method)
        if not self.on or rule is None:
            return 0
        wait = self._take((method, ""), rule.per_minute, rule.burst or rule.per_minute)
        if not wait and rule.per_channel and channel:
            wait = self._take((method, channel), POST_PER_CHANNEL, POST_BURST)
        return wait

    def _take(self, key: tuple[str, str], per_minute: int, burst: int) -> int:
        now = self._now()
        left, counted = self._buckets.get(key, (float(burst), now))
        left = min(float(burst), left + (now - counted) * per_minute / 60.0)
        if left >= 1.0:
            self._buckets[key] = (left - 1.0, now)
            return 0
        self._buckets[key] = (left, now)
        return max(1, math.ceil((1.0 - left) * 60.0 / per_minute))
