"""An expensive ask waits for a person: what it is likely to take, with *Go*, *Smaller* and *Cancel*; one press decides.

    ask       the estimate is on disk, then said with its buttons, then the ask is parked
    press     who asked, or an admin, decides, once; the buttons go, and the place says who decided what
    resumed   a parked ask that is taken again: was it decided, was it stopped, or is its day over?

A decision is on disk before anything follows from it, so that a restart neither asks again nor forgets it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import structlog

from bot.answer import Answer, Ended, Estimate, Quote, Receipt, Stopped
from bot.ask import Lease
from bot.estimates import Decided, Estimates, State
from bot.holding import Holding
from bot.inbox import Inbox
from bot.metrics import Metrics
from bot.policy import Policy
from bot.prices import dollars
from bot.slack.aside import Aside
from bot.slack.blocks import Block, context, markdown, money
from bot.slack.clicks import OLD, Press
from bot.slack.parts import UNEDITABLE
from bot.slack.reply import Reply
from bot.slack.split import plain
from bot.slack.wire import GONE, SlackError, SlackWire
from bot.store import Store, Transaction
from bot.turn import Brief

DAY_SECONDS = 86_400.0  # that a decision is waited for
ACTION = "estimate"
BUTTONS: Mapping[str, str] = {"go": "Go", "smaller": "Smaller", "cancel": "Cancel"}
HOW = (
    "Who asked, or an admin, decides within a day. Smaller is the same done for less: low effort, few look-ups, and "
    "the quick model, or of a review the riskiest part."
)
NOT_YOURS = "Only who asked, or an admin, can decide this."
CANCELLED = "Cancelled before Claude was asked; it has cost nothing."
LAPSED = "Nobody decided within a day, so this has lapsed and cost nothing. Ask again if you still want it."
STOPPED = "Stopped before Claude was asked; it has cost nothing."
ALREADY: Mapping[State, str] = {
    "go": "It was decided already: Go.",
    "smaller": "It was decided already: Smaller.",
    "cancel": "It was decided already: Cancel.",
    "lapsed": "This has lapsed; please ask again.",
    "stopped": "This was stopped already.",
}
OVER = "There is nothing to decide here any more."

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a person agreed to, and whether they want it smaller."""

    estimate: Estimate
    small: bool

    def applied(self, brief: Brief) -> Brief:
        """The brief of an ask that was agreed to."""
        return replace(brief.smaller() if self.small else brief, agreed=self.estimate)


