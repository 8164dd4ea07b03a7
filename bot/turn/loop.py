"""The loop of one ask: ask Claude, run the tools it wants, ask again, until there is an end.

Each way a response can stop has its place in `_stopped`. Rounds, seconds and dollars are
bounded: rounds here, dollars in `call`, seconds by whoever runs the loop.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import proxy

import structlog

from bot.answer import Answer, Ended, Event, Failed, Quote, Refused, Stopped, Waiting
from bot.ask import Lease
from bot.conversation import NONE_WHOLE, Conversation, note
from bot.findings import Given, Sieve
from bot.journal import Told
from bot.refusal import Again, Form
from bot.store import Transaction
from bot.turn.books import Books
from bot.turn.brief import Brief, Rooms
from bot.turn.call import Calls
from bot.turn.choice import NOTE, chosen
from bot.turn.compact import Compaction
from bot.turn.keeping import Keeping
from bot.turn.kept import keep_review
from bot.turn.ladder import Afresh, Ladder
from bot.turn.passes import Passes, Studied, coverage
from bot.turn.quoting import Quoting
from bot.turn.request import Order, order, shape
from bot.turn.response import Filtered, Outcome, Response, Unanswered
from bot.turn.tools import already_read, run_tools
from bot.turn.voice import START, Voice

log = structlog.get_logger()

CONTINUES = 2  # times that an answer cut at its length may go on
CALLS_BEYOND_ROUNDS = 6  # for going on, rewording and asking again
GO_ON = "Your answer was cut off. Go on exactly where it stopped; repeat nothing."
SAY_IT = "Your turn ended without an answer. Give the person your answer now."
LAST_ROUND = "No more tools can be used for this request. Answer now, and say what is missing."
CUT_NOTE = "The answer is longer than one answer may be and was cut here."
SMALLER = "The person was told what this costs and wants it for less. Read little and be brief: what matters most, alone."
SMALLER_NOTE = "Done smaller, as you wanted: {model}, {effort} effort, {rounds} rounds of looking things up at most."
SECRETS = (
    "1 secret was hidden before this went to Claude.",
    "{n} secrets were hidden before this went to Claude.",
)
TAKEN_BACK = "Claude declined to go on, so the beginning is taken back."
PARTS_NOTE = "Claude declined to read {parts} of the parts; {model} read that instead."
NOTHING_READ = "Claude declined to read any part of this change."
ALL_CUT = "What Claude found in this change broke off in every part. Ask about single files of it."
WINDOW_NOTE = (
    "This thread is longer than Claude can read; the answer was cut here. A new thread helps."
)


class Loop:
    """Works one ask to its end.

    Args:
        rooms: what every turn works with.
        lease: the ask.
        conversation: what Claude is to read.
        brief: what is to be done.
        told: what the journal knows from before a restart.
        tell: hears the events.
    """

    def __init__(
        self,
        rooms: Rooms,
        lease: Lease,
        conversation: Conversation,
        brief: Brief,
        told: Told,
        tell: Callable[[Event], None],
    ) -> None:
        self._rooms, self._lease, self._brief, self._told = rooms, lease, brief, told
        self._conversation = conversation.noted(SMALLER) if brief.small else conversation
        # Weak, since the voice is the loop's: what an ask has read goes with it, and waits for no collector.
        loop = proxy(self)
        self.voice = Voice(tell, Sieve(lambda: Loop._given(loop), covered=bool(brief.readings)))
        self._studied: Studied | None = None
        deadline = rooms.clock() + brief.rules.ask_seconds
        self._books = Books(rooms, lease, brief)
        self.calls = Calls(
            rooms,
            lease,
            brief,
            told=told,
            voice=self.voice,
            books=self._books,
            deadline=deadline,
        )
        self._ladder = Ladder(rooms, lease, brief, self.calls)
        self._keeping = Keeping(rooms, lease, brief)
        self._sent: Order | None = None  # the last request
        self._previous = conversation.previous_message_id
        self._rounds: list[Mapping[str, Any]] = []
        self._looked_at: tuple[Conversation | None, int, Given] = (None, 0, Given())
        self._tool_rounds = self._made = self._continued = 0
        self._notes = [*([_smaller(brief)] if brief.small else []), *conversation.cuts]

    async def end(self) -> Ended | Quote:
        """Work until there is an end; where a person has to agree first, do not begin.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: the books cannot be written.
        """
        ended = await self._end()
        if not isinstance(ended, Quote):
            self._ladder.end(ended)
        return ended

    async def _end(self) -> Ended | Quote:
        await self._books.settle_lost(self._told)
        whole = self._conversation
        order = await self._shortened(await self._chosen(self._begun(whole), whole))
        if before := await self._quoted(order):
            return before
        for document in self._conversation.documents:
            self.voice.tell(Waiting(f"reading: {document}"))
        if self._brief.passes and (ended := await self._read_parts()):
            return ended
        if self._brief.passes or self.calls.recorded:
            self._start_again_if_changed()
            order = self._order()
        while self._made < self._brief.rules.rounds + CALLS_BEYOND_ROUNDS:
            self._made += 1
            outcome = await self.calls.call(order)
            ended = await self._next(outcome)
            if ended is not None:
                return ended
            order = self._order()
        return self._out_of_rounds()

    def _begun(self, whole: Conversation) -> Order:
        """The first request, begun as its model's cache has it."""
        self._keeping = Keeping(self._rooms, self._lease, self._brief)
        self._conversation = self._keeping.begun(whole, self._plain, self.calls.recorded)
        return self._order()

    async def _chosen(self, order: Order, whole: Conversation) -> Order:
        """The same request to another model, where this one costs more for a request of this length."""
        model = await chosen(
            self._rooms,
            self._brief,
            self._told,
            self.calls,
            order,
            self._previous,
            self._conversation.left,
        )
        if model == order.model:
            return order
        self._ladder.model = model
        self._notes.append(NOTE.format(asked=order.model, chosen=model))
        return self._begun(whole)

    async def _shortened(self, order: Order) -> Order:
        """The same request with the oldest part of its thread summed up, where the thread has grown too long."""
        lost = not (self._keeping.reads or self.calls.recorded)
        tell = self.voice.tell
        compaction = Compaction(self._rooms, self._lease, self._brief, self.calls, tell, lost=lost)
        before = self._conversation
        self._conversation, said = await compaction.shortened(before, order)
        if said:
            self._notes.append(said)
        return order if self._conversation is before else self._order()

    async def _quoted(self, order: Order) -> Quote | Failed | None:
        """What it is likely to take, if a person has to agree to it first, or why it cannot be done at all."""
        quote = Quoting(self._rooms, self._brief, self._told, self.calls, self._books.tally)
        conversation = self._conversation
        return await quote.quoted(order, self._previous, conversation.left, conversation.documents)

    async def _read_parts(self) -> Ended | None:
        """Read what is too large for one look part by part; an end where nothing of it could be read."""
        question = self._conversation.question
        passes = Passes(
            self._rooms, self._lease, self._brief, self.calls, question, self.voice.tell
        )
        studied = self._studied = await passes.run()
        self._books.tally.rounds += len(studied.read)
        for model, parts in studied.others.items():
            self._ladder.notes.append(PARTS_NOTE.format(parts=parts, model=model))
        if not studied.read:
            if isinstance(studied.last, Unanswered):
                return self._unanswered(studied.last)
            if isinstance(studied.last, Response) and studied.last.stop_reason != "refusal":
                return Failed(ALL_CUT, self.calls.receipt())
            return self._ladder.nothing_read(NOTHING_READ, studied.last)
        self.voice.leave_out(studied.found.dropped)
        read = studied.told(self._brief.readings)
        self._conversation = self._conversation.with_read([read])
        return None

    def _given(self) -> Given:
        """What a finding may quote: what is in the request, Claude's own words of this turn left out."""
        conversation, rounds, given = self._looked_at
        if conversation is not self._conversation or rounds != len(self._rounds):
            theirs = [message for message in self._rounds if message["role"] == "user"]
            given = Given.of(self._conversation.messages(theirs))
            self._looked_at = (self._conversation, len(self._rounds), given)
        return given

    @property
    def _last_round(self) -> bool:
        return self._tool_rounds >= self._brief.rules.rounds

    def _order(self) -> Order:
        made = self._plain(self._conversation)
        self._sent = self._keeping.marked(
            made, self._conversation, self._rounds, last=self._last_round
        )
        return self._sent

    def _plain(self, conversation: Conversation) -> Order:
        """The next request without cache marks."""
        shaped = shape(
            self._brief,
            ask=self._lease.ask,
            prompts=self._rooms.prompts,
            tools=self._rooms.runner.declared,
            model=self._ladder.model,
            salt=self._rooms.user_salt,
            tools_allowed=self._brief.tools and not self._last_round,
            previous_message_id=self._previous,
        )
        messages = conversation.messages(self._rounds)
        return order(self._ladder.purpose, shaped, messages, ends=conversation.ends)

    def _start_again_if_changed(self) -> None:
        """After a restart with another model, prompt or tools: the words, and the results already read.

        Thinking is bound to what it was thought about, so nothing else of the old turn is of use.
        """
        if not self.calls.recorded or self._order().key in self.calls.recorded:
            return
        self._conversation = self._conversation.with_read(already_read(self._told))

    async def _next(self, outcome: Outcome) -> Ended | None:
        if isinstance(outcome, Unanswered):
            if outcome.rejected and self._conversation.as_sent and not self._rounds:
                # Thoughts of earlier asks are bound to all before them, and to the account; without them it goes.
                log.warning("asked again without earlier thoughts", ask=self._lease.ask.id)
                self._conversation = self._conversation.whole(NONE_WHOLE)
                return None
            if another := self._ladder.turn(self._conversation, outcome):
                self._start_over(another)
                return None
            return self._unanswered(outcome)
        if isinstance(outcome, Filtered):
            return await self._refused("output_filter")
        self._books.tally.rounds += 1
        self._previous = outcome.id
        return await self._stopped(outcome)

    async def _stopped(self, response: Response) -> Ended | None:
        """Each reason to stop: end_turn, stop_sequence, tool_use, pause_turn, max_tokens, refusal, a full window."""
        reason = response.stop_reason
        if reason == "refusal":
            return await self._refused("refusal", response.category)
        if reason == "tool_use" and response.tool_uses and not self._last_round:
            await self._use_tools(response)
            return None
        if reason == "pause_turn":
            self._resume(response)
            return None
        # Tool calls of any other end are unfinished or unwanted: they are never run.
        spoken = [block for block in response.content if block["type"] != "tool_use"]
        if reason == "max_tokens" and self._continued < CONTINUES:
            self._continued += 1
            self._nudge(spoken, GO_ON if response.text.strip() else SAY_IT)
            return None
        if not response.text.strip() and not self._continued:
            if reason == "tool_use":
                return self._out_of_rounds()
            if reason == "model_context_window_exceeded":
                return Failed(f"{WINDOW_NOTE}", self.calls.receipt(), self.voice.said)
            return await self._refused("empty", spoken=spoken)
        notes = {"max_tokens": CUT_NOTE, "model_context_window_exceeded": WINDOW_NOTE}
        if reason in notes:
            self._notes.append(notes[reason])
        return await self._answered(spoken, response.id)

    async def _use_tools(self, response: Response) -> None:
        self._tool_rounds += 1
        self._rounds.append(_assistant(response.content))
        content = await run_tools(
            self._rooms,
            self._lease,
            self._brief,
            response.tool_uses,
            given=self._conversation.messages(self._rounds),
            known=self._told.tool_results,
            tell=self.voice.tell,
        )
        self._books.tally.tools += len(response.tool_uses)
        if self._last_round:
            content.append(note(LAST_ROUND))
        self._rounds.append({"role": "user", "content": content})
        self.voice.pause()

    def _resume(self, response: Response) -> None:
        """Send a paused turn back as it is; only a server's tool may leave Claude the last word."""
        if any(block["type"] == "server_tool_use" for block in response.content):
            self._rounds.append(_assistant(response.content))
        else:
            self._nudge(response.content, GO_ON)

    def _nudge(self, spoken: Sequence[Mapping[str, Any]], words: str) -> None:
        """Have Claude go on; an answer of thoughts alone cannot stand by itself."""
        if any(block["type"] == "text" for block in spoken):
            self._rounds.append(_assistant(spoken))
        self._rounds.append({"role": "user", "content": [note(words)]})

    async def _refused(
        self,
        form: Form,
        category: str | None = None,
        *,
        spoken: Sequence[Mapping[str, Any]] = (),
    ) -> Ended | None:
        """Climb the next rung, or end; what was refused stays out of everything that follows."""
        step = await self._ladder.climb(form, category, self._conversation)
        match step:
            case Again():
                self._nudge(spoken, SAY_IT)
                return None
            case Afresh():
                self._start_over(step)
                return None
            case Failed():
                return replace(step, text=self.voice.said)
            case Refused():
                self.voice.take_back(START, TAKEN_BACK)
                return step

    def _start_over(self, afresh: Afresh) -> None:
        self._conversation = afresh.conversation
        self._rounds = []
        self._continued = 0
        self.voice.take_back(START, afresh.note)

    async def _answered(self, spoken: list[Mapping[str, Any]], message_id: str) -> Ended:
        self.voice.finish()
        if self._brief.rules.store_text:
            tx = Transaction(self._lease)
            rounds = [*self._rounds, _assistant(spoken)]
            self._rooms.conversations.keep(
                tx,
                self._lease,
                self._conversation,
                rounds,
                message_id=message_id,
                at=self._rooms.now(),
                left=self._keeping.left(self._conversation),
            )
            keep_review(tx, self._lease.ask, self._brief, self.voice.findings, at=self._rooms.now())
            self._rooms.store.soon(tx)  # after a kill the journalled answer is kept anew
            if self._sent:
                self._keeping.answered(self._sent, self._conversation, rounds)
        self.voice.add(coverage(self._brief, self._studied))
        left_out = (self.voice.note,) if self.voice.note else ()
        notes = (*self._ladder.notes, *self._notes, *left_out, *self._secrets())
        return Answer(self.voice.said, self.calls.receipt(), notes)

    def _secrets(self) -> tuple[str, ...]:
        """What a person has to know of what Claude was not shown."""
        count = self._conversation.hidden(self._rounds)
        return (SECRETS[count > 1].format(n=count),) if count else ()

    def _unanswered(self, outcome: Unanswered) -> Ended:
        if self._studied and not self.voice.said.strip():
            self.voice.add(self._studied.markdown())
            self.voice.add(coverage(self._brief, self._studied))
        if outcome.bound == "ask":
            return Stopped(outcome.sentence, self.calls.receipt(), self.voice.said)
        return Failed(outcome.sentence, self.calls.receipt(), self.voice.said)

    def _out_of_rounds(self) -> Ended:
        sentence = (
            f"This took more than {self._brief.rules.rounds} rounds of looking things up and was "
            "ended. Please ask for a part of it."
        )
        return Stopped(sentence, self.calls.receipt(), self.voice.said)


def _smaller(brief: Brief) -> str:
    return SMALLER_NOTE.format(model=brief.model, effort=brief.effort, rounds=brief.rules.rounds)


def _assistant(content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"role": "assistant", "content": content}
