"""The environment, read once and frozen: which tokens, addresses and files this process works with.

Ground floor. `__main__` gives the mapping; nobody else reads the environment. Every problem is reported at once,
each with its name and the mend; a secret's value never appears in a repr or an error.
"""

import re
import ssl
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bot.errors import BadSettings

SQLITE = "sqlite:///"
POSTGRESQL = re.compile(
    r"postgresql://(?:[^@/?#]*@)?(?P<host>[\w.,:%\[\]-]*)(?P<name>/[^@?#]*)?(?:\?(?P<query>[^@#]*))?",
    re.ASCII,
)
"""What a database's address looks like. A password cannot be mistaken for a host or a name, which are shown."""

SETS_KEY = "-c purser.audit_key="
_BRINGS = re.compile(r"\s*-c\s*purser\.audit_key=\S*")

MENDS = {
    "SLACK_BOT_TOKEN": "the bot token (xoxb-…) from your Slack app's page, OAuth & Permissions",
    "SLACK_APP_TOKEN": "an app-level token (xapp-…) with connections:write, from Basic Information",
    "SLACK_SIGNING_SECRET": "the signing secret from your Slack app's page, Basic Information",
    "ANTHROPIC_API_KEY": "an API key (sk-ant-…) from the Claude Console",  # pragma: allowlist secret
    "ANTHROPIC_ADMIN_KEY": "an Admin key (sk-ant-admin…) from the Claude Console, Settings, Admin keys",  # pragma: allowlist secret
    "JIRA_URL": "the address of your Jira site, such as https://example.atlassian.net",
    "JIRA_EMAIL": "the e-mail address of the account that owns JIRA_API_TOKEN",
    "JIRA_API_TOKEN": "an API token of that account",
}
"""What to put there, for settings without a default."""

EXAMPLES = {
    "slack_api_url": "https://slack.com/api/",
    "anthropic_base_url": "https://api.anthropic.com",
    "jira_url": "https://example.atlassian.net",
    "jira_api_url": "https://api.atlassian.com/ex/jira/your-cloud-id",
    "github_api_url": "https://api.github.com",
    "otel_exporter_otlp_endpoint": "http://127.0.0.1:4318",
}
"""What an address looks like, for the settings that are one."""

NUMBERS = {
    "slack_streams": "a whole number of streams in a minute, such as 18",
    "port": "a whole number up to 65535, such as 3000",
    "metrics_port": "a whole number up to 65535, such as 9464",
}
"""What a number is, for the settings that are one."""

_HEROKU = "DYNO"  # set in each of Heroku's processes
_EPHEMERAL = (
    "DATABASE_URL: Heroku throws a dyno's disk away every day, and SQLite's books with it; add a database that stays, "
    "which sets it: `heroku addons:create heroku-postgresql`"
)
_LIES_BESIDE = "AUDIT_KEY: is for PostgreSQL; with SQLite the key lies in a file beside the database, so leave it out"
_KEY = re.compile(
    r"[A-Za-z0-9+/=_.-]{32,128}"
)  # nothing that a session's options would have to escape
_PREFIXES = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-"}
_JIRA = ("JIRA_URL", "JIRA_EMAIL", "JIRA_API_TOKEN")


