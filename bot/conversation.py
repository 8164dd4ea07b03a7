"""A thread as messages for Claude: what is remembered, what is new, and where the cache marks stand.

One ask becomes one user message: what was said in the thread since last time, labelled by
author, then files, then the request itself. What was sent once is kept as it was and only
ever added to, so that Claude's cache of a thread stays good from one ask to the next. Of a
thread that grew too long, a summary stands in the place of its oldest asks, and is kept too.
"""

import html
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from bot.ask import Attached, Lease, Said
from bot.caching import Left, Marks, marked
from bot.documents import discreet, without_secrets
from bot.labels import (
    cuts_of,
    document,
    few,
    file_blocks,
    named,
    request,
    said_before,
    text,
)
from bot.prompts import untagged
from bot.redaction import hidden, hidden_in
from bot.remembered import Kept, Message, as_sent, remembered
from bot.store import Row, Store, Transaction

SENT_CHARS = 1_000_000  # of an ask as it was sent, kept for as long as it may be in cache
NONE_WHOLE: tuple[int, ...] = ()  # of earlier asks is read as it was sent
LEFT_OUT = "[the oldest turns of this thread are left out: it is too long]"
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Older:
    """What stands in the place of a thread's oldest asks.

    Attributes:
        upto: the last of them.
        text: their summary; "" where they are left out.
        ask_id: the ask before which that was done.
    """

    upto: int
    text: str
    ask_id: str

    @property
    def message(self) -> Message:
        """As Claude reads it: the same bytes for as long as it stands."""
        body = untagged(self.text) or LEFT_OUT
        return {"role": "user", "content": [text(f"<purser:older>\n{body}\n</purser:older>")]}


@dataclass(frozen=True, slots=True)
class Conversation:
    """What Claude is to read for one ask.

    Attributes:
        older: what stands for the thread's oldest asks, if they are not read any more.
        kept: the other earlier asks in this thread.
        new: the user message of this ask.
        question: the person's own words in it.
        seen_ts: ts of the newest message of the thread that is in it.
        previous_message_id: Claude's last message in this thread.
        cuts: what could not be read, or not wholly, in sentences for the person.
        documents: the PDFs of this ask, with their pages and about their tokens.
        left: what the ask before left in Claude's cache, where that is known.
        whole_asks: the earlier asks that are read as they were sent, by their numbers.
    """

    older: Older | None
    kept: tuple[Kept, ...]
    new: Message
    question: str
    seen_ts: str
    previous_message_id: str | None = None
    cuts: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    left: Left | None = None
    whole_asks: tuple[int, ...] = NONE_WHOLE

    @property
    def n(self) -> int:
        """Which ask of its thread this is, from 1."""
        before = self.older.upto if self.older else 0
        return (self.kept[-1].n if self.kept else before) + 1

    @property
    def remembered(self) -> tuple[Message, ...]:
        """What comes before this ask."""
        before = (self.older.message,) if self.older else ()
        return (*before, *(message for one in self.kept for message in self._read(one)))

    @property
    def as_sent(self) -> bool:
        """Whether an earlier ask is read as it was sent."""
        return any(one.sent and one.n in self.whole_asks for one in self.kept)

    def _read(self, one: Kept) -> tuple[Message, ...]:
        return one.read(whole=one.n in self.whole_asks)

    def whole(self, asks: tuple[int, ...]) -> "Conversation":
        """Read these earlier asks as they were sent, and the others as they are remembered."""
        return replace(self, whole_asks=asks)

    def lasting(self, upto: int) -> "Conversation":
        """Read none of the earlier asks after this one as it was sent."""
        return self.whole(tuple(n for n in self.whole_asks if n <= upto))

    @property
    def ends(self) -> tuple[int, int, int]:
        """How many messages there are up to the own one of the ask before, up to its answer, and up to this ask's own."""
        asked = len(self.remembered)
        if not self.kept:
            return (0, 0, asked + 1)
        return (asked - len(self._read(self.kept[-1])) + 1, asked - 1, asked + 1)

    def shortened(self, older: Older) -> "Conversation":
        """Let this stand in the place of the asks up to one of them."""
        kept = tuple(one for one in self.kept if one.n > older.upto)
        return replace(self, older=older, kept=kept, whole_asks=NONE_WHOLE)

    @property
    def about_code(self) -> bool:
        """Whether code was pasted or a text file attached."""
        texts = [str(block.get("text", "")) for block in self.new["content"]]
        return "```" in self.question or any("<purser:file" in text for text in texts)

    def messages(
        self, rounds: Sequence[Message] = (), *, marks: Marks | None = None
    ) -> list[dict[str, Any]]:
        """Give the messages of a request.

        Args:
            rounds: what followed in this ask so far: answers with tool calls, and results.
            marks: how far it is kept in cache; None where it is likely to be read by nobody.
        """
        messages = (*self.remembered, self.new, *rounds)
        if marks is None:
            return [dict(message) for message in messages]
        return marked(messages, marks, asked=len(self.remembered))

    def reworded(self, words: str) -> "Conversation":
        """Put other words in the place of the person's; code in them stays as it was."""
        question = with_code(words, self.question)
        *context, ask = cast("list[dict[str, Any]]", self.new["content"])
        text = f"{str(ask['text']).partition(chr(10))[0]}\n{untagged(question)}\n</purser:ask>"
        return replace(
            self, new={**self.new, "content": [*context, {**ask, "text": text}]}, question=question
        )

    def hidden(self, rounds: Sequence[Message]) -> int:
        """How many secrets were hidden in this ask and in what tools gave for it."""
        theirs = [message for message in (self.new, *rounds) if message["role"] == "user"]
        return sum(hidden_in(_json(message)) for message in theirs)

    def noted(self, words: str) -> "Conversation":
        """Say something to Claude in our own name, before the request."""
        *context, ask = cast("list[dict[str, Any]]", self.new["content"])
        return replace(self, new={**self.new, "content": [*context, note(words), ask]})

    def with_read(self, read: Sequence[tuple[str, str, str]]) -> "Conversation":
        """Add what tools gave for this ask before it had to start again.

        Args:
            read: tool name, its input as JSON, and its result, for each.
        """
        *context, ask = cast("list[dict[str, Any]]", self.new["content"])
        blocks = [
            text(
                f'<purser:read tool="{named(name)}" input="{html.escape(given)}">\n'
                f"{untagged(result)}\n</purser:read>"
            )
            for name, given, result in read
        ]
        return replace(self, new={**self.new, "content": [*context, *blocks, ask]})


