"""The policy file's keys: what a channel's rules are, their defaults, and what a file may say.

A file is read whole and checked whole: a broken one is refused with every problem named. Names and defaults are
those of the policy table in README.md.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from bot.errors import BadSettings
from bot.redaction import RULES

MODEL = "claude-sonnet-5-5"  # who answers where nothing else is said
TOOL_SECONDS_AT_MOST = 20  # seconds; every tool call has its result within this
_CHANNEL = re.compile(r"[CG][A-Z0-9]+", re.ASCII)
_REPOSITORY = re.compile(r"[\w.*-]+/[\w.*-]+", re.ASCII)
Outsiders = Literal["refuse", "no-tools", "allow"]

WIDE: Mapping[str, str] = {
    "web_allowed_hosts": "the public web",
    "allow_users": "all members",
    "redact": "all rules",
}
"""What is not named in these is not nothing."""


def emptiness(key: str, value: object) -> str:
    """What it means in words that a key's value is empty; "" where it is not."""
    if value not in (None, (), ""):
        return ""
    return "none" if value == () and key != "allow_users" else WIDE.get(key, "none")


def _fixed(name: str) -> str:
    if name.endswith("-latest"):
        raise ValueError(f"names a moving target; write the model itself, such as {MODEL}")
    return name


def _exact(value: Any) -> Any:
    """TOML gives floats; their shortest decimal form is what was written."""
    return Decimal(str(value)) if isinstance(value, int | float) else value


Model = Annotated[str, Field(min_length=3), AfterValidator(_fixed)]
Dollars = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1_000_000)]


class Rules(BaseModel):
    """One channel's effective values, by the names of the policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Model = MODEL
    effort: Literal["low", "medium", "high", "xhigh", "max"] = "medium"
    deep_model: Model = "claude-opus-5-5"
    quick_model: Model = "claude-haiku-5-5"
    fallback_model: Model | None = None
    monthly_budget_usd: Dollars = Decimal(50)
    confirm_above_usd: Dollars = Decimal("0.50")
    ask_limit_usd: Dollars = Decimal(2)
    ask_seconds: Annotated[int, Field(ge=10, le=3600)] = 600
    silence_seconds: Annotated[int, Field(ge=1, le=600)] = 90
    tool_seconds: Annotated[float, Field(gt=0, le=TOOL_SECONDS_AT_MOST)] = TOOL_SECONDS_AT_MOST
    rounds: Annotated[int, Field(ge=1, le=50)] = 12
    keep_warm: bool = True
    jira_projects: tuple[str, ...] = ()
    jira_writes: Literal["confirm", "off"] = "confirm"
    web_allowed_hosts: tuple[str, ...] | None = None
    web_private_origins: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    guests: Outsiders = "refuse"
    external: Outsiders = "refuse"
    person_in_flight: Annotated[int, Field(ge=1, le=1000)] = 5
    channel_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 20
    allow_users: tuple[str, ...] = ()
    instructions: str | None = None
    redact: tuple[str, ...] | None = None
    store_text: bool = True
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    see_persons: Literal["admins", "members"] = "admins"
    weekly_report: bool = False
    escalation_channel: str | None = None

    @field_validator("jira_projects")
    @classmethod
    def _project_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            if key != "*" and not (
                key.isascii() and key.replace("_", "").isalnum() and key.isupper()
            ):
                raise ValueError(f'{key!r} is no project key; write "SHOP", or "*" for all')
        return keys

    @field_validator("redact")
    @classmethod
    def _redaction_rules(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            if name not in RULES:
                raise ValueError(f"{name!r} is no redaction rule; there are {', '.join(RULES)}")
        return names

    @field_validator("repos")
    @classmethod
    def _repositories(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if not _REPOSITORY.fullmatch(pattern):
                raise ValueError(f'{pattern!r} is no repository; write "owner/name" or "owner/*"')
        return patterns

    @field_validator("escalation_channel")
    @classmethod
    def _channel_id(cls, channel: str | None) -> str | None:
        if channel is not None and not _CHANNEL.fullmatch(channel):
            raise ValueError(
                f"{channel!r} is no channel's id; it stands at the end of the channel's details, such as C0123456789"
            )
        return channel


class Workspace(BaseModel):
    """What holds for all channels together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str = "UTC"
    monthly_budget_usd: Dollars = Decimal(500)
    paused: bool = False

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f'{name!r} is no time zone; write one such as "Europe/Berlin"')
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose days and months the books follow."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy file that was found good; an absent file is an empty one."""

    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    channels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    admins: tuple[str, ...] = ()
    workspace: Workspace = field(default_factory=Workspace)


