"""What admins set in Slack: checked, kept, in force at once and after a restart, and taken back."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.adjustments import EVERYWHERE, Adjustments, BadAdjustment
from bot.ask import Ask, Person
from bot.errors import StoreDown
from bot.policy import PAUSED, Policy
from bot.rules import PolicyFile, Workspace
from bot.slack.changes import ONLY_ADMINS, Changes
from bot.store import Store
from tests.bot.stores import Clock, ask

RUTH, ANA = Person("U9", "Ruth", team="T1"), Person("U1", "Ana", team="T1")


def held(**workspace: object) -> Policy:
    """A policy with an admin and one channel of its own."""
    space = Workspace.model_validate(workspace)
    return Policy(
        PolicyFile(admins=("U9",), channels={"C1": {"monthly_budget_usd": 30}}, workspace=space)
    )


def command(text: str, *, user: str = "U9", channel: str = "C1") -> tuple[str, str, Ask]:
    """A `/purser` command, cut as it is when it comes."""
    word, _, rest = text.partition(" ")
    return word, rest, ask(user=user, channel=channel, feature="purser", text=text)


async def said(store: Store, policy: Policy, text: str, **who: str) -> str:
    """What the admin hears."""
    changes = Changes(policy, Adjustments(store, policy, now=Clock()))
    word, rest, wanted = command(text, **who)
    return await changes.say(word, rest, wanted)


async def test_a_budget_holds_at_once_and_after_a_restart(store: Store) -> None:
    """It wins over the file, says by whom, and is there when the process starts again."""
    policy = held()
    text = await said(store, policy, "budget 80")
    again = held()
    await Adjustments(store, again, now=Clock()).load()

    assert "$80.00" in text
    assert "$30.00" in text
    for one in (policy, again):
        assert one.rules("C1").monthly_budget_usd == Decimal(80)
        assert one.rules("C2").monthly_budget_usd == Decimal(50)
        source = next(v.source for v in one.explain("C1") if v.key == "monthly_budget_usd")
        assert source == "Slack, by U9 on 1970-01-01"


async def test_reset_lets_the_file_hold_again(store: Store) -> None:
    """What was set is gone, now and after a restart."""
    policy = held()
    await said(store, policy, "budget 80")
    text = await said(store, policy, "reset budget")
    again = held()
    await Adjustments(store, again, now=Clock()).load()

    assert "$30.00" in text
    assert policy.rules("C1").monthly_budget_usd == Decimal(30)
    assert again.rules("C1").monthly_budget_usd == Decimal(30)
    assert "was not set" in await said(store, policy, "reset budget")
    assert "/purser reset" in await said(store, policy, "reset everything")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("budget -5", "greater than or equal to 0"),
        ("budget lots", "sum in dollars"),
        ("budget NaN", "sum in dollars"),
        ("budget 1e9", "less than or equal"),
        ("model claude-sonnet-latest", "moving target"),
        ("model gpt-something", "no price"),
        ("model x", "at least 3"),
    ],
)
async def test_what_is_no_value_changes_nothing(store: Store, words: str, says: str) -> None:
    """A wrong value is a sentence, and what held before still holds."""
    policy = held()
    before = policy.rules("C1")

    assert says in await said(store, policy, words)
    assert policy.rules("C1") == before
    assert await store.read("adjusted.read") == []


async def test_only_admins_change_anything(store: Store) -> None:
    """Everybody else hears who could, for each of the words."""
    policy = held()
    for text in ("budget 80", "model claude-opus-5-5", "reset budget", "pause", "resume"):
        assert await said(store, policy, text, user="U1") == ONLY_ADMINS
    assert await store.read("adjusted.read") == []


async def test_a_model_is_set_for_one_channel(store: Store) -> None:
    """The channel's model changes, with a word on its cache; without a name it is only told."""
    policy = held()

    assert "claude-sonnet-5-5" in await said(store, policy, "model")
    assert "claude-opus-5-5" in await said(store, policy, "model claude-opus-5-5")
    assert policy.rules("C1").model == "claude-opus-5-5"
    assert policy.rules("C2").model == "claude-sonnet-5-5"


async def test_a_pause_holds_in_its_channel(store: Store) -> None:
    """Who asks in the channel is told so, elsewhere people are answered, and it can be ended."""
    policy = held()
    await said(store, policy, "pause")

    here = policy.may_ask(ANA, ask(channel="C1"))
    assert (here.allowed, here.rule) == (False, PAUSED)
    assert "paused here" in here.sentence
    assert policy.may_ask(ANA, ask(channel="C2")).allowed
    await said(store, policy, "resume")
    assert policy.may_ask(ANA, ask(channel="C1")).allowed


async def test_the_kill_switch_holds_everywhere(store: Store) -> None:
    """Paused everywhere, no channel is answered, whatever it set itself; an admin can still end it."""
    policy = held()
    await said(store, policy, "pause everywhere")

    assert not policy.may_ask(ANA, ask(channel="C2")).allowed
    assert "paused everywhere" in await said(store, policy, "resume")
    assert not policy.may_ask(ANA, ask(channel="C1")).allowed
    assert policy.may_ask(RUTH, ask(channel="C1", user="U9", feature="purser")).allowed
    assert not policy.may_ask(RUTH, ask(channel="C1", user="U9")).allowed
    await said(store, policy, "resume everywhere")
    assert policy.may_ask(ANA, ask(channel="C2")).allowed


