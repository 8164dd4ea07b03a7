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
from bot.log import configure
from bot.policy import Policy
from bot.rules import load
from bot.settings import Settings


def main() -> None:
    """Serve until a signal ends it."""
    told = json.load(sys.stdin)
    environ: Mapping[str, str] = told["environ"]
    settings = Settings.read(environ)
    configure(level=settings.log_level, form=settings.log_format, stream=sys.stderr)
    serving = until_told(
        settings,
        Policy(load(settings.purser_policy)),
        host="127.0.0.1",
        port=0,
        anew=lambda: Settings.examine(environ),
        now=Clock(Path(told["clock"])),
    )
    asyncio.run(serving)


if __name__ == "__main__":
    main()
