"""The commands. The environment is read here, once, and nowhere else.

Bad usage and bad settings exit 2, a failed check exits 1, both with a sentence that says what to do.
"""

import asyncio
import errno
import io
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click
import structlog

from bot import __version__, checkup, prices, trail, upkeep
from bot.bookkeeping import Bookkeeping
from bot.desk import Desk
from bot.errors import BadSettings, PurserError
from bot.log import configure
from bot.policy import Policy
from bot.report import DIMENSIONS, By
from bot.rules import load
from bot.settings import Settings

DOTENV = Path(".env")
CANNOT_LISTEN = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})


class Refusal(click.ClickException):
    """Something the person has to mend first."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Without click's "Error:"; the sentence is enough."""
        click.echo(self.message, err=True, file=file)


def _settings() -> Settings:
    """The settings of this process, or every problem at once and exit 2."""
    settings, problems = Settings.examine(os.environ, dotenv=DOTENV)
    _refuse(problems)
    return settings


def _to_serve() -> tuple[Settings, list[str]]:
    """The settings as they stand now, and every problem with them, with what serving lacks."""
    settings, problems = Settings.examine(os.environ, dotenv=DOTENV)
    malformed = {problem.partition(":")[0].removesuffix("_FILE") for problem in problems}
    return settings, problems + settings.missing(malformed)


def _configured(*, to_serve: bool = False) -> tuple[Settings, Policy]:
    """The settings and the policy, or every problem with both (and what serving lacks) at once and exit 2."""
    settings, problems = _to_serve() if to_serve else Settings.examine(os.environ, dotenv=DOTENV)
    try:
        policy = Policy(load(settings.purser_policy))
    except BadSettings as error:
        policy = Policy()
        problems += error.problems
    _refuse(problems)
    return settings, policy


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise Refusal("Mend these first:\n  " + "\n  ".join(problems))


def _refuse_to_listen(error: Exception, host: str, *, choose: str) -> None:
    """Turn an address that cannot be listened on into a sentence; other errors are left to the caller."""
    if isinstance(error, socket.gaierror) or getattr(error, "errno", 0) in CANNOT_LISTEN:
        mend = f"choose another {choose}, or end what listens there"
        raise Refusal(f"Purser cannot listen on {host}: {error}; {mend}.") from None


def _desk() -> Desk:
    settings, policy = _configured()

    def limit(channel: str | None) -> Decimal:
        whole = policy.workspace if channel is None else policy.rules(channel)
        return whole.monthly_budget_usd

    zone = policy.workspace.zone
    return Desk(settings.database_url, sys.stdout, zone=zone, now=time.time, limit=limit)


def _run(work: Callable[[], Coroutine[Any, Any, int | None]]) -> None:
    """Run a command's coroutine and exit with what it returns; None is all well."""
    try:
        code = asyncio.run(work())
    except PurserError as error:
        raise Refusal(str(error) or str(error.__doc__)) from None
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="purser")
@click.pass_context
def main(context: click.Context) -> None:
    """Purser: Claude and Jira in Slack, with the books kept."""
    context.obj = trail.Terminal(_configured, _run)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where there is no sign for a tick, a "?" will do


main.add_command(checkup.doctor)
main.add_command(trail.audit)
main.add_command(trail.forget)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: $PORT, else 3000.")
def serve(host: str, port: int | None) -> None:
    """Run the bot: Socket Mode when SLACK_APP_TOKEN is set, else HTTP."""
    if not sys.stderr.isatty():  # until it is heard: what there is anew is read below
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings, policy = _configured(to_serve=True)
    prices.load()  # before the rest: what reading it leaves free, the rest takes
    from bot.app.process import until_told

    configure(level=settings.log_level, form=settings.log_format, stream=sys.stderr)

    async def work() -> int:
        place = settings.port if port is None else port
        try:
            await until_told(settings, policy, host=host, port=place, anew=_to_serve)
        except PurserError:
            raise
        except Exception as error:  # noqa: BLE001 - the frontier of the process: the trace goes to the log
            _refuse_to_listen(error, host, choose="--host, --port or METRICS_PORT")
            structlog.get_logger().exception("process broke")
            return 1
        return 0

    _run(work)


@main.command()
@click.option("--tour", is_flag=True, help="Play a fixed tour in the terminal and exit.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The page's port.")
@click.option("--no-browser", is_flag=True, help="Open nothing.")
def demo(*, tour: bool, port: int, no_browser: bool) -> None:
    """The whole bot against local stand-ins; needs no token."""
    from bot.demo.stage import BotDied, play

    async def work() -> int:
        try:
            return await play(
                os.environ, tour=tour, port=port, browser=not no_browser, out=sys.stdout
            )
        except BotDied as died:
            click.echo(f"The demo's bot did not start; its last words were:\n{died}", err=True)
            return 1
        except OSError as error:
            _refuse_to_listen(error, "127.0.0.1", choose="--port")
            raise

    _run(work)


@main.command()
@click.option("--http", metavar="HTTPS://HOST", help="The HTTP variant, for this address.")
@click.option("--only", metavar="/PURSER", help="Only this command, where other names are taken.")
def manifest(http: str | None, only: str | None) -> None:
    """Print the Slack app manifest (JSON)."""
    from bot.slack.manifest import manifest as build

    try:
        click.echo(json.dumps(build(http=http, only=only), indent=2))
    except ValueError as error:
        raise Refusal(str(error)) from None


