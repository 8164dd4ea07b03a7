"""The tools that propose changes: what may not be is told, what may be is kept and shown to Claude as not written."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.ask import Person
from bot.demo.jira import JiraStandIn
from bot.drafts import drafted, signed, visible
from bot.errors import ToolProblem
from bot.policy import Policy
from bot.proposals import Proposals
from bot.rules import Rules
from bot.store import Store
from bot.tool_runner import ToolContext
from bot.tools.tickets import NO_JIRA
from bot.tools.writes import ENOUGH, LONG, OFF, PROPOSALS_AT_MOST, TEXT_CHARS, Desk, Writes
from integrations.jira import Draft, Jira, JiraRejected
from tests.bot.stores import Clock, ask

OPEN = Rules(jira_projects=("SHOP", "HELP"))
ORIGIN = ask()


class Directory:
    """Slack's word on people."""

    async def look(self, user: str, user_team: str = "") -> Person:
        """Everybody is Ana."""
        return Person(
            user, "ana", team=user_team, real_name="Ana [Duarte]", email="ana@shop.example"
        )


@pytest.fixture
async def site() -> AsyncIterator[JiraStandIn]:
    """Jira with its company."""
    stand_in = JiraStandIn()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def jira(site: JiraStandIn) -> AsyncIterator[Jira]:
    """Our client for it."""
    made = Jira(
        site_url=site.url, api_url=site.url, email=site.email, token=site.token, in_flight=4
    )
    yield made
    await made.close()


@pytest.fixture
def writes(store: Store, clock: Clock, jira: Jira) -> Writes:
    """The tools, with a place for proposals."""
    return Writes(jira, Policy(), Desk(Proposals(store, now=clock), Directory()))


async def call(
    writes: Writes, kind: str, rules: Rules = OPEN, use: str = "use-1", **given: Any
) -> str:
    """What a call of a tool gives."""
    tool = next(t for t in writes.tools() if t.name == f"jira_propose_{kind}")
    found = await tool.call(given, ToolContext(ORIGIN, rules, 15.0, use))
    assert isinstance(found, str)
    return found


async def test_a_proposal_is_told_as_not_written(
    writes: Writes, store: Store, site: JiraStandIn, clock: Clock
) -> None:
    """Claude hears all of what would be written and that nothing is; the text is signed, and Jira only read."""
    text = await call(writes, "comment", key=" shop-12 ", markdown="Fixed.")
    (kept,) = await Proposals(store, now=clock).of(ORIGIN.id)

    assert text.startswith("NOT WRITTEN YET.")
    assert "Fixed.\n\non behalf of Ana \\[Duarte\\]" in text
    assert Draft.from_json(kept.draft).key == "SHOP-12"
    assert {hit.method for hit in site.log} == {"GET"}


async def test_nothing_hidden_is_written(writes: Writes, store: Store) -> None:
    """Marks that turn or hide text are left out, so that what is seen is what is written."""
    await call(writes, "comment", key="SHOP-12", markdown="pay \u202e001\u202c\u200b now")
    (kept,) = await Proposals(store, now=Clock()).of(ORIGIN.id)

    assert Draft.from_json(kept.draft).markdown.startswith("pay 001 now\n")


def test_nothing_that_machines_alone_can_read_is_written() -> None:
    """Letters that no eye sees, in a text or in a name, are left out; those that emoji and languages need stay."""
    unseen = "".join(map(chr, (0xE0041, 0xE0101, 0xAD, 0x200E, 0x3164, 0x2063, 0x1B, 0xFE01)))

    assert visible({"a": f"x{unseen}y", "b": {"c": unseen}}) == {"a": "xy", "b": {"c": ""}}
    assert signed("Hi.", f"An{unseen}\u202ea") == "Hi.\n\non behalf of Ana"
    assert (
        visible("👩\u200d🔧 ❤\ufe0f می\u200cخواهم\n\tok")
        == "👩\u200d🔧 ❤\ufe0f می\u200cخواهم\n\tok"
    )


async def test_on_a_service_desk_it_is_internal(writes: Writes) -> None:
    """The customer is not written to unless a person says so in Jira."""
    text = await call(writes, "comment", key="HELP-1", markdown="Hm.")

    assert "Seen by: The team alone (internal note)" in text


