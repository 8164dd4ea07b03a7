"""What Purser answers by itself: help, the policy and why, the budget, and the cost of it all."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.adjustments import Adjustments
from bot.ask import Ask, Person, Signal
from bot.audit import Audit, of_tool, record
from bot.budget import Budget
from bot.digests import USAGE as DIGEST_USAGE
from bot.digests import Digests
from bot.estimates import Estimates
from bot.hindsight import Hindsight
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Entry, Ledger
from bot.policy import Adjusted, Policy
from bot.rules import PolicyFile, Workspace
from bot.slack.audited import MOST, NONE, Audited
from bot.slack.audited import USAGE as AUDIT_USAGE
from bot.slack.changes import ONLY_ADMINS, Changes
from bot.slack.commands import Commands
from bot.slack.costs import Costs, Query, Unclear, parse
from bot.slack.digests import ABSENT, NO_CHANNEL, UNKNOWN, Wanted
from bot.slack.digests import NONE as NO_DIGEST
from bot.slack.wire import SlackError
from bot.slack.wishes import OURS
from bot.store import Store, Transaction
from bot.traces import Traces
from integrations.jira import JiraProblem, JiraRejected
from tests.bot.stores import Clock
from tests.bot.stores import ask as any_ask

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
_ids = itertools.count()
ANA, RUTH = Person("U1", "Ana", "T1"), Person("U9", "Ruth", "T1")
OTHER = Person("U2", "Olga", "T1")


class Names:
    """People and channels by name."""

    async def names(self, users: Iterable[str]) -> dict[str, str]:
        """Everybody is called by their id."""
        return {user: f"=name of {user}" for user in users}

    async def channels(self, channels: Iterable[str]) -> dict[str, str]:
        """So are channels."""
        return {one: one if one == "CNOWHERE" else f"#{one.lower()}" for one in channels}

    async def among(self, channel: str) -> bool:
        """We are in every channel but one."""
        return channel != "CNOWHERE"

    async def member(self, channel: str, user: str) -> bool:
        """In C3 is U1, and nobody else elsewhere."""
        return (channel, user) == ("C3", "U1")


class Counting:
    """Jira, which refuses or is away as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.problem: JiraProblem | None = None

    async def count(self, jql: str, *, deadline: float) -> int:
        """Three of everything."""
        assert deadline > 0
        self.asked.append(jql)
        if self.problem:
            raise self.problem
        return 3


