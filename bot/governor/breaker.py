"""Whether a model may be asked at all: after failures in a row it is left alone for a while, then tried with one call. Pure."""

from dataclasses import dataclass

FAILURES = 5  # in a row, each within WITHIN seconds of the one before
WITHIN = 60.0
REST_SECONDS = 15.0  # the first time; twice as long each further time
REST_AT_MOST = 300.0
DOUBLINGS = 5  # after which it is at most that


@dataclass(slots=True)
class Breaker:
    """Closed while all is well, open after failures, half open while one call tries.

    Attributes:
        sentence: why it is open, for whoever is turned away.
    """

    sentence: str = ""
    _failures: int = 0
    _failed: float = float("-inf")
    _rests: int = 0
    _until: float = float("-inf")
    _trying: bool = False

    def resting(self, now: float) -> float:
        """How long it is still left alone, in seconds; while one call tries, as long as that may take."""
        if not self._rests:
            return 0.0
        return REST_SECONDS if self._trying else max(0.0, self._until - now)

    def begin(self) -> None:
        """A call goes out: after a rest it is the one that tries."""
        self._trying = self._rests > 0

    def succeeded(self) -> None:
        """It answers: all is well."""
        self._failures = self._rests = 0
        self._trying = False

    def failed(self, now: float, sentence: str, *, at_once: bool = False) -> bool:
        """It failed; whether it is left alone from now on, and was not before.

        Args:
            now: on the clock of all these times.
            sentence: what whoever is turned away is told.
            at_once: nothing will have changed a moment later: one failure is enough.
        """
        self._failures = self._failures + 1 if now - self._failed < WITHIN else 1
        self._failed = now
        if self._rests and not self._trying and now < self._until:
            return False  # of a call that was out already when the rest began
        if not (at_once or self._trying or self._failures >= FAILURES):
            return False
        new = not self._rests
        self._until = now + min(REST_AT_MOST, REST_SECONDS * 2 ** min(self._rests, DOUBLINGS))
        self._rests += 1
        self._trying = False
        self.sentence = sentence
        return new

    def over(self) -> None:
        """The call that tried ended in neither way (it was stopped): another may try."""
        self._trying = False
