"""Several bots at the same stand-ins and on one PostgreSQL, of which Slack speaks to whichever it is told to."""

from contextlib import closing
from pathlib import Path
from typing import Any, LiteralString, Self, cast

import psycopg
from psycopg.rows import dict_row

from tests.stories.world import Row, World


class OnPostgres(World):
    """A world whose bot has its database on PostgreSQL."""

    _url: str

    def environ(self) -> dict[str, str]:
        """See `World.environ`."""
        return super().environ() | {"DATABASE_URL": self._url}

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """See `World.rows`."""
        text = cast("LiteralString", sql.replace("%", "%%").replace("?", "%s"))
        with closing(psycopg.connect(self._url, autocommit=True)) as db:
            return db.cursor(row_factory=dict_row).execute(text, values).fetchall()

    def share(self, beside: World) -> None:
        """Be at the same stand-ins as another one."""
        self.slack, self.claude, self.jira = beside.slack, beside.claude, beside.jira
        self.github, self.web = beside.github, beside.web

    def write_policy(self) -> None:
        """Lay the policy's file."""
        (self.folder / "purser.toml").write_text(self._toml(), encoding="utf-8")


class Replica(OnPostgres):
    """One of them, by default over signed HTTP: a balancer in front of them is played by `listen`.

    Args:
        folder: of its own, for its policy and log.
        url: of the database.
        beside: another one, whose stand-ins it shares.
        http: or in Socket Mode, where Slack itself speaks to them in turn.
        more: see `World`.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        beside: "Replica | None" = None,
        http: bool = True,
        **more: Any,
    ) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, http=http, **more)
        self._url, self._beside = url, beside
        if beside is not None:
            self.share(beside)

    async def __aenter__(self) -> Self:
        if self._beside is None:
            return await super().__aenter__()
        self.write_policy()
        return self

    def listen(self) -> None:
        """Slack speaks to this one from now on."""
        self.slack.events_url = f"http://127.0.0.1:{self.port}/slack/events"
