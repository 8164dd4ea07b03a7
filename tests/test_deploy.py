"""What the bot is started with elsewhere: each file names settings, commands, files and routes that there are."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot.__main__ import main
from bot.settings import Settings
from bot.slack.transport import CLOSE_SECONDS, http_app
from bot.worker import DRAIN_SECONDS

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
UNIT = (ROOT / "deploy" / "purser.service").read_text(encoding="utf-8")
APP: dict[str, Any] = json.loads((ROOT / "app.json").read_text(encoding="utf-8"))

SET = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "1",
    "ANTHROPIC_API_KEY": "sk-ant-1",
}
SOCKET_PROCESSES = 5  # each holds two of the ten connections that Slack gives an app
HEROKU_SECONDS = 30.0  # from SIGTERM to SIGKILL
CLOSING_SECONDS = 3.0  # for what is left once everybody was told, such as traces


def settings_of(names: Iterable[str]) -> list[str]:
    """The settings that environment names set; those by which a file is named, too."""
    return [name.removesuffix("_FILE") for name in names]


def unknown(names: Iterable[str]) -> list[str]:
    """Of these names, those that no setting has."""
    return [name for name in settings_of(names) if name.lower() not in Settings.model_fields]


def lacking(names: Iterable[str]) -> list[str]:
    """What `purser serve` would still need, with these set."""
    return Settings.read({name: SET[name] for name in names if name in SET}).missing()


def refused(line: Sequence[str]) -> str:
    """Why `purser` would not take this command line; "" where it would."""
    name, *arguments = line
    command = main.commands.get(name)
    if command is None:
        return f"there is no command {name}"
    try:
        command.make_context(name, arguments, resilient_parsing=False)
    except click.ClickException as error:
        return error.format_message()
    return ""


def section(name: str) -> dict[str, list[str]]:
    """The values of each key in a part of the systemd unit."""
    found: dict[str, list[str]] = {}
    for line in UNIT.split(f"[{name}]\n", 1)[1].split("\n[", 1)[0].splitlines():
        if line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


# Heroku


def test_each_line_of_the_procfile_is_a_command() -> None:
    """The web process listens to the world, the release migrates, and each line is one that `purser` takes."""
    lines = [line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines()]
    commands = {name: shlex.split(command) for name, command in lines}

    assert set(commands) == {"web", "release", "worker"}
    assert {name: line[0] for name, line in commands.items()} == dict.fromkeys(commands, "purser")
    assert [refused(line[1:]) for line in commands.values()] == ["", "", ""]
    assert commands["web"][1:] == ["serve", "--host", "0.0.0.0"]  # noqa: S104 - the router is before it
    assert commands["release"][1:] == ["migrate"]


def test_a_stop_ends_before_heroku_kills() -> None:
    """What runs gets its time, open requests theirs, and both are over in half a minute."""
    assert DRAIN_SECONDS + CLOSE_SECONDS + CLOSING_SECONDS <= HEROKU_SECONDS


def test_the_button_asks_for_what_serving_needs() -> None:
    """app.json names settings alone, requires those without which nothing starts, and brings a database."""
    env: dict[str, dict[str, Any]] = APP["env"]
    required = [name for name, one in env.items() if one.get("required")]

    assert unknown(env) == []
    assert lacking(required) == []
    assert [one for one in env.values() if not one["description"]] == []
    assert [plan for plan in APP["addons"] if plan.startswith("heroku-postgresql")]
    assert "DATABASE_URL" not in env
    assert set(APP["formation"]) <= {"web", "worker"}


def test_what_heroku_installs_is_pinned() -> None:
    """requirements.txt installs the project itself, by the constraints."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not line.startswith("#")] == [
        "--constraint constraints.txt",
        ".",
    ]


# The image


