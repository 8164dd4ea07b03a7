"""How time passes: by the machine, or as a test moves it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """By which clocks the bot goes.

    Attributes:
        now: seconds since the epoch.
        clock: seconds that only grow.
        sleep: waits so many of them.
    """

    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


REAL = Timing()
