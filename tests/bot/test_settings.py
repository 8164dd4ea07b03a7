"""The environment is read whole: every problem at once, and no secret shown."""

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from bot.errors import BadSettings
from bot.settings import Settings, keyed

FULL = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret",
    "SLACK_APP_TOKEN": "xapp-1-secret",
    "ANTHROPIC_API_KEY": "sk-ant-secret",
}


def test_every_problem_is_named_at_once() -> None:
    """Malformed values are all reported together, each by its name."""
    with pytest.raises(BadSettings) as caught:
        Settings.read(
            {"SLACK_BOT_TOKEN": "hunter2", "PORT": "many", "LOG_LEVEL": "loud", "JIRA_URL": "x"}
        )

    names = {problem.split(":")[0] for problem in caught.value.problems}
    assert names == {"SLACK_BOT_TOKEN", "PORT", "LOG_LEVEL", "JIRA_URL"}


@pytest.mark.parametrize("value", ["many", "-1", "1.5"])
@pytest.mark.parametrize(
    ("name", "example"), [("SLACK_STREAMS", "18"), ("PORT", "3000"), ("METRICS_PORT", "9464")]
)
def test_a_number_that_is_none_is_told_with_an_example(name: str, example: str, value: str) -> None:
    """What to put there is said, as for every other setting."""
    with pytest.raises(BadSettings) as caught:
        Settings.read({name: value})
    (problem,) = caught.value.problems

    assert problem.startswith(f"{name}: should be a whole number")
    assert problem.endswith(f", such as {example}")


def test_a_secret_is_never_shown() -> None:
    """Neither a repr nor an error holds a secret's value."""
    settings = Settings.read(FULL | {"GITHUB_TOKEN": "ghp_hidden"})
    with pytest.raises(BadSettings) as caught:
        Settings.read({"SLACK_BOT_TOKEN": "hunter2"})

    assert "secret" not in repr(settings).replace("SecretStr", "").replace("secret=", "")
    assert "ghp_hidden" not in repr(settings)
    assert "hunter2" not in str(caught.value)


def test_nothing_is_missing_when_all_is_there() -> None:
    """Socket Mode needs two Slack tokens and Claude's key."""
    assert Settings.read(FULL).missing() == []


def test_what_is_missing_says_where_it_is_found() -> None:
    """An empty environment is told every name that is needed."""
    missing = Settings.read({}).missing()

    assert [m.split(":")[0] for m in missing[:3]] == [
        "SLACK_BOT_TOKEN",
        "ANTHROPIC_API_KEY",
        "SLACK_SIGNING_SECRET",
    ]
    assert all("; " in m or "Socket Mode" in m for m in missing)


def test_what_is_malformed_is_not_called_missing_too() -> None:
    """One name is one problem; what is good is read beside it."""
    environ = {"SLACK_APP_TOKEN": "hunter2", "ANTHROPIC_API_KEY_FILE": "/nowhere/key", "PORT": "80"}
    settings, problems = Settings.examine(environ)

    assert settings.port == 80
    assert [p.split(":")[0] for p in problems] == ["ANTHROPIC_API_KEY_FILE", "SLACK_APP_TOKEN"]
    missing = settings.missing(malformed=("ANTHROPIC_API_KEY", "SLACK_APP_TOKEN"))
    assert [m.split(":")[0] for m in missing] == ["SLACK_BOT_TOKEN"]


def test_a_dotenv_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    """A `.env` in another encoding is named, not a traceback."""
    (tmp_path / ".env").write_bytes("LOG_LEVEL=schön".encode("utf-16"))

    with pytest.raises(BadSettings, match=r"\.env: cannot be read"):
        Settings.read({}, dotenv=tmp_path / ".env")


def test_half_a_jira_is_a_problem() -> None:
    """Jira is set up with all three names or with none."""
    missing = Settings.read(FULL | {"JIRA_URL": "https://x.atlassian.net"}).missing()

    assert [m.split(":")[0] for m in missing] == ["JIRA_EMAIL", "JIRA_API_TOKEN"]


def test_a_twin_names_a_file(tmp_path: Path) -> None:
    """NAME_FILE reads the value from a file, without its line end; an unreadable one is named."""
    (tmp_path / "key").write_text("sk-ant-from-file\n")

    settings = Settings.read({"ANTHROPIC_API_KEY_FILE": str(tmp_path / "key")})
    assert settings.anthropic_api_key is not None
    assert settings.anthropic_api_key.get_secret_value() == "sk-ant-from-file"
    with pytest.raises(BadSettings, match="ANTHROPIC_API_KEY_FILE"):
        Settings.read({"ANTHROPIC_API_KEY_FILE": str(tmp_path / "nothing")})


