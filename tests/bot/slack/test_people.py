"""Who somebody is: remembered, shared between those who ask at once, and a stranger when in doubt."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from bot.ask import Person
from bot.slack.gate import Limited, Unsure
from bot.slack.people import REMEMBERED, STALE_SECONDS, TTL_SECONDS, People
from bot.slack.wire import SlackError

TEAM = "T1"


def member(**over: Any) -> dict[str, Any]:
    """A full member, as users.info gives them."""
    return {
        "team_id": TEAM,
        "name": "ana",
        "real_name": "Ana Lopez",
        "tz": "Europe/Madrid",
        "profile": {
            "display_name": "Ana",
            "real_name": "Ana Lopez",
            "email": "ana@shop.example",
        },
        "is_bot": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        **over,
    }


class Directory:
    """As much of Slack as knows people and channels."""

    def __init__(self) -> None:
        self.users: dict[str, Any] = {"U1": member()}
        self.channels: dict[str, Any] = {"C1": {"id": "C1", "is_ext_shared": False}}
        self.members_of: dict[str, list[str]] = {"C1": ["U8", "U9", "U1"]}
        self.calls: Counter[str] = Counter()
        self.silence: SlackError | None = None  # instead of an answer

    async def user_info(self, user: str) -> Mapping[str, Any]:
        """users.info."""
        return await self._find(self.users, user, "user_not_found")

    async def channel_info(self, channel: str) -> Mapping[str, Any]:
        """conversations.info."""
        return await self._find(self.channels, channel, "channel_not_found")

    async def members(self, channel: str, cursor: str = "") -> Mapping[str, Any]:
        """conversations.members, two at a time."""
        every = await self._find(self.members_of, channel, "channel_not_found")
        at = int(cursor or 0)
        more = str(at + 2) if at + 2 < len(every) else ""
        return {"members": every[at : at + 2], "response_metadata": {"next_cursor": more}}

    async def _find(self, known: dict[str, Any], key: str, problem: str) -> Any:
        self.calls[key] += 1
        await asyncio.sleep(0)
        if self.silence is not None:
            raise self.silence
        if key not in known:
            raise SlackError(problem)
        return known[key]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.time


@pytest.fixture
def slack() -> Directory:
    """A small directory."""
    return Directory()


async def test_a_member_is_known(slack: Directory) -> None:
    """Names, address, time zone and team are Slack's; the address stands in no log."""
    people = People(slack, team=TEAM, now=Clock())
    ana = await people.look("U1", TEAM)

    assert ana == Person(
        "U1",
        "Ana",
        TEAM,
        tz="Europe/Madrid",
        real_name="Ana Lopez",
        email="ana@shop.example",
    )
    assert "example" not in repr(ana)


@pytest.mark.parametrize(
    ("over", "flag"),
    [
        ({"is_restricted": True}, "is_guest"),
        ({"is_ultra_restricted": True}, "is_guest"),
        ({"is_stranger": True}, "is_external"),
        ({"team_id": "T2"}, "is_external"),
        ({"deleted": True}, "is_gone"),
        ({"is_bot": True}, "is_bot"),
        ({"is_admin": True}, "is_admin"),
    ],
)
async def test_each_sign_is_seen(slack: Directory, over: dict[str, Any], flag: str) -> None:
    """Guests, strangers, leavers, bots and admins are told apart."""
    slack.users["U1"] = member(**over)

    person = await People(slack, team=TEAM, now=Clock()).look("U1", TEAM)

    assert getattr(person, flag) is True


async def test_who_cannot_be_looked_up_is_a_stranger(slack: Directory) -> None:
    """No answer, an answer without a team, no user, or no team of ours: nobody is taken for a member."""
    slack.users["U2"] = member(team_id=None)
    people = People(slack, team=TEAM, now=Clock())

    for user in ("U9", "U2", ""):
        person = await people.look(user, TEAM)
        assert (person.known, person.is_external) == (False, True)
    assert (await People(slack, team="", now=Clock()).look("U1", TEAM)).is_external


async def test_what_the_event_says_of_the_team_counts_too(slack: Directory) -> None:
    """A foreign team in the event makes a person external, unless the enterprise is one."""
    slack.users["U2"] = member(team_id="T2", enterprise_user={"teams": ["T2", TEAM]})
    people = People(slack, team=TEAM, now=Clock())

    assert (await people.look("U1", "T2")).is_external
    assert not (await people.look("U2", "T2")).is_external


async def test_an_answer_is_remembered_for_its_time(slack: Directory) -> None:
    """Within the time no second call is made, after it one is; a failure is asked again at once."""
    clock = Clock()
    people = People(slack, team=TEAM, now=clock, ttl=60)

    await people.look("U1")
    await people.look("U1")
    clock.time = 61
    await people.look("U1")
    await people.look("U9")
    slack.users["U9"] = member()

    assert (await people.look("U9")).known
    assert slack.calls == {"U1": 2, "U9": 2}


