"""What can be made to go wrong: each trouble befalls the next request that it fits, once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.demo.claude.errors import OUTPUT_FILTER, SPEND_LIMIT, Problem

Body = Mapping[str, Any]
ANY: Callable[[Body], bool] = lambda _body: True  # noqa: E731  a named default reads better


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls one request; several effects may be combined.

    Attributes:
        problem: an error instead of an answer.
        refuse: the answer ends as a refusal with `category`; `mid` after partial output.
        empty: an `end_turn` without content.
        stop_reason: ends the (whole) answer with this reason instead.
        served_by: the model that the response names instead of the one asked.
        error_event: an SSE `error` event in mid-stream; an error response without a stream.
        cut: the connection is lost in mid-answer.
        malformed: what comes is not JSON.
        hang: seconds of silence in mid-answer, before it goes on.
        hang_first: seconds of silence before the first byte.
        ttft: seconds to the first event.
        tokens_per_second: how fast text comes.
        after: characters of output after which a mid-answer effect begins.
        fits: which requests it waits for.
    """

    problem: Problem | None = None
    refuse: bool = False
    category: str | None = None
    mid: bool = False
    empty: bool = False
    stop_reason: str | None = None
    served_by: str | None = None
    error_event: Problem | None = None
    cut: bool = False
    malformed: bool = False
    hang: float = 0.0
    hang_first: float = 0.0
    ttft: float | None = None
    tokens_per_second: float | None = None
    after: int = 40
    fits: Callable[[Body], bool] = ANY

    @property
    def breaks_off(self) -> bool:
        """Whether the answer ends before its end."""
        return self.cut or self.malformed or self.error_event is not None


NONE = Trouble()


@dataclass(slots=True)
class Troubles:
    """The knobs: what will befall the next requests, in this order."""

    waiting: list[Trouble] = field(default_factory=list[Trouble])

    def add(self, trouble: Trouble, times: int = 1) -> None:
        """Let this happen to as many of the next requests as it says."""
        self.waiting.extend([trouble] * times)

    def clear(self) -> None:
        """Let everything go well again."""
        self.waiting.clear()

    def take(self, body: Body) -> Trouble:
        """Give (and use up) the first trouble that fits the request."""
        for i, trouble in enumerate(self.waiting):
            if trouble.fits(body):
                return self.waiting.pop(i)
        return NONE

    def refuse_next(
        self, category: str | None = None, when: str = "early", *, times: int = 1
    ) -> None:
        """Refuse the next request: "early", without output, or in "mid"-answer."""
        self.add(Trouble(refuse=True, category=category, mid=when == "mid"), times)

    def block_output(self, when: str = "early", *, times: int = 1) -> None:
        """Let the output filter strike: a 400, or an error event in "mid"-answer."""
        problem = Problem(400, OUTPUT_FILTER)
        mid = Trouble(error_event=problem)
        self.add(mid if when == "mid" else Trouble(problem=problem), times)

    def overload(self, times: int = 1, *, retry_after: int | None = None) -> None:
        """Answer 529."""
        self.fail(529, times=times, retry_after=retry_after)

    def rate_limit(
        self, times: int = 1, *, retry_after: int | None = 1, code: str | None = None
    ) -> None:
        """Answer 429.

        Args:
            times: how many requests.
            retry_after: seconds; None sends no header, as for a spend cap.
            code: None, or "ramp_limit_exceeded", "enforced_spend_limit_reached",
                "contract_spend_limit_reached".
        """
        self.fail(429, code=code, times=times, retry_after=retry_after)

    def spend_limit(self, times: int = 1) -> None:
        """Answer 400: a spend limit that the account itself has set is reached."""
        self.fail(400, SPEND_LIMIT, times=times)

    def fail(
        self,
        status: int,
        message: str = "",
        *,
        code: str | None = None,
        times: int = 1,
        retry_after: int | None = None,
    ) -> None:
        """Answer any error status."""
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.add(Trouble(problem=Problem(status, message, code=code, headers=headers)), times)

    def fail_in_stream(
        self, status: int = 529, message: str = "", *, after: int = 40, times: int = 1
    ) -> None:
        """Send an SSE error event after some output."""
        self.add(Trouble(error_event=Problem(status, message), after=after), times)

    def cut(self, after: int = 40, *, times: int = 1) -> None:
        """Lose the connection after some output."""
        self.add(Trouble(cut=True, after=after), times)

    def malformed(self, *, times: int = 1) -> None:
        """Send what is not JSON."""
        self.add(Trouble(malformed=True), times)

    def empty_end(self, *, times: int = 1) -> None:
        """End the turn without saying anything."""
        self.add(Trouble(empty=True), times)

    def hang(self, seconds: float = 3600.0, *, first: bool = True, after: int = 40) -> None:
        """Fall silent: before the first byte, or in mid-answer."""
        silent = Trouble(hang_first=seconds) if first else Trouble(hang=seconds, after=after)
        self.add(silent)

    def slow(self, *, ttft: float = 0.0, tokens_per_second: float | None = None) -> None:
        """Answer slowly."""
        self.add(Trouble(ttft=ttft, tokens_per_second=tokens_per_second))
