"""The processes that are measured: their start, their end, and what the kernel says of them in between."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.slack import SlackStandIn

START_SECONDS = 30.0  # until an app is connected
TICKS = os.sysconf("SC_CLK_TCK")  # a second, as /proc counts it
MEGABYTE = 1_000_000
POLICY = """\
[workspace]
monthly_budget_usd = 1000000

[defaults]
monthly_budget_usd = 1000000
"""
"""All as it comes, but for budgets that no run reaches."""

PURSER = ("-m", "bot", "serve", "--port", "0")


def bare(body: Path, *, streams: bool = False) -> tuple[str, ...]:
    """The bare app with the body of a request to Claude, as JSON; `streams` where it says answers as they come."""
    return ("-m", "benchmarks.bare", str(body), *(["streams"] if streams else []))


@dataclass(frozen=True, slots=True)
class App:
    """A running app."""

    pid: int

    def cpu(self) -> float:
        """Seconds of processor time it has used since its start, its own and the kernel's for it, all threads."""
        return cpu_of(self.pid)

    def megabytes(self) -> float:
        """What it holds in memory now (resident set)."""
        return self._status("VmRSS") / MEGABYTE

    def most_megabytes(self) -> float:
        """The most it ever held."""
        return self._status("VmHWM") / MEGABYTE

    def threads(self) -> int:
        """How many threads it has now."""
        return self._status("Threads", 1)

    def connections(self) -> int:
        """How many sockets it has open now."""
        return sum(_is_socket(one) for one in Path(f"/proc/{self.pid}/fd").iterdir())

    def _status(self, name: str, unit: int = 1024) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * unit
        raise LookupError(name)


def _is_socket(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()).startswith("socket:")
    except FileNotFoundError:
        return False  # closed meanwhile


def cpu_of(pid: int) -> float:
    """Seconds of processor time of any process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    slack: SlackStandIn,
    claude_url: str,
    folder: Path,
    more: Mapping[str, str] | None = None,
    policy: str = POLICY,
) -> AsyncGenerator[App]:
    """An app while inside, connected to Slack.

    Args:
        command: `PURSER` or `bare(...)`, arguments for Python.
        slack: its workspace.
        claude_url: its Claude.
        folder: where its database, policy and log lie; it exists.
        more: of its environment.
        policy: its policy file.

    Raises:
        ChildProcessError: it did not connect, or an ask had no end; the end of its log says why.
    """
    (folder / "purser.toml").write_text(policy, encoding="utf-8")
    before = slack.sockets.count  # other processes may be there already
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env={**environment(slack, claude_url, folder), **(more or {})},
            stdout=log,
            stderr=log,
        )
    try:
        await slack.wait_for(lambda: slack.sockets.count > before, START_SECONDS)
        yield App(process.pid)
    except TimeoutError:
        said = (folder / "log").read_text(encoding="utf-8", errors="replace")
        raise ChildProcessError(f"{command[1]} did not answer in time:\n{said[-2000:]}") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


def environment(slack: SlackStandIn, claude_url: str, folder: Path) -> dict[str, str]:
    """The settings of an app on these stand-ins, its database and policy in a folder."""
    return {
        "PATH": os.defpath,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "ANTHROPIC_API_KEY": "sk-ant-stand-in",
        "ANTHROPIC_BASE_URL": claude_url,
        "DATABASE_URL": f"sqlite:///{folder / 'purser.db'}",
        "PURSER_POLICY": str(folder / "purser.toml"),
        "LOG_FORMAT": "json",
    }