class Conversations:
    """Opens and keeps the memory of threads.

    Args:
        store: where it lies.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(
        self,
        lease: Lease,
        *,
        said: Sequence[Said],
        attached: Sequence[Attached],
        question: str,
        asker: str = "",
        redact: Collection[str] | None = None,
    ) -> Conversation:
        """Read the thread's memory and add what is new, its secrets hidden.

        Args:
            lease: the ask.
            said: messages of the thread that may be newer than what is remembered.
            attached: files of the ask.
            question: the request in the person's words.
            asker: the person's name.
            redact: names of the rules by which secrets are hidden; None is all.

        Raises:
            StoreDown: the memory cannot be read.
        """
        lane = lease.ask.lane
        rows = [] if lease.ask.is_first else await self._store.read("conversation.open", lane=lane)
        # An ask that is resumed after it was answered must not read its own answer.
        rows = [row for row in rows if row["ask_id"] != lease.ask.id]
        older = next((_older(row) for row in rows if row["n"] == row["upto"]), None)
        seen = str(rows[-1]["seen_ts"]) if rows else ""
        # What came after the ask is left to the next one: an ask that is resumed must read the same.
        begun = f"{lease.ask.at:.6f}" if lease.ask.origin == "reworded" else ""
        until = _ts(lease.ask.ts or begun) if lease.ask.ts or begun else (2**63, "")
        declined = await self._declined(lease, said)
        newer = sorted(
            (
                one
                for one in said
                if _ts(seen) < _ts(one.ts) < until
                and one.ts not in declined
                # Our own answers are remembered as answers; where nothing is, they are context.
                and not (rows and one.ours)
            ),
            key=lambda one: _ts(one.ts),
        )
        newer, attached, question, asker = await _hidden(newer, attached, question, asker, redact)
        content, cuts = said_before(newer)
        for file in attached:
            content.extend(file_blocks(file))
            cuts += cuts_of(file)
        content.append(request(question, asker, lease.ask.at))
        return Conversation(
            older=older,
            kept=tuple(_kept(row) for row in rows if row["n"] > row["upto"]),
            new={"role": "user", "content": content},
            question=question,
            seen_ts=max((seen, lease.ask.ts, *(one.ts for one in newer)), key=_ts),
            previous_message_id=str(rows[-1]["message_id"] or "") or None if rows else None,
            cuts=tuple(few(cuts)),
            documents=tuple(line for file in attached for line in document(file)),
            left=Left.read(str(rows[-1]["cached"])) if rows else None,
        )

    async def _declined(self, lease: Lease, said: Sequence[Said]) -> set[str]:
        """What was refused, and what we said of it, by ts: read again, it would be refused again."""
        if not said:
            return set()
        rows = await self._store.read(
            "conversation.declined",
            team=lease.ask.team,
            channel=lease.ask.channel,
            said=_json([one.ts for one in said]),
        )
        return {str(row["ts"]) for row in rows}

    def keep(
        self,
        tx: Transaction,
        lease: Lease,
        conversation: Conversation,
        rounds: Sequence[Message],
        *,
        message_id: str | None,
        at: float,
        left: Left | None = None,
    ) -> None:
        """Remember an ask that was answered; a refused one is never given here.

        Args:
            tx: becomes true together with the answer.
            lease: the ask.
            conversation: as it was opened (and perhaps reworded).
            rounds: all messages after the new one, the final answer last.
            message_id: of Claude's last message.
            at: seconds since the epoch.
            left: what it left in Claude's cache.
        """
        ask, messages = lease.ask, (conversation.new, *rounds)
        light = _json(remembered(messages))
        sent = _json(as_sent(messages)) if left and left.end_until and len(rounds) > 1 else ""
        tx.add(
            "conversation.keep",
            lane=ask.lane,
            ask_id=ask.id,
            team=ask.team,
            channel=ask.channel,
            user=ask.user,
            messages=light,
            sent=sent if len(sent) <= SENT_CHARS else "",
            cached=str(left) if left else "",
            seen_ts=conversation.seen_ts,
            message_id=message_id or "",
            at=at,
        )
        first = min(left.whole, default=conversation.n) if left else 0
        if any(one.sent and one.n < first for one in conversation.kept):
            tx.add("conversation.lighten", lane=ask.lane, before=first)

    async def ends_with(self, lane: str, n: int) -> bool:
        """Whether a thread's last ask that was answered is the nth, by whichever process. Raises StoreDown."""
        rows = await self._store.read("conversation.last", lane=lane)
        return [row["n"] for row in rows] == [n]

    def carried(self, tx: Transaction, lane: str, n: int, left: Left) -> None:
        """Remember that a thread's cache was carried on, unless an ask came meanwhile.

        Args:
            tx: becomes true together with the call.
            lane: the thread.
            n: its last ask when the call was made.
            left: what stands in Claude's cache now.
        """
        tx.add("conversation.carried", lane=lane, n=n, cached=str(left))

    async def shorten(self, lease: Lease, older: Older, *, at: float) -> None:
        """Remember what stands in the place of the oldest asks of a thread, from now on.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: it was not written.
        """
        tx = Transaction(lease)
        tx.add(
            "conversation.shorten",
            lane=lease.ask.lane,
            upto=older.upto,
            text=older.text,
            ask_id=older.ask_id,
            at=at,
        )
        await self._store.commit(tx)