async def test_many_who_ask_at_once_share_a_call(slack: Directory) -> None:
    """A burst of asks by one person is one users.info; one who gives up does not spoil it for the others."""
    people = People(slack, team=TEAM, now=Clock())
    asking = [asyncio.create_task(people.look("U1")) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)

    assert [p.name for p in found if isinstance(p, Person)] == ["Ana"] * 19
    assert slack.calls == {"U1": 1}


@pytest.mark.parametrize(
    ("channel", "user", "inside"),
    [("C1", "U8", True), ("C1", "U1", True), ("C1", "U2", False), ("C2", "U1", False)],
)
async def test_who_is_in_a_channel(
    slack: Directory, channel: str, user: str, *, inside: bool
) -> None:
    """Every page is looked at; in a channel that we cannot see, nobody is."""
    people = People(slack, team=TEAM, now=Clock())

    assert await people.member(channel, user) is inside


async def test_memory_is_bounded(slack: Directory) -> None:
    """The oldest are forgotten first."""
    slack.users |= {f"U{n}": member() for n in range(REMEMBERED + 1)}
    people = People(slack, team=TEAM, now=Clock())
    for n in range(REMEMBERED + 1):
        await people.look(f"U{n}")
    await people.look("U0")
    await people.look(f"U{REMEMBERED}")

    assert slack.calls["U0"] == 2
    assert slack.calls[f"U{REMEMBERED}"] == 1


async def test_names_for_a_report(slack: Directory) -> None:
    """Ids that Slack does not know stand for themselves."""
    people = People(slack, team=TEAM, now=Clock())

    assert await people.names(["U1", "U9", "", "U1"]) == {"U1": "Ana", "U9": "U9"}


async def test_channels_by_name(slack: Directory) -> None:
    """A channel that we cannot see keeps its id."""
    slack.channels["C1"]["name"] = "shop"
    people = People(slack, team=TEAM, now=Clock())

    assert await people.channels(["C1", "C9"]) == {"C1": "#shop", "C9": "C9"}


async def test_shared_channels_are_known_where_they_can_be_seen(slack: Directory) -> None:
    """Yes, no, or not to be seen."""
    slack.channels["C2"] = {"is_ext_shared": True}
    slack.channels["C3"] = {"is_pending_ext_shared": True}
    people = People(slack, team=TEAM, now=Clock())

    assert [await people.shared(c) for c in ("C1", "C2", "C3", "C9")] == [False, True, True, None]
    assert await people.shared("D1") is False
    assert slack.calls["D1"] == 0


@pytest.mark.parametrize(
    "silence", [Unsure("internal_error"), Limited("ratelimited"), SlackError("unreachable")]
)
async def test_who_was_known_is_known_for_a_day_of_silence(
    slack: Directory, silence: SlackError
) -> None:
    """The day begins with Slack's last word, however often it is asked in vain; then nobody can say who they are."""
    clock = Clock()
    people = People(slack, team=TEAM, now=clock)
    await people.look("U1")
    slack.silence = silence
    seen: list[Person] = []
    for clock.time in (TTL_SECONDS + 1, STALE_SECONDS - 1, STALE_SECONDS + 1):
        seen.append(await people.look("U1"))

    assert [(one.known, one.untold, one.is_external) for one in seen] == [
        (True, False, False),
        (True, False, False),
        (False, True, True),
    ]


async def test_whom_slack_denied_nobody_remembers(slack: Directory) -> None:
    """Once Slack says that there is no such person, what it said before counts no more, in silence neither."""
    clock = Clock()
    people = People(slack, team=TEAM, now=clock)
    await people.look("U1")
    clock.time += TTL_SECONDS + 1
    gone = slack.users.pop("U1")
    denied = await people.look("U1")
    slack.silence = Unsure("internal_error")
    silent = await people.look("U1")
    slack.silence, slack.users["U1"] = None, gone

    assert (denied.known, denied.untold) == (False, False)
    assert (silent.known, silent.untold) == (False, True)
    assert (await people.look("U1")).known


async def test_who_became_a_guest_in_silence_is_one_with_slacks_first_word(
    slack: Directory,
) -> None:
    """What was known holds only while Slack says nothing."""
    clock = Clock()
    people = People(slack, team=TEAM, now=clock)
    await people.look("U1")
    clock.time += TTL_SECONDS + 1
    slack.users["U1"], slack.silence = member(is_restricted=True), Unsure("internal_error")
    before = await people.look("U1")
    slack.silence = None

    assert not before.is_guest
    assert (await people.look("U1")).is_guest


async def test_a_channel_is_not_known_in_silence(slack: Directory) -> None:
    """Whether a channel is shared may have changed: nobody goes by what it was."""
    clock = Clock()
    people = People(slack, team=TEAM, now=clock)
    assert await people.shared("C1") is False
    clock.time += TTL_SECONDS + 1
    slack.silence = Unsure("internal_error")

    assert await people.shared("C1") is None
