"""Stores and asks for tests: one body for every engine."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.ask import Ask

_numbers = itertools.count(1)


def ask(**changes: Any) -> Ask:
    """An ask by U1 in C1; every call makes another one."""
    n = next(_numbers)
    values: dict[str, Any] = {
        "id": f"ask{n:06d}",
        "key": f"T1:C1:{n}.0",
        "team": "T1",
        "channel": "C1",
        "user": "U1",
        "feature": "chat",
        "origin": "mention",
        "text": f"question {n}",
        "at": 1_000.0 + n / 1000,
        "thread": f"{n}.0",
        "ts": f"{n}.0",
        "user_team": "T1",
    }
    return Ask(**{**values, **changes})


def url(path: Path) -> SecretStr:
    """The address of an SQLite file."""
    return SecretStr(f"sqlite:///{path}")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at: float = 2_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        """The time in epoch seconds."""
        return self.at


Now = Callable[[], float]