async def _hidden(
    said: Sequence[Said],
    attached: Sequence[Attached],
    question: str,
    asker: str,
    names: Collection[str] | None,
) -> tuple[Sequence[Said], Sequence[Attached], str, str]:
    """The same with its secrets hidden, in words, names and files."""
    messages, files = await discreet(said, names), await without_secrets(attached, names)
    question, asker = await hidden([question, asker], names)
    return messages, files, question, asker


def note(words: str) -> dict[str, Any]:
    """Say something to Claude in our own name, about how the work goes on."""
    return text(f"<purser:note>{words}</purser:note>")


def without_code(text: str) -> str:
    """Take fenced code out of a request and put numbered place-holders in its stead."""
    count = iter(range(1, text.count("```") + 1))
    return _FENCED.sub(lambda _: f"[code {next(count)}]", text).strip()


def with_code(words: str, original: str) -> str:
    """Put the original's fenced code back into reworded words; lost places are made up at the end."""
    for number, block in enumerate(_FENCED.findall(original), start=1):
        place = f"[code {number}]"
        words = words.replace(place, block, 1) if place in words else f"{words}\n\n{block}"
    return words


def _ts(ts: str) -> tuple[int, str]:
    """Order Slack's timestamps, which are decimals that no float holds."""
    seconds, _, rest = ts.partition(".")
    return (int(seconds) if seconds.isdigit() else 0, rest)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _older(row: Row) -> Older:
    return Older(int(row["upto"]), str(row["older"]), str(row["older_ask"]))


def _kept(row: Row) -> Kept:
    messages, sent = (json.loads(row[name] or "[]") for name in ("messages", "sent"))
    return Kept(int(row["n"]), tuple(messages), tuple(sent))