class Room:
    """The commands on a real store."""

    def __init__(self, store: Store, *, jira: bool = True, **policy: Any) -> None:
        self.jira = Counting()
        workspace = Workspace(monthly_budget_usd=Decimal(200))
        self.policy = Policy(PolicyFile(admins=("U9",), workspace=workspace, **policy))
        self.store = store
        clock = Clock(NOW)
        self.ledger = Ledger(store, zone=UTC, now=clock)
        self.digests = Digests(
            store,
            Inbox(store, now=clock, worker="w"),
            zone=UTC,
            new_id=lambda: f"{next(_ids):08x}",
            now=clock,
        )
        self.commands = Commands(
            policy=self.policy,
            budget=Budget(store, now=clock, zone=UTC),
            costs=Costs(
                policy=self.policy,
                ledger=self.ledger,
                hindsight=Hindsight(store),
                estimates=Estimates(store, now=clock),
                people=Names(),
                deliver=self._take,
                place=self._address,
                now=clock,
            ),
            changes=Changes(self.policy, Adjustments(store, self.policy, now=clock)),
            traces=Traces(store),
            audited=Audited(Audit(store), self.policy, Names()),
            wanted=Wanted(self.digests, self.policy, Names(), self.jira if jira else None),
        )
        self.files: list[tuple[str, str, bytes]] = []

    async def _take(self, user: str, name: str, data: bytes, _words: str) -> None:
        if name.endswith("by model.csv"):
            raise SlackError("missing_scope")
        self.files.append((user, name, data))

    async def _address(self, channel: str, ts: str) -> str:
        return f"https://bazaar.slack.example/{channel}/{ts}"

    async def book(self, n: int, cost: str | None, **over: Any) -> None:
        """Book an answer."""
        values: dict[str, Any] = dict.fromkeys(Entry.__dataclass_fields__)
        values |= {
            "entry_id": f"m{n}:0",
            "message_id": f"m{n}",
            "iteration": 0,
            "ask_id": f"a{n}",
            "at": NOW - 60,
            "team": "T1",
            "channel": "C1",
            "user": "U1",
            "feature": "chat",
            "purpose": "answer",
            "model": "claude-sonnet-5-5",
            "prompt_version": "1",
            "input_tokens": 60,
            "cache_write_5m_tokens": 0,
            "cache_write_1h_tokens": 0,
            "cache_read_tokens": 40,
            "output_tokens": 10,
            "thinking_tokens": 0,
            "service_tier": "standard",
            "speed": "standard",
            "inference_geo": "",
            "billed": True,
            "cost": None if cost is None else Decimal(cost),
            "status": "settled",
        }
        tx = Transaction()
        self.ledger.book(tx, Entry(**{**values, **over}))
        await self.store.commit(tx)

    async def say(self, text: str, person: Person = ANA, **over: Any) -> str:
        """The answer to words that are ours."""
        values = {"feature": "purser", "channel_kind": "channel", **over}
        ask: Ask = any_ask(user=person.id, text=text, **values)
        return (await self.commands.answer(ask, person)).text

    async def cost(self, text: str, person: Person = ANA, **over: Any) -> str:
        """The answer to a cost report's words."""
        return await self.say(text, person, feature="cost", **over)


@pytest.fixture
async def room(store: Store) -> Room:
    """A room with four bookings."""
    room = Room(store, channels={"C1": {"jira_projects": ["SHOP"], "monthly_budget_usd": 80}})
    await room.book(1, "1.234")
    await room.book(2, "0.011", feature="review", user="U2", stop_reason="refusal")
    await room.book(3, "2", channel="C2")
    await room.book(4, "0.5", at=NOW - 40 * DAY)
    return room


async def test_every_word_that_is_ours_is_answered(room: Room) -> None:
    """What `wishes` sends here has an answer of its own; other words get the help."""
    answers = [await room.say(word) for word in (*OURS, "stop")]

    assert len(set(answers)) == len(answers)
    assert all(answer and "don't know" not in answer for answer in answers)
    assert (await room.say("dance | `now`")).startswith("I don't know `dance`")
    assert len(await room.say("x" * 100_000)) < 2_000
    assert len(await room.cost("by " + "x" * 100_000)) < 500


async def test_hello_shows_three_examples_the_policy_and_the_budget(room: Room) -> None:
    """Who invites or only calls us sees how to begin, what holds here and what is left."""
    said = await room.say("hello", origin="invite", thread="", ts="")

    assert said.count("\n- ") == 3
    assert "Jira: SHOP" in said
    assert "$1.25 of $80.00 spent this month, $78.76 left" in said


async def test_the_policy_is_shown_with_its_sources(room: Room) -> None:
    """Each key of this channel, its value, and where that comes from."""
    said = await room.say("policy")

    assert "| `jira_projects` | `SHOP` | [channels.C1] |" in said
    assert "| `rounds` | `12` | default |" in said
    assert "| `workspace.paused` | no | default |" in said


@pytest.mark.parametrize(
    ("rules", "row"),
    [
        ({}, "| `redact` | all rules | default |"),
        ({"redact": ()}, "| `redact` | none | [defaults] |"),
        ({}, "| `web_allowed_hosts` | the public web | default |"),
        ({"web_allowed_hosts": ()}, "| `web_allowed_hosts` | none | [defaults] |"),
        ({}, "| `allow_users` | all members | default |"),
        ({"allow_users": ()}, "| `allow_users` | all members | [defaults] |"),
        ({}, "| `repos` | none | default |"),
        ({}, "| `fallback_model` | none | default |"),
    ],
)
async def test_nothing_named_is_told_as_what_it_means(
    store: Store, rules: dict[str, object], row: str
) -> None:
    """All or nothing: a key without a value never leaves open which of them it is."""
    assert row in await Room(store, defaults=rules).say("policy")


