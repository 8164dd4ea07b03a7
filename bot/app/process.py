"""The bot as a process: it serves until a signal ends it, and another signal has it read its settings anew."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable

import structlog

from bot.app import Reread, serve
from bot.policy import Policy
from bot.settings import Settings

# Made before the collector looks: an ask leaves nothing in a circle (after one that broke the worker has it look at
# once), and each look goes through all that asks at work hold.
YOUNG_OBJECTS = 100_000
OLDER_LOOKS = 2, 5  # before it looks at what lived longer, and at all

log = structlog.get_logger()


async def until_told(
    settings: Settings,
    policy: Policy,
    *,
    host: str,
    port: int,
    anew: Callable[[], tuple[Settings, list[str]]],
    now: Callable[[], float] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; on SIGHUP take up what the settings have become.

    Args:
        settings: complete, by `Settings.missing`.
        policy: what is allowed where.
        host: where to listen.
        port: 0 takes a free one.
        anew: the settings as they stand by then, and every problem with them.
        now: see `serve`.

    Raises:
        PurserError: see `serve`.
        OSError: it cannot listen there.
    """
    stopping, again = asyncio.Event(), asyncio.Event()
    loop, terminal = asyncio.get_running_loop(), sys.stderr.isatty()

    def stop(number: signal.Signals) -> None:
        stopping.set()
        log.info("stopping", signal=number.name)

    def hang_up() -> None:
        # A terminal that is closed ends what it began; others want us to read anew.
        if terminal and not sys.stderr.isatty():
            stop(signal.SIGHUP)
        else:
            again.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    await serve(
        settings,
        policy,
        host=host,
        port=port,
        stopping=stopping,
        ready=_spare_the_collector,
        reread=Reread(again, anew),
        now=now,
    )
    log.info("stopped")


def _spare_the_collector(_port: int) -> None:
    """What was imported stays: looking through it for garbage would stop everything for 50 ms and more."""
    gc.freeze()
    gc.collect()  # of nothing: what comes is measured against that, not against what was frozen
    gc.set_threshold(YOUNG_OBJECTS, *OLDER_LOOKS)
