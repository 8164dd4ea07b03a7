"""Worlds for stories: the plain one, served in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A plain world with the bot in it, in Socket Mode."""
    async with World(tmp_path) as made:
        yield await made.start()