async def test_why_tells_an_admin_of_a_pause(room: Room) -> None:
    """Whether questions are answered here is asked, not whether an admin's commands are."""
    room.policy.adjust(Adjusted("C1", "paused", "true", "U9", 0.0))

    said = await room.say("why", RUTH)
    assert "I don't answer you here (rule `paused`)" in said


async def test_a_long_or_odd_value_breaks_no_table(store: Store) -> None:
    """Instructions may hold anything; in the table they are one short line."""
    room = Room(store, defaults={"instructions": "a | b\n`c` " + "x" * 500})

    (row,) = [line for line in (await room.say("policy")).splitlines() if "instructions" in line]
    assert len(row) < 200
    assert row.count("|") == 4


async def test_why_names_the_rule(room: Room) -> None:
    """A member is told by which rule; a guest, why not."""
    guest = Person("U5", "Gil", "T1", is_guest=True)

    assert "rule `member`" in await room.say("why")
    assert "I don't answer you here (rule `guests`)" in await room.say("why", guest)


async def test_the_budget_and_who_changes_it(room: Room) -> None:
    """Spent, reserved, left; for an admin the workspace too, and a sum sets it."""
    mine, admins = await room.say("budget"), await room.say("budget", RUTH)
    refused, changed = await room.say("budget 90"), await room.say("budget 90", RUTH)

    assert "**$1.25** of $80.00" in mine
    assert "Only the admins" in refused
    assert "$90.00 a month" in changed
    assert "of $90.00" in await room.say("budget")
    assert "All channels together: $3.25 of $200.00" in admins
    assert "All channels" not in mine


async def test_a_report_in_cents_with_its_total(room: Room) -> None:
    """This month here, in sentences first; then by feature, the dearest first, with the total."""
    said = await room.cost("")

    assert said.splitlines() == [
        "**What Claude cost in this channel, 2026-11**",
        "- $1.25 for 2 asks, of a budget of $80.00 (2%): $78.76 left.",
        "- By the month's end about $1.25.",
        "- Median cost: an answer $1.23 (at most $1.23); a review $0.0110 (at most $0.0110).",
        "- The cache cost $1.24 more than it saved.",
        "- $0.01 of it went into refusals (1 ask).",
        "",
        "| feature | asks | cost | from cache |",
        "| --- | ---: | ---: | ---: |",
        "| chat | 1 | $1.23 | 40% |",
        "| review | 1 | $0.01 | 40% |",
        "| **total** | 2 | $1.25 | 40% |",
    ]


async def test_other_periods_and_splits(room: Room) -> None:
    """A month by name, days, models; a month without entries says so."""
    assert "$0.50" in await room.cost("last month")
    assert "| 2026-11-24 | 2 | $1.25 |" in await room.cost("7d by day")
    assert "claude-sonnet-5-5" in await room.cost("by model")
    assert "Nothing." in await room.cost("2026-01")


async def test_what_is_unknown_or_estimated_is_said(room: Room) -> None:
    """An unknown price is no zero, and an estimate is called one."""
    await room.book(5, None, model="claude-new")
    await room.book(6, "0.004", status="unconfirmed")

    said = await room.cost("")

    assert "110 tokens have no known price (claude-new): the true cost is higher." in said
    assert "less than $0.01 of it is our estimate" in said


async def test_persons_are_shown_to_those_who_may_see_them(room: Room) -> None:
    """A member sees the total and what they spent themselves; admins see everybody, and who else may, by the policy."""
    open_room = Room(room.store, defaults={"see_persons": "members"})
    mine = await room.cost("by user")

    assert "| =name of U1 | 1 | $1.23 |" in mine
    assert "| others | 1 | $0.01 |" in mine
    assert "U2" not in mine
    assert "admins alone see persons" in mine
    assert "=name of U2" in await room.cost("by user", RUTH)
    assert "=name of U2" in await open_room.cost("by user")
    assert "Nothing" in await room.cost("by user", channel="D1", channel_kind="im")


