"""Digests as people ask for them in Slack: who may stop which, and where."""

from collections.abc import Iterable
from datetime import UTC

import pytest

from bot.digests import Cadence, Digest, Digests, Subject
from bot.inbox import Inbox
from bot.policy import Policy
from bot.rules import PolicyFile
from bot.slack.digests import NOT_YOURS, STOPPED, UNKNOWN, Wanted
from bot.store import Store
from tests.bot.stores import Clock, ask


class Everybody:
    """Slack's word on people: they are called by their ids, and we are everywhere."""

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """Their ids."""
        return {user: user for user in users}

    async def among(self, channel: str) -> bool:
        """Yes."""
        return bool(channel)


@pytest.fixture
def digests(store: Store, clock: Clock) -> Digests:
    """The digests on each engine."""
    inbox = Inbox(store, now=clock, worker="w")
    return Digests(store, inbox, zone=UTC, new_id=lambda: "A1", now=clock)


async def stopped(digests: Digests, made: Digest, *, user: str, channel: str = "C1") -> str:
    """What somebody hears who stops a digest somewhere."""
    wanted = Wanted(digests, Policy(PolicyFile(admins=("U9",))), Everybody(), None)
    return await wanted.say(f"stop {made.id}", ask(user=user, channel=channel))


async def test_a_digest_is_stopped_by_its_asker_or_an_admin_in_its_channel(
    digests: Digests,
) -> None:
    """Nobody else stops it, and from another channel not even they: there it is not known."""
    made, other = [
        await digests.add(ask(), Subject("project", name), Cadence((0,)))
        for name in ("SHOP", "OPS")
    ]
    assert made is not None
    assert other is not None

    assert await stopped(digests, made, user="U2") == NOT_YOURS.format(name="U1")
    for user in ("U1", "U9"):
        assert await stopped(digests, made, user=user, channel="C2") == UNKNOWN
    assert {one.id for one in await digests.of("C1")} == {made.id, other.id}
    assert await stopped(digests, made, user="U1") == STOPPED.format(subject="project SHOP")
    assert await stopped(digests, other, user="U9") == STOPPED.format(subject="project OPS")
    assert await stopped(digests, made, user="U1") == UNKNOWN
    assert await digests.of("C1") == []
