"""Examine everything Purser needs, one line each with its mend: what `purser doctor` prints.

Each check returns findings and never raises for what it examines. The one call to Claude costs less than a hundredth
of a cent; it is booked as nobody's where there are books.
"""

import asyncio
import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, cast

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.app.clients import claude_client, jira_client, slack_client, slack_session
from bot.errors import StoreDown
from bot.ledger import Ledger
from bot.policy import Policy
from bot.prices import price
from bot.settings import MENDS, Settings
from bot.slack.manifest import SCOPES
from bot.store import Transaction
from bot.store.opening import beside, file_of, named
from bot.turn.response import Response
from bot.turn.rows import Cause, settled
from bot.usage import Usage
from integrations.claude import Claude, ModelFacts
from integrations.claude_errors import Busy, ClaudeError, ModelUnknown
from integrations.claude_events import Finished
from integrations.jira import JiraProblem

SKEW_SECONDS = 60  # of the clock, beyond which it is worth a look
SKEW_SECONDS_AT_MOST = 300  # beyond which Slack's signatures are refused
SOON_DAYS = 90  # before a model retires
VERY_SOON_DAYS = 30
CALL_SECONDS = 15.0  # for one answer of Claude or Jira

Colour = Literal["green", "yellow", "red"]
MARKS: dict[Colour, tuple[str, str]] = {
    "green": ("✔", "32"),
    "yellow": ("!", "33"),
    "red": ("✘", "31"),
}
"""Of a line: its sign, and the terminal's number for its colour."""

PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable"})
"""What Slack says when it is not our fault."""

