"""Who somebody is, asked of Slack and remembered for a few minutes. Whoever Slack cannot name is a stranger.

While Slack does not answer, who was known within a day is known still; who was not is `untold`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from bot.ask import Person
from bot.slack.gate import passing
from bot.slack.shapes import Json, mapping, words
from bot.slack.wire import SlackError

TTL_SECONDS = 300.0  # a guest who became a member waits no longer
STALE_SECONDS = 24 * 3600.0  # that somebody stays known while Slack does not say who they are
REMEMBERED = 5_000  # people and channels, the oldest go first
MEMBER_PAGES = 20  # of a thousand; who is not among them may ask in the channel itself
SLACKBOT = "USLACKBOT"


class Wire(Protocol):
    """What is needed of Slack."""

    async def user_info(self, user: str) -> Mapping[str, Any]:
        """The `user` object of users.info; raises SlackError."""
        ...

    async def channel_info(self, channel: str) -> Mapping[str, Any]:
        """The `channel` object of conversations.info; raises SlackError."""
        ...

    async def members(self, channel: str, cursor: str = "") -> Mapping[str, Any]:
        """One page of who is in a channel, as Slack answers; raises SlackError."""
        ...


Silence = Literal["no", "untold"]
"""Slack says that there is no such thing, or shows it to nobody like us; or it does not answer."""


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    value: Json


class _Memory:
    """Answers remembered for `ttl` seconds; many who ask for one thing at once share one call.

    While Slack does not answer they are remembered for `stale` seconds.
    """

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Json]],
        now: Callable[[], float],
        ttl: float,
        *,
        stale: float = 0.0,
    ) -> None:
        self._ask = ask
        self._now = now
        self._ttl, self._stale = ttl, stale
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[Json | Silence]] = {}

    async def get(self, key: str) -> Json | Silence:
        """What Slack says of it, or why it says nothing (which is not remembered)."""
        known = self._known.get(key)
        if known is not None and known.at + self._ttl > self._now():
            return known.value
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._fetch(key))
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)  # one who gives up does not take the answer from others

    async def _fetch(self, key: str) -> Json | Silence:
        try:
            value = mapping(await self._ask(key))
        except SlackError as error:
            known = self._known.get(key)
            if not passing(error):
                self._known.pop(key, None)
                return "no"
            fresh = known is not None and known.at + self._stale > self._now()
            return known.value if known is not None and fresh else "untold"
        self._known.pop(key, None)
        self._known[key] = _Known(self._now(), value)
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return value


class People:
    """Looks people up.

    Args:
        wire: Slack.
        team: our own team; "" when not known, then everybody is external.
        now: seconds since the epoch.
        ttl: seconds for which an answer is remembered.
    """

    def __init__(
        self, wire: Wire, *, team: str, now: Callable[[], float], ttl: float = TTL_SECONDS
    ) -> None:
        self._team, self._wire = team, wire
        self._users = _Memory(wire.user_info, now, ttl, stale=STALE_SECONDS)
        self._channels = _Memory(wire.channel_info, now, ttl)

    async def look(self, user: str, user_team: str = "") -> Person:
        """Who somebody is. `user_team` is what an event said of their organisation, or "".

        Never raises for what Slack says: who cannot be looked up is not `known`.
        """
        info = await self._users.get(user) if user else "no"
        if isinstance(info, str):
            untold = info == "untold"
            return Person(user, user, team=user_team, known=False, untold=untold, is_external=True)
        person = self._person(user, info)
        if user_team and user_team != self._team and not _in_our_enterprise(info, self._team):
            return replace(person, is_external=True)
        return person

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """Names by user id; an id stands for itself where Slack does not say."""
        wanted = sorted({user for user in users if user})
        people = await asyncio.gather(*(self.look(user) for user in wanted))
        return {person.id: person.name for person in people}

    async def channels(self, channels: Iterable[str]) -> dict[str, str]:
        """Channels' names by id, as `#name`; an id stands for itself where we cannot see the channel."""
        wanted = sorted({channel for channel in channels if channel})
        infos = await asyncio.gather(*(self._channels.get(channel) for channel in wanted))
        named = (
            (channel, words(mapping(i).get("name")))
            for channel, i in zip(wanted, infos, strict=True)
        )
        return {channel: f"#{name}" if name else channel for channel, name in named}

    async def member(self, channel: str, user: str) -> bool:
        """Whether somebody is in a channel; a channel that Slack does not show us has no members."""
        cursor = ""
        for _ in range(MEMBER_PAGES):
            try:
                page = await self._wire.members(channel, cursor)
            except SlackError:
                return False
            if user in page.get("members", ()):
                return True
            cursor = words(mapping(page.get("response_metadata")).get("next_cursor"))
            if not cursor:
                return False
        return False

    async def shared(self, channel: str) -> bool | None:
        """Whether a channel is shared with another organisation; None where we cannot see it.

        A direct message with us has one other side, and `look` tells whose that is.
        """
        if channel.startswith("D"):
            return False
        info = await self._channels.get(channel)
        if isinstance(info, str):
            return None
        return info.get("is_ext_shared") is True or info.get("is_pending_ext_shared") is True

    async def among(self, channel: str) -> bool:
        """Whether we are in a channel; asked each time, since somebody may just have invited us."""
        try:
            info = mapping(await self._wire.channel_info(channel))
        except SlackError:
            return False
        return info.get("is_member") is True or info.get("is_im") is True

    def _person(self, user: str, info: Json) -> Person:
        profile = mapping(info.get("profile"))
        team = words(info.get("team_id"))
        named = (profile.get("display_name"), profile.get("real_name"), info.get("real_name"))
        name = next((n for n in (words(v).strip() for v in (*named, info.get("name"))) if n), user)
        ours = bool(self._team) and (team == self._team or _in_our_enterprise(info, self._team))
        return Person(
            id=user,
            name=name,
            team=team,
            known=bool(team),
            is_bot=info.get("is_bot") is True or user == SLACKBOT,
            is_guest=info.get("is_restricted") is True or info.get("is_ultra_restricted") is True,
            is_external=info.get("is_stranger") is True or not ours,
            is_gone=info.get("deleted") is True,
            is_admin=info.get("is_admin") is True,
            tz=words(info.get("tz")),
            real_name=words(profile.get("real_name")).strip() or words(info.get("real_name")),
            email=words(profile.get("email")),
        )


def _in_our_enterprise(info: Json, team: str) -> bool:
    """Whether somebody of an Enterprise Grid is a member of our workspace too."""
    teams = mapping(info.get("enterprise_user")).get("teams")
    return isinstance(teams, list) and bool(team) and team in teams
