"""What was done about a ticket, told to an admin alone: who read it or changed it, where, and by which rule it was denied."""

import re
from datetime import datetime

from bot.ask import Ask
from bot.audit import Audit
from bot.policy import Policy
from bot.slack.changes import ONLY_ADMINS
from bot.slack.costs import Names
from bot.store import Row

WORD = "audit"
MOST = 20  # records that are shown; the terminal has all
USAGE = "Name a ticket, such as `/purser audit SHOP-12`; `purser audit` at the terminal has everything else."
NONE = "Nothing was done about {key} by me, as far as the audit goes back."
HEAD = "| when | who | where | what | outcome |\n| --- | --- | --- | --- | --- |"
_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,20}-\d{1,9}")


class Audited:
    """Tells the last records about a ticket.

    Args:
        audit: where they lie.
        policy: who is an admin.
        people: what people and channels are called.
    """

    def __init__(self, audit: Audit, policy: Policy, people: Names) -> None:
        self._audit, self._policy, self._people = audit, policy, people

    async def say(self, rest: str, ask: Ask) -> str:
        """The answer to `audit KEY`, as Markdown.

        Raises:
            StoreDown: the audit cannot be read.
        """
        if not self._policy.is_admin(ask.user):
            return ONLY_ADMINS
        key = rest.strip().strip("`").upper()
        if not _KEY.fullmatch(key):
            return USAGE
        rows = await self._audit.about(ask.team, key, most=MOST)
        if not rows:
            return NONE.format(key=key)
        names = await self._people.names({str(row["user"]) for row in rows})
        names |= await self._people.channels({str(row["channel"]) for row in rows})
        lines = "\n".join(self._line(row, names) for row in rows)
        more = f"\nThese are the last {MOST}; `purser audit --ticket {key}` has all."
        return f"**{key}**\n\n{HEAD}\n{lines}\n{more if len(rows) == MOST else ''}".rstrip()

    def _line(self, row: Row, names: dict[str, str]) -> str:
        when = datetime.fromtimestamp(row["at"] / 1000, self._policy.workspace.zone)
        tool = str(row["reference"]).partition(" ")[0]
        what = f"`{_bare(tool)}`" if tool else str(row["action"])
        rule = f", denied by `{_bare(row['rule'])}`" if row["rule"] else ""
        who, where = (_bare(names.get(row[name]) or row[name]) for name in ("user", "channel"))
        return f"| {when:%Y-%m-%d %H:%M} | {who} | {where} | {what} | {row['outcome']}{rule} |"


def _bare(words: object) -> str:
    return " ".join(str(words).replace("`", "'").replace("|", "¦").split())
