"""What was released stays as it was: wheels, the steps of the schema, and what a step says of older releases."""

import hashlib
import re
from pathlib import Path

import pytest
from packaging.version import Version

from benchmarks.released import KEPT, RELEASES, Release
from bot import __version__
from bot.store.sqlite.migrations import additions, migrations

ROOT = Path(__file__).parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
STORES = ROOT / "bot" / "store"
ENGINES = ("sqlite", "postgres")
NEEDS = re.compile(rb"-- needs: (\w+)\n")
ADDS = re.compile(
    r"CREATE (TABLE|INDEX|VIEW|FUNCTION|(CONSTRAINT )?TRIGGER) |"
    r"ALTER TABLE (?!sums\b)\w+ ADD COLUMN (?!.*NOT NULL(?!.*DEFAULT))"
)
"""What an older release does not mind; not in `sums`, of which 0.1.0 takes all columns there are."""


def steps(engine: str) -> dict[str, bytes]:
    """The steps of an engine's schema, by the names of their files."""
    return {path.name: path.read_bytes() for path in (STORES / engine / "schema").glob("*.sql")}


def test_each_wheel_is_the_one_that_was_released() -> None:
    """The bytes of all that are kept have the sums that were written down, and the changelog has their days."""
    lines = (KEPT / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = dict(line.split()[::-1] for line in lines)
    kept = {one.wheel.name: hashlib.sha256(one.wheel.read_bytes()).hexdigest() for one in RELEASES}
    told = re.findall(r"^## ([\d.]+), \d{4}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)

    assert kept == sums
    assert {one.version for one in RELEASES} <= {*told}


def test_what_is_here_comes_after_every_release() -> None:
    """The last release in the changelog, but for one that is being made, is the last that is kept, and we are later."""
    told = map(Version, re.findall(r"^## ([\d.]+), ", CHANGELOG, re.MULTILINE))
    last = max(one for one in told if one != Version(__version__))

    assert RELEASES[-1].version == str(last)
    assert Version(__version__) > last


@pytest.mark.parametrize("release", RELEASES, ids=lambda one: one.version)
@pytest.mark.parametrize("engine", ENGINES)
def test_no_released_step_was_changed(release: Release, engine: str) -> None:
    """Each step of a release's schema stands here as it stands in its wheel; what is new comes after all of them."""
    released, ours = release.schema(engine), steps(engine)

    assert released
    assert {name: ours.get(name) for name in released} == released
    assert sorted(ours)[: len(released)] == sorted(released)


def test_both_engines_have_the_same_steps() -> None:
    """A step that on one engine lets older releases work on does so on the other, and names one that it comes after."""
    needs = {name: NEEDS.match(text) for name, text in steps("postgres").items()}
    named = {name: found[1].decode() + ".sql" for name, found in needs.items() if found}
    adding = {name for name, needed in named.items() if needed != name}

    assert {*named} == {*needs}
    assert all(needed in needs and needed <= name for name, needed in named.items())
    assert {*needs} == {*steps("sqlite")}
    assert adding == {f"{step.name}.sql" for step in additions._migrations}
    assert {*needs} - adding == {f"{step.name}.sql" for step in migrations._migrations}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_step_that_only_adds_does(engine: str) -> None:
    """It makes tables, columns with a default, and what is read of them, and fills and restricts only what it made."""
    for name, text in steps(engine).items():
        if name.removesuffix(".sql") not in {step.name for step in additions._migrations}:
            continue
        plain = re.sub(r"--[^\n]*|\$\$.*?\$\$", "", text.decode(), flags=re.DOTALL)
        made = "|".join(re.findall(r"CREATE TABLE (\w+)", plain)) or "nothing"
        own = re.compile(rf"(INSERT INTO|CREATE UNIQUE INDEX \w+ ON) ({made})\b")
        said = [" ".join(one.split()) for one in plain.split(";") if one.strip()]

        assert [one for one in said if not (ADDS.match(one) or own.match(one))] == [], name
