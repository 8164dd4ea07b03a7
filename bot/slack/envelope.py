"""What the door knows before it reads: who we are, where a delivery comes from, and how it may be turned away."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from bot.ask import FileRef
from bot.slack.shapes import Json, count, items, mapping, words

FILES_AT_MOST = 20  # of one message; Slack takes ten
ChannelKind = Literal["channel", "private", "mpim", "im", "unknown"]
KINDS: Mapping[str, ChannelKind] = {
    "channel": "channel",
    "group": "private",
    "privategroup": "private",
    "mpim": "mpim",
    "im": "im",
    "directmessage": "im",
}


@dataclass(frozen=True, slots=True)
class Us:
    """Who this bot is, and which host our workspace has, by auth.test; what is "" is not known (yet)."""

    app_id: str = ""
    team: str = ""
    bot_user: str = ""
    bot_id: str = ""
    host: str = ""

    def as_in(self, body: Json) -> Self:
        """Completed by what a delivery says of the app it is for, so that the door works with auth.test down."""
        for a in items(body.get("authorizations")):
            if a.get("is_bot") is True:
                return replace(
                    self,
                    team=self.team or words(a.get("team_id")),
                    bot_user=self.bot_user or words(a.get("user_id")),
                )
        return replace(self, team=self.team or words(body.get("team_id")))

    def wrote(self, message: Json) -> bool:
        """Whether a message is our own."""
        return any(
            mine and message.get(key) == mine
            for key, mine in (
                ("user", self.bot_user),
                ("bot_id", self.bot_id),
                ("app_id", self.app_id),
            )
        )


@dataclass(frozen=True, slots=True)
class Drop:
    """It is no ask: nothing is stored, nothing is answered, the reason is counted (a fixed set of words)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tell:
    """It is answered with a sentence at once, to the person alone; nothing is stored."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A form that cannot be taken as it is: the sentence under each of its blocks; nothing is stored."""

    errors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opened our home: they are shown it; nothing is stored."""

    user: str
    channel: str  # of the direct messages with them


@dataclass(frozen=True, slots=True)
class Envelope:
    """One delivery: its body, who it is for, the id it would get, when it came (seconds since the epoch)."""

    body: Mapping[str, Any]
    us: Us
    id: str
    at: float

    @property
    def event_key(self) -> str:
        """Slack's name for this event; the same in each retry, different between apps."""
        app, team = words(self.body.get("api_app_id")), words(self.body.get("team_id"))
        return f"event:{app}:{team}:{words(self.body.get('event_id'))}"

    @property
    def trigger_key(self) -> str:
        """Slack's name for one press of a button or one command."""
        return f"trigger:{words(self.body.get('trigger_id'))}"

    def message_key(self, channel: str, ts: str, edited: str) -> str:
        """One wording of one message, however many events tell of it."""
        return f"ask:{self.us.team}:{channel}:{ts}:{edited}"


def channel_kind(channel: str, said: object) -> ChannelKind:
    """What Slack calls the place, else what its id gives away (G is a private channel or a group of people)."""
    by_id: Mapping[str, ChannelKind] = {"D": "im", "C": "channel"}
    return KINDS.get(words(said)) or by_id.get(channel[:1], "unknown")


def teams_of(event: Json) -> list[str]:
    """The organisations that Slack names as the author's."""
    named = (words(event.get(key)) for key in ("user_team", "source_team", "team"))
    return [team for team in named if team]


def external(body: Json, event: Json, us: Us) -> bool:
    """Whether another organisation is in it; if Slack says neither yes nor no, and no team either, it is."""
    shared, teams = body.get("is_ext_shared_channel"), teams_of(event)
    if shared is True or any(team != us.team for team in teams):
        return True
    return shared is not False and not teams


def files_of(message: Json) -> tuple[FileRef, ...]:
    """The files on a message; an empty `url` means that files.info has to be asked."""
    return tuple(
        FileRef(
            id=words(f.get("id")),
            name=words(f.get("name")) or words(f.get("title")) or "file",
            mimetype=words(f.get("mimetype")),
            size=count(f.get("size")),
            url=words(f.get("url_private_download")) if _is_hosted(f) else "",
        )
        for f in items(message.get("files"))[:FILES_AT_MOST]
        if words(f.get("id"))
    )


def _is_hosted(file: Json) -> bool:
    """Whether the file lies at Slack, so that our token may be sent to its address."""
    return (
        file.get("file_access") != "check_file_info"
        and file.get("is_external") is not True
        and words(file.get("mode")) in {"", "hosted", "snippet"}
    )


def edited_ts(message: Json) -> str:
    """When a message was last edited, or ""."""
    return words(mapping(message.get("edited")).get("ts"))