@main.command()
def migrate() -> None:
    """Bring the database to this version's schema, after a copy."""
    settings = _settings()
    _run(lambda: upkeep.bring_up(settings.database_url, sys.stdout))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Copy the database to FILE while it is in use; nothing is overwritten."""
    settings = _settings()
    _run(lambda: upkeep.backup(settings.database_url, file, sys.stdout))


since_option = click.option(
    "--since", metavar="TIME", help="From here on; 2026-11, 2026-11-22 or ISO 8601."
)
until_option = click.option("--until", metavar="TIME", help="Up to here, itself left out.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document instead.")


@main.group(invoke_without_command=True)
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@since_option
@until_option
@click.pass_context
def ledger(
    context: click.Context, form: Literal["jsonl", "csv"], since: str | None, until: str | None
) -> None:
    """Print the books, row by row, oldest first."""
    if context.invoked_subcommand is None:
        desk = _desk()
        _run(lambda: desk.ledger(form, since=since, until=until))


def _bookkeeping() -> Bookkeeping:
    settings, policy = _configured()
    return Bookkeeping(settings.database_url, sys.stdout, zone=policy.workspace.zone, now=time.time)


@ledger.command()
def check() -> None:
    """Compare the sums of days and months with the rows; exit 1 if one is off."""
    _run(_bookkeeping().check)


@ledger.command()
def rebuild() -> None:
    """Add the sums of days and months up again from the rows."""
    _run(_bookkeeping().rebuild)


@ledger.command()
@since_option
@until_option
@json_option
def reprice(since: str | None, until: str | None, *, as_json: bool) -> None:
    """What the rows would cost at today's prices; none is changed."""
    books = _bookkeeping()
    _run(lambda: books.reprice(since=since, until=until, as_json=as_json))


@main.command()
@click.option("--since", metavar="DAY", help="By default a week back; days are those of UTC.")
@click.option("--until", metavar="DAY", help="By default today, itself left out.")
@json_option
def reconcile(since: str | None, until: str | None, *, as_json: bool) -> None:
    """Compare the books with Claude's usage and cost reports; exit 1 above 0.5 % unexplained."""
    from bot.statement import reconcile as compare

    settings = _settings()
    work = partial(compare, settings, sys.stdout, since=since, until=until)
    _run(lambda: work(as_json=as_json, now=time.time))


def _channel(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[CGD][A-Z0-9]*", value):
        raise click.BadParameter("give the channel's id, such as C0123456789 (in its details).")
    return value


@main.command()
@click.option("--month", default="this month", help="2026-11, `last month`; by default this one.")
@click.option("--channel", metavar="ID", callback=_channel, help="By default all together.")
@click.option("--by", type=click.Choice(DIMENSIONS))
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
def report(
    month: str, channel: str | None, by: By | None, form: Literal["table", "csv", "json"]
) -> None:
    """What Claude cost, from the books."""
    desk = _desk()
    _run(lambda: desk.report(form, month=month, channel=channel, by=by))


@main.command()
@click.option("--channel", metavar="ID", callback=_channel, help="By default any other channel.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def policy(channel: str | None, *, as_json: bool) -> None:
    """What holds in a channel, and where each value comes from."""
    settings, held = _configured()

    async def work() -> int:
        await upkeep.adjust(held, settings.database_url, now=time.time)
        upkeep.policy(held, sys.stdout, channel=channel, as_json=as_json)
        return 0

    _run(work)


@main.group(invoke_without_command=True)
@click.pass_context
def dead(context: click.Context) -> None:
    """List the asks that could not be finished, and why."""
    if context.invoked_subcommand is None:
        settings, held = _configured()
        zone = held.workspace.zone
        _run(lambda: upkeep.dead(settings.database_url, sys.stdout, zone=zone, now=time.time))


@dead.command()
@click.argument("ask", metavar="ID")
def retry(ask: str) -> None:
    """Give a dead ask another chance; ID or the reference its asker was told."""
    _change_dead(ask, "retry")


@dead.command()
@click.argument("ask", metavar="ID")
def drop(ask: str) -> None:
    """Give a dead ask up for good."""
    _change_dead(ask, "drop")


def _change_dead(ask: str, act: Literal["retry", "drop"]) -> None:
    url = _settings().database_url
    _run(lambda: upkeep.change_dead(url, sys.stdout, ask=ask, act=act, now=time.time))


def _names(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in value.split(",")) if name)


@main.command("eval")
@click.argument("which", metavar="review|summarize", type=click.Choice(["review", "summarize"]))
@click.option("--repeat", type=click.IntRange(1, 20), default=1, help="How often each case is run.")
@click.option("--models", default="", callback=_names, help="a,b: by default the policy's.")
@click.option("--case", "only", metavar="NAME", multiple=True, help="Only this one; repeatable.")
@click.option("--sets", type=click.Path(path_type=Path), default=Path("tests/evals"))
@click.option("--yes", is_flag=True, help="Agree to what it costs beforehand.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def evaluate(
    which: Literal["review", "summarize"],
    repeat: int,
    models: tuple[str, ...],
    only: tuple[str, ...],
    sets: Path,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure reviews or summaries on the evaluation sets, with a real key; exit 1 if a case failed."""
    settings, policy = _configured()
    from bot.evals.course import Course
    from bot.evals.course import evaluate as run
    from bot.evals.outlay import Outlay

    configure(level="ERROR", form=settings.log_format, stream=sys.stderr)
    rules = policy.rules("")

    def agreed(outlay: Outlay) -> bool:
        click.echo(outlay.sentence, err=True)
        small = outlay.cost <= rules.confirm_above_usd and not outlay.unpriced
        if yes or small or not sys.stdin.isatty():
            return yes or small
        return click.confirm("Go on?", err=True)

    course = Course(which, sets, only, models, repeat, as_json)
    _run(lambda: run(course, settings, rules, agree=agreed, out=sys.stdout, err=sys.stderr))


if __name__ == "__main__":
    main()
