"""Dates as JQL writes them, in UTC."""

import re
from datetime import UTC, datetime, timedelta

from bot.demo.jira.jql import Call, JqlProblem, Operand

RELATIVE = re.compile(r"(?P<sign>[+-]?)(?P<count>\d+)(?P<unit>[mhdwMy])")
UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "M": timedelta(days=30),
    "y": timedelta(days=365),
}


def moment(now: datetime, name: str, operand: Operand) -> datetime:
    """A date of a query: as written, relative (-7d), or a function such as startOfDay(-1d).

    Args:
        now: What relative dates count from.
        name: The field it stands beside, for the error's words.
        operand: As parsed.

    Raises:
        JqlProblem: It is no date.
    """
    if isinstance(operand, Call):
        return _called(now, name, operand)
    text = str(operand).replace("/", "-")
    relative = RELATIVE.fullmatch(text)
    if relative:
        span = UNITS[relative["unit"]] * int(relative["count"])
        return now + (span if relative["sign"] == "+" else -span)
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise JqlProblem(
        f"Date value '{operand}' for field '{name}' is invalid. Valid formats include: "
        "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format "
        "e.g. '-5d', '4w 2d'."
    )


def _called(now: datetime, name: str, call: Call) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=midnight.weekday())
    first = midnight.replace(day=1)
    month = (first + timedelta(days=32)).replace(day=1)
    moments = {
        "now": now,
        "startofday": midnight,
        "endofday": midnight + timedelta(days=1),
        "startofweek": monday,
        "endofweek": monday + timedelta(days=7),
        "startofmonth": first,
        "endofmonth": month,
    }
    if call.name.lower() not in moments:
        raise JqlProblem(
            f"A value provided by the function '{call.name}' is invalid for the field '{name}'."
        )
    moment = moments[call.name.lower()]
    if call.arguments:
        shift = RELATIVE.fullmatch(call.arguments[0])
        if shift is None:
            raise JqlProblem(
                f"Duration for function '{call.name}' should have the format (+/-)n(yMwdm)."
            )
        span = UNITS[shift["unit"]] * int(shift["count"])
        moment += -span if shift["sign"] == "-" else span
    return moment
