"""The commands. The environment is read here, once, and nowhere else.

Bad usage and bad settings exit 2, a failed check exits 1, both with a sentence that says what to do.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click
import structlog

from bot import __version__
from bot.errors import BadSettings, PurserError, StoreDown
from bot.log import configure
from bot.policy import Policy
from bot.rules import load
from bot.settings import Settings


class Refusal(click.ClickException):
    """Something the person has to mend first."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Without click's "Error:"; the sentence is enough."""
        click.echo(self.message, err=True, file=file)


def _settings() -> Settings:
    """The settings of this process, or every problem at once and exit 2."""
    try:
        return Settings.read(os.environ, dotenv=Path(".env"))
    except BadSettings as error:
        raise Refusal("These settings need mending:\n  " + "\n  ".join(error.problems)) from None


def _policy(settings: Settings) -> Policy:
    try:
        return Policy(load(settings.purser_policy))
    except BadSettings as error:
        raise Refusal("The policy needs mending:\n  " + "\n  ".join(error.problems)) from None


def _run(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run a command's coroutine and exit with what it returns."""
    try:
        code = asyncio.run(work())
    except StoreDown as error:
        raise Refusal(str(error) or str(StoreDown.__doc__)) from None
    except PurserError as error:
        raise Refusal(str(error)) from None
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="purser")
def main() -> None:
    """Purser: Claude and Jira in Slack, with the books kept."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: $PORT, else 3000.")
def serve(host: str, port: int | None) -> None:
    """Run the bot: Socket Mode when SLACK_APP_TOKEN is set, else HTTP."""
    from bot.app import serve as run

    settings = _settings()
    if missing := settings.missing():
        raise Refusal("Purser cannot start yet:\n  " + "\n  ".join(missing))
    policy = _policy(settings)
    configure(level=settings.log_level, form=settings.log_format, stream=sys.stderr)

    async def work() -> int:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        try:
            await run(
                settings,
                policy,
                host=host,
                port=settings.port if port is None else port,
                stopping=stopping,
            )
        except PurserError:
            raise
        except Exception:  # noqa: BLE001 - the frontier of the process: the trace goes to the log
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
    from bot.demo.stage import play

    _run(lambda: play(os.environ, tour=tour, port=port, browser=not no_browser, out=sys.stdout))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def doctor(*, as_json: bool) -> None:
    """Check tokens, scopes, models, Jira, the database and the clock; exit 1 if any is red."""
    from bot.doctor import examine, show

    settings = _settings()
    policy = _policy(settings)
    configure(level="ERROR", form=settings.log_format, stream=sys.stderr)

    async def work() -> int:
        findings = await examine(settings, policy, now=time.time)
        click.echo(show(findings, as_json=as_json, colour=sys.stdout.isatty()))
        return 1 if any(f.colour == "red" for f in findings) else 0

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


if __name__ == "__main__":
    main()
