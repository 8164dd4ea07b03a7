"""The bot on the stage, run as `python -m bot.demo.actor`: served as `purser serve` serves it, by the demo's clock.

What it is told comes on its standard input, as JSON: its settings by name, and the clock's file.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from bot.app.process import until_told
from bot.demo.clock import Clock
from bot.errors import PurserError
from bot.log import configure
from bot.policy import Policy
from bot.rules import load
from bot.settings import Settings


def play(environ: Mapping[str, str], clock: Path) -> None:
    """Serve until a signal ends it.

    Args:
        environ: its settings by name.
        clock: the file of the clock that it goes by.

    Raises:
        PurserError: a setting, the policy's file or the database cannot be used.
    """
    settings = Settings.read(environ)
    configure(level=settings.log_level, form=settings.log_format, stream=sys.stderr)
    serving = until_told(
        settings,
        Policy(load(settings.purser_policy)),
        host="127.0.0.1",
        port=0,
        anew=lambda: Settings.examine(environ),
        now=Clock(clock),
    )
    asyncio.run(serving)


if __name__ == "__main__":
    told = json.load(sys.stdin)
    try:
        play(told["environ"], Path(told["clock"]))
    except PurserError as error:
        sys.exit(str(error) or error.__doc__)
