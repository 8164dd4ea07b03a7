"""Take an ask, run its turn, speak, settle: the story's table of contents.

    inbox.take -> who asks? may they? -> what was said? -> turn -> reply -> settle

Each ask is worked on by one task that holds its lease; a `Holding` beside it renews the lease and hears signals.
A worker that lost its lease falls silent.
"""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace

import structlog

from bot import audit, closing, review, spans, summarize
from bot.aftermath import DEATHS_AT_MOST, Aftermath
from bot.answer import Answer, Ended, Failed, Quote, Receipt, Refused, Stopped, TextDelta, ToolEnded
from bot.ask import Ask, Lease
from bot.caps import Caps
from bot.errors import LeaseLost, StoreDown
from bot.holding import Holding
from bot.log import Spell
from bot.rooms import Rooms
from bot.slack.decisions import STOPPED
from bot.slack.reply import Reply
from bot.slack.wire import SlackError
from bot.store import Transaction
from bot.turn import Brief
from bot.turn.batch import Later
from bot.turn.brief import wants_depth

SLOTS = 500  # asks worked on at the same time by one process
DRAIN_SECONDS = 25.0  # what running asks get when the process is told to stop
IDLE_SECONDS = (
    1.0  # between looks at the inbox when nobody wakes us: leases that ran out are found so
)
TAKEN_AT_ONCE = 16  # asks at most, where many wait
BEHIND_SECONDS = 3.0  # an ask that waits so long for its own thread is told
BEHIND: Mapping[str, str] = {
    "thread": "I am still at the request before yours in this thread; yours is next.",
    "person": "I am already at work on {n} of your requests, the most at once here; this one waits its turn.",
    "channel": "I am already at work on {n} of this channel's requests, the most at once; yours waits its turn.",
}
EDITED = "You changed your message while I was at work: I answered the earlier wording."
STATES = ("waiting", "leased", "parked", "dead")  # of an ask that has not ended well

log = structlog.get_logger()


