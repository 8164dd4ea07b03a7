"""A workspace with people enough to ask five hundred things at once, and a stop-watch for each ask."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.demo.slack import Message, SlackStandIn
from bot.demo.slack.world import Channel, Person

CALL_SECONDS = 0.02  # that every call to Slack takes
PEOPLE = (
    100  # so many that nobody has more than five asks at a time, which is what the policy allows
)
CHANNELS = 25  # for the same reason: twenty in each
END_SECONDS = 120.0  # within which an ask has to end
QUESTION = """\
@purser review this, number {n}:
```
def total(basket, prices, discount={{}}):
    sum = 0
    for i in range(len(basket)):
        item = basket[i]
        try:
            sum = sum + prices[item] * basket[item]
        except:
            pass
        if item in discount:
            sum -= discount[item]
    print("total", {n}, sum)
    return round(sum, 2)


def pay(user, basket, prices):
    query = "select card from cards where user = '%s'" % user
    card = database.execute(query).fetchone()[0]
    assert card is not None
    return charge(card, total(basket, prices))
```
"""


@dataclass(slots=True)
class Asked:
    """One ask: its number, when it was said (epoch seconds), and after how many seconds what was seen."""

    n: int
    ts: str
    channel: str
    at: float
    sign: float = 0.0
    text: float = 0.0  # the first of its answer
    end: float = 0.0
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of asks showed; times in seconds.

    Attributes:
        acks: from each delivery to its acknowledgement.
        signs: from an ask to its first sign.
        ends: from an ask to the receipt under its answer.
        calls: of the app to Slack, by method.
        answers: how many asks have how many answers.
        asked: the asks themselves.
    """

    asks: int
    seconds: float
    acks: tuple[float, ...]
    signs: tuple[float, ...]
    ends: tuple[float, ...]
    calls: Counter[str]
    answers: Counter[int]
    asked: tuple[Asked, ...] = ()


class Town:
    """The workspace. People ask, and it is written down what they see when.

    Args:
        slack: a stand-in without limits.
    """

    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self._asked: dict[str, Asked] = {}
        self._said = 0
        world = slack.world
        people = [f"U0P{n:03}" for n in range(PEOPLE)]
        for n, user in enumerate(people):
            world.add_person(Person(user, f"person{n}", f"Person {n}", world.team))
        for n in range(CHANNELS):
            members = {*people, world.bot.id}
            world.add_channel(Channel(f"C0B{n:03}", f"bench-{n}", members=members))

    async def round(
        self,
        asks: int,
        at_a_time: int,
        *,
        question: str = QUESTION,
        rest: float = 0.2,
        spread: float = 0.0,
    ) -> Round:
        """Let so many be asked, never more than `at_a_time` unanswered at once.

        Args:
            asks: how many.
            at_a_time: the first so many are said in one instant, or as `spread` says.
            question: what is asked, with its number `{n}`.
            rest: seconds afterwards, in which the app may finish what nobody sees.
            spread: seconds over which the first `at_a_time` are said.

        Raises:
            TimeoutError: an ask had no end.
        """
        began, free = self.slack.now(), asyncio.Semaphore(at_a_time)

        async def one(n: int) -> Asked:
            await asyncio.sleep(spread * min(n / at_a_time, 1.0))
            async with free:
                asked = await self._ask(question)
                async with asyncio.timeout(END_SECONDS):
                    await asked.over.wait()
                return asked

        found = await asyncio.gather(*(one(n) for n in range(asks)))
        seconds = self.slack.now() - began
        await self.slack.settled()
        await asyncio.sleep(rest)
        lines = [line for line in self.slack.log if line.at >= began]
        return Round(
            asks=asks,
            seconds=seconds,
            acks=tuple(line.seconds for line in lines if line.method == "events_api"),
            signs=tuple(asked.sign for asked in found),
            ends=tuple(asked.end for asked in found),
            calls=Counter(line.method for line in lines if line.direction == "in"),
            answers=Counter(len(self.slack.by_app(a.channel, a.ts)) for a in found),
            asked=tuple(found),
        )

    async def _ask(self, question: str) -> Asked:
        n = self._said = self._said + 1
        channel, at = f"C0B{n % CHANNELS:03}", self.slack.now()
        message = await self.slack.say(f"U0P{n % PEOPLE:03}", channel, question.format(n=n))
        asked = self._asked[message.ts] = Asked(n, message.ts, channel, at)
        return asked

    async def watch(self) -> None:
        """Stop the watches; ends when the stand-in stops."""
        with self.slack.listen() as changes:
            async for change in changes:
                if change.kind == "status" and (asked := self._asked.get(change.ts)):
                    asked.sign = asked.sign or change.at - asked.at
                elif change.kind in {"message", "edited", "stream"}:
                    message: Message = change.what["message"]
                    asked = self._asked.get(message.thread_ts)
                    if asked is None or message.ts == asked.ts:
                        continue
                    if message.text or message.markdown:
                        asked.text = asked.text or change.at - asked.at
                    if not asked.end and has_receipt(message):
                        asked.end = change.at - asked.at
                        asked.over.set()


def has_receipt(message: Message) -> bool:
    """Whether an answer is whole: the feedback buttons stand under it, as they do under its receipt."""
    return any(block.get("type") == "context_actions" for block in message.blocks)


@asynccontextmanager
async def town() -> AsyncGenerator[Town]:
    """A workspace while inside."""
    async with SlackStandIn(limits=False) as slack:
        slack.troubles.latency = CALL_SECONDS
        place = Town(slack)
        watching = asyncio.create_task(place.watch())
        try:
            yield place
        finally:
            watching.cancel()
            await asyncio.wait({watching})
