"""What travels from Slack to the turn: the ask, who asks, what was said, and the lease to work on it.

Ground floor: plain frozen data, and the small protocols by which a lower room is heard above.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, Self

Feature = Literal["chat", "review", "summarize", "digest", "cost", "purser", "click"]
"""What is asked for. `cost`, `purser` and `click` are answered by us, without Claude, and never reach the ledger."""

Origin = Literal[
    "mention", "message", "command", "click", "shortcut", "edit", "invite", "own", "reworded"
]
"""How it came: a mention, a direct message, a slash command, a button, a shortcut, an edit that added a
mention, the bot being invited to a channel, Purser's own calendar, or a person who put in other words what
Claude had refused to somebody."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file as Slack announced it; its content is fetched by the worker."""

    id: str
    name: str
    mimetype: str
    size: int  # bytes; 0 when Slack did not say (Slack Connect)
    url: str  # url_private_download; "" when it has to be asked for with files.info


@dataclass(frozen=True, slots=True)
class Click:
    """A button of ours that somebody pressed, or a form of ours that they sent.

    `action` is the button's action id (or the form's callback id) up to the first colon, `value` what we gave it:
    `object` or `object:word`. `message` is the ts of the message whose button it was, "" where Slack did not say.
    `fields` are a form's, by block id.
    """

    action: str
    value: str
    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def object(self) -> str:
        """What it is about; clicks on one object are worked on one after the other."""
        return self.value.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a person (or Purser's calendar) wants, as it lies in the inbox.

    `thread` is the ts of the thread's root, the lane in which it is answered; for a command it is "" and the
    answer opens no thread. `ts` is the asking message ("" for commands). `text` is what was asked, without
    the mention, unescaped, pasted code as fenced blocks. Times are seconds since the epoch, UTC.
    """

    id: str
    key: str
    team: str
    channel: str
    user: str
    feature: Feature
    origin: Origin
    text: str
    at: float
    thread: str = ""
    ts: str = ""
    edited: str = ""
    files: tuple[FileRef, ...] = ()
    channel_kind: Literal["channel", "private", "mpim", "im", "unknown"] = "unknown"
    external: bool = False  # Slack said the channel is shared with another organisation
    user_team: str = ""  # the asker's own team, "" when Slack did not say (fails closed)
    response_url: str = field(default="", repr=False)  # a capability for 30 minutes: never in a log
    not_before: float = 0.0
    click: Click | None = None  # what was pressed, where `feature` is "click"

    @property
    def lane(self) -> str:
        """Asks of one lane are worked on one after the other; a click never waits for its thread."""
        if self.click is not None:
            return f"click:{self.team}:{self.click.object or self.key}"
        return f"{self.team}:{self.channel}:{self.thread}" if self.thread else f"{self.key}"

    @property
    def digest(self) -> str:
        """The digest that is to be written, by its id; "" for everything else."""
        kind, _, rest = self.key.partition(":")
        return rest.partition(":")[0] if self.origin == "own" and kind == "digest" else ""

    @property
    def is_first(self) -> bool:
        """Whether nothing can have been answered in its lane before: a command, or what opens its thread."""
        return not self.thread or (self.thread == self.ts and not self.edited)

    @property
    def reference(self) -> str:
        """What a person may quote to an operator: the last eight characters of the id."""
        return self.id[-8:]

    def to_json(self) -> dict[str, Any]:
        """As stored in the inbox."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """As read from the inbox; keys a newer or older release wrote are ignored."""
        known = {k: v for k, v in value.items() if k in cls.__dataclass_fields__}
        known["files"] = tuple(FileRef(**f) for f in known.get("files", ()))
        if click := known.get("click"):
            known["click"] = Click(**click)
        return cls(**known)


SignalKind = Literal["stop", "edit", "delete", "feedback"]


@dataclass(frozen=True, slots=True)
class Signal:
    """Something said about an ask that skips its lane and reaches whoever holds the lease.

    Found by `ask_id` where known (a button carries it), else by `lane` (stop) or `ts` (edit, delete of the
    asking message). `text` is the new wording of an edit, or a button's value.
    """

    id: str
    key: str
    kind: SignalKind
    team: str
    channel: str
    user: str
    at: float
    thread: str = ""
    ts: str = ""
    ask_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on an ask. `attempt` fences every write: a later lease has a higher one."""

    ask: Ask
    attempt: int
    until: float
    waited: float = 0.0  # seconds between asking and this lease
    failures: int = 0  # workers that ended over it before


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, by Slack's users.info; `known` is False when Slack could not say (fails closed).

    `untold` is one that is not known because Slack does not answer just now.
    """

    id: str
    name: str
    team: str = ""
    known: bool = True
    untold: bool = False
    is_bot: bool = False
    is_guest: bool = False  # is_restricted or is_ultra_restricted
    is_external: bool = False  # is_stranger, or of another team than ours
    is_gone: bool = False  # deactivated
    is_admin: bool = False  # of the Slack workspace; Purser's own admins are named in the policy
    tz: str = ""
    real_name: str = ""  # "" where Slack does not say
    email: str = field(default="", repr=False)  # the same


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a thread as Claude may read it. Text is from blocks and attachments where `text` is empty."""

    ts: str
    user: str
    name: str
    text: str
    ours: bool = False  # said by this bot
    bot: bool = False  # said by some other bot or app
    files: tuple[FileRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Attached:
    """A file's content, or the sentence why it could not be read (then `problem` is set)."""

    name: str
    mimetype: str
    text: str = ""
    data: bytes = field(default=b"", repr=False)  # images and PDFs, as they are
    pages: int = 0  # of a PDF; 0 where nobody could count them
    words: str = field(default="", repr=False)  # of a PDF, to be looked through for secrets
    problem: str = ""


class Alerts(Protocol):
    """Who hears what an admin has to know."""

    async def tell(self, key: str, sentence: str) -> None:
        """Tell every admin, once for each key; raises StoreDown."""
        ...