class Worker:
    """A bounded pool that works on whatever waits in the inbox.

    Args:
        rooms: what it works with.
        slots: asks at the same time.
        drain_seconds: what running asks get when told to stop.
    """

    def __init__(
        self, rooms: Rooms, *, slots: int = SLOTS, drain_seconds: float = DRAIN_SECONDS
    ) -> None:
        self._rooms, self._aftermath = rooms, Aftermath(rooms)
        self._slots = slots
        self._drain_seconds = drain_seconds
        self._down = Spell("the store is down", over="the store is back")
        self._running: set[asyncio.Future[None]] = set()
        self._kept: list[asyncio.Future[None]] = []  # of those, slots for asks that are being put

    async def run(self, stopping: asyncio.Event) -> None:
        """Take and serve asks until told to stop; then let those running finish, and hand back the rest."""
        wanted = 1
        self._rooms.inbox.feed(self)
        while not stopping.is_set():
            # Side by side, so that they share a commit.
            found = await asyncio.gather(*(self._look() for _ in range(wanted)))
            if all(found):
                wanted = min(2 * wanted, TAKEN_AT_ONCE)
                continue
            wanted = 1
            await self._rooms.inbox.wait(IDLE_SECONDS)
        self._rooms.inbox.feed(None)
        await self._drain()

    async def _look(self) -> bool:
        """Begin with the next ask, if there is one and a slot for it; whether there was."""
        caps, lease = self.wants(), None
        if caps is None:
            return False
        try:
            lease = await self._rooms.inbox.take(
                person_in_flight=caps.person, channel_in_flight=caps.channel, own=caps.own
            )
            self._down.went()
        except StoreDown as down:
            self._down.failed(str(down))
        finally:
            self.begin(lease)
        return lease is not None

    def wants(self) -> Caps | None:
        """See `Taker`: an ask that comes while a slot is free is taken in the commit that keeps it."""
        if len(self._running) >= self._slots:
            return None
        self._kept.append(self._hold(asyncio.get_running_loop().create_future()))
        return self._rooms.policy.caps

    def begin(self, lease: Lease | None) -> None:
        """See `Taker`."""
        kept = self._kept.pop()
        if not kept.done():
            kept.set_result(None)
        if lease is not None:
            work = spans.under(self._rooms.tracer, lease, self._serve)
            self._hold(asyncio.create_task(work))

    def _hold(self, work: asyncio.Future[None]) -> asyncio.Future[None]:
        self._running.add(work)
        work.add_done_callback(self._running.discard)
        return work

    async def watch(self, stopping: asyncio.Event) -> None:
        """Tell who waits behind their own thread, or others of theirs or their channel, and count the queue, about once a second."""
        while not stopping.is_set():
            try:
                queue = await self._rooms.inbox.queue()
                states = {name: getattr(queue, name) for name in STATES}
                self._rooms.metrics.queue(states, queue.oldest_seconds)
                if queue.waiting:
                    await self._tell_behind()
            except StoreDown as down:
                self._down.failed(str(down))
            except SlackError as error:
                log.warning("who waits could not be told", problem=str(error))
            await _wait(stopping, IDLE_SECONDS)
        self._rooms.inbox.ended()  # so that `run`, if it waits for an ask, hears at once

    async def _tell_behind(self) -> None:
        caps = self._rooms.policy.caps
        for late in await self._rooms.inbox.behind(BEHIND_SECONDS, caps):
            of_person, of_channel = caps.of(late.ask.channel)
            n = of_person if late.why == "person" else of_channel
            await self._rooms.replies.tell(late.ask, BEHIND[late.why].format(n=n))

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=self._drain_seconds)
        left = list(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, lease: Lease) -> None:
        """Work on one ask, and let go of it."""
        if not await self._tried(lease):
            # A group's error holds itself, and by its frames all that the ask has read; who looks by itself comes late.
            gc.collect(1)

    async def _tried(self, lease: Lease) -> bool:
        """Work on one ask, whatever happens: the frontier of an ask. Whether nothing did."""
        if lease.failures >= DEATHS_AT_MOST:
            await self._aftermath.hopeless(lease)
            self._rooms.inbox.ended()
            return False
        holding, others, whole = Holding(self._rooms.inbox, lease), True, False
        try:
            async with asyncio.TaskGroup() as group:
                held = group.create_task(holding.keep())
                others = await self._work(lease, holding)
                held.cancel()
            whole = True
        except* LeaseLost:
            log.warning("lease lost", ask=lease.ask.id, attempt=lease.attempt)
        except* StoreDown as down:
            await self._aftermath.unbooked(lease, down)
        except* asyncio.CancelledError:
            await self._aftermath.hand_back(lease)
        except* SlackError as unsaid:
            await self._aftermath.unsaid(lease, unsaid)
        except* Exception as broken:  # the frontier of one ask: told, logged, dead-lettered
            log.exception("ask broke", ask=lease.ask.id)
            await self._aftermath.broken(lease, broken)
        finally:
            if others or len(self._running) >= self._slots:  # what came since found no slot
                self._rooms.inbox.ended()
        return whole

    async def _work(self, lease: Lease, holding: Holding) -> bool:
        """Work on an ask to its end; whether others may wait for what it held."""
        if lease.ask.feature == "click":
            return await self._settle(lease, await self._press(lease))
        early = await self._rooms.digests.work(lease) if lease.ask.digest else None
        if isinstance(early, Later):
            await self._rooms.inbox.give_back(lease, not_before=early.at)
            return True
        async with aclosing(await self._rooms.replies.open(lease)) as reply:
            ended = early or await self._answer(lease, reply, holding)
            if isinstance(ended, Quote) and not holding.stop.is_set():
                await self._rooms.decisions.ask(lease, reply, ended)
                return True
            if isinstance(ended, Quote):
                ended = Stopped(STOPPED, Receipt())
            if holding.edited and isinstance(ended, Answer):
                ended = replace(ended, notes=(*ended.notes, EDITED))
            if isinstance(ended, Refused):
                ended = await self._rooms.handover.give(lease, ended)
            await reply.end(ended, await self._rooms.offers.of(lease.ask, ended))
        return await self._settle(lease, ended, stopped_by=holding.stopped_by)

    async def _press(self, lease: Lease) -> Ended:
        """A button speaks for itself."""
        person, verdict = await self._rooms.askers.look(lease.ask)
        if not verdict.allowed:
            self._rooms.metrics.dropped(f"denied:{verdict.rule}")
        return await self._rooms.clicks.press(lease, person, verdict)

    async def _answer(self, lease: Lease, reply: Reply, holding: Holding) -> Ended | Quote:
        """The way of one ask, from who asks to its end, or to what a person has to agree to first."""
        rooms, ask = self._rooms, lease.ask
        if ask.origin == "own":  # an alert is its own answer
            return Answer(ask.text, Receipt())
        (person, verdict), _ = await asyncio.gather(rooms.askers.look(ask), reply.first_sign())
        if not verdict.allowed:
            rooms.metrics.dropped(f"denied:{verdict.rule}")
            return Stopped(verdict.sentence, Receipt(), rule=verdict.rule)
        if ask.feature in {"cost", "purser"}:
            return await rooms.commands.answer(ask, person)
        if posting := await rooms.posting.answer(ask, person):
            return posting
        planned = self._plan(ask, tools=verdict.tools)
        if planned is None:
            return Stopped(summarize.USAGE, Receipt())
        brief, question = planned
        brief = brief.deeper() if wants_depth(ask.text) else brief
        decided = await rooms.decisions.resumed(lease, holding) if lease.attempt > 1 else None
        if isinstance(decided, Stopped):
            return decided
        if decided is not None:
            brief = decided.applied(brief)
            await reply.go_on()
        said = await rooms.threads.since(ask)
        fetched = await rooms.prefetch.read(lease, brief, reply.on)
        files = await rooms.threads.files(ask.files)
        brief, attached, read = await review.prepared(brief, files, fetched, at=rooms.now())
        asker, names = person.name, brief.rules.redact
        conversation = await rooms.conversations.open(
            lease, said=said, attached=attached, question=question, asker=asker, redact=names
        )
        conversation = conversation.with_read(read)
        spoken = False
        async with aclosing(
            rooms.turn.run(lease, conversation, brief, stop=holding.stop)
        ) as events:
            async for event in events:
                if isinstance(event, Answer | Refused | Stopped | Failed | Quote):
                    return event
                if isinstance(event, ToolEnded):
                    rooms.metrics.tool(event.name, event.outcome)
                if isinstance(event, TextDelta) and not spoken:
                    spoken = True
                    rooms.metrics.first_text(rooms.now() - ask.at)
                await reply.on(event)
        raise RuntimeError("a turn ended without an end")

    def _plan(self, ask: Ask, *, tools: bool) -> tuple[Brief, str] | None:
        """What the turn is to do; None where a summary names no ticket."""
        rules, workspace = self._rooms.policy.rules(ask.channel), self._rooms.policy.workspace
        if ask.feature == "review":
            brief = review.brief(ask.text, rules, workspace, tools=tools)
            return brief, review.question(ask.text)
        if ask.feature == "summarize":
            question = summarize.question(ask.text)
            return (summarize.brief(rules, workspace, tools=tools), question) if question else None
        return Brief("chat", rules.model, rules.effort, rules, workspace, tools), ask.text

    async def _settle(self, lease: Lease, ended: Ended, *, stopped_by: str = "") -> bool:
        """The ask is done: what its turn left open is booked, and its line goes to the log; whether others wait."""
        ask, outcome = lease.ask, type(ended).__name__.lower()
        tx = Transaction(lease)
        sentence = "" if isinstance(ended, Answer) else ended.sentence
        others = self._rooms.inbox.done(tx, lease, outcome=outcome, sentence=sentence)
        if stopped_by:
            stop = replace(audit.of_ask(ask, outcome), user=stopped_by, action="stop")
            audit.record(tx, stop, at=self._rooms.now())
        rule = ended.rule if isinstance(ended, Stopped) else ""
        audit.ended(tx, ask, outcome, rule=rule, at=self._rooms.now())
        self._rooms.retention.at_end(tx, ask)
        found = await self._rooms.store.commit(tx)
        seconds, version = self._rooms.now() - ask.at, self._rooms.turn.prompts.version
        closing.tell(self._rooms.metrics, lease, ended, seconds=seconds, version=version)
        return bool(found[others])


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