@pytest.mark.parametrize(
    ("kind", "given", "rules", "words"),
    [
        ("comment", {"key": "SHOP-12", "markdown": "x"}, Rules(jira_projects=("SHOP",), jira_writes="off"), OFF),
        ("comment", {"key": "SHOP-12", "markdown": "x"}, Rules(), "not open in this channel"),
        ("comment", {"key": "SHOP-9", "markdown": "x"}, Rules(jira_projects=("SHOP",)), "PAY is not open"),
        ("comment", {"key": "the ticket", "markdown": "x"}, Rules(jira_projects=("*",)), "looks like SHOP-12"),
        ("comment", {"key": "SHOP-12", "markdown": "x" * (TEXT_CHARS + 1)}, OPEN, LONG),
        ("comment", {"key": "SHOP-999", "markdown": "x"}, OPEN, "SHOP-999"),
        ("transition", {"key": "SHOP-11", "status": "Nowhere"}, OPEN, "it can go to: "),
        ("update", {"key": "SHOP-11", "fields": [{"name": "colour", "value": "red"}]}, OPEN, "no field “colour”"),
        ("issue", {"project": "NOPE", "type": "Bug", "summary": "x", "markdown": ""}, OPEN, "not open in this channel"),
        ("issue", {"project": "SHOP", "type": "Wish", "summary": "x", "markdown": ""}, OPEN, "it has: "),
    ],
)  # fmt: skip
async def test_what_may_not_be_is_words_for_claude(
    writes: Writes, store: Store, kind: str, given: dict[str, Any], rules: Rules, words: str
) -> None:
    """Writing that is off, a project that is not open, a key that moved to one, and what Jira would not take."""
    with pytest.raises(ToolProblem, match=words.replace("(", ".").replace(")", ".")):
        await call(writes, kind, rules, **given)

    assert await Proposals(store, now=Clock()).of(ORIGIN.id) == []


async def test_there_is_an_end_of_proposals(writes: Writes) -> None:
    """So many for one ask; one that is repeated after a restart is none more."""
    for n in range(PROPOSALS_AT_MOST):
        await call(writes, "comment", use=f"use-{n}", key="SHOP-12", markdown=f"{n}")

    with pytest.raises(ToolProblem, match=ENOUGH):
        await call(writes, "comment", use="one-more", key="SHOP-12", markdown="x")
    assert "NOT WRITTEN" in await call(writes, "comment", use="use-0", key="SHOP-12", markdown="0")


async def test_without_jira_it_is_said(store: Store) -> None:
    """The tools are declared all the same, and say that Jira is not set up."""
    desk = Desk(Proposals(store, now=Clock()), Directory())
    for writes in (Writes(None, Policy(), desk), Writes(None, Policy(), None)):
        with pytest.raises(ToolProblem, match=NO_JIRA):
            await call(writes, "comment", key="SHOP-12", markdown="x")


async def test_me_is_found_by_address_and_then_by_name(jira: Jira) -> None:
    """The asker is who "me" is; where Jira knows neither address nor name, the sentence says what to do."""

    async def assignee(name: str, email: str) -> str:
        asked = {"key": "SHOP-11", "fields": {"Assignee": "Me"}}
        draft = await drafted(
            jira, "jira_propose_update", asked, name=name, email=email, deadline=15.0
        )
        return dict(draft.shown)["Assignee"]

    assert (await assignee("Nobody", "ana@shop.example")).endswith("→ Ana Ferreira")
    assert (await assignee("Ana Ferreira", "hidden@elsewhere.example")).endswith("→ Ana Ferreira")
    with pytest.raises(JiraRejected, match=r"does not know Ben .* Ask for the name"):
        await assignee("Ben Okeke", "ben@elsewhere.example")


def test_a_name_is_a_name() -> None:
    """What people call themselves is no markup in what is written for them."""
    assert (
        signed("Hi.", "*A* [b](http://x)\n# c")
        == "Hi.\n\non behalf of \\*A\\* \\[b\\](http://x) \\# c"
    )
    assert signed("", "Ana") == "on behalf of Ana"
