"""A desk for tests of speech toward Slack: a whole workspace on the wire, a real store, a clock that is moved."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.answer import Answer, Receipt, TextDelta
from bot.ask import Ask, Lease
from bot.demo.slack import Message, SlackStandIn
from bot.errors import LeaseLost
from bot.inbox import Arrival, Inbox
from bot.journal import Journal, Part
from bot.metrics import Metrics
from bot.slack.allowance import Allowances
from bot.slack.flow import Hold
from bot.slack.parts import Parts
from bot.slack.pen import Place
from bot.slack.reply import Replies, Reply
from bot.slack.wire import SlackWire
from bot.store import Row, Store, Transaction
from bot.store.sqlite import SqliteStore
from tests.demo.slack_worlds import Clock

HOSTS = frozenset({"shop.atlassian.net"})
RECEIPT = Receipt(
    cost=Decimal("0.0123"),
    input_tokens=1000,
    cached_tokens=870,
    tools=2,
    seconds=8.2,
    model="claude-sonnet-5-5",
)
LINE = "$0.0123 · 87% cached · 2 tools · 8 s · claude-sonnet-5-5"
SOON = 0.01  # seconds
NEVER = 60.0  # seconds; longer than any test

_numbers = itertools.count(1)


class Died(BaseException):
    """The process was killed."""


class Life:
    """How many steps a process has left: commits and calls to Slack, each counted before and after it."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        """Take one; once they are used up nothing is done any more."""
        self.left -= 1
        if self.left < 0:
            raise Died


class MortalStore:
    """A store that dies with its process."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store, self._life = store, life
        self.read, self.soon = store.read, store.soon
        self.ready, self.close = store.ready, store.close

    async def commit(self, tx: Transaction) -> list[list[Row]]:
        """Commit, or die before or after it."""
        self._life.step()
        rows = await self._store.commit(tx)
        self._life.step()
        return rows


class MortalClient(AsyncWebClient):
    """A Slack client that dies with its process."""

    life: Life

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        """Call, or die before or after it."""
        self.life.step()
        answer = await super().api_call(api_method, **options)
        self.life.step()
        return answer


