"""What Purser answers by itself, without Claude: help, the policy and why it holds, the budget, the cost.

The words come from `wishes`; the answers are Markdown, for the asker alone where they came as a command.
"""

from dataclasses import replace

from bot.answer import Answer, Receipt
from bot.ask import Ask, Person
from bot.budget import Budget
from bot.policy import Policy, Value
from bot.rules import Rules, emptiness
from bot.slack.audited import WORD, Audited
from bot.slack.changes import WORDS, Changes
from bot.slack.costs import WORD_CHARS, Costs
from bot.slack.digests import NEW as DIGEST
from bot.slack.digests import WORD as DIGESTS
from bot.slack.digests import Wanted
from bot.slack.sheets import money
from bot.slack.why import NOTHING, UNKNOWN, told
from bot.traces import Traces

LAST_ASKS = 3  # that `why` tells of
VALUE_CHARS = 80  # of one value in a table
EXAMPLES = (
    "`@Purser review this:` and a piece of code, a diff or a pull request's address",
    "`/summarize SHOP-12`, or in a thread `@Purser summarize SHOP-12`",
    "`@Purser` and any question; I can read web pages and tickets on the way",
)
HELP = """**What I do**
- Mention me (`@Purser …`) in a channel or a thread, or write me a direct message: Claude answers in the thread.
- Code, diffs, files or a pull request's address: I review it; “post it to the PR” in its thread puts it there, after your click.
- `/summarize KEY [KEY…] | <Jira address> | <JQL> | sprint <project>`: where tickets stand, in this channel.
- `/summarize project SHOP nightly at 7:00`, `… sprint SHOP on weekdays at 8:30`, `… this channel weekly`: a digest, here, again and again; `/purser digests [stop 1a2b3c4d]` lists and stops them.
- `/cost [today | 7d | this month | last month | 2026-11] [#channel] [by user|model|feature|day|feedback] [csv]`: what it cost.
- In a message's menu: *Summarise this thread*, *Open a ticket from this*.
- `/purser policy`: what holds in this channel, and where each value comes from.
- `/purser why`: whether I answer you here, by which rule, and what happened to what you asked last. `/purser why 1a2b3c4d`: what happened to the ask of that reference.
- `/purser budget`: what is left of this month.
- Admins: `/purser budget 80`, `/purser model claude-sonnet-5-5`, `/purser reset budget`, `/purser pause [everywhere]`, `/purser resume [everywhere]`, `/purser audit SHOP-12`.
- To stop me: say `@Purser stop` in the thread (or `stop` in a direct message), or put :x: on my message.

The same words work after a mention, which is the way in threads: `@Purser cost today`."""
STOP = "There is nothing running here. Say `stop` in the thread of the answer that shall end."


