"""What is counted, for Prometheus; every name begins with `purser_`. Message text is in none of it.

Some labels hold words from outside (a model that Claude's API names, a tool that Claude invents, a channel). However
many there are, a label takes a bounded number of values; the rest are counted together as `other`.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

VALUES = 100  # of one label at most
VALUE_CHARS = 80  # of one value at most
OTHER = "other"
EXPECTED_DROPS = ("commit_failed", "unsigned")
EXPECTED_ENDS = ("ok", "BadCredentials", "ModelUnknown", "SpendLimited")
"""What alerts look for stands there at nought: of what begins at one, Prometheus sees no increase."""

SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600)


class Metrics:
    """The counters of one process, in a registry of its own.

    Args:
        registry: where they are kept.
        models: those that may be asked now.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        models: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self.registry = registry or CollectorRegistry()
        self._models = models

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"purser_{name}", says, labels, registry=self.registry)

        def histogram(name: str, says: str, *labels: str) -> Histogram:
            return Histogram(
                f"purser_{name}", says, labels, registry=self.registry, buckets=SECONDS
            )

        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(f"purser_{name}", says, labels, registry=self.registry)

        self._asks = counter("asks", "Asks ended", "feature", "outcome")
        self._ask_seconds = histogram("ask_seconds", "Seconds from asking to the end", "feature")
        self._dropped = counter("dropped", "Events that were no ask", "reason")
        self._first_sign = histogram(
            "first_sign_seconds", "Seconds from the lease to the first sign"
        )
        self._first_text = histogram("first_text_seconds", "Seconds from asking to the first text")
        self._tools = counter("tool_calls", "Tool calls ended", "tool", "outcome")
        self._attempts = counter("claude_attempts", "Attempts at Claude", "model", "status")
        self._tokens = counter("tokens", "Tokens as billed", "model", "kind")
        self._dollars = counter("cost_usd", "US dollars booked", "channel", "model")
        self._refusals = counter("refusals", "Refusals by Claude", "category", "rung")
        self._rungs = counter("rungs", "What came of a rung", "category", "rung", "outcome")
        self._limits = counter("rate_limited", "Answers 429, by which limit", "model", "limit")
        self._decisions = counter("decisions", "Estimates that people were asked about", "decision")
        self._queue = gauge("queue_asks", "Asks in the inbox", "state")
        self._oldest = gauge("queue_oldest_seconds", "Age of the oldest waiting ask")
        self._cached = gauge("cache_read_ratio", "Share of prompt tokens read from cache")
        self._prompt = self._read = 0
        self._known: dict[str, set[str]] = {}

    def _few(self, label: str, value: str) -> str:
        """The value, or `other` where the label has taken as many as it may."""
        known = self._known.setdefault(label, set())
        if value not in known:
            if len(known) >= VALUES or len(value) > VALUE_CHARS or not value.isprintable():
                return OTHER
            known.add(value)
        return value

    def asked(self, feature: str, outcome: str, seconds: float) -> None:
        """An ask ended; `seconds` since it was asked."""
        self._asks.labels(feature, outcome).inc()
        self._ask_seconds.labels(feature).observe(seconds)

    def dropped(self, reason: str) -> None:
        """An event was no ask."""
        self._dropped.labels(self._few("reason", reason)).inc()

    def first_sign(self, seconds: float) -> None:
        """The person saw that it was taken up."""
        self._first_sign.observe(seconds)

    def first_text(self, seconds: float) -> None:
        """Claude's first words came, so long after the asking."""
        self._first_text.observe(seconds)

    def tool(self, name: str, outcome: str) -> None:
        """A tool call ended."""
        self._tools.labels(self._few("tool", name), outcome).inc()

    def attempt(self, model: str, status: str) -> None:
        """An attempt at Claude ended; `status` is `ok` or the kind of error."""
        self._attempts.labels(self._few("model", model), self._few("status", status)).inc()

    def booked(
        self, channel: str, model: str, tokens: dict[str, int], cost: Decimal | None
    ) -> None:
        """An iteration was booked; `tokens` by kind: input, cache_read, cache_write, output."""
        model = self._few("model", model)
        for kind, count in tokens.items():
            self._tokens.labels(model, kind).inc(count)
        if cost is not None:
            self._dollars.labels(self._few("channel", channel), model).inc(float(cost))
        self._read += tokens.get("cache_read", 0)
        self._prompt += sum(n for kind, n in tokens.items() if kind != "output")
        self._cached.set(self._read / self._prompt if self._prompt else 0)

    def refused(self, category: str, rung: str) -> None:
        """Claude refused; `rung` is what was done next."""
        self._refusals.labels(self._few("category", category), rung).inc()

    def climbed(self, category: str, rung: str, outcome: str) -> None:
        """What came of a rung that was tried after a refusal: answered, declined, unanswered, skipped, or what people did."""
        self._rungs.labels(self._few("category", category), rung, outcome).inc()

    def rate_limited(self, model: str, limit: str) -> None:
        """Claude answered 429; `limit` says which."""
        self._limits.labels(self._few("model", model), self._few("limit", limit)).inc()

    def decided(self, decision: str) -> None:
        """What became of an estimate that a person was asked about: go, smaller, cancel, lapsed or stopped."""
        self._decisions.labels(decision).inc()

    def queue(self, counts: dict[str, int], oldest: float) -> None:
        """The inbox as it stands: asks by state, and the oldest waiting one's age in seconds."""
        for state, count in counts.items():
            self._queue.labels(state).set(count)
        self._oldest.set(oldest)

    def text(self) -> bytes:
        """All of it in Prometheus' text form."""
        self._expect()
        return generate_latest(self.registry)

    def _expect(self) -> None:
        self._asks.labels("chat", "failed")
        for reason in EXPECTED_DROPS:
            self._dropped.labels(self._few("reason", reason))
        for model in sorted(self._models()):
            for status in EXPECTED_ENDS:
                self._attempts.labels(self._few("model", model), self._few("status", status))
