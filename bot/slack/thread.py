"""What was said in a thread before an ask, each message labelled by its author's name."""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

import structlog

from bot.ask import Ask, Attached, FileRef, Said
from bot.digests.material import Talk
from bot.errors import ToolProblem
from bot.slack.envelope import Us, files_of
from bot.slack.files import Files
from bot.slack.people import People
from bot.slack.shapes import Json, items, mapping, words
from bot.slack.wire import SlackError
from bot.slack.words import said

PAGE = 200  # messages
MESSAGES = 2_000  # of a thread, read at most
THREADS = 25  # of a channel, read at most
NAMES = 200  # people looked up for one thread
SAYING = {"", "file_share", "thread_broadcast", "me_message", "bot_message"}
MORE = (
    f"[there is more in this channel: its newest {PAGE} messages and {THREADS} threads were read]"
)
UNREADABLE = "Slack does not let me read this channel ({code}); `/invite @Purser` lets me, where I am not in it."
_USER = re.compile(r"<@([UW][A-Z0-9]+)>")

log = structlog.get_logger()


class Wire(Protocol):
    """What is needed of Slack."""

    async def replies(
        self, channel: str, thread: str, *, oldest: str, latest: str, limit: int, cursor: str
    ) -> Json:
        """One page of conversations.replies, as Slack answers; raises SlackError."""
        ...

    async def history(self, channel: str, *, oldest: str, limit: int) -> Json:
        """The newest messages of a channel, as Slack answers; raises SlackError."""
        ...

    async def permalink(self, channel: str, ts: str) -> str:
        """The address of a message; raises SlackError."""
        ...


class Threads:
    """Reads threads.

    Args:
        wire: Slack.
        people: for names.
        files: for what hangs on the asking message.
        us: who we are, so that our own messages are known.
    """

    def __init__(self, wire: Wire, people: People, files: Files, us: Us) -> None:
        self._wire = wire
        self._people = people
        self._files = files
        self._us = us

    async def files(self, refs: Sequence[FileRef]) -> list[Attached]:
        """The files of an ask, each with its content or its problem."""
        return await self._files.read(refs)

    async def since(self, ask: Ask, after_ts: str = "") -> list[Said]:
        """What was said in an ask's thread after `after_ts` and before the ask, oldest first.

        Where Slack does not let us read it, one entry says so: an answer without what was said before is better
        than none, if it knows that it lacks it.
        """
        if not ask.thread or ask.thread == ask.ts:
            return []  # a command, or a message that opens its thread
        try:
            messages = await self._read(ask, after_ts)
        except SlackError as error:
            log.warning("thread not read", error=error.code, channel=ask.channel)
            lost = f"[the earlier messages of this thread could not be read: {error.code}]"
            return [Said(_just_before(ask.ts), "", "Slack", lost, bot=True)]
        return await self._told(messages)

    async def lately(self, ask: Ask, since: float) -> list[Talk]:
        """The threads of an ask's channel that began since a moment (epoch seconds), the newest first, and where they are.

        What nobody answered is one of them together, behind the others; where there was more than is read, a last one
        says so. What we began ourselves is left out.

        Raises:
            ToolProblem: Slack does not let us read it; the sentence says how it would.
        """
        try:
            page = await self._wire.history(ask.channel, oldest=f"{since:.6f}", limit=PAGE)
        except SlackError as error:
            raise ToolProblem(UNREADABLE.format(code=error.code)) from error
        roots = [m for m in items(page.get("messages")) if not self._us.wrote(m)]
        talks = [m for m in roots if m.get("reply_count")]
        alone = [m for m in reversed(roots) if not m.get("reply_count")]
        some = [words(m.get("ts")) for m in talks[:THREADS]]
        threads = [await self._talk(ask, ts) for ts in some]
        cut = page.get("has_more") is True or len(talks) > THREADS
        rest = [Said("", "", "Slack", MORE, bot=True)] if cut else []
        unanswered = Talk(await self._told(alone))
        return [talk for talk in (*threads, unanswered, Talk(rest)) if talk.said]

    async def _talk(self, ask: Ask, ts: str) -> Talk:
        """A thread and its address, as Slack gives it; without one where Slack gives none."""
        said = await self.since(replace(ask, thread=ts, ts=""))
        try:
            return Talk(said, await self._wire.permalink(ask.channel, ts))
        except SlackError as error:
            log.warning("no address of a thread", error=error.code, channel=ask.channel)
            return Talk(said)

    async def _told(self, messages: Sequence[Json]) -> list[Said]:
        """What somebody said in these messages, with their names."""
        told = [m for m in messages if words(m.get("subtype")) in SAYING and words(m.get("ts"))]
        texts = [said(m) for m in told]
        mentioned = [user for text in texts for user in _USER.findall(text)]
        authors = [words(m.get("user")) for m in told if not m.get("bot_id")]
        names = await self._people.names(list(dict.fromkeys([*authors, *mentioned]))[:NAMES])
        # A name stands among the words of whoever mentions it: an address in it is not theirs.
        names = {user: " ".join(name.replace("://", " ").split()) for user, name in names.items()}
        found = (self._said(m, text, names) for m, text in zip(told, texts, strict=True))
        return [one for one in found if one.text or one.files]

    async def _read(self, ask: Ask, after_ts: str) -> list[Json]:
        """The pages of a thread; the asking message and what came after it are left out."""
        found: list[Json] = []
        cursor = ""
        while len(found) < MESSAGES:
            page = await self._wire.replies(
                ask.channel,
                ask.thread,
                oldest=after_ts,
                latest=ask.ts,
                limit=PAGE,
                cursor=cursor,
            )
            found += [
                m
                for m in items(page.get("messages"))
                # Slack gives the root with every page, whatever was asked for.
                if _later(m, after_ts) and (not ask.ts or not _later(m, ask.ts, equal=True))
            ]
            cursor = words(mapping(page.get("response_metadata")).get("next_cursor"))
            if not cursor or page.get("has_more") is False:
                break
        unique = {words(m.get("ts")): m for m in found}
        return [unique[ts] for ts in sorted(unique, key=_number)]

    def _said(self, message: Json, text: str, names: dict[str, str]) -> Said:
        user = words(message.get("user"))
        ours = self._us.wrote(message)
        bot = bool(message.get("bot_id")) and not ours
        label = words(message.get("username")) or words(
            mapping(message.get("bot_profile")).get("name")
        )
        return Said(
            ts=words(message.get("ts")),
            user=user or words(message.get("bot_id")),
            name="Purser" if ours else (label or "an app") if bot else names.get(user, user),
            text=_USER.sub(lambda m: f"@{names.get(m[1], m[1])}", text),
            ours=ours,
            bot=bot,
            files=files_of(message),
        )


def _number(ts: str) -> Decimal:
    """Slack's timestamps as they order; what is none comes first."""
    return Decimal(ts) if re.fullmatch(r"\d+(\.\d+)?", ts) else Decimal(0)


def _later(message: Json, ts: str, *, equal: bool = False) -> bool:
    mine, other = _number(words(message.get("ts"))), _number(ts)
    return mine > other or (equal and mine == other)


def _just_before(ts: str) -> str:
    return str(max(_number(ts) - Decimal("0.000001"), Decimal(0)))
