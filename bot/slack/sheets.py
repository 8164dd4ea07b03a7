"""An account as Slack shows it: sentences over a table, a chart of its days, and CSV. Pure."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from bot.account import Account
from bot.figures import PerAsk
from bot.report import Line, Report, cell
from bot.sentences import FEATURES, sentences
from bot.slack.blocks import Block
from bot.slack.blocks import money as to_the_last
from bot.slack.mrkdwn import escaped
from bot.slack.words import fenced

ROWS = 40  # of a table in Slack; the rest is in the total
CSV_ROWS = 100  # of a CSV in a message
BARS = 20  # days in a chart; Slack draws no more
CENT = Decimal("0.01")
SHARE = "share_cost"  # the button's action


def as_markdown(account: Account, where: str, limit: Decimal | None = None) -> str:
    """What a manager wants to know, and a table under it.

    Args:
        account: what was spent.
        where: the place, as people call it.
        limit: its budget of a month.
    """
    report = account.report
    title = f"**What Claude cost in {where}, {report.period.name}**"
    told = sentences(account, money=money, limit=limit, fine=to_the_last)
    if not report.lines:
        return f"{title}\n\nNothing." + "".join(f"\n- {line}" for line in told[1:])
    shown = report.lines[:ROWS] if report.by != "day" else report.lines[-ROWS:]
    rows = "\n".join(_row(line) for line in shown)
    head = f"| {report.by} | asks | cost | from cache |\n| --- | ---: | ---: | ---: |"
    total = _row(replace(report.total, key="**total**"))
    left_out = len(report.lines) - len(shown)
    last = (
        f"\n\n{left_out} more lines are in the total; `purser report` shows them."
        if left_out
        else ""
    )
    return "\n".join([title, *(f"- {line}" for line in told), "", head, rows, total]) + last


def as_file(report: Report) -> bytes:
    """A report as a CSV file, exact to the last digit."""
    return _written(report.table()).encode()


def as_csv(report: Report) -> str:
    """A report as a fenced block of CSV, exact to the last digit."""
    rows = report.table()
    kept = rows if len(rows) <= CSV_ROWS else [*rows[: CSV_ROWS - 1], rows[-1]]
    note = "" if kept is rows else f"\n{len(rows) - len(kept)} more lines: `purser report`."
    return f"{report.period.name}\n{fenced(_written(kept), 'csv')}{note}"


def chart(account: Account) -> Block | None:
    """The days as bars, the last ones where there are many; None where there is nothing to compare."""
    days = sorted(account.days.items())[-BARS:]
    if len(days) < 2 or not any(cost for _, cost in days):
        return None
    # A picture needs no more than cents: the only place where money is a float.
    points = [{"label": _short(day), "value": float(cost.quantize(CENT))} for day, cost in days]
    return {
        "type": "data_visualization",
        "title": f"Dollars a day, {_short(days[0][0])} to {_short(days[-1][0])}",
        "chart": {
            "type": "bar",
            "series": [{"name": "dollars", "data": points}],
            "axis_config": {"categories": [point["label"] for point in points]},
        },
    }


def dearest(asks: Mapping[PerAsk, str]) -> Block | None:
    """Where the dearest asks were answered, by their addresses, as a small line."""
    told = [
        f"<{url}|{FEATURES.get(one.feature, escaped(one.feature))} for {to_the_last(one.worst)}>"
        for one, url in asks.items()
    ]
    if not told:
        return None
    line = {"type": "mrkdwn", "text": f"The dearest: {', '.join(told)}"}
    return {"type": "context", "elements": [line]}


def share(ask_id: str) -> Block:
    """The button that shows a report to the whole channel."""
    button = {
        "type": "button",
        "action_id": SHARE,
        "text": {"type": "plain_text", "text": "Share in this channel"},
        "value": ask_id,
    }
    return {"type": "actions", "elements": [button]}


def money(amount: Decimal) -> str:
    """Dollars and cents; what is less than a cent but not nothing says so."""
    if 0 < amount < CENT:
        return "less than $0.01"
    return f"${amount.quantize(CENT, ROUND_HALF_UP):,}"


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def _row(line: Line) -> str:
    key = line.key.replace("|", "¦").replace("\n", " ")
    return f"| {key} | {line.asks} | {money(line.cost)} | {line.cached_share:.0%} |"


def _written(rows: list[dict[str, str | int]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()