# The SDK raises the last one for an answer in plain text, which is none of Slack's.
_NO_SLACK = (
    aiohttp.ClientError,
    SlackClientError,
    TimeoutError,
    OSError,
    AttributeError,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; `mend` says what to do and is "" when all is well."""

    name: str
    colour: Colour
    says: str
    mend: str = ""


async def examine(settings: Settings, policy: Policy, *, now: Callable[[], float]) -> list[Finding]:
    """Every finding, in the order in which one would mend them; what is not set up is not called."""
    called = await asyncio.gather(
        _database(settings.database_url),
        _slack(settings, now),
        _claude(settings, policy, now()),
        _jira(settings, policy),
    )
    here = [*_unset(settings), _policy(settings, policy)]
    return here + [finding for findings in called for finding in findings]


def show(findings: Sequence[Finding], *, as_json: bool, colour: bool) -> str:
    """The findings as lines for a terminal, or as one JSON document."""
    if as_json:
        return json.dumps([asdict(found) for found in findings], indent=2)
    return "\n".join(_line(found, colour=colour) for found in findings)


def _line(found: Finding, *, colour: bool) -> str:
    sign, number = MARKS[found.colour]
    sign = f"\x1b[{number}m{sign}\x1b[0m" if colour else sign
    return f"{sign} {found.name}: {found.says}" + (f" → {found.mend}" if found.mend else "")


# What is set here


def _unset(settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    for problem in settings.missing():
        name, _, words = problem.partition(": is not set; ")
        if name == "SLACK_SIGNING_SECRET":
            words += f", or for Socket Mode SLACK_APP_TOKEN: {MENDS['SLACK_APP_TOKEN']}"
        if words:
            found.append(Finding(name, "red", "is not set", words))
    return found


def _policy(settings: Settings, policy: Policy) -> Finding:
    file = settings.purser_policy
    where = str(file) if file.is_file() else f"there is no {file}, so the defaults hold"
    if not policy.admins:
        mend = 'name them in purser.toml: [admins], users = ["U0123456789"]'
        return Finding("Policy", "yellow", f"{where}; no admins are named", mend)
    return Finding("Policy", "green", where)


async def _database(url: SecretStr) -> list[Finding]:
    path = file_of(url)
    if path is not None and not path.exists():
        return [_no_database(path)]
    try:
        async with beside(url) as store:
            healthy = await store.ready()
    except StoreDown as error:
        return [Finding("Database", "red", str(error), f"see DATABASE_URL, now {named(url)}")]
    if not healthy:
        return [Finding("Database", "red", "does not answer", "check the disk and its space")]
    if path is not None and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        says = f"{path} may be read by others (mode {mode:o})"
        return [Finding("Database", "yellow", says, f"chmod 600 {path}")]
    return [Finding("Database", "green", f"{named(url)}, schema up to date")]


def _no_database(path: Path) -> Finding:
    folder = path.resolve().parent
    if not os.access(folder, os.W_OK):
        says = f"{path} cannot be made: {folder} is no folder that this user may write"
        return Finding("Database", "red", says, "make it, or name another in DATABASE_URL")
    return Finding("Database", "green", f"{path} will be made at the first start")


# Slack


async def _slack(settings: Settings, now: Callable[[], float]) -> list[Finding]:
    if settings.slack_bot_token is None:
        return []
    async with slack_session(settings) as session:
        client = slack_client(settings, session)
        try:
            answer = await client.auth_test()
        except (SlackApiError, *_NO_SLACK) as error:
            return [_no_slack("Slack bot token", error, MENDS["SLACK_BOT_TOKEN"])]
        headers = {name.lower(): str(value) for name, value in answer.headers.items()}
        found = [Finding("Slack bot token", "green", f"{answer['user']} in {answer['team']}")]
        found += _scopes(headers.get("x-oauth-scopes"))
        found.append(_clock(headers.get("date", ""), now()))
        if settings.slack_app_token is not None:
            found.append(await _socket(client, settings.slack_app_token.get_secret_value()))
        elif settings.slack_signing_secret is not None:
            says = "is set; whether it is the right one shows at Slack's first request"
            found.append(Finding("Slack signing secret", "green", says))
    return found


def _no_slack(name: str, error: Exception, mend: str) -> Finding:
    """What it means that a call was not answered with ok."""
    code = ""
    if isinstance(error, SlackApiError):
        data = getattr(error.response, "data", None)
        code = str(cast("dict[str, Any]", data).get("error", "")) if isinstance(data, dict) else ""
    if code in PASSING:
        return Finding(name, "yellow", f"Slack says {code}", "run the doctor again in a minute")
    if code:
        return Finding(name, "red", f"Slack says {code}", f"use {mend}")
    why = "not with Slack's words" if isinstance(error, SlackApiError) else type(error).__name__
    return Finding(
        name,
        "red",
        f"Slack did not answer ({why})",
        "check the network, HTTPS_PROXY, SSL_CERT_FILE and SLACK_API_URL",
    )


def _scopes(header: str | None) -> list[Finding]:
    """One finding for each scope that is missing, with what it is needed for."""
    if header is None:
        return [Finding("Slack scopes", "yellow", "Slack did not name them", "ask again later")]
    held = {scope.strip() for scope in header.split(",")}
    missing = [scope for scope in SCOPES if scope not in held]
    mend = "paste `purser manifest` into the app's manifest page and reinstall the app"
    found = [
        Finding(f"Slack scope {scope}", "red", f"is missing; it is needed to {SCOPES[scope]}", mend)
        for scope in missing
    ]
    return found or [Finding("Slack scopes", "green", f"all {len(SCOPES)} granted")]


def _clock(date: str, now: float) -> Finding:
    """How far this machine's clock is from Slack's, by the answer's date."""
    try:
        skew = round(abs(parsedate_to_datetime(date).timestamp() - now))
    except (ValueError, TypeError):
        return Finding("Clock", "yellow", "Slack told no time to compare with", "ask again later")
    if skew <= SKEW_SECONDS:
        return Finding("Clock", "green", f"within {SKEW_SECONDS} s of Slack's")
    colour: Colour = "red" if skew > SKEW_SECONDS_AT_MOST else "yellow"
    says = f"{skew} s from Slack's; at {SKEW_SECONDS_AT_MOST} s its requests are refused"
    return Finding("Clock", colour, says, "let this machine set its clock (NTP)")


async def _socket(client: AsyncWebClient, app_token: str) -> Finding:
    """Whether a connection is granted; none is opened, since it would be sent events."""
    try:
        await client.apps_connections_open(app_token=app_token)
    except (SlackApiError, *_NO_SLACK) as error:
        mend = f"{MENDS['SLACK_APP_TOKEN']}, and switch Socket Mode on"
        return _no_slack("Slack app token", error, mend)
    return Finding("Slack app token", "green", "opens Socket Mode connections")


# Claude


async def _claude(settings: Settings, policy: Policy, now: float) -> list[Finding]:
    if settings.anthropic_api_key is None:
        return []
    model = policy.rules("").quick_model
    async with claude_client(settings) as client:
        claude = Claude(client)
        try:
            await _book(settings.database_url, policy, await _one_token(claude, model), now)
            first = Finding("Claude", "green", f"{model} answers")
        except (Busy, ModelUnknown) as error:
            first = _no_claude("Claude", error)
        except ClaudeError as error:
            return [_no_claude("Claude", error)]  # the models cannot be asked about either
        models = sorted(policy.models())
        return [first, *await asyncio.gather(*(_model(claude, name, now) for name in models))]


async def _one_token(claude: Claude, model: str) -> Finished:
    request = {
        "model": model,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }
    events = claude.stream(request, silence_seconds=CALL_SECONDS)
    return [event async for event in events if isinstance(event, Finished)][-1]


async def _book(url: SecretStr, policy: Policy, finished: Finished, now: float) -> None:
    """Book the call, as every other; without a database there are no books yet."""
    rows = settled(Response.of(finished), Cause(purpose="answer", prompt_version=""), at=now)
    with suppress(StoreDown):  # which is a finding of its own
        async with beside(url) as store:
            ledger, tx = Ledger(store, zone=policy.workspace.zone, now=lambda: now), Transaction()
            for row in rows:
                ledger.book(tx, row)
            await store.commit(tx)


def _no_claude(name: str, error: ClaudeError) -> Finding:
    """An error's own sentence: what happened before the semicolon, what to do behind it."""
    sentence = str(error.__doc__)
    says, _, mend = sentence.rstrip(".").partition("; ")
    colour: Colour = "yellow" if isinstance(error, Busy) else "red"
    return Finding(name, colour, f"{says}{str(error).removeprefix(sentence)}", mend)


async def _model(claude: Claude, name: str, now: float) -> Finding:
    """Whether a model can be used, for how long, and whether its price is known."""
    try:
        facts = await claude.model(name)
    except ClaudeError as error:
        return _no_claude(f"Model {name}", error)
    colour, says = _life(facts, now)
    mend = "" if colour == "green" else "name its successor in purser.toml"
    if price(Usage(input_tokens=1), model=name, at=now) is not None:
        return Finding(f"Model {name}", colour, f"{says}, price known", mend)
    mend = "; ".join(part for part in (mend, "install a newer genai-prices") if part)
    says += ", price unknown: its cost is missing in the books"
    return Finding(f"Model {name}", "red" if colour == "red" else "yellow", says, mend)


def _life(facts: ModelFacts, now: float) -> tuple[Colour, str]:
    if facts.lifecycle == "retired":
        return "red", "is retired"
    if facts.retires_at is None:
        return ("green" if facts.lifecycle == "active" else "yellow"), f"is {facts.lifecycle}"
    days = (facts.retires_at - datetime.fromtimestamp(now, UTC)).days
    says = f"is {facts.lifecycle}, retires on {facts.retires_at:%Y-%m-%d}, in {days} days"
    if days < VERY_SOON_DAYS:
        return "red", says
    return ("yellow" if days < SOON_DAYS or facts.lifecycle != "active" else "green"), says


# Jira


async def _jira(settings: Settings, policy: Policy) -> list[Finding]:
    jira = jira_client(settings)
    if jira is None:
        unset = settings.jira_url is settings.jira_email is settings.jira_api_token is None
        return [Finding("Jira", "green", "is not set up; it is optional")] if unset else []
    try:
        me = await jira.myself(deadline=CALL_SECONDS)
        found = [Finding("Jira", "green", f"reads as {me.name}")]
        projects = sorted(policy.projects())
        if not projects:
            mend = 'jira_projects = ["KEY"] under [defaults] or [channels.…] in purser.toml'
            found.append(Finding("Jira projects", "yellow", "no channel may read any", mend))
        for key in projects:
            if key != "*" and not await jira.may_browse(key, deadline=CALL_SECONDS):
                says = f"{me.name} may not browse it, or there is no such project"
                mend = "grant Browse Projects in Jira, or take it out of purser.toml"
                found.append(Finding(f"Jira project {key}", "red", says, mend))
        return found
    except JiraProblem as error:
        says, *mend = re.split(r"; |\. ", str(error).rstrip("."), maxsplit=1)
        return [Finding("Jira", "red", says, *(mend or ["check JIRA_URL and JIRA_API_URL"]))]
    finally:
        await jira.close()