def instructions(name: str) -> list[str]:
    """What stands behind each instruction of that name in the Dockerfile."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name}\s+(.+)$", joined, re.MULTILINE)


def test_the_image_serves_as_nobody() -> None:
    """It is built in one stage and run in another, by a user that is not root, who may write nothing of the program."""
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]

    assert len(instructions("FROM")) == 2
    assert instructions("USER") == [
        "10001:10001"
    ]  # by number: who starts it can tell it is not root
    assert "groupadd --gid 10001 " in last  # not the next free one, which changes with the base
    assert last.index("\nUSER ") > last.index("\nCOPY ")
    assert "--chown" not in DOCKERFILE
    assert instructions("ENTRYPOINT") == ['["purser"]']
    assert refused(json.loads(instructions("CMD")[-1])) == ""


def test_the_image_is_asked_for_its_health_where_it_answers() -> None:
    """The health check asks a route that there is, on the port that the image listens on, and its code is a program."""

    async def ready() -> bool:
        return True

    routes = {
        route.resource.canonical
        for route in http_app(None, ready=ready).router.routes()
        if route.resource
    }
    [health] = re.findall(
        r"^HEALTHCHECK.+?CMD (\[.+?\])$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE
    )
    program = json.loads(health)
    [asked] = re.findall(r"'GET', '([^']+)'", program[-1])

    assert program[:2] == ["python", "-c"]
    compile(program[-1], "HEALTHCHECK", "exec")
    assert asked in routes
    assert "os.environ['PORT']" in program[-1]
    assert "PORT=3000" in instructions("ENV")[-1]
    assert instructions("EXPOSE") == ["3000"]


def test_the_image_is_built_of_what_there_is() -> None:
    """Each path that is copied is in the tree, let through to the build, and no secret is among them."""
    copied = [
        path for line in instructions("COPY") if "--from" not in line for path in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert sorted(f"!{path}" for path in copied) == sorted(
        line for line in ignored if line[:1] == "!"
    )
    assert "*" in ignored
    environment = re.findall(r"([A-Z_]+)=", instructions("ENV")[-1])  # of the stage that runs
    ours = [name for name in environment if name != "PATH" and not name.startswith("PYTHON")]
    assert unknown(ours) == []
    given = {name for one in COMPOSE["services"].values() for name in one.get("environment", ())}
    assert given.isdisjoint(f"{name}_FILE" for name in ours)  # the value would hide the file


def test_a_new_purser_alone_is_built_without_its_libraries() -> None:
    """They are installed before its code is copied, pinned, and no pip comes along into the image."""
    build = DOCKERFILE.replace("\\\n", " ").rsplit("\nFROM ", 1)[0].splitlines()
    libraries, ours = (n for n, line in enumerate(build) if " install " in line)

    assert [n for n, line in enumerate(build) if re.match("COPY (bot|prompts|integrations) ", line)]
    for n, line in enumerate(build):
        if line.startswith("COPY"):
            early = set(line.split()[1:-1]) == {"constraints.txt", "pyproject.toml"}
            assert n < libraries if early else libraries < n < ours
    assert "--no-deps" in build[ours]
    assert "PIP_CONSTRAINT=/src/constraints.txt" in instructions("ENV")[0]
    assert "venv --without-pip /opt/purser" in DOCKERFILE
    assert (
        "uninstall --yes pip" in build[libraries]
    )  # a library asks for it, for a command of its own


# Compose


def test_compose_names_settings_and_secrets_that_there_are() -> None:
    """Each name that the bot is given is a setting's, no secret stands in the file, and each that is mounted is declared."""
    ours = [COMPOSE["services"][name] for name in ("migrate", "bot")]
    serving = ours[1]["environment"]

    for one in ours:
        assert unknown(one["environment"]) == []
        assert one["read_only"] is True
        assert "/tmp" in one["tmpfs"]  # what is put aside for a moment
        assert one["cap_drop"] == ["ALL"]
    assert lacking(settings_of(serving)) == []
    for service in COMPOSE["services"].values():
        mounted = set(service.get("secrets", ()))
        assert mounted <= set(COMPOSE["secrets"])
        files = {v for k, v in service.get("environment", {}).items() if k.endswith("_FILE")}
        assert files == {f"/run/secrets/{name}" for name in mounted}
    secret = re.compile("TOKEN|KEY|SECRET|PASSWORD|DATABASE_URL")
    assert [name for name in serving if secret.search(name) and not name.endswith("_FILE")] == []


