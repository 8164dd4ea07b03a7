"""A rolling update at its smallest: one process of the last release, then of both, then of ours, and back, under load."""

import random
from pathlib import Path

import pytest

from benchmarks.released import RELEASES
from benchmarks.rolling.update import Scale, Update
from tests.postgres import Postgres

PATIENT = (0.0, 1.0, 2.0, 5.0, 20.0)  # so that a start on a busy machine is not too late
SMALL = Scale(
    processes=1,
    every=0.2,
    seconds=0.2,
    both=1.0,
    answers=2,
    first_word=0.05,
    tokens=600.0,
    slow=0.0,
    retries=PATIENT,
    end=60.0,
    quiet=0.3,
)


@pytest.mark.timeout(180)  # five processes, three of which serve, one after the other
async def test_an_update_and_its_way_back_lose_and_double_nothing(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Whoever serves, on whichever schema, each ask has one answer, each press one effect, and each answer its row."""
    update = Update(tmp_path, postgres.empty(), RELEASES[-1], scale=SMALL, rng=random.Random(1))
    async with update.standing():
        seen = await update.run()

    old = RELEASES[-1].version
    assert seen.wrong == []
    answered = {one.name: {*one.answers.elements()} for one in seen.stretches}
    assert answered[f"{old} alone"] == answered[f"{old}, the schema is ours"] == {old}
    assert answered["both"] == {old, "ours"}
    assert answered["ours alone"] == {"ours"}
    assert answered[f"{old} alone again"] == {old}
    assert sum(one.answers.total() for one in seen.stretches) == len(seen.asked)
    assert {one.kind for one in seen.asked} >= {"again", "dear", "write"}
    assert seen.pressed > 0
    assert seen.rows["settled"] >= len(seen.asked)
