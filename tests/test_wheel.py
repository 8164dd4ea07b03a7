"""What is built can be installed: the wheel has every file the bot reads, and runs from elsewhere."""

import importlib.metadata
import json
import shutil
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from bot import __version__
from bot.prompts import Prompts
from bot.slack.manifest import manifest
from bot.store.statements import load
from tests.bot.terminal import Ran, run

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "integrations", "prompts")
BACKEND = 77  # setuptools that reads our pyproject.toml, at least
READ = """
import json, bot
from importlib.resources import files
from bot.demo.github import GitHubStandIn
from bot.demo.jira import JiraStandIn
from bot.demo.web import WebStandIn
from bot.prompts import Prompts
from bot.store.statements import load
GitHubStandIn(), JiraStandIn(), WebStandIn()
print(json.dumps([bot.__file__, Prompts.load().version, sorted(load(files("bot.store.sqlite")))]))
"""


def _here() -> bool:
    """Whether this environment has what builds; otherwise it is fetched, as `make setup` did."""
    try:
        found = importlib.metadata.version("setuptools")
    except importlib.metadata.PackageNotFoundError:
        return False
    return int(found.split(".")[0]) >= BACKEND


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources."""
    sources = tmp_path_factory.mktemp("sources")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, sources / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    line = [sys.executable, "-m", "build", "--wheel", *(["--no-isolation"] if _here() else [])]
    built = subprocess.run(line, cwd=sources, capture_output=True, text=True, check=False)  # noqa: S603 - our own line
    assert built.returncode == 0, built.stdout + built.stderr
    [made] = (sources / "dist").iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel was unpacked, far from the sources."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


async def _python(*arguments: str, installed: Path, cwd: Path) -> Ran:
    return await run(sys.executable, *arguments, cwd=cwd, env={"PYTHONPATH": str(installed)})


def test_every_file_of_the_packages_is_in_it(wheel: Path) -> None:
    """Prompts, SQL, seeds, the page: nothing that the bot reads is left out, and nothing else comes along."""
    copied = wheel.parents[1]
    sources = {
        path.relative_to(copied).as_posix()
        for package in PACKAGES
        for path in (copied / package).rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert packed == sources
    assert "prompts/system.md" in packed
    assert "bot/store/sqlite/ledger.sql" in packed


def test_it_brings_the_command(installed: Path) -> None:
    """Its metadata has our version and the console script."""
    [metadata] = installed.glob("*.dist-info")
    distribution = importlib.metadata.PathDistribution(metadata)
    scripts = {point.name: point.value for point in distribution.entry_points}

    assert scripts == {"purser": "bot.__main__:main"}
    assert distribution.version == __version__


async def test_it_runs_from_where_it_was_unpacked(installed: Path, tmp_path: Path) -> None:
    """The commands work with the wheel's files alone, a new database among them."""
    shown = await _python("-m", "bot", "manifest", installed=installed, cwd=tmp_path)
    migrated = await _python("-m", "bot", "migrate", installed=installed, cwd=tmp_path)

    assert json.loads(shown.out) == manifest()
    assert (migrated.code, migrated.err) == (0, "")
    assert (tmp_path / "purser.db").is_file()


async def test_it_reads_its_own_files(installed: Path, tmp_path: Path) -> None:
    """Prompts, SQL and the stand-ins' seeds are those of the sources, read from the wheel."""
    ran = await _python("-c", READ, installed=installed, cwd=tmp_path)
    file, version, statements = json.loads(ran.out)

    assert Path(file).is_relative_to(installed)
    assert version == Prompts.load().version
    assert statements == sorted(load(files("bot.store.sqlite")))
