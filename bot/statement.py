"""The books beside Claude's own reports, at the terminal: where they differ, and why.

The days are those of UTC: Claude's reports know no others.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TextIO

from bot.app.clients import admin_client, secret
from bot.desk import money
from bot.errors import PurserError
from bot.reconcile import CAUSES, Difference, Reconciler, Reconciliation
from bot.report import BadPeriod
from bot.settings import MENDS, Settings
from bot.store.opening import beside
from bot.tables import write
from integrations.claude_admin import AdminProblem

DAYS = 7  # that are compared by default


class NotCompared(PurserError):
    """The books could not be compared; the sentence says why, and what to do."""


async def reconcile(
    settings: Settings,
    out: TextIO,
    *,
    since: str | None,
    until: str | None,
    as_json: bool,
    now: Callable[[], float],
) -> int:
    """Write where our books and Claude's reports differ, and why; 1 where too much is unexplained.

    Args:
        settings: with ANTHROPIC_ADMIN_KEY.
        out: where to.
        since: the first day (UTC), by default seven whole days back.
        until: the day after the last one, by default today.
        as_json: one document instead of a table.
        now: seconds since the epoch.

    Raises:
        BadPeriod: a day cannot be read, or they stand the wrong way round.
        NotCompared: a key is not set, is none of that organization, or the reports cannot be read.
        StoreDown: the books cannot be read.
    """
    for name in ("ANTHROPIC_ADMIN_KEY", "ANTHROPIC_API_KEY"):
        if getattr(settings, name.lower()) is None:
            raise NotCompared(f"{name}: is not set; {MENDS[name]}")
    today = datetime.fromtimestamp(now(), UTC).date()
    end = _day(until) if until else today
    first = _day(since) if since else end - timedelta(days=DAYS)
    if first >= end:
        raise BadPeriod(f"--since {first} does not lie before --until {end}.")
    own = secret(settings.anthropic_api_key)
    async with admin_client(settings) as admin, beside(settings.database_url) as store:
        try:
            made = await Reconciler(store, admin, secret=own, now=now).between(first, end)
        except AdminProblem as problem:
            raise NotCompared(str(problem)) from None
    out.write(json.dumps(_document(made), indent=2) + "\n") if as_json else _show(made, out)
    return 0 if made.agrees else 1


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise BadPeriod(f"I don't know the day {text!r}. Write 2026-11-22; days are those of UTC.")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadPeriod(f"There is no day {text}. Write 2026-11-22.") from None


def _document(made: Reconciliation) -> dict[str, Any]:
    return {
        "since": made.since.isoformat(),
        "until": made.until.isoformat(),
        "agrees": made.agrees,
        "spent_usd": f"{made.spent:f}",
        "unexplained_usd": f"{made.unexplained:f}",
        "unexplained_share": f"{made.share:.6f}",
        "differences": [
            {
                "day": one.day.isoformat(),
                "model": one.model,
                "kind": one.kind,
                "ours": one.ours,
                "theirs": one.theirs,
                "causes": dict(one.causes),
                "unexplained": one.unexplained,
            }
            for one in made.differences
        ],
        "prices": [
            {
                "day": gap.day.isoformat(),
                "model": gap.model,
                "ours_usd": f"{gap.ours:f}",
                "theirs_usd": f"{gap.theirs:f}",
                "cause": "price version",
            }
            for gap in made.prices
        ],
    }


def _show(made: Reconciliation, out: TextIO) -> None:
    out.write(f"Our books and Claude's reports, {made.since} up to {made.until} (UTC)\n")
    if made.differences:
        heads = ("day", "model", "tokens", "ours", "theirs", "difference", "why")
        write(out, heads, [_line(one) for one in made.differences], words=3)
    out.writelines(
        f"{gap.day} {gap.model}: price version: {money(gap.ours)} here, {money(gap.theirs)} there\n"
        for gap in made.prices
    )
    out.writelines(
        f"{cause}: {CAUSES[cause]}\n"
        for cause in (*made.by_cause(), *(["price version"] if made.prices else []))
    )
    verdict = "that is little enough" if made.agrees else "that is too much"
    out.write(
        f"Unexplained: {money(made.unexplained)} of {money(made.spent)} ({made.share:.2%}); {verdict}.\n"
    )


def _line(one: Difference) -> list[str]:
    why = [f"{cause} {tokens:+,}" for cause, tokens in one.causes.items()]
    if one.unexplained:
        why.append(f"unexplained {one.unexplained:+,}")
    kind = one.kind.removesuffix("_tokens").replace("_", " ")
    numbers = (f"{one.ours:,}", f"{one.theirs:,}", f"{one.theirs - one.ours:+,}")
    return [one.day.isoformat(), one.model, kind, *numbers, ", ".join(why)]