def load(path: Path) -> PolicyFile:
    """What a policy file says; nothing where there is none.

    Raises:
        BadSettings: every problem of the file, with its place.
    """
    if not path.exists():
        return PolicyFile()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadSettings([f"{path.name}: {error}"]) from None
    except (OSError, UnicodeDecodeError):
        raise BadSettings(
            [f"{path.name}: cannot be read; it should be UTF-8 text that this user may read"]
        ) from None
    return _checked(raw, path)


def _checked(raw: Mapping[str, Any], path: Path) -> PolicyFile:
    """The parts of a policy file, or every problem in it at once."""
    problems: list[str] = []
    known = ("defaults", "channels", "admins", "workspace")
    problems += [
        f"{path.name}: [{k}] is not known{_guess(k, known)}" for k in raw if k not in known
    ]
    defaults = _table(raw, "defaults", path, problems)
    _problems(Rules, defaults, f"{path.name} [defaults]", problems)
    channels = _table(raw, "channels", path, problems)
    for channel, own in channels.items():
        place = f"{path.name} [channels.{channel}]"
        if not isinstance(own, dict) or channel[:1] not in {"C", "G", "D"}:
            problems.append(
                f"{place}: should be a table named by a channel id, such as C0123456789"
            )
            continue
        _problems(Rules, cast("dict[str, Any]", own), place, problems)
        _instructions(cast("dict[str, Any]", own), path, place, problems)
    _instructions(defaults, path, f"{path.name} [defaults]", problems)
    workspace = _table(raw, "workspace", path, problems)
    _problems(Workspace, workspace, f"{path.name} [workspace]", problems)
    admins = _table(raw, "admins", path, problems).get("users", [])
    listed = cast("list[Any]", admins) if isinstance(admins, list) else [None]
    if any(not isinstance(user, str) or user[:1] not in {"U", "W"} for user in listed):
        problems.append(f'{path.name} [admins]: users should be a list such as ["U0123456789"]')
    if problems:
        raise BadSettings(problems)
    return PolicyFile(defaults, channels, tuple(cast("list[str]", admins)), Workspace(**workspace))


def _table(raw: Mapping[str, Any], name: str, path: Path, problems: list[str]) -> dict[str, Any]:
    value = raw.get(name, {})
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    problems.append(f"{path.name}: {name} should be a table, [{name}]")
    return {}


def _problems(
    model: type[BaseModel], values: Mapping[str, Any], place: str, problems: list[str]
) -> None:
    try:
        model(**values)
    except ValidationError as error:
        for e in error.errors():
            key = ".".join(str(part) for part in e["loc"][:1])
            if e["type"] == "extra_forbidden":
                problems.append(f"{place}: {key} is not known{_guess(key, model.model_fields)}")
            else:
                problems.append(f"{place}: {key}: {e['msg'].removeprefix('Value error, ')}")


def _instructions(values: dict[str, Any], path: Path, place: str, problems: list[str]) -> None:
    """`instructions = "@file.md"` means the text of that file beside the policy."""
    named = values.get("instructions")
    if isinstance(named, str) and named.startswith("@"):
        try:
            values["instructions"] = (path.parent / named[1:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            problems.append(f"{place}: instructions: the file {named[1:]} cannot be read")


def _guess(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