async def test_other_channels_are_for_who_is_in_them(room: Room) -> None:
    """Elsewhere is shown to its members and to admins; all together to admins alone, by default in direct messages."""
    assert "You are not in that channel" in await room.cost("<#C2>")
    assert "in #c3, 2026-11" in await room.cost("<#C3>")
    assert "in #c3, 2026-11" in await room.cost("<#C3>", channel="D1", channel_kind="im")
    assert "Only admins" in await room.cost("by channel")
    assert "in #c2, 2026-11" in await room.cost("<#C2|shop>", RUTH)
    everything = await room.cost("", RUTH, channel="D9", channel_kind="im")
    assert "all channels" in everything
    assert "of a budget of $200.00" in everything
    assert "| #c2 | 1 | $2.00 |" in everything


async def test_a_channel_that_nobody_knows_is_told_by_example(room: Room) -> None:
    """An admin who names a channel that Slack does not know hears how one is named."""
    assert "I don't know that channel" in await room.cost("<#CNOWHERE>", RUTH)


async def test_csv_is_a_file_for_the_asker(room: Room) -> None:
    """To the last digit, with nothing that a spreadsheet would run; the answer says where it is."""
    said = await room.cost("by user csv", RUTH)

    ((user, name, data),) = room.files
    lines = data.decode().splitlines()
    assert (user, name) == ("U9", "cost 2026-11 by user.csv")
    assert name in said
    assert lines[0].startswith("user,asks,cost_usd,")
    assert lines[1].startswith("'=name of U1,1,1.234,")
    assert lines[-1].startswith("total,2,1.245,")


async def test_where_files_are_refused_the_csv_is_the_answer(room: Room) -> None:
    """Without the right to upload, nothing is lost."""
    said = await room.cost("by model csv")

    assert said.startswith("2026-11\n```csv\nmodel,asks,cost_usd,")
    assert "\ntotal,2,1.245," in said


async def test_feedback_stands_beside_cost(room: Room) -> None:
    """What was thumbed down, and what it cost, is a line of its own; the sum is the same."""
    signal = Signal("s1", "k1", "feedback", "T1", "C1", "U2", NOW, ask_id="a1", text="bad")
    await Inbox(room.store, now=Clock(NOW), worker="w").put(Arrival(("k1",), None, signal))
    said = await room.cost("by feedback")

    assert "Thumbs down: 1 answer, for $1.23; thumbs up: 0." in said
    assert "| thumbs down | 1 | $1.23 |" in said
    assert "| not rated | 1 | $0.01 |" in said
    assert "| **total** | 2 | $1.25 |" in said


async def test_the_dearest_ask_is_one_click_away(room: Room) -> None:
    """Where it was answered in a thread, its address stands under the report; elsewhere it does not."""
    await room.book(7, "3", thread="77.1")
    ask = any_ask(user="U1", text="", feature="cost", origin="command", channel_kind="channel")
    shown = (await room.commands.answer(ask, ANA)).shown

    assert [block["type"] for block in shown] == ["data_visualization", "context", "actions"]
    line = str(shown[1]["elements"][0]["text"])
    assert line == "The dearest: <https://bazaar.slack.example/C1/77.1|an answer for $3.00>"
    assert shown[2]["elements"][0]["value"] == ask.id


