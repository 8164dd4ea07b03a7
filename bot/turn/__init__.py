"""The bounded loop with Claude: an ask goes in, events come out, the last one is its end.

    run ─ one task ── loop ── call ── integrations.claude
     │                 └───── tools ── tool_runner
     └─ events: TextDelta, Whole, Thinking, Passing, ToolStarted, Waiting, Withdrawn, and one Ended

The work is done by one task that speaks into a queue, so that a stop, the ask's end in time
and a reader who goes away all end it in the same manner: cancelled, with what was generated
in the books.
"""

import asyncio
import math
from collections.abc import AsyncGenerator
from typing import Any

from bot.answer import Answer, Ended, Event, Failed, Quote, Refused, Stopped
from bot.ask import Lease
from bot.conversation import Conversation
from bot.journal import Told
from bot.policy import Policy
from bot.turn.brief import MAX_TOKENS, Brief, Rooms
from bot.turn.carry import carry_on
from bot.turn.loop import Loop
from bot.turn.warm import settle_shared, warm

STOPPED = "Stopped."


class Turn(Rooms):
    """Answers asks; made once, with everything it works with."""

    async def run(
        self,
        lease: Lease,
        conversation: Conversation,
        brief: Brief,
        *,
        stop: asyncio.Event | None = None,
    ) -> AsyncGenerator[Event]:
        """Work an ask to its end. Close it (`contextlib.aclosing`) to go away early.

        Args:
            lease: the ask.
            conversation: what Claude is to read.
            brief: what is to be done.
            stop: when set, the turn ends with Stopped; what was generated is booked.

        Yields:
            What is heard while it works, and at last one Answer, Refused, Stopped or Failed; or a Quote alone, where
            a person has to agree first to what it is likely to take.

        Raises:
            LeaseLost: another worker has this ask now.
            StoreDown: the books cannot be written.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(self._work(lease, conversation, brief, queue, stop))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            await task
        finally:
            await _gone(task)

    async def warm(self, *, model: str, effort: str) -> bool:
        """Write the beginning that all requests share to Claude's cache, before the first ask.

        Returns:
            Whether it went through; a failure is logged only.

        Raises:
            StoreDown: it could not be booked.
        """
        return await warm(self, model=model, effort=effort)

    async def carry_on(self, policy: Policy, stopping: asyncio.Event) -> None:
        """Carry the cache of threads on where that is likely to pay, until told to stop.

        Args:
            policy: where it is allowed, and within which budgets.
            stopping: no call is begun once it is set.
        """
        await carry_on(self, policy, stopping)

    async def settle_shared(self, *, before: float = math.inf) -> None:
        """Book what a process that is gone had sent in nobody's name; before anything of that kind is sent.

        Args:
            before: epoch seconds; where other processes live, what was sent since may be theirs.

        Raises:
            StoreDown: it could not be booked.
        """
        await settle_shared(self, before=before)

    async def _work(
        self,
        lease: Lease,
        conversation: Conversation,
        brief: Brief,
        queue: "asyncio.Queue[Event | None]",
        stop: asyncio.Event | None,
    ) -> None:
        told = Told() if lease.attempt == 1 else await self.journal.read(lease.ask.id)
        loop = Loop(self, lease, conversation, brief, told, queue.put_nowait)
        work = asyncio.create_task(loop.end())
        watch = asyncio.create_task((stop or asyncio.Event()).wait())
        try:
            await asyncio.wait(
                {work, watch},
                timeout=brief.rules.ask_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            in_time = work.done()
            await _gone(work)
            if in_time or not work.cancelled():
                queue.put_nowait(work.result())
                return
            sentence = STOPPED if watch.done() else _too_long(brief.rules.ask_seconds)
            queue.put_nowait(Stopped(sentence, loop.calls.receipt(), loop.voice.said))
        finally:
            watch.cancel()
            await _gone(work)


async def _gone(task: "asyncio.Task[Any]") -> None:
    """End a task and wait until it has; how it ended is asked elsewhere or of no interest any more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _too_long(seconds: int) -> str:
    length = f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
    return f"This took longer than {length} and was ended. Please ask for a part of it."


__all__ = [
    "MAX_TOKENS",
    "Answer",
    "Brief",
    "Ended",
    "Failed",
    "Quote",
    "Refused",
    "Rooms",
    "Stopped",
    "Turn",
]
