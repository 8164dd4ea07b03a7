"""The doctor at the terminal: `purser doctor`."""

import sys
import time

import click

from bot.log import configure
from bot.trail import Terminal


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def doctor(terminal: Terminal, *, as_json: bool) -> None:
    """Check tokens, scopes, models, Jira, the database and the clock; exit 1 if any is red."""
    settings, policy = terminal.configured()
    from bot.doctor import examine, show

    configure(level="ERROR", form=settings.log_format, stream=sys.stderr)

    async def work() -> int:
        findings = await examine(settings, policy, now=time.time)
        click.echo(show(findings, as_json=as_json, colour=sys.stdout.isatty()))
        return 1 if any(f.colour == "red" for f in findings) else 0

    terminal.run(work)