async def test_an_answer_that_stands_elsewhere_is_not_linked(room: Room) -> None:
    """What a person was told alone has no address under a report that others read."""
    inbox, journal = (
        Inbox(room.store, now=Clock(NOW), worker="w"),
        Journal(room.store, now=Clock(NOW)),
    )
    for n, channel, feature in ((20, "C1", "chat"), (21, "D1", "summarize")):
        one: Ask = any_ask(channel="C1")
        await inbox.put(Arrival((one.key,), one))
        lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
        assert lease is not None
        tx = Transaction(lease)
        journal.part(tx, lease, n=0, state="said", channel=channel, ts="5.1")
        inbox.done(tx, lease, outcome="answer")
        await room.store.commit(tx)
        await room.book(n, "3", ask_id=one.id, feature=feature)
    ask: Ask = any_ask(user="U1", text="", feature="cost", channel_kind="channel")
    line = str((await room.commands.answer(ask, ANA)).shown[1])

    assert "/C1/5.1|" in line
    assert "/D1/" not in line


async def test_another_channels_report_is_not_shared_here(room: Room) -> None:
    """An admin reads it, with the way to its dearest ask; there is no button that would post it in this channel."""
    await room.book(9, "3", channel="C2", thread="77.1")
    ask: Ask = any_ask(user=RUTH.id, text="<#C2|other>", feature="cost", channel_kind="channel")
    shown = (await room.commands.answer(ask, RUTH)).shown

    assert [block["type"] for block in shown] == ["data_visualization", "context"]
    assert "/C2/77.1|" in str(shown[1]["elements"][0]["text"])


async def test_words_for_yesterday_and_the_forecast_are_taken(room: Room) -> None:
    """A day that is over, and the month whose end is foretold in its report."""
    await room.book(9, "3", at=NOW - DAY)

    assert "- $3.00 for 1 ask." in await room.cost("yesterday")
    assert await room.cost("forecast") == await room.cost("")


@pytest.mark.parametrize(
    "words", ["next month", "2027-01", "0d", "9999d", "by colour", "#shop", "lorem"]
)
async def test_unclear_words_are_answered_with_an_example(room: Room, words: str) -> None:
    """What is no report says how one is asked for."""
    said = await room.cost(words)

    assert "/cost" in said
    assert "2026-11" in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Query()),
        ("csv by Day in <#C7|x> Last  Month", Query("last month", "C7", "day", csv=True)),
        ("7d as csv", Query("7d", csv=True)),
    ],
)
def test_words_of_a_report_in_any_order(text: str, expected: Query) -> None:
    """Period, channel, split and form are found wherever they stand."""
    assert parse(text) == expected


def test_a_split_that_we_do_not_have_is_named() -> None:
    """The sentence repeats the word that was not understood."""
    unclear = parse("by colour")

    assert isinstance(unclear, Unclear)
    assert "`colour`" in unclear.sentence


async def test_admins_read_what_was_done_about_a_ticket(room: Room) -> None:
    """Who, where, with what, and by which rule it was denied; no words, and for admins alone."""
    assert await room.say("audit SHOP-12") == ONLY_ADMINS
    assert await room.say("audit", RUTH) == AUDIT_USAGE
    assert await room.say("audit shop", RUTH) == AUDIT_USAGE
    assert await room.say("audit shop-12", RUTH) == NONE.format(key="SHOP-12")
    tx, origin = Transaction(), any_ask()
    record(tx, of_tool(origin, "jira_get_issue", {"key": "SHOP-12"}, "ok"), at=NOW - 60)
    denied = of_tool(origin, "jira_get_issue", {"key": "SHOP-12"}, "problem", rule="jira|projects")
    record(tx, denied, at=NOW)
    record(tx, of_tool(origin, "jira_get_issue", {"key": "SHOP-13"}, "ok"), at=NOW)
    await room.store.commit(tx)

    assert (await room.say("audit SHOP-12", RUTH)).splitlines()[2:] == [
        "| when | who | where | what | outcome |",
        "| --- | --- | --- | --- | --- |",
        "| 2026-11-24 12:00 | =name of U1 | #c1 | `jira_get_issue` | problem, denied by `jira¦projects` |",
        "| 2026-11-24 11:59 | =name of U1 | #c1 | `jira_get_issue` | ok |",
    ]
    tx = Transaction()
    for _ in range(MOST):
        record(tx, denied, at=NOW)
    await room.store.commit(tx)
    assert f"the last {MOST}; `purser audit --ticket SHOP-12`" in await room.say(
        "audit SHOP-12", RUTH
    )


