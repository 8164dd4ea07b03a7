"""The audit of whole asks: what was read, denied, proposed, pressed and set, by whom; and an admin asks for it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.slack.proposed import DO, DROP, UNDO
from tests.bot.terminal import Ran, purser
from tests.stories.test_proposals import Office

POLICY = 'jira_projects = ["SHOP"]'


class Ledgered(Office):
    """A world whose audit is read as an operator does, beside it."""

    async def operator(self, *arguments: str) -> Ran:
        """Run `purser` beside the bot."""
        settings = {"DATABASE_URL": f"sqlite:///{self.folder / 'purser.db'}"}
        return await purser(*arguments, cwd=self.folder, env=settings)

    async def audit(self, *filters: str) -> list[dict[str, Any]]:
        """The records as `purser audit` prints them."""
        ran = await self.operator("audit", "--format", "jsonl", *filters)
        assert ran.code == 0, ran.err
        return [json.loads(line) for line in ran.out.splitlines()]

    async def told_of(self, *columns: str) -> list[tuple[str, ...]]:
        """Some columns of every record."""
        return [tuple(one[name] for name in columns) for one in await self.audit()]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Ledgered]:
    """A world that may be changed, with the bot in it; only SHOP is open."""
    async with Ledgered(tmp_path, policy=POLICY) as made:
        await made.start()
        yield made


async def test_what_was_read_and_what_was_denied(office: Ledgered) -> None:
    """An ask's tools stand before it: the ticket that was read, and the one that was denied, with the rule; then its cost."""
    office.script(
        Draft(uses=(_use("jira_get_issue", key="SHOP-12"), _use("jira_get_issue", key="PAY-1"))),
        Draft(uses=(_use("jira_count", jql="project = SHOP AND text ~ marzipan"),)),
        Draft(text="All is well."),
    )
    root = await office.slack.say("ana", "#shop-dev", "@purser how do my secret tickets do?")
    asked = await office.ended(root)
    records = await office.audit("--channel", "C0SHOPDEV", "--ticket", "SHOP-12")
    denied = [one for one in await office.audit() if one["rule"]]
    (whole,) = [one for one in await office.audit() if one["action"] == "ask"]

    assert [(one["reference"], one["outcome"], one["rule"]) for one in records] == [
        ("jira_get_issue", "ok", "")
    ]
    assert [(one["subject"], one["outcome"], one["rule"]) for one in denied] == [
        ("PAY-1", "problem", "jira_projects")
    ]
    assert (whole["user"], whole["ask_id"], whole["subject"]) == ("U0ANA", asked["id"], "chat")
    assert float(whole["cost_usd"]) > 0
    assert "marzipan" in [one["text"] for one in await office.audit()][2]
    assert "secret" not in json.dumps(await office.audit())
    assert (await office.operator("audit", "verify")).code == 0


async def test_a_search_is_found_by_what_it_gave(office: Ledgered) -> None:
    """Who saw a ticket in a search is found by the ticket's key; what the channel may not see is not in it."""
    office.script(
        Draft(uses=(_use("jira_search", jql="project in (SHOP, PAY) ORDER BY key", limit=50),)),
        Draft(text="There they are."),
    )
    await office.ended(await office.slack.say("ana", "#shop-dev", "@purser which tickets?"))
    (search,) = await office.audit("--ticket", "SHOP-12")

    assert (search["reference"], search["outcome"], search["subject"]) == ("jira_search", "ok", "")
    assert "PAY-" not in search["seen"]


async def test_who_may_not_ask_is_recorded(office: Ledgered) -> None:
    """A denial at the door has its rule."""
    await office.ended(await office.slack.say("gil", "#shop-dev", "@purser What is 6*7?"))

    assert await office.told_of("user", "action", "outcome", "rule") == [
        ("U0GUEST", "ask", "stopped", "guests")
    ]


async def test_what_was_written_and_who_clicked(office: Ledgered) -> None:
    """A foreign and a forged press are refused and recorded; the right one is bound to the content it wrote; so is undoing."""
    message = await office.proposed()
    await office.press("ben", message, DO)
    await office.press("ana", message, DO, value="p1:forged")
    await office.press("ana", message, DO)
    await office.press("ana", message, UNDO)
    (row,) = office.rows("SELECT id, hash FROM proposals")
    records = await office.audit()
    steps = [one for one in records if one["action"] == "proposal"]
    presses = [one for one in records if one["action"] == "press"]

    assert [(one["user"], one["outcome"], one["subject"]) for one in steps] == [
        ("U0ANA", state, "SHOP-12") for state in ("writing", "written", "undoing", "undone")
    ]
    assert {one["reference"] for one in steps} == {
        f"jira_propose_comment {row['id']}:{row['hash']}"
    }
    assert [(one["subject"], one["rule"]) for one in presses] == [
        (DO, "not_yours"), (DO, "no_such"), (DO, ""), (UNDO, ""),
    ]  # fmt: skip
    assert "review" not in json.dumps(records)  # a word of the comment
    assert (await office.operator("audit", "verify")).code == 0


async def test_what_an_admin_set(office: Ledgered) -> None:
    """A budget that is set and taken back, and a pause, are each told with who did it."""
    for words in ("budget 80", "reset budget", "pause", "resume"):
        await office.slack.command("U0ADMIN", "C0SHOPDEV", "/purser", words)
        await office.idle()
    told = await office.told_of("user", "action", "subject", "reference")

    assert [one for one in told if one[1] in {"set", "reset"}] == [
        ("U0ADMIN", "set", "monthly_budget_usd", "80"),
        ("U0ADMIN", "reset", "monthly_budget_usd", ""),
        ("U0ADMIN", "set", "paused", "true"),
        ("U0ADMIN", "set", "paused", "false"),
    ]


async def test_an_admin_asks_and_reads_it_alone(office: Ledgered) -> None:
    """`@purser audit SHOP-12` is answered to the admin alone; somebody else is told that only admins may."""
    message = await office.proposed()
    await office.press("ana", message, DROP)
    admin = next(p.name for p in office.slack.world.people.values() if p.id == "U0ADMIN")
    for who in (admin, "ana"):
        await office.ended(await office.slack.say(who, "#shop-dev", "@purser audit SHOP-12"))

    (told,) = office.told(admin)
    assert "jira_propose_comment | dropped" in told
    assert "dropped" in told
    assert "Only the admins" in office.told("ana")[-1]


async def test_a_change_behind_its_back_is_found(office: Ledgered) -> None:
    """Who changes a record in the file of a running bot is found by `verify`, which exits 1 and says where."""
    await office.ended(await office.slack.say("ana", "#shop-dev", "@purser What is 6*7?"))
    head = (await office.audit())[-1]["hash"]
    assert (await office.operator("audit", "verify", "--head", head)).code == 0
    assert (await office.operator("audit", "verify", "--head", "0" * 64)).code == 1
    office.damage("DROP TRIGGER audit_only_grows")
    office.damage("UPDATE audit SET user = 'U0BEN' WHERE n = 1")
    ran = await office.operator("audit", "verify")

    assert ran.code == 1
    assert "record 1 (team T0BAZAAR): it was changed." in ran.out


def _use(name: str, **given: object) -> Use:
    return Use(name, given)