def test_a_secret_in_the_place_of_its_file_is_not_shown() -> None:
    """Who puts the secret itself where its file should be named reads which name is wrong, and not the secret."""
    with pytest.raises(BadSettings) as wrong:
        Settings.read({"JIRA_API_TOKEN_FILE": "hunter2-hunter2"})

    assert "JIRA_API_TOKEN_FILE" in str(wrong.value)
    assert "hunter2" not in str(wrong.value)


def test_the_environment_wins_over_dotenv(tmp_path: Path) -> None:
    """A value of the environment stands before the same name in .env."""
    (tmp_path / ".env").write_text("PORT=1111\nLOG_LEVEL=debug\n")

    settings = Settings.read({"PORT": "2222"}, dotenv=tmp_path / ".env")
    assert (settings.port, settings.log_level) == (2222, "DEBUG")


def test_a_file_that_the_environment_names_wins_over_dotenv(tmp_path: Path) -> None:
    """A value in .env does not hide NAME_FILE of the environment, as where secrets are mounted; NAME itself does."""
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///purser.db\n")
    (tmp_path / "url").write_text("postgresql://db/books\n")
    environ = {"DATABASE_URL_FILE": str(tmp_path / "url")}

    def read(**more: str) -> str:
        settings = Settings.read({**environ, **more}, dotenv=tmp_path / ".env")
        return settings.database_url.get_secret_value()

    assert read() == "postgresql://db/books"
    assert read(DATABASE_URL="sqlite:///other.db") == "sqlite:///other.db"


def test_a_named_policy_must_exist() -> None:
    """PURSER_POLICY that points nowhere is a problem; without it the defaults hold."""
    with pytest.raises(BadSettings, match="PURSER_POLICY"):
        Settings.read({"PURSER_POLICY": "/nowhere/purser.toml"})


def test_the_settings_cannot_be_changed() -> None:
    """Settings are frozen once read."""
    with pytest.raises(ValueError, match="frozen"):
        Settings.read({}).port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://purser:s3cr%21t@db.example:5432/purser?sslmode=verify-full",
        "postgresql://db1:5432,db2:5432/purser?target_session_attrs=read-write",
        "postgresql://postgres:@/purser?host=/var/run/postgresql",
        "postgresql://[::1]/purser",
        "sqlite:////var/lib/purser/purser.db",
    ],
)
def test_an_address_of_either_engine_is_taken(url: str) -> None:
    """A file, or a server with whatever its driver takes behind the name, is left as it was written."""
    assert Settings.read({"DATABASE_URL": url}).database_url.get_secret_value() == url


def test_herokus_spelling_is_understood() -> None:
    """`postgres://` means `postgresql://`."""
    settings = Settings.read({"DATABASE_URL": "postgres://u:p@h/d"})

    assert settings.database_url.get_secret_value() == "postgresql://u:p@h/d"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://purser:hunter2@db/purser",
        "sqlite:purser.db",
        "sqlite:///",
        "postgresql:purser:hunter2",
        "postgresql://purser:hunt/er2@db/purser",  # a password that would be read as a name
        "postgresql://purser:hunt?er2@db/purser",
        "postgresql://purser:hunt#er2@db/purser",
        "postgresql://purser:hunter2@db/purser#hunter2",
        "postgresql://purser:hunter2@db/pur@ser",
        " postgresql://purser@hunter2@db/purser",
    ],
)
def test_an_address_that_could_be_misread_is_refused(url: str) -> None:
    """It is refused with an example, and no part of it is shown."""
    with pytest.raises(
        BadSettings, match=r"sqlite:///path or postgresql://user:password@"
    ) as caught:
        Settings.read({"DATABASE_URL": url})

    assert "hunt" not in str(caught.value)
    assert "er2" not in str(caught.value)


@pytest.mark.parametrize("url", [{}, {"DATABASE_URL": "sqlite:///purser.db"}], ids=["unset", "set"])
def test_sqlite_is_refused_on_heroku(url: dict[str, str]) -> None:
    """The disk of a dyno is thrown away every day: books that lie there are refused, with what to do."""
    with pytest.raises(BadSettings, match=r"every day.+heroku addons:create") as caught:
        Settings.read({"DYNO": "web.1", **url})

    assert [problem.split(":")[0] for problem in caught.value.problems] == ["DATABASE_URL"]


