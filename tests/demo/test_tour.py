"""The demo's stage and its tour: what the bot is given, and that a broken promise is told."""

import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from bot.demo.stage import BotDied, Stage
from bot.demo.tour import NotAsPromised, Scene, Tour
from bot.rules import load

JIRA = {
    "JIRA_URL": "https://shop.atlassian.net",
    "JIRA_EMAIL": "purser@shop.example",
    "JIRA_API_TOKEN": "theirs",
}


class Short(Tour):
    """A tour of one scene that goes well and one that ends as it is told to."""

    end: Exception | None = None

    def scenes(self) -> tuple[Scene, ...]:
        """Both, in this order."""
        return (Scene("As ever", self._well), Scene("The other one", self._other))

    async def _well(self) -> str:
        return "kept"

    async def _other(self) -> str:
        if self.end:
            raise self.end
        return "kept too"


async def played(folder: Path, end: Exception | None) -> tuple[int, str]:
    """The exit code of a short tour, and what stood in the terminal."""
    seen = io.StringIO()
    tour = Short(Stage(folder, {}), Console(file=seen, width=100))
    tour.end = end
    return await tour.play(), seen.getvalue()


async def settings(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What the bot is told when somebody with this environment starts the demo."""
    async with Stage(folder, environ) as stage:
        return stage.settings()


async def test_a_tour_that_goes_well_exits_0(tmp_path: Path) -> None:
    """Every scene is ticked off, and that all were as promised is said at the end."""
    code, seen = await played(tmp_path, None)

    assert code == 0
    assert ("✔ kept\n" in seen, "✔ kept too\n" in seen, "✘" in seen) == (True, True, False)
    assert "Every scene ended as promised." in seen


@pytest.mark.parametrize(
    "end", [NotAsPromised("the text did not stream"), TimeoutError(), BotDied("no ticket")]
)
async def test_a_scene_that_did_not_end_as_promised_makes_the_tour_fail(
    tmp_path: Path, end: Exception
) -> None:
    """It is told why, the others are played all the same, and the exit code is not 0."""
    code, seen = await played(tmp_path, end)

    assert code == 1
    assert f"✘ {str(end) or 'no end came in time'}" in seen
    assert "Not as promised: The other one." in seen
    assert "Every scene" not in seen


async def test_without_any_token_everything_is_a_stand_in(tmp_path: Path) -> None:
    """Whatever else stands in the environment, the bot is told of this machine alone."""
    told = await settings(tmp_path, {"SLACK_BOT_TOKEN": "xoxb-theirs", "PATH": "/bin"})

    addresses = [v for k, v in told.items() if k.endswith("_URL") and k != "DATABASE_URL"]
    assert len(addresses) == 4
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)
    assert "xoxb-theirs" not in told.values()


async def test_a_real_key_replaces_the_stand_in_for_claude_alone(tmp_path: Path) -> None:
    """The real Claude answers, at its own address; Jira stays the stand-in."""
    told = await settings(tmp_path, {"ANTHROPIC_API_KEY": "theirs", "JIRA_URL": JIRA["JIRA_URL"]})

    assert told["ANTHROPIC_API_KEY"] == "theirs"
    assert "ANTHROPIC_BASE_URL" not in told
    assert told["JIRA_URL"].startswith("http://127.0.0.1:")


async def test_a_full_set_for_jira_replaces_its_stand_in_alone(tmp_path: Path) -> None:
    """The real Jira is read, all of its projects; Claude stays the stand-in."""
    told = await settings(tmp_path, JIRA)

    assert {name: told[name] for name in JIRA} == JIRA
    assert told["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
    assert load(Path(told["PURSER_POLICY"])).defaults["jira_projects"] == ["*"]