async def test_a_digest_is_set_up_listed_and_stopped(room: Room) -> None:
    """By words: when the first one comes, who asked for it, and that only they or an admin stop it."""
    said = await room.say("digest project SHOP nightly at 7:00")
    (made,) = await room.digests.of("C1")
    listed = await room.say("digests")

    assert "project SHOP here, nightly at 7:00 (UTC), the first one at 7:00 on Wednesday" in said
    assert f"`/purser digests stop {made.id}`" in said
    assert f"`{made.id}`: project SHOP, nightly at 7:00, asked for by =name of U1" in listed
    assert "can stop it" in await room.say(f"digests stop {made.id}", OTHER)
    assert await room.say(f"digests stop {made.id}", channel="C2") == UNKNOWN
    assert await room.say(f"digests stop `{made.id}`", RUTH) == (
        "The digest of project SHOP comes no more."
    )
    assert await room.say("digests") == NO_DIGEST
    assert await room.say(f"digests stop {made.id}") == UNKNOWN


@pytest.mark.parametrize("words", ["project SHOP", "project = SHOP AND sttus = Blocked"])
async def test_what_jira_does_not_understand_is_no_digest(room: Room, words: str) -> None:
    """A query is tried, bounded to the channel's projects, before it fails each night; Jira away is no reason."""
    room.jira.problem = JiraRejected("Jira: Field 'sttus' does not exist.")
    said = await room.say(f"digest {words} nightly")
    assert said == "Jira: Field 'sttus' does not exist. Nothing was set up."
    assert await room.digests.of("C1") == []
    assert all("project in (SHOP)" in jql.replace('"', "") for jql in room.jira.asked)

    room.jira.problem = JiraProblem()
    assert "I write a digest" in await room.say(f"digest {words} nightly")


async def test_without_jira_a_digest_is_of_the_channel(store: Store) -> None:
    """What nobody could read is not set up."""
    room = Room(store, jira=False, channels={"C1": {"jira_projects": ["SHOP"]}})
    assert "Jira is not set up here" in await room.say("digest SHOP-12 nightly")
    assert "I write a digest" in await room.say("digest this channel weekly")


async def test_the_same_digest_comes_once(room: Room) -> None:
    """Whoever wants what comes already is told so, and by whom; at another time it is another one."""
    await room.say("digest project SHOP nightly at 7:00")
    (made,) = await room.digests.of("C1")
    said = await room.say("digest project SHOP daily 7:00", OTHER)
    await room.say("digest project SHOP nightly at 8:00", OTHER)

    assert "comes here already, nightly at 7:00; =name of U1 asked for it" in said
    assert f"`/purser digests stop {made.id}`" in said
    assert [one.cadence.hour for one in await room.digests.of("C1")] == [7, 8]


@pytest.mark.parametrize(
    ("words", "over", "said"),
    [
        ("the weather nightly", {}, DIGEST_USAGE),
        ("project SHOP nightly at noon", {}, "`noon` is no time of day"),
        ("project SHOP monthly", {}, "`monthly` is not how often a digest can come"),
        ("project PAY nightly", {}, "PAY is not open in this channel"),
        ("SHOP-12 PAY-1 nightly", {}, "PAY is not open in this channel"),
        ("project = SHOP) OR (key = PAY-1 nightly", {}, "not balanced"),
        (
            "project = SHOP AND status = Blocked nightly",
            {"channel": "C2"},
            "is not open in this channel",
        ),
        ("sprint SHOP weekly", {"channel": "CNOWHERE"}, ABSENT),
        ("this channel weekly", {"channel_kind": "im"}, NO_CHANNEL),
    ],
)
async def test_what_could_never_come_is_not_set_up(
    room: Room, words: str, over: dict[str, Any], said: str
) -> None:
    """A sentence says what is wrong, and nothing is kept."""
    assert said in await room.say(f"digest {words}", **over)
    assert await room.digests.of("C1") == []