class Settings(BaseModel):
    """All settings, by the names of the environment in lower case.

    Build it with `Settings.read(environ)`; `missing(...)` says what a command still needs.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    slack_streams: int = Field(default=18, ge=0)
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
    anthropic_admin_key: SecretStr | None = None
    jira_url: str | None = None
    jira_api_url: str | None = None
    jira_email: str | None = None
    jira_api_token: SecretStr | None = None
    github_token: SecretStr | None = None
    github_api_url: str = "https://api.github.com"
    database_url: SecretStr = SecretStr("sqlite:///purser.db")
    audit_key: SecretStr | None = None
    port: int = Field(default=3000, ge=0, le=65535)
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    purser_policy: Path = Path("purser.toml")
    https_proxy: SecretStr | None = None
    ssl_cert_file: Path | None = None
    otel_exporter_otlp_endpoint: str | None = None
    otel_exporter_otlp_headers: SecretStr | None = None
    log_level: str = "INFO"
    log_format: str | None = None

    _files: tuple[Path, ...] = ()

    @classmethod
    def read(cls, environ: Mapping[str, str], *, dotenv: Path | None = None) -> Self:
        """Settings from an environment, `.env` beneath it, and `NAME_FILE` twins.

        Raises:
            BadSettings: every malformed value, each with its name and the mend.
        """
        settings, problems = cls.examine(environ, dotenv=dotenv)
        if problems:
            raise BadSettings(problems)
        return settings

    @classmethod
    def examine(
        cls, environ: Mapping[str, str], *, dotenv: Path | None = None
    ) -> tuple[Self, list[str]]:
        """The same with what is malformed left out, and every problem beside it, each with its name."""
        problems: list[str] = []
        values = _dotenv(dotenv, problems)
        files = [dotenv] if dotenv is not None else []
        ours = {k: v for k, v in environ.items() if v}
        for name in ours:  # where the environment names a file, a value in .env counts no more
            values.pop(name.removesuffix("_FILE"), None)
        values.update(ours)
        found: dict[str, Any] = {}
        for name in cls.model_fields:
            upper = name.upper()
            if upper in values:
                found[name] = values[upper].strip()
            elif (twin := f"{upper}_FILE") in values and upper != "SSL_CERT":
                files.append(Path(values[twin]))
                try:
                    found[name] = Path(values[twin]).read_text(encoding="utf-8").strip()
                except (OSError, UnicodeDecodeError):
                    # Its value is not shown: it may be the secret itself, put there by mistake.
                    problems.append(f"{twin}: the file that it names cannot be read")
        if "PURSER_POLICY" in values and not Path(values["PURSER_POLICY"]).is_file():
            problems.append(f"PURSER_POLICY: there is no file {values['PURSER_POLICY']}")
        try:
            settings = cls(**found)
        except ValidationError as error:
            for e in error.errors():
                name = str(e["loc"][0])
                why = f"should be {NUMBERS[name]}" if name in NUMBERS else e["msg"]
                problems.append(f"{name.upper()}: {why.removeprefix('Value error, ')}")
                found.pop(name, None)
            settings = cls(**found)
        if _HEROKU in environ:
            settings = settings._on_heroku(problems)
        if settings.audit_key is not None:
            settings = settings.signing(settings.audit_key, environ.get("PGOPTIONS", ""), problems)
        return settings.read_from(files), problems

    @field_validator("slack_bot_token", "slack_app_token")
    @classmethod
    def _prefixed(cls, value: SecretStr | None, info: Any) -> SecretStr | None:
        prefix = _PREFIXES[info.field_name]
        if value is not None and not value.get_secret_value().startswith(prefix):
            raise ValueError(f"should begin with {prefix}; it is {MENDS[info.field_name.upper()]}")
        return value

    @field_validator(*EXAMPLES)
    @classmethod
    def _address(cls, value: str | None, info: Any) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            example = EXAMPLES[info.field_name]
            raise ValueError(f"should be an address such as {example}")
        return value.rstrip("/") + ("/" if info.field_name == "slack_api_url" else "")

    def _on_heroku(self, problems: list[str]) -> Self:
        """The same, fit for its databases, which stand beyond a network."""
        url = self.database_url.get_secret_value()
        if url.startswith(SQLITE):
            if not any(problem.startswith("DATABASE_URL") for problem in problems):
                problems.append(_EPHEMERAL)
            return self
        if "sslmode=" in url:
            return self
        url += ("&" if "?" in url else "?") + "sslmode=require"
        return self.model_copy(update={"database_url": SecretStr(url)})

    def signing(self, key: SecretStr, options: str, problems: list[str]) -> Self:
        """The same, whose sessions on PostgreSQL bring the audit's key along, after the options that they have."""
        if self.database_url.get_secret_value().startswith(SQLITE):
            problems.append(_LIES_BESIDE)
            return self
        url = keyed(self.database_url, key.get_secret_value(), options=options)
        return self.model_copy(update={"database_url": url})

    @field_validator("audit_key")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _KEY.fullmatch(value.get_secret_value()):
            raise ValueError(
                "should be 32 to 128 letters and digits, such as `openssl rand -hex 32` gives"
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _engine(cls, value: SecretStr) -> SecretStr:
        url = re.sub(r"^postgres://", "postgresql://", value.get_secret_value())
        if not POSTGRESQL.fullmatch(url) and not (url.startswith(SQLITE) and url != SQLITE):
            raise ValueError(
                "should be sqlite:///path or postgresql://user:"
                "password@host:5432/name; "
                "a sign of the password that is neither letter nor digit is written as %XX"
            )
        return SecretStr(url)

    @field_validator("https_proxy")
    @classmethod
    def _proxy(cls, value: SecretStr | None) -> SecretStr | None:
        """Its value is not shown: it may hold a password."""
        if value is None or _is_proxy(value.get_secret_value()):
            return value
        raise ValueError("should be an address such as http://proxy.example:3128")

    @field_validator("ssl_cert_file")
    @classmethod
    def _there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        try:
            ssl.create_default_context(cafile=value)
        except OSError as error:
            raise ValueError(f"{value} holds no certificates as PEM, or cannot be read") from error
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("should be one of DEBUG, INFO, WARNING, ERROR")
        return value.upper()

    @field_validator("log_format")
    @classmethod
    def _format(cls, value: str | None) -> str | None:
        if value not in {None, "json", "pretty"}:
            raise ValueError("should be json or pretty")
        return value

    def read_from(self, files: Sequence[Path]) -> Self:
        """These, known to have been read from some files."""
        self._files = tuple(files)
        return self

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files that secrets were read from, and those that were looked for."""
        return self._files

    @property
    def socket_mode(self) -> bool:
        """Whether Slack is reached by Socket Mode (an app token is set) or over HTTP."""
        return self.slack_app_token is not None

    @property
    def has_jira(self) -> bool:
        """Whether Jira is set up at all."""
        return self.jira_url is not None and self.jira_api_token is not None

    def missing(self, malformed: Collection[str] = ()) -> list[str]:
        """What `purser serve` still needs, each with where to find it; [] when nothing is.

        Args:
            malformed: names that `examine` has a problem with: set, though not well.
        """

        def there(name: str) -> bool:
            return name in malformed or getattr(self, name.lower()) is not None

        needed = ["SLACK_BOT_TOKEN", "ANTHROPIC_API_KEY"]
        by_http = not there("SLACK_APP_TOKEN")
        if by_http:
            needed.append("SLACK_SIGNING_SECRET")
        if any(there(name) for name in _JIRA):
            needed += _JIRA
        problems = [f"{name}: is not set; {MENDS[name]}" for name in needed if not there(name)]
        if by_http and not there("SLACK_SIGNING_SECRET"):
            problems.append(f"(or, for Socket Mode, SLACK_APP_TOKEN: {MENDS['SLACK_APP_TOKEN']})")
        return problems


def keyed(url: SecretStr, key: str, *, options: str = "") -> SecretStr:
    """An address on PostgreSQL whose sessions sign the audit by this key; with "" by the database's own in any case.

    Args:
        url: `postgresql://…`, with such a key or without.
        key: letters and digits.
        options: of sessions, where the address has none.
    """
    bare, _, query = url.get_secret_value().partition("?")
    parts = [part for part in query.split("&") if part]
    given = next((part for part in parts if part.startswith("options=")), "")
    words = unquote(given.removeprefix("options=")) if given else options
    words = (
        f"{_BRINGS.sub('', words)} {SETS_KEY}{key}".strip()
    )  # even an empty one: PGOPTIONS may bring another
    rest = [part for part in parts if part != given]
    return SecretStr(bare + "?" + "&".join([*rest, f"options={quote(words, safe='')}"]))


def brings_key(url: SecretStr) -> bool:
    """Whether sessions at this address are to bring a key of the audit along."""
    return bool(re.search(rf"{SETS_KEY}\S", unquote(url.get_secret_value())))


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _dotenv(path: Path | None, problems: list[str]) -> dict[str, str]:
    """What a `.env` says; nothing where there is none."""
    if path is None:
        return {}
    try:
        return {k: v for k, v in dotenv_values(path).items() if v}
    except (OSError, UnicodeDecodeError):
        problems.append(
            f"{path.name}: cannot be read; it should be UTF-8 text that this user may read"
        )
        return {}