class Commands:
    """Answers the asks that need no Claude.

    Args:
        policy: what holds where.
        budget: what is spent and reserved.
        costs: answers cost reports.
        changes: what admins set by a word.
        traces: what happened to asks.
        audited: tells what was done about a ticket.
        wanted: sets digests up, lists and stops them.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        budget: Budget,
        costs: Costs,
        changes: Changes,
        traces: Traces,
        audited: Audited,
        wanted: Wanted,
    ) -> None:
        self._audited, self._wanted = audited, wanted
        self._traces = traces
        self._changes = changes
        self._policy = policy
        self._budget = budget
        self._costs = costs

    async def answer(self, ask: Ask, person: Person) -> Answer:
        """The answer to a `purser` or `cost` ask, as Markdown; its receipt is empty.

        Raises:
            StoreDown: the books cannot be read.
        """
        if ask.feature == "cost":
            return await self._costs.answer(ask)
        word, _, rest = ask.text.strip().partition(" ")
        return Answer(await self._say(word.lower(), rest.strip(), ask, person), Receipt())

    async def _say(self, word: str, rest: str, ask: Ask, person: Person) -> str:
        rules = self._policy.rules(ask.channel)
        if word == "policy":
            return policy_text(self._policy, ask.channel)
        if word == "why":
            return await self._why(ask, person, rules, rest)
        if word == WORD:
            return await self._audited.say(rest, ask)
        if word == DIGEST:
            return await self._wanted.want(rest, ask)
        if word == DIGESTS:
            return await self._wanted.say(rest, ask)
        if word in WORDS and (rest or word != "budget"):
            return await self._changes.say(word, rest, ask)
        if word == "budget":
            return await self._budget_text(ask, rules)
        if word == "hello":
            return await self._hello(ask, rules)
        if word == "stop":
            return STOP
        if word == "help":
            return HELP
        return f"I don't know `{_code(word[:WORD_CHARS])}`. {HELP}"

    async def _hello(self, ask: Ask, rules: Rules) -> str:
        """Said where we are invited, and to who only calls us."""
        examples = "\n".join(f"- {example}" for example in EXAMPLES)
        spent, left = await self._month(ask, rules)
        return (
            "I am Purser: Claude and Jira in this channel, with the books kept. Three ways to begin:\n"
            f"{examples}\n\n"
            f"**Here**: {_rules_line(rules)}\n"
            f"**Budget**: {spent} of {money(rules.monthly_budget_usd)} spent this month, {left} left.\n"
            "`/purser help` tells the rest."
        )

    async def _why(self, ask: Ask, person: Person, rules: Rules, reference: str) -> str:
        """What happened to the last asks, and the rule that decides for this person here; or what happened to one ask."""
        zone = self._policy.workspace.zone
        if reference:
            anybodys = self._policy.is_admin(person.id)
            found = await self._traces.by_reference(
                reference.strip("`()").lower(), user="" if anybodys else person.id
            )
            return told(found, zone, abroad=True) if found else UNKNOWN
        last = await self._traces.of(ask, LAST_ASKS)
        happened = f"What happened to what you asked here last:\n{told(last, zone)}"
        return f"{await self._verdict(ask, person, rules)}\n\n{happened if last else NOTHING}"

    async def _verdict(self, ask: Ask, person: Person, rules: Rules) -> str:
        """The rule that decides for this person here, and what bounds the answers."""
        verdict = self._policy.may_ask(person, replace(ask, feature="chat"))
        spent, left = await self._month(ask, rules)
        if verdict.allowed:
            first = f"I answer you here (rule `{verdict.rule}`)."
            if not verdict.tools:
                first = f"I answer you here, without tools (rule `{verdict.rule}`)."
        else:
            first = f"I don't answer you here (rule `{verdict.rule}`): {verdict.sentence}"
        return (
            f"{first}\n"
            f"- {_rules_line(rules)}\n"
            f"- One ask ends at {money(rules.ask_limit_usd)}, {rules.rounds} rounds or "
            f"{rules.ask_seconds} s; a tool call at {rules.tool_seconds:g} s.\n"
            f"- This month {spent} of {money(rules.monthly_budget_usd)} is spent, {left} left.\n"
            "`/purser policy` shows where each value comes from."
        )

    async def _budget_text(self, ask: Ask, rules: Rules) -> str:
        state = await self._budget.state(ask.channel, rules.monthly_budget_usd)
        text = (
            f"This month this channel has spent **{money(state.spent)}** of "
            f"{money(state.limit)}; {money(state.reserved)} is reserved for answers under way, "
            f"{money(state.left)} is left."
        )
        if self._policy.is_admin(ask.user):
            workspace = self._policy.workspace.monthly_budget_usd
            all_of_it = await self._budget.state("", workspace)
            text += f"\nAll channels together: {money(all_of_it.spent)} of {money(workspace)}."
        return text

    async def _month(self, ask: Ask, rules: Rules) -> tuple[str, str]:
        """What is spent and what is left, as money."""
        state = await self._budget.state(ask.channel, rules.monthly_budget_usd)
        return money(state.spent), money(state.left)


def policy_text(policy: Policy, channel: str) -> str:
    """A channel's effective values, those of all together, and where each comes from, as a table."""
    named = [(v.key, v) for v in policy.explain(channel)]
    named += [(f"workspace.{v.key}", v) for v in policy.explain_workspace()]
    rows = "\n".join(f"| `{key}` | {_shown(v)} | {v.source} |" for key, v in named)
    return f"What holds in this channel:\n\n| key | value | from |\n| --- | --- | --- |\n{rows}"


def _rules_line(rules: Rules) -> str:
    projects = "all projects" if "*" in rules.jira_projects else ", ".join(rules.jira_projects)
    web = "the public web" if rules.web_allowed_hosts is None else "some web hosts"
    outside = {"refuse": "not answered", "no-tools": "answered without tools", "allow": "answered"}
    return (
        f"{rules.model} answers; Jira: {projects or 'no project is open'}; it may read {web}; "
        f"guests are {outside[rules.guests]}, other organisations {outside[rules.external]}."
    )


def _shown(told: Value) -> str:
    """A value as people write it; one line, and no table breaks on it."""
    value = told.value
    if empty := emptiness(told.key, value):
        return empty
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(str(v) for v in value) if isinstance(value, tuple) else str(value)
    text = " ".join(text.split())
    if len(text) > VALUE_CHARS:
        text = text[: VALUE_CHARS - 1] + "…"
    return f"`{_code(text)}`"


def _code(text: str) -> str:
    return text.replace("`", "'").replace("|", "¦")
