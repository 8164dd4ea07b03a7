"""What is taken up without a restart: rotated secrets, and a changed policy file.

    SIGHUP -> read anew -> secrets: each client is given its own     (calls on their way end with the old one)
                        -> policy: replaced whole                    (asks that began keep their rules)
                        -> what holds now is examined, and admins hear what is ill

What has a problem is refused whole, and what held before still holds; secrets and policy each by themselves, so that
a leaked key is not kept alive by a typing error elsewhere. The log has every problem, and admins hear it once.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from bot.ask import Alerts
from bot.errors import BadSettings, StoreDown
from bot.policy import Policy
from bot.rules import PolicyFile, load
from bot.settings import Settings

REFUSED = (
    "I was told to read my settings anew, and some of it cannot be used. What held before still holds. "
    "An operator has to mend this, and to tell me again (SIGHUP):\n{problems}"
)
GONE = "{path}: there is no such file any more; it is not taken for a wish that the defaults hold"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reread:
    """How we are told to read anew, and from where: settings, and every problem with them (what is missing, too)."""

    asked: asyncio.Event
    settings: Callable[[], tuple[Settings, list[str]]]


@dataclass(slots=True)
class Keyring:
    """Who uses which secret, so that it can be given another one.

    Attributes:
        settings: those in force.
    """

    settings: Settings
    _users: list[tuple[tuple[str, ...], Callable[..., Any]]] = field(default_factory=list[Any])

    def add(self, use: Callable[..., Any], *names: str) -> None:
        """From now on `use` is called with the new values of these settings, in their order, when one has changed."""
        self._users.append((names, use))

    def take(self, fresh: Settings) -> tuple[list[str], list[str]]:
        """Hand out what has changed.

        Args:
            fresh: without problems; the names of one use are all set, or all of them are left as they were.

        Returns:
            The settings that hold from now on, and those that will at the next start, by name.
        """
        changed = [n for n in Settings.model_fields if getattr(fresh, n) != self._now(n)]
        taken = set[str]()
        for names, use in self._users:
            values = [_plain(getattr(fresh, name)) for name in names]
            stays = {PLACES[n] for n in names if n in PLACES}.isdisjoint(changed)
            if not {*names}.isdisjoint(changed) and stays and (all(values) or names == OPTIONAL):
                use(*values)
                taken |= {*names}
        held = {name: getattr(fresh, name) for name in taken}
        self.settings = self.settings.model_copy(update=held)
        return (
            [name.upper() for name in changed if name in taken],
            [name.upper() for name in changed if name not in taken],
        )

    def _now(self, name: str) -> object:
        return getattr(self.settings, name)


PLACES = {
    "slack_bot_token": "slack_api_url",
    "slack_app_token": "slack_api_url",
    "anthropic_api_key": "anthropic_base_url",  # pragma: allowlist secret
    "anthropic_admin_key": "anthropic_base_url",
    "jira_email": "jira_url",
    "jira_api_token": "jira_api_url",
    "github_token": "github_api_url",
}
"""Where a secret is sent: with another address it waits for the next start, as that does, and is shown to no old one."""

OPTIONAL = ("github_token",)
"""What may be taken away: GitHub is then read as nobody."""


def _plain(value: SecretStr | str | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


class Reload:
    """Reads anew whenever it is asked to.

    Args:
        reread: how it is asked, and what it reads.
        keyring: who uses which secret.
        policy: whose file is replaced.
        alerts: tells admins what was refused.
        look: examines what was taken, so that a key that nobody knows is told at once.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        reread: Reread,
        keyring: Keyring,
        policy: Policy,
        alerts: Alerts,
        *,
        look: Callable[[], Awaitable[None]],
        now: Callable[[], float],
    ) -> None:
        self._reread, self._keyring, self._policy = reread, keyring, policy
        self._alerts, self._look, self._now = alerts, look, now
        self._had_file = keyring.settings.purser_policy.exists()

    async def run(self) -> None:
        """Read anew as often as asked; what breaks is logged, and is no reason to stop."""
        while True:
            await self._reread.asked.wait()
            self._reread.asked.clear()
            (end,) = await asyncio.gather(self.once(), return_exceptions=True)
            if isinstance(end, StoreDown):
                log.warning("admins could not be told", problem=str(end))
            elif end is not None:
                log.error("reading anew broke", exc_info=end)

    async def once(self) -> None:
        """Read anew, take what is good, and tell what is not.

        Raises:
            StoreDown: what is wrong with what was taken could not be told.
        """
        fresh, problems = await asyncio.to_thread(self._reread.settings)
        taken = False
        if not problems:
            swapped, later = self._keyring.take(fresh)
            log.info("settings read anew", taken=swapped, at_the_next_start=later)
            taken = bool(swapped)
        try:
            await self._read_policy(self._keyring.settings.purser_policy)
            taken = True
        except BadSettings as error:
            problems = [*problems, *error.problems]
        if problems:
            await self._refuse(problems)
        if taken:
            await self._look()

    def _loaded(self, path: Path) -> PolicyFile:
        there = path.exists()
        if self._had_file and not there:
            raise BadSettings([GONE.format(path=path)])
        file, self._had_file = load(path), there
        return file

    async def _read_policy(self, path: Path) -> None:
        file = await asyncio.to_thread(self._loaded, path)
        zone = self._policy.workspace.timezone
        self._policy.replace(file)
        later = [] if file.workspace.timezone == zone else ["workspace.timezone"]
        log.info("policy read anew", file=str(path), at_the_next_start=later)

    async def _refuse(self, problems: Sequence[str]) -> None:
        for problem in problems:
            log.error("refused; what held before still holds", problem=problem)
        listed = "\n".join(f"- {problem}" for problem in problems)
        named = hashlib.sha256(listed.encode()).hexdigest()[:16]
        day = datetime.fromtimestamp(self._now(), UTC).date().isoformat()
        await self._alerts.tell(f"reload:{day}:{named}", REFUSED.format(problems=listed))
