"""Claude is away for ten minutes while somebody asks every other second, on a clock that is moved: few calls, orderly return."""

import asyncio
from collections import Counter

from bot.governor import Call, GiveUp, Ticket
from bot.governor.breaker import FAILURES, REST_AT_MOST
from integrations.claude_errors import Overloaded
from tests.bot.test_governor import MODEL, Desk

OUTAGE = 600  # seconds
EVERY = 2  # seconds between asks
PATIENCE = 600.0  # seconds an ask may take
ANSWER = 3.0  # seconds that Claude needs


class Outage:
    """Asks at a governor, each as a turn makes them, and Claude behind it, which is away at first."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.began = self.desk.clock.now
        self.calls: list[float] = []  # when each went out, in seconds since the beginning
        self.ends: Counter[str] = Counter()
        self._waiting: list[tuple[float, asyncio.Event]] = []

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self.desk.clock.now - self.began

    async def ask(self, n: int) -> None:
        """One ask to its end."""
        deadline, attempt = self.desk.clock.now + PATIENCE, 0
        while True:
            attempt += 1
            call = Call(MODEL, channel=f"C{n % 7}", person=f"U{n % 11}", input_tokens=1_000)
            admitted = await self.desk.governor.admit(
                call, deadline=deadline, tell=lambda _seconds, _why: None, again=attempt > 1
            )
            if isinstance(admitted, GiveUp):
                self.ends[admitted.sentence.partition(" ")[0]] += 1
                return
            if await self._answered(admitted):
                self.ends["answered"] += 1
                return
            step = self.desk.governor.decide(admitted, Overloaded(), attempt=attempt, deadline=deadline)  # fmt: skip
            self.desk.governor.settle(admitted)
            if isinstance(step, GiveUp):
                self.ends["gave up"] += 1
                return
            await self._until(self.desk.clock.now + step.seconds)

    async def _answered(self, ticket: Ticket) -> bool:
        self.calls.append(self.seconds)
        if self.seconds < OUTAGE:
            return False
        await self._until(self.desk.clock.now + ANSWER)
        self.desk.governor.settle(ticket, output_tokens=100)
        return True

    async def _until(self, time: float) -> None:
        self._waiting.append((time, woken := asyncio.Event()))
        await woken.wait()

    async def tick(self) -> None:
        """A second passes, and everybody has looked."""
        self.desk.clock.now += 1
        for time, woken in self._waiting:
            if time <= self.desk.clock.now:
                woken.set()
        self._waiting = [one for one in self._waiting if not one[1].is_set()]
        self.desk.governor.settle(Ticket(Call(MODEL), 0))
        for _ in range(4):
            await asyncio.sleep(0)


async def test_ten_minutes_without_claude() -> None:
    """Claude is called a few times only, who cannot be answered in time is told once, and then everybody's turn comes."""
    outage, asks = Outage(), list[asyncio.Task[None]]()
    while outage.seconds < OUTAGE:
        if outage.seconds % EVERY == 0:
            asks.append(asyncio.create_task(outage.ask(len(asks))))
        await outage.tick()
    while not all(ask.done() for ask in asks):
        assert outage.seconds < OUTAGE + REST_AT_MOST + 60, outage.ends
        await outage.tick()
    during = [at for at in outage.calls if at < OUTAGE]
    after = [at for at in outage.calls if at >= OUTAGE]

    assert sum(outage.ends.values()) == len(asks) == OUTAGE / EVERY
    assert FAILURES <= len(during) < 4 * FAILURES
    assert outage.ends["answered"] > len(asks) / 3
    assert len(after) == outage.ends["answered"]
    assert (
        after[1] - after[0] >= ANSWER
    )  # one call tried alone, and was answered, before all others went