def test_one_problem_with_the_database_is_enough_on_heroku() -> None:
    """An address that is none is called that, and not SQLite."""
    _, problems = Settings.examine({"DYNO": "web.1", "DATABASE_URL": "mysql://h/d"})

    assert len(problems) == 1
    assert "should be" in problems[0]


@pytest.mark.parametrize(
    ("url", "then"),
    [
        ("postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d?sslmode=require"),
        ("postgres://u:p@h/d?a=b", "postgresql://u:p@h/d?a=b&sslmode=require"),
        ("postgres://u:p@h/d?sslmode=disable", "postgresql://u:p@h/d?sslmode=disable"),
    ],
)
def test_the_way_to_herokus_database_is_encrypted(url: str, then: str) -> None:
    """On a dyno `sslmode=require` is added where the address says nothing of it; elsewhere nothing is."""
    plain = Settings.read({"DATABASE_URL": url}).database_url
    there = Settings.read({"DATABASE_URL": url, "DYNO": "web.1"}).database_url

    assert there.get_secret_value() == then
    assert plain.get_secret_value() == url.replace("postgres:", "postgresql:")


def test_the_audits_key_comes_with_the_sessions() -> None:
    """On PostgreSQL the key is a session's option, after those that there are, and nowhere to be read."""
    key = "0123456789abcdef" * 4
    both = {"DATABASE_URL": "postgresql://u:p@h/n?sslmode=require", "AUDIT_KEY": key}
    plain = Settings.read(both)
    more = Settings.read({**both, "PGOPTIONS": "-c work_mem=8MB"})
    own = Settings.read({**both, "DATABASE_URL": "postgresql://h/n?options=-c%20jit%3Doff"})

    def options(settings: Settings) -> str:
        return str(conninfo_to_dict(settings.database_url.get_secret_value())["options"])

    assert options(plain) == f"-c purser.audit_key={key}"
    assert options(more) == f"-c work_mem=8MB -c purser.audit_key={key}"
    assert options(own) == f"-c jit=off -c purser.audit_key={key}"
    without = keyed(own.database_url, "").get_secret_value()
    assert conninfo_to_dict(without)["options"] == "-c jit=off -c purser.audit_key="
    assert key not in repr(own)
    assert "sslmode=require" in plain.database_url.get_secret_value()


@pytest.mark.parametrize(
    ("url", "key", "problem"),
    [
        ("sqlite:///purser.db", "k" * 32, "AUDIT_KEY: is for PostgreSQL"),
        ("postgresql://h/n", "short", "AUDIT_KEY: should be 32"),
        ("postgresql://h/n", "k" * 32 + " -c a=b", "AUDIT_KEY: should be 32"),
    ],
)
def test_an_audit_key_that_would_not_do_is_refused(url: str, key: str, problem: str) -> None:
    """With SQLite it would do nothing, short it would be guessed, and more than letters and digits it is no key."""
    _, problems = Settings.examine({"DATABASE_URL": url, "AUDIT_KEY": key})

    assert [one[: len(problem)] for one in problems] == [problem]


@pytest.mark.parametrize(
    "url",
    [
        "proxy.example:3128",
        "hunter2",
        "socks5://purser:hunter2@proxy.example:1080",
        "http://",
        "http://purser:hunter2@proxy.example:many",
    ],
)
def test_a_proxy_that_is_none_is_refused(url: str) -> None:
    """What could not be used is told before anything is sent, and nothing of it is shown."""
    with pytest.raises(BadSettings, match=r"HTTPS_PROXY: .+such as http://") as caught:
        Settings.read({"HTTPS_PROXY": url})

    assert "hunter2" not in str(caught.value)
    for good in ("http://proxy.example:3128", "https://purser:hunter2@proxy.example"):
        assert Settings.read({"HTTPS_PROXY": good}).https_proxy is not None


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    """SSL_CERT_FILE is read at the start, not at the first call."""
    (tmp_path / "ca.pem").write_text("nothing of that kind")

    with pytest.raises(BadSettings, match=r"SSL_CERT_FILE: .+ca\.pem holds no certificates"):
        Settings.read({"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