@dataclass
class Desk:
    """Slack, a store, and what speaks from the one to the other."""

    slack: SlackStandIn
    store: SqliteStore
    session: aiohttp.ClientSession
    clock: Clock
    inbox: Inbox
    waits: list[float] = field(default_factory=list[float])

    async def sleep(self, seconds: float) -> None:
        """Wait by the clock alone."""
        self.waits.append(seconds)
        self.clock.at += seconds
        await asyncio.sleep(0)

    def wire(self, client: AsyncWebClient | None = None) -> SlackWire:
        """The wire, by the real client."""
        return SlackWire(
            client or self.client(),
            self.session,
            token=self.slack.bot_token,
            clock=self.clock,
            sleep=self.sleep,
        )

    def client(self, kind: type[AsyncWebClient] = AsyncWebClient) -> AsyncWebClient:
        """The real client, without retries of its own."""
        return kind(
            self.slack.bot_token,
            base_url=self.slack.api_url,
            session=self.session,
            retry_handlers=[],
        )

    def replies(
        self, *, whole: float | Hold = NEVER, flush: float = SOON, life: Life | None = None
    ) -> Replies:
        """A process that answers; first words wait for `whole`; with `life` it dies when that is used up."""
        client, store = self.client(), self.store
        if life is not None:
            client = self.client(MortalClient)
            assert isinstance(client, MortalClient)
            client.life = life
        seen: Store = MortalStore(store, life) if life is not None else store
        return Replies(
            self.wire(client),
            Journal(seen, now=self.clock),
            seen,
            us=self.slack.bot_user,
            hosts=HOSTS,
            code_hosts=frozenset({"github.com"}),
            metrics=Metrics(),
            clock=self.clock,
            hold=whole if callable(whole) else lambda *_: whole,
            flush_seconds=flush,
        )

    def parts_of(self, lease: Lease, client: AsyncWebClient | None = None) -> Parts:
        """The parts of an answer, as a process has them that knows nothing yet."""
        ask = lease.ask
        return Parts(
            self.wire(client),
            Journal(self.store, now=self.clock),
            self.store,
            lease=lease,
            allowances=Allowances(self.clock),
            place=Place(ask.channel, ask.thread, ask.team, ask.user),
            us=self.slack.bot_user,
            clock=self.clock,
        )

    async def leased(self, **values: Any) -> Lease:
        """An ask in the inbox, taken."""
        n = next(_numbers)
        given: dict[str, Any] = {
            "id": f"0192{n:08d}abcdefgh",
            "key": f"ask:{n}",
            "team": self.slack.team,
            "user": "U0ANA",
            "feature": "chat",
            "origin": "mention",
            "text": "why is the build red?",
            "at": self.clock.at,
            "channel_kind": "channel",
            "user_team": self.slack.team,
            **values,
        }
        await self.inbox.put(Arrival((f"event:{n}",), Ask(**given)))
        return await self.take()

    async def take(self) -> Lease:
        """The next lease."""
        lease = await self.inbox.take(person_in_flight=9, channel_in_flight=9)
        assert lease is not None
        return lease

    async def taken_over(self) -> Lease:
        """The lease of the worker that comes after one that died."""
        self.clock.at += 31
        return await self.take()

    async def mention(self, channel: str = "#payments", **values: Any) -> Lease:
        """Ana asks in a channel; her message opens the thread."""
        said = await self.slack.say("ana", channel, "@purser why is the build red?")
        return await self.leased(channel=said.channel, thread=said.ts, ts=said.ts, **values)

    async def direct(self, **values: Any) -> Lease:
        """Ana asks in a direct message."""
        said = await self.slack.dm("ana", "why is the build red?")
        given = {"origin": "message", "channel_kind": "im", **values}
        return await self.leased(channel=said.channel, thread=said.ts, ts=said.ts, **given)

    async def command(self, channel: str, **values: Any) -> Lease:
        """Ana types a command."""
        where = self.slack.world.channel(channel).id
        url = self.slack.response_urls.give(where, "U0ANA")
        given = {"feature": "summarize", "origin": "command", "response_url": url, **values}
        return await self.leased(channel=where, **given)

    async def settle(self, lease: Lease) -> None:
        """The ask is done."""
        tx = Transaction(lease)
        self.inbox.done(tx, lease, outcome="answer")
        await self.store.commit(tx)

    def thread(self, lease: Lease) -> list[Message]:
        """What we said in an ask's thread, or in its channel where it has none."""
        return self.slack.by_app(lease.ask.channel, lease.ask.thread or None)

    def texts(self, lease: Lease) -> list[str]:
        """The words of it."""
        return [words_of(message) for message in self.thread(lease)]

    async def written(self, lease: Lease) -> None:
        """Have on disk what was written in passing."""
        await self.store.commit(Transaction(lease))

    async def journalled(self, lease: Lease) -> list[Part]:
        """What is known of an answer's parts, what was written in passing included."""
        with suppress(LeaseLost):
            await self.written(lease)
        return list((await Journal(self.store, now=self.clock).read(lease.ask.id)).parts)

    async def shown(self, lease: Lease, text: str) -> None:
        """Wait until a part shows these words."""
        await self.slack.wait_for(lambda: text in self.texts(lease))

    def spoken(self) -> int:
        """How many calls to Slack there were that show something."""
        return sum(line.method.startswith("chat.") for line in self.slack.log)


@asynccontextmanager
async def desk(path: Path, **slack: Any) -> AsyncGenerator[Desk]:
    """A desk; arguments are the stand-in's."""
    clock = Clock()
    store = await SqliteStore.open(path / "purser.db", serve=True)

    async def no_wait(_seconds: float) -> None:
        return None

    given: Mapping[str, Any] = {"events": (), "retry_delays": (), "sleep": no_wait, **slack}
    async with SlackStandIn(now=clock, **given) as stand_in, aiohttp.ClientSession() as session:
        yield Desk(stand_in, store, session, clock, Inbox(store, now=clock, worker="w1"))
    await store.close()


@asynccontextmanager
async def server(
    answer: Callable[[web.Request], web.StreamResponse],
) -> AsyncGenerator[str]:
    """Something that answers every request in one way; its address."""

    async def take(request: web.Request) -> web.StreamResponse:
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def words_of(message: Message) -> str:
    """A message's Markdown, however it was said."""
    blocks = [str(b["text"]) for b in message.blocks if b["type"] == "markdown"]
    return "\n".join(blocks) or message.markdown or message.text


def grey(message: Message) -> list[str]:
    """The grey lines under a message."""
    return [b["elements"][0]["text"] for b in message.blocks if b["type"] == "context"]


def has_buttons(message: Message) -> bool:
    """Whether one may say under it whether it was good."""
    return any(b["type"] == "context_actions" for b in message.blocks)


async def say(reply: Reply, *deltas: str) -> None:
    """Let Claude say something."""
    for delta in deltas:
        await reply.on(TextDelta(delta))


def answer(text: str, *notes: str) -> Answer:
    """An answer with a receipt."""
    return Answer(text, RECEIPT, notes)
