"""Which tickets a JQL tree means: fields, functions and dates, for one account's eyes."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bot.demo.jira.adf import plain
from bot.demo.jira.dates import moment
from bot.demo.jira.jql import (
    Call,
    Clause,
    JqlProblem,
    Negation,
    Operand,
    Query,
    Tree,
    clauses,
    parse,
)
from bot.demo.jira.world import Account, Issue, World

PRIORITIES = ["Lowest", "Low", "Medium", "High", "Highest"]
CATEGORIES = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
ALIASES = {
    "issuekey": "key",
    "issue": "key",
    "id": "key",
    "type": "issuetype",
    "due": "duedate",
    "resolved": "resolutiondate",
    "createddate": "created",
    "updateddate": "updated",
    "fixversion": "fixVersions",
    "component": "components",
    "statuscategory": "statusCategory",
    "cf[10016]": "points",
    "story points": "points",
    "story point estimate": "points",
    "cf[10020]": "sprint",
    "level": "security",
}
DATES = frozenset({"created", "updated", "duedate", "resolutiondate"})
TEXTS = frozenset({"summary", "description", "comment", "text"})
PEOPLE = frozenset({"assignee", "reporter", "creator"})
PLAIN = frozenset(
    [
        "key",
        "project",
        "status",
        "statusCategory",
        "issuetype",
        "priority",
        "labels",
        "components",
        "fixVersions",
        "sprint",
        "parent",
        "resolution",
        "security",
        "points",
    ]
)
FUNCTIONS = frozenset(
    [
        "currentuser",
        "opensprints",
        "closedsprints",
        "futuresprints",
        "now",
        "startofday",
        "endofday",
        "startofweek",
        "endofweek",
        "startofmonth",
        "endofmonth",
    ]
)


class Finder:
    """Runs queries for one account at one moment.

    Args:
        world: The site.
        viewer: Whose eyes; hidden tickets are never among the matches.
        now: Epoch seconds; dates and "today" are in UTC.
    """

    def __init__(self, world: World, viewer: Account, now: float) -> None:
        self._world = world
        self._viewer = viewer
        self._now = datetime.fromtimestamp(now, UTC)

    def find(self, jql: str) -> list[Issue]:
        """The matches in the order asked for (newest key first without one).

        Raises:
            JqlProblem: With Jira's words: no JQL, unbounded, unknown field, value or function.
        """
        query = parse(jql)
        if query.where is None:
            raise JqlProblem(
                "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
            )
        for clause in clauses(query.where):
            self._check(clause)
        found = [i for i in self._world.seen(self._viewer) if self._matches(query.where, i)]
        return self._sorted(found, query)

    def narrow(self, jql: str, issues: Iterable[Issue]) -> list[Issue]:
        """Those of the given tickets that a query means; here it may be only an order.

        Raises:
            JqlProblem: As `find`.
        """
        query = parse(jql)
        for clause in clauses(query.where):
            self._check(clause)
        where = query.where
        return self._sorted([i for i in issues if where is None or self._matches(where, i)], query)

    def _sorted(self, found: list[Issue], query: Query) -> list[Issue]:
        found.sort(key=_key_order, reverse=True)
        for name, descending in reversed(query.order):
            field = _field(name)
            if field not in PLAIN | DATES | PEOPLE | {"summary"}:
                raise JqlProblem(
                    f"Not able to sort using field '{name}'." if field in TEXTS else _no_field(name)
                )
            found.sort(key=self._order(field), reverse=descending)
        return found

    def _order(self, field: str) -> Callable[[Issue], Any]:
        if field == "key":
            return _key_order
        if field == "priority":
            return lambda issue: PRIORITIES.index(issue.priority)
        return lambda issue: tuple(str(v) for v in self._values(field, issue))

    def _check(self, clause: Clause) -> None:
        """Unknown names are errors of the whole query, as in Jira."""
        field = _field(clause.field)
        if field not in PLAIN | DATES | PEOPLE | TEXTS:
            raise JqlProblem(_no_field(clause.field))
        if clause.operator in {"~", "!~"} and field not in TEXTS:
            raise JqlProblem(
                f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
            )
        if clause.operator in {"=", "!="} and field in TEXTS:
            raise JqlProblem(
                f"The operator '{clause.operator}' is not supported by the '{clause.field}' field."
            )
        for operand in clause.operands:
            self._check_operand(clause, field, operand)

    def _check_operand(self, clause: Clause, field: str, operand: Operand) -> None:
        if isinstance(operand, Call):
            if operand.name.lower() not in FUNCTIONS:
                raise JqlProblem(
                    f"Unable to find JQL function '{operand.name}({', '.join(operand.arguments)})'."
                )
            return
        if operand is None:
            return
        known = self._known(field)
        if known is not None and operand.lower() not in known:
            if field == "key":
                raise JqlProblem(
                    f"An issue with key '{operand}' does not exist for field '{clause.field}'."
                )
            raise JqlProblem(
                f"The value '{operand}' does not exist for the field '{clause.field}'."
            )
        if field in DATES:
            moment(self._now, clause.field, operand)

    def _known(self, field: str) -> set[str] | None:
        """What may stand as a value, in small letters; None where anything may."""
        world, viewer = self._world, self._viewer
        if field == "project":
            seen = [p for p in world.projects.values() if p.key in viewer.projects]
            return {v.lower() for p in seen for v in (p.key, p.id, p.name)}
        if field == "status":
            return {v.lower() for s in world.statuses.values() for v in (s.name, s.id)}
        if field == "issuetype":
            return {v.lower() for t in world.types.values() for v in (t.name, t.id)}
        if field == "priority":
            return {p.lower() for p in PRIORITIES}
        if field == "statusCategory":
            return {v.lower() for pair in CATEGORIES.items() for v in pair}
        if field == "key":
            seen_keys = {v.lower() for i in world.seen(viewer) for v in (i.key, i.id)}
            return seen_keys | {
                old.lower() for old in world.moved if world.find(old, viewer) is not None
            }
        return None

    def _matches(self, tree: Tree, issue: Issue) -> bool:
        if isinstance(tree, Negation):
            return not self._matches(tree.part, issue)
        if isinstance(tree, Clause):
            return self._clause(tree, issue)
        results = (self._matches(part, issue) for part in tree.parts)
        return all(results) if tree.every else any(results)

    def _clause(self, clause: Clause, issue: Issue) -> bool:
        field, operator = _field(clause.field), clause.operator
        values = self._values(field, issue)
        if operator in {"is", "is not"} or clause.operands == (None,):
            return (not values) == (operator in {"is", "="})
        if operator in {"~", "!~"}:
            hit = any(_contains(v, str(clause.operands[0])) for v in values)
            return hit if operator == "~" else not hit
        if operator in {"<", ">", "<=", ">="}:
            return self._compared(clause, field, operator, values)
        wanted = {w for o in clause.operands for w in self._wanted(field, clause.field, o)}
        hit = any(str(v).lower() in wanted for v in values)
        if None in clause.operands and not values:
            hit = True
        if operator in {"!=", "not in"}:
            return bool(values) and not hit  # Jira: an empty field matches no negation
        return hit

    def _compared(self, clause: Clause, field: str, operator: str, values: list[Any]) -> bool:
        operand = clause.operands[0]
        if field in DATES:
            limit: Any = moment(self._now, clause.field, operand)
        elif field == "priority":
            values = [PRIORITIES.index(v) for v in values]
            limit = PRIORITIES.index(str(operand).capitalize())
        elif field == "key":
            values, limit = [_key_order_of(values[0])], _key_order_of(str(operand))
        elif field == "points":
            limit = float(str(operand))
        else:
            raise JqlProblem(
                f"The operator '{operator}' is not supported by the '{clause.field}' field."
            )
        tests = {
            "<": lambda a: a < limit,
            ">": lambda a: a > limit,
            "<=": lambda a: a <= limit,
            ">=": lambda a: a >= limit,
        }
        return any(tests[operator](value) for value in values)

    def _wanted(self, field: str, name: str, operand: Operand) -> Iterable[str]:
        world = self._world
        if isinstance(operand, Call):
            call = operand.name.lower()
            if call == "currentuser":
                return [self._viewer.account_id.lower()]
            states = {"opensprints": "active", "closedsprints": "closed", "futuresprints": "future"}
            if call in states:
                return [str(s.id) for s in world.sprints.values() if s.state == states[call]]
            return [str(moment(self._now, name, operand)).lower()]
        if operand is None:
            return []
        if field in DATES:
            return [str(moment(self._now, name, operand)).lower()]
        if field == "key":
            issue = world.find(operand, self._viewer)
            return [issue.key.lower()] if issue else []
        if field in PEOPLE:
            return [
                a.account_id.lower()
                for a in world.accounts.values()
                if operand.lower() in {a.account_id.lower(), a.name.lower(), a.email.lower()}
            ]
        return [self._canonical(field, operand).lower()]

    def _canonical(self, field: str, operand: str) -> str:
        """Ids and names mean the same."""
        low, world = operand.lower(), self._world
        if field == "project":
            names = {v.lower(): p.key for p in world.projects.values() for v in (p.name, p.id)}
            return names.get(low, operand)
        if field == "status":
            return {s.id: s.name for s in world.statuses.values()}.get(operand, operand)
        if field == "issuetype":
            return {t.id: t.name for t in world.types.values()}.get(operand, operand)
        if field == "statusCategory":
            return CATEGORIES.get(low, operand)
        if field == "sprint":
            return {s.name.lower(): str(s.id) for s in world.sprints.values()}.get(low, operand)
        return operand

    def _values(self, field: str, issue: Issue) -> list[Any]:
        single: dict[str, Any] = {
            "key": issue.key,
            "project": issue.project,
            "status": issue.status,
            "statusCategory": CATEGORIES[self._world.statuses[issue.status].category],
            "issuetype": issue.type,
            "priority": issue.priority,
            "sprint": issue.sprint,
            "parent": issue.parent,
            "resolution": issue.resolution,
            "security": issue.security,
            "points": issue.points,
            "assignee": issue.assignee,
            "reporter": issue.reporter,
            "creator": issue.reporter,
            "summary": issue.summary,
            "created": datetime.fromtimestamp(issue.created, UTC),
            "updated": datetime.fromtimestamp(issue.updated, UTC),
            "resolutiondate": issue.resolved and datetime.fromtimestamp(issue.resolved, UTC),
            "duedate": issue.due and datetime.fromisoformat(issue.due).replace(tzinfo=UTC),
        }
        if field in single:
            return [] if single[field] in (None, "") else [single[field]]
        if field == "labels":
            return issue.labels
        if field == "components":
            return issue.components
        if field == "fixVersions":
            return issue.versions
        words = [plain(c.body) for c in self._world.comments(issue, self._viewer)]
        if field == "comment":
            return words
        description = [plain(issue.description)] if issue.description else []
        return description if field == "description" else [issue.summary, *description, *words]


def _field(name: str) -> str:
    low = name.lower()
    if low in ALIASES:
        return ALIASES[low]
    known = {f.lower(): f for f in PLAIN | DATES | PEOPLE | TEXTS}
    return known.get(low, low)


def _no_field(name: str) -> str:
    return f"Field '{name}' does not exist or you do not have permission to view it."


def _key_order_of(key: str) -> tuple[str, int]:
    project, _, number = key.upper().rpartition("-")
    return project, int(number) if number.isdigit() else 0


def _key_order(issue: Issue) -> tuple[str, int]:
    return _key_order_of(issue.key)


def _contains(value: object, wanted: str) -> bool:
    """Every word of `wanted` begins a word of the value; a quoted phrase stands as it is."""
    text = str(value).lower()
    if wanted.startswith('"') and wanted.endswith('"') and len(wanted) > 1:
        return wanted[1:-1].lower() in text
    words = re.findall(r"\w+", text)
    return all(
        any(w.startswith(part) if "*" in wanted else w == part or w.startswith(part) for w in words)
        for part in re.findall(r"\w+", wanted.lower())
    )
