"""What Claude refused is shown to people, once, in the channel that the policy names for it; who asked is told.

    refused -> kept -> can that channel be used? -> posted -> on disk, with what happens after a day

Where it cannot be shown, who asked hears the honest end, and admins hear once why. Only members of that channel see it;
nothing of the asking channel but the ask itself goes there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from bot.answer import Refused
from bot.ask import Alerts, Ask, Click, Lease
from bot.escalations import Escalation, Escalations
from bot.metrics import Metrics
from bot.policy import Policy
from bot.redaction import redacted
from bot.slack.blocks import Message, markdown
from bot.slack.escalated import ASKED, LAPSE, Seen, told
from bot.slack.parts import SKEW_SECONDS
from bot.slack.people import People
from bot.slack.proposed import name_of
from bot.slack.shapes import items, mapping, words
from bot.slack.split import plain
from bot.slack.wire import GONE, SlackError, SlackWire, Unsure

EVENT_TYPE = "purser_refused"  # of the metadata under which a message is found again
LOOK_BACK = 200  # messages looked through for one whose reply was lost
WHY: Mapping[str, str] = {
    "absent": "I am not in it, or there is none",
    "shared": "it is shared with another organisation",
    "closed": "Slack takes no message of mine there",
}
WRONG = (
    "What Claude refused in {here} could not be given to people: `escalation_channel` names {channel}, and {why}. "
    "Invite me there, or name another channel."
)

log = structlog.get_logger()


class Handover:
    """Shows people what Claude refused.

    Args:
        wire: Slack.
        escalations: where it is kept.
        people: who is who, and how channels are called.
        policy: which people a channel names.
        alerts: hears of a channel that cannot be used.
        metrics: counts what could not be shown.
        us: our own user id, to know our messages.
        new_id: makes the id of an ask.
    """

    def __init__(
        self,
        wire: SlackWire,
        escalations: Escalations,
        *,
        people: People,
        policy: Policy,
        alerts: Alerts,
        metrics: Metrics,
        us: str,
        new_id: Callable[[], str],
    ) -> None:
        self._wire, self._escalations, self._people = wire, escalations, people
        self._policy, self._alerts, self._metrics = policy, alerts, metrics
        self._us, self._new_id = us, new_id

    async def give(self, lease: Lease, refused: Refused) -> Refused:
        """Give people what Claude refused, if there are any for it; the end says whether they were asked.

        Raises:
            LeaseLost: another worker has the ask.
            StoreDown: it was not written.
        """
        channel = self._policy.rules(lease.ask.channel).escalation_channel
        if not refused.people or not channel or channel == lease.ask.channel:
            return refused
        found = await self._escalations.open(
            lease,
            channel,
            category=refused.category,
            sentence=refused.sentence,
            notes=refused.notes,
        )
        if found.state == "open" and not found.ts:
            found = await self._post(lease, found)
        if found.state == "unsent":
            return refused
        return replace(refused, advice=ASKED.format(place=await self.place(channel)))

    async def message(self, found: Escalation) -> Message:
        """What stands before the people, as things are now."""
        ask = found.ask
        person = await self._people.look(ask.user, ask.user_team)
        seen = Seen(name_of(person), await self.place(ask.channel), await self._link(ask))
        return told(found, seen, self.words(found))

    def words(self, found: Escalation) -> str:
        """What was asked, its secrets hidden as the asking channel has it."""
        return redacted(found.ask.text, self._policy.rules(found.ask.channel).redact)

    async def place(self, channel: str) -> str:
        """How a channel is called."""
        return (await self._people.channels([channel]))[channel]

    async def _post(self, lease: Lease, found: Escalation) -> Escalation:
        """Show it, or settle that it cannot be."""
        why = await self._closed(found.channel)
        if why:
            return await self._unsent(lease, found, why)
        try:
            ts = await self._find(found) if lease.attempt > 1 else ""
            ts = ts or await self._send(found)
        except SlackError as error:
            log.warning("not given to people", code=error.code, ask=found.ask.id)
            return await self._unsent(lease, found, "closed" if error.code in GONE else "")
        await self._escalations.posted(lease, found, ts, self._lapse(found, ts))
        return replace(found, ts=ts)

    async def _closed(self, channel: str) -> str:
        """Why a channel cannot be used: a key of WHY; "" where it can."""
        try:
            info = await self._wire.channel_info(channel)
        except SlackError as error:
            return "absent" if error.code in GONE else ""
        if info.get("is_ext_shared") is True or info.get("is_pending_ext_shared") is True:
            return "shared"
        return "" if info.get("is_member") is True else "absent"

    async def _send(self, found: Escalation) -> str:
        """Post it; where the reply is lost, it is looked for before it is posted again."""
        text, blocks = await self.message(found)

        async def post() -> str:
            return await self._wire.post(
                found.channel,
                plain(text),
                blocks=[markdown(text), *blocks],
                metadata={"event_type": EVENT_TYPE, "event_payload": {"ask_id": found.ask.id}},
            )

        try:
            return await post()
        except Unsure:
            return await self._find(found) or await post()

    async def _find(self, found: Escalation) -> str:
        """Our message that tells of this ask; "" where there is none."""
        oldest = f"{found.at - SKEW_SECONDS:.6f}"
        page = await self._wire.history(found.channel, oldest=oldest, limit=LOOK_BACK)
        for message in items(page.get("messages")):
            marked = mapping(message.get("metadata"))
            told_of = mapping(marked.get("event_payload")).get("ask_id")
            ours = message.get("user") == self._us and marked.get("event_type") == EVENT_TYPE
            if ours and told_of == found.ask.id:
                return words(message.get("ts"))
        return ""

    def _lapse(self, found: Escalation, ts: str) -> Ask:
        """An ask of our own that ends it after a day, where nobody has."""
        return Ask(
            id=self._new_id(),
            key=f"{LAPSE}:{found.ask.id}",
            team=found.ask.team,
            channel=found.channel,
            user=found.ask.user,
            feature="click",
            origin="own",
            text="",
            at=found.until,  # it begins to wait only then
            not_before=found.until,
            click=Click(LAPSE, found.ask.id, ts),
        )

    async def _unsent(self, lease: Lease, found: Escalation, why: str) -> Escalation:
        """It is over for people; admins hear once of a channel that cannot be used."""
        if why:
            here, channel = await self.place(found.ask.channel), await self.place(found.channel)
            sentence = WRONG.format(here=here, channel=channel, why=WHY[why])
            await self._alerts.tell(
                f"escalation:{found.ask.channel}:{found.channel}:{why}", sentence
            )
        self._metrics.climbed(found.category, "people", "unsent")
        return await self._escalations.settle(lease, found, "unsent")

    async def _link(self, ask: Ask) -> str:
        """The address of what was asked; "" where there is none."""
        if not ask.ts:
            return ""
        try:
            return await self._wire.permalink(ask.channel, ask.ts)
        except SlackError as error:
            log.info("no address of a message", code=error.code, ask=ask.id)
            return ""