async def test_slack_wins_over_a_file_that_pauses(store: Store) -> None:
    """`paused = true` in the file is ended by an admin's word, too."""
    policy = held(paused=True)
    assert not policy.may_ask(ANA, ask()).allowed
    await said(store, policy, "resume everywhere")

    assert policy.may_ask(ANA, ask()).allowed


async def test_the_end_of_a_pause_leaves_nothing_over_the_file(store: Store) -> None:
    """After a pause and its end the file decides again: one that pauses later pauses."""
    policy = held()
    for text in ("pause everywhere", "pause", "resume", "resume everywhere"):
        await said(store, policy, text)
    assert await store.read("adjusted.read") == []
    assert policy.may_ask(ANA, ask()).allowed

    policy.replace(PolicyFile(workspace=Workspace(paused=True)))
    assert not policy.may_ask(ANA, ask()).allowed


async def test_the_end_of_a_pause_says_which_one_is_left(store: Store) -> None:
    """Of a pause here and one everywhere, the end of one tells that the other stands."""
    policy = held()
    for text in ("pause everywhere", "pause"):
        await said(store, policy, text)

    assert "paused by itself; `/purser resume`" in await said(store, policy, "resume everywhere")
    assert "I answer in this channel again" in await said(store, policy, "resume")


async def test_a_pause_that_another_process_took_back_is_none(store: Store) -> None:
    """What was said to another process a moment ago is known by who ends the rest."""
    here, there = (
        Changes(policy, Adjustments(store, policy, now=Clock())) for policy in (held(), held())
    )
    for text in ("pause everywhere", "pause"):
        await here.say(*command(text))
    await there.say(*command("resume"))

    assert await here.say(*command("resume everywhere")) == "I answer everywhere again."


async def test_a_pause_is_told_with_who_paused(store: Store) -> None:
    """Of a channel and of all together: whether it is paused, and by whom or which table."""
    policy = held()

    def told() -> list[tuple[object, str]]:
        """Here, in another channel, and everywhere."""
        lists = policy.explain("C1"), policy.explain("C2"), policy.explain_workspace()
        return [(v.value, v.source) for values in lists for v in values if v.key == PAUSED]

    assert told() == [(False, "default")] * 3
    await said(store, policy, "pause")
    by = "Slack, by U9 on 1970-01-01"
    assert told() == [(True, by), (False, "default"), (False, "default")]
    await said(store, policy, "pause everywhere")
    assert told() == [(True, by), (False, "default"), (True, by)]
    assert [v.source for v in policy.explain("") if v.key == PAUSED] == ["default"]
    assert [v.source for v in held(paused=True).explain_workspace()] == [
        *("default", "default", "[workspace]")
    ]


async def test_reset_lets_the_file_decide_on_a_pause(store: Store) -> None:
    """What was said of pauses, here and everywhere, is taken back: a file that pauses does so again."""
    policy = held(paused=True)
    for text in ("resume everywhere", "pause"):
        await said(store, policy, text)

    assert "nobody is answered" in await said(store, policy, "reset paused")
    assert not policy.may_ask(ANA, ask(channel="C2")).allowed
    assert await store.read("adjusted.read") == []


async def test_another_process_follows(store: Store) -> None:
    """What is set, changed and taken back in one process is in force in another that shares the database."""
    here, there = held(), held()
    ours, theirs = (Adjustments(store, policy, now=Clock()) for policy in (here, there))

    async def follows() -> tuple[str, Decimal]:
        """What holds there once it has looked."""
        await theirs.load()
        return there.paused("C1"), there.rules("C1").monthly_budget_usd

    await ours.set(EVERYWHERE, PAUSED, "true", user="U9")
    assert await follows() == ("everywhere", 30)
    await ours.set(EVERYWHERE, PAUSED, "false", user="U9")
    await ours.set("C1", "monthly_budget_usd", "80", user="U9")
    assert await follows() == ("", 80)
    await theirs.reset("C1", "monthly_budget_usd", user="U9")
    await ours.load()
    assert await follows() == ("", 30)
    assert here.rules("C1").monthly_budget_usd == 30


async def test_what_was_not_written_is_not_in_force(store: Store) -> None:
    """Where the database takes nothing, the file goes on holding."""
    policy = held()
    adjustments = Adjustments(store, policy, now=Clock())
    await store.close()

    with pytest.raises(StoreDown):
        await adjustments.set(EVERYWHERE, PAUSED, "true", user="U9")
    assert policy.may_ask(ANA, replace(ask(), channel="C1")).allowed


async def test_unknown_keys_are_refused(store: Store) -> None:
    """Only what the commands set can be set."""
    with pytest.raises(BadAdjustment, match="can be set"):
        await Adjustments(store, held(), now=Clock()).set("C1", "rounds", "99", user="U9")
