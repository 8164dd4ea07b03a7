"""What an admin changes by a word in Slack: a channel's budget and model, a pause, and taking it back."""

from bot.adjustments import EVERYWHERE, Adjustments, BadAdjustment
from bot.ask import Ask
from bot.policy import PAUSED, Policy
from bot.slack.sheets import money

WORDS = ("budget", "model", "reset", "pause", "resume")
ONLY_ADMINS = (
    "Only the admins named in the policy can change that; `/purser policy` shows what holds."
)
MODEL = "`/purser model claude-sonnet-5-5` sets who answers in this channel; now it is `{model}`."
RESET = (
    "`/purser reset monthly_budget_usd`, `/purser reset model` or `/purser reset paused` lets the policy file hold "
    "again."
)
BUDGET, NAME = "monthly_budget_usd", "model"
SHORT = {"budget": BUDGET, "pause": PAUSED}


class Changes:
    """Changes what holds, for admins alone.

    Args:
        policy: who is an admin, and what holds now.
        adjustments: where changes are kept.
    """

    def __init__(self, policy: Policy, adjustments: Adjustments) -> None:
        self._policy, self._adjustments = policy, adjustments

    async def say(self, word: str, rest: str, ask: Ask) -> str:
        """Do what one of WORDS asks for, and say what holds now.

        Raises:
            StoreDown: it was not written down, and nothing has changed.
        """
        if not self._policy.is_admin(ask.user):
            return ONLY_ADMINS
        try:
            if word == "budget":
                return await self._budget(rest, ask)
            if word == "model":
                return await self._model(rest, ask)
            if word == "reset":
                return await self._reset(rest, ask)
            return await self._pause(
                ask, everywhere=rest.lower() == "everywhere", stop=word == "pause"
            )
        except BadAdjustment as error:
            return str(error)

    async def _budget(self, rest: str, ask: Ask) -> str:
        before = self._policy.rules(ask.channel).monthly_budget_usd
        await self._adjustments.set(ask.channel, BUDGET, rest, user=ask.user, team=ask.team)
        now = self._policy.rules(ask.channel).monthly_budget_usd
        return f"This channel may spend {money(now)} a month from now on; it was {money(before)}."

    async def _model(self, rest: str, ask: Ask) -> str:
        before = self._policy.rules(ask.channel).model
        if not rest:
            return MODEL.format(model=before)
        await self._adjustments.set(ask.channel, NAME, rest, user=ask.user, team=ask.team)
        now = self._policy.rules(ask.channel).model
        return (
            f"`{now}` answers in this channel from now on; it was `{before}`. Its cache is another one: the next "
            "answer pays for writing it."
        )

    async def _reset(self, rest: str, ask: Ask) -> str:
        key = SHORT.get(rest.strip("`"), rest.strip("`"))
        if key == PAUSED:
            return await self._reset_pause(ask)
        if key not in (BUDGET, NAME):
            return RESET
        taken = await self._adjustments.reset(ask.channel, key, user=ask.user, team=ask.team)
        value = getattr(self._policy.rules(ask.channel), key)
        shown = money(value) if key == BUDGET else value
        again = "holds again" if taken else "was not set in Slack; it holds"
        return f"What the policy file says of `{key}` {again}: `{shown}`."

    async def _reset_pause(self, ask: Ask) -> str:
        for where in (ask.channel, EVERYWHERE):
            await self._adjustments.reset(where, PAUSED, user=ask.user, team=ask.team)
        told = "nobody is answered" if self._policy.paused(ask.channel) else "people are answered"
        return f"What the policy file says of `{PAUSED}` holds again, here and everywhere: {told}."

    async def _pause(self, ask: Ask, *, everywhere: bool, stop: bool) -> str:
        await self._adjustments.load()  # what was said to another process a moment ago
        where = EVERYWHERE if everywhere else ask.channel
        value = "true" if stop else "false"
        await self._adjustments.set(where, PAUSED, value, user=ask.user, team=ask.team)
        here = "everywhere" if everywhere else "in this channel"
        back = "`/purser resume everywhere`" if everywhere else "`/purser resume`"
        if stop:
            return (
                f"I am paused {here}: who asks is told so, and Claude is not called. Answers under way are finished. "
                f"{back} lets me go on."
            )
        still = self._policy.paused(ask.channel)
        if still == "everywhere":
            return "This channel goes on as soon as I may: I am paused everywhere; `/purser resume everywhere`."
        if still:
            return "I answer everywhere again but here: this channel is paused by itself; `/purser resume`."
        return f"I answer {here} again."
