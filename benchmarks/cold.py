"""What this machine charges for waking up: the same work, done at once and after a pause before each piece.

A processor that has slept finds its caches emptied. So whoever works now and then pays more for the same work than
whoever works all the time, and an ask that comes alone more than one of fifty, whatever the code does.
"""

import ast
import difflib
import json
import textwrap
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECES = 100
PAUSE_SECONDS = 0.02  # about what a call to Slack takes


@dataclass(frozen=True, slots=True)
class Woken:
    """Milliseconds of processor time for a piece of work, at once and after a pause."""

    warm: float
    cold: float

    def __str__(self) -> str:
        return (
            f"On this machine {self.warm:.2f} ms of any work cost {self.cold:.2f} ms after a pause of "
            f"{PAUSE_SECONDS * 1000:.0f} ms: {self.cold / self.warm:.1f} times as much."
        )


def woken() -> Woken:
    """Measure it."""
    _piece()
    return Woken(_each(0.0), _each(PAUSE_SECONDS))


def _each(pause: float) -> float:
    began = time.thread_time()
    for _ in range(PIECES):
        _piece()
        time.sleep(pause)
    return (time.thread_time() - began) / PIECES * 1000


def _piece() -> None:
    """A little of many things, as an app does between two calls."""
    ast.dump(ast.parse("def f(a, b=2):\n    return [x for x in a if x > b]\n"))
    json.loads(json.dumps({"a": [1, 2, {"b": "c" * 50}] * 5}))
    urlsplit("https://example.com/c?d=e#f")
    textwrap.wrap("word " * 40, 30)
    difflib.SequenceMatcher(None, "abcd" * 5, "bcda" * 5).ratio()