class Decisions:
    """Has people decide, and knows what they decided.

    Args:
        wire: Slack.
        store: commits.
        inbox: where asks are parked.
        estimates: where decisions lie.
        policy: who is an admin.
        metrics: counts decisions.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        wire: SlackWire,
        store: Store,
        inbox: Inbox,
        estimates: Estimates,
        *,
        policy: Policy,
        metrics: Metrics,
        now: Callable[[], float],
    ) -> None:
        self._wire, self._store, self._inbox, self._estimates = wire, store, inbox, estimates
        self._policy, self._metrics, self._now = policy, metrics, now

    async def ask(self, lease: Lease, reply: Reply, quote: Quote) -> None:
        """Say what an ask is likely to take, and park it.

        Raises:
            LeaseLost: another worker has it.
            SlackError: it can be said nowhere.
            StoreDown: it was not written.
        """
        tx = Transaction(lease)
        self._estimates.ask(tx, lease, quote.estimate)
        await self._store.commit(tx)
        asked = await self._estimates.of(lease.ask.id)
        await reply.quote(
            f"This is likely to take **about {amount(quote.estimate)}**. Shall I go on?",
            [buttons(lease.ask.id), *map(context, quote.documents), context(HOW)],
        )
        tx = Transaction(lease)
        since = asked.at if asked else self._now()
        self._inbox.park(tx, lease, until=since + DAY_SECONDS)
        await self._store.commit(tx)
        log.info(
            "parked",
            ask=lease.ask.id,
            channel=lease.ask.channel,
            feature=lease.ask.feature,
            estimated_usd=str(dollars(quote.estimate.picos)),
            estimated_tokens=quote.estimate.tokens,
        )

    async def press(self, press: Press) -> Ended:
        """One of the buttons was pressed; see `clicks.Handler`."""
        ask_id, _, word = press.value.partition(":")
        asked = await self._estimates.of(ask_id)
        if asked is None or word not in BUTTONS:
            return await self._tell(press, OLD, rule="no_such")
        if press.user != asked.asker and not self._policy.is_admin(press.user):
            return await self._tell(press, NOT_YOURS, rule="not_yours")
        tx = Transaction(press.lease)
        self._estimates.decide(
            tx, ask_id, cast("State", word), user=press.user, press=press.lease.ask.id
        )
        self._inbox.decided(tx, ask_id)
        try:
            await self._store.commit(tx)
            self._metrics.decided(word)
        except Decided:
            asked = await self._estimates.of(ask_id)
            if asked is None or asked.press != press.lease.ask.id:
                return await self._tell(press, ALREADY.get(asked.state, OVER) if asked else OVER)
        self._inbox.ended()
        words = f"{BUTTONS[word]}, said {press.person.name}."
        await self._show(press, f"About {amount(asked.estimate)}.", words)
        return Answer(words, Receipt())

    async def resumed(self, lease: Lease, holding: Holding) -> Agreed | Stopped | None:
        """What was decided about an ask that may have been parked; None where it begins, or has to ask, as ever.

        Raises:
            LeaseLost: another worker has it.
            StoreDown: it cannot be read.
        """
        asked = await self._estimates.of(lease.ask.id)
        if asked is None or not asked.state:
            return None
        state: State = asked.state
        if state == "asked":
            await holding.listened.wait()
            late = self._now() >= asked.at + DAY_SECONDS
            state = "stopped" if holding.stop.is_set() else "lapsed" if late else "asked"
            if state == "asked":
                return None
            state = await self._decided(lease, state)
        if state in {"go", "smaller"}:
            return Agreed(asked.estimate, state == "smaller")
        if state == "cancel":
            return Stopped(CANCELLED, Receipt(), said=True)
        return Stopped(LAPSED if state == "lapsed" else STOPPED, Receipt())

    async def _decided(self, lease: Lease, state: State) -> State:
        """Decide for who did not; if somebody did just now, theirs counts."""
        tx = Transaction(lease)
        self._estimates.decide(tx, lease.ask.id, state)
        try:
            await self._store.commit(tx)
        except Decided:
            asked = await self._estimates.of(lease.ask.id)
            return asked.state if asked else state
        self._metrics.decided(state)
        return state

    async def _show(self, press: Press, text: str, words: str) -> None:
        """Put the decision into the place of the buttons; where that is gone, nobody misses it."""
        blocks = [markdown(text), context(words)]
        try:
            await self._wire.update(
                press.channel, press.ts, plain(f"{text} {words}"), blocks=blocks
            )
        except SlackError as error:
            if error.code not in UNEDITABLE | GONE:
                raise
            log.info("no place for a decision", code=error.code, ask=press.lease.ask.id)

    async def _tell(self, press: Press, sentence: str, *, rule: str = "decided") -> Stopped:
        await Aside(self._wire, press.lease.ask).alone(sentence)
        return Stopped(sentence, Receipt(), rule=rule)


def amount(estimate: Estimate) -> str:
    """An estimate for people: "64k tokens, $0.21, 40 s"."""
    count = estimate.tokens
    tokens = f"{round(count / 1000):,}k" if count >= 1000 else str(count)
    cost = dollars(estimate.picos)
    seconds = max(1, round(estimate.seconds))
    length = f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"
    return f"{tokens} tokens, {f'${cost:.2f}' if cost * 10 >= 1 else money(cost)}, {length}"


def buttons(ask_id: str) -> Block:
    """*Go*, *Smaller* and *Cancel*."""
    elements: list[Block] = [
        {
            "type": "button",
            "action_id": f"{ACTION}:{word}",
            "text": {"type": "plain_text", "text": label},
            "value": f"{ask_id}:{word}",
        }
        for word, label in BUTTONS.items()
    ]
    elements[0]["style"] = "primary"
    return {"type": "actions", "elements": elements}