def test_compose_serves_twice_after_migrating_once() -> None:
    """Two of the bot begin when the database is healthy and migrated, and get longer to stop than they take."""
    services = COMPOSE["services"]
    bot, migrate = services["bot"], services["migrate"]

    assert bot["deploy"]["replicas"] == 2
    assert refused(migrate["command"]) == ""
    assert bot["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert migrate["depends_on"]["database"] == {"condition": "service_healthy"}
    assert services["database"]["healthcheck"]["test"][1:3] == ["pg_isready", "--host=127.0.0.1"]
    assert int(bot["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS + CLOSE_SECONDS
    assert "ports" not in services["database"]
    assert "SLACK_APP_TOKEN_FILE" in bot["environment"]  # two of it, and no balancer


def test_compose_builds_its_image_once_and_mounts_files_that_there_are() -> None:
    """One service builds, the other waits for what it builds; where a file to mount is missing, no folder takes its place."""
    services = COMPOSE["services"]
    ours = {name: one for name, one in services.items() if one["image"] == COMPOSE["name"]}

    assert set(ours) == {"bot", "migrate"}
    assert [name for name, one in ours.items() if "build" in one] == ["bot"]
    assert ours["migrate"]["pull_policy"] == "never"
    for one in ours.values():
        binds = [mount for mount in one["volumes"] if mount["type"] == "bind"]
        assert [mount["bind"]["create_host_path"] for mount in binds] == [False] * len(binds)
        assert [mount["target"] for mount in binds] == [
            f"{instructions('WORKDIR')[-1]}/purser.toml"
        ]


def test_the_page_upgrades_compose_beside_the_old_ones() -> None:
    """Its steps migrate before they start as many again as there are, no more than Slack lets in, and end those last."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    [steps] = [block.splitlines() for block in re.findall(r"```\n(old=.+?)```", page, re.DOTALL)]
    migrated = steps.index("docker compose up -d migrate")
    [started] = [n for n, step in enumerate(steps) if "--no-recreate" in step]
    options = shlex.split(steps[started])
    count = int(options[options.index("--scale") + 1].removeprefix("bot="))

    assert {"bot", "migrate"} <= set(COMPOSE["services"])
    assert steps.index("docker compose build") < migrated < started
    assert steps[-1] == "docker stop $old && docker rm $old"
    assert count == 2 * COMPOSE["services"]["bot"]["deploy"]["replicas"]
    assert count <= SOCKET_PROCESSES
    assert "--no-deps" not in options  # Compose would make them anew at the next `up`


def test_the_files_of_secrets_stay_out_of_the_tree() -> None:
    """What compose reads secrets from is ignored by git."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    assert {Path(one["file"]).parts[0] + "/" for one in COMPOSE["secrets"].values()} <= set(ignored)


# systemd


def test_the_unit_starts_a_command_that_there_is() -> None:
    """ExecStart is a whole path to `purser` with options that it takes, and it is given longer to stop than it takes."""
    service = section("Service")
    [start] = service["ExecStart"]
    program, *arguments = shlex.split(start)

    assert Path(program).is_absolute()
    assert Path(program).name == "purser"
    assert refused(arguments) == ""
    assert int(service["TimeoutStopSec"][0]) > DRAIN_SECONDS + CLOSE_SECONDS
    assert set(service) >= {"NoNewPrivileges", "ProtectSystem", "DynamicUser", "SystemCallFilter"}


def test_the_unit_names_settings_and_credentials_that_there_are() -> None:
    """Each name it sets is a setting's, each credential is loaded, and home and database lie where it may write."""
    service = section("Service")
    state = f"/var/lib/{service['StateDirectory'][0]}"
    set_here = dict(pair.split("=", 1) for line in service["Environment"] for pair in line.split())
    loaded = {line.split(":")[0] for line in service["LoadCredential"]}

    assert set_here.pop("HOME") == state  # slack_sdk asks for it; a dynamic user may have none
    assert unknown(set_here) == []
    assert lacking(settings_of(set_here)) == []
    assert {v for k, v in set_here.items() if k.endswith("_FILE")} == {f"%d/{n}" for n in loaded}
    assert set_here["DATABASE_URL"].startswith(f"sqlite:///{state}/")


@pytest.mark.parametrize(
    "kept", ["Dockerfile", "compose.yaml", "app.json", "Procfile", "deploy/purser.service"]
)
def test_the_page_on_deploying_walks_each(kept: str) -> None:
    """docs/deploy.md names every one of these files."""
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")

    assert kept in page


@pytest.mark.parametrize("page", ["deploy", "rollout"])
def test_the_pages_say_in_which_order_an_upgrade_goes(page: str) -> None:
    """First the schema grows, then the new version comes, and only releases later something is taken away."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").lower()
    words = re.findall(r"\b(expand|deploy|contract)\b", text.split("version", 1)[1])

    assert list(dict.fromkeys(words)) == ["expand", "deploy", "contract"]
