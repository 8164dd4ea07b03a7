"""The doctor at the terminal: `purser doctor`."""

import sys
import time
from contextlib import suppress

import click

from bot.errors import StoreDown
from bot.log import configure
from bot.trail import Terminal
from bot.upkeep import adjust


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def doctor(terminal: Terminal, *, as_json: bool) -> None:
    """Check tokens and their rights, models, Jira, GitHub, the database, files and the clock; exit 1 if any is red."""
    settings, policy = terminal.configured()
    from bot.app.examination import examine
    from bot.doctor import show

    configure(level="ERROR", form=settings.log_format, stream=sys.stderr)

    async def work() -> int:
        with suppress(StoreDown):  # which is a finding of its own
            await adjust(policy, settings.database_url, now=time.time)
        findings = await examine(settings, policy, now=time.time, spend=True)
        click.echo(show(findings, as_json=as_json, colour=sys.stdout.isatty()))
        return 1 if any(f.colour == "red" for f in findings) else 0

    terminal.run(work)
