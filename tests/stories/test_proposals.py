"""Changes to Jira: Claude proposes, a person decides by a button, and what was decided is done once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.demo.jira import JiraStandIn
from bot.demo.jira.seed import company
from bot.demo.jira.world import Comment
from bot.demo.loopback import Troubles
from bot.demo.slack import Message
from bot.demo.slack.blocks import actions
from bot.demo.slack.gestures import Ack
from bot.demo.slack.views import View
from bot.demo.terminal import under, words_of
from bot.slack.clicks import UNOPENED
from bot.slack.offers import NOT_YOURS, STALE, TOO_LATE
from bot.slack.proposed import CHANGE, DO, DROP, LAPSED, UNDO
from tests.stories.world import World

COMMENT = "@purser comment on SHOP-12 that the fix is in *review* <!channel> https://evil.test/?q=1"
POSTED = "POST .*/comment$"
DAY = 86_400.0
FOR_EVER = 3600.0


class Office(World):
    """A world whose tickets are its own, so that they can be changed."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, **more)
        self.jira = JiraStandIn(world=company(time.time()))

    async def proposed(self, words: str = COMMENT, who: str = "ana") -> Message:
        """The proposal that stands under the answer to a request."""
        root = await self.slack.say(who, "#shop-dev", words)
        await self.ended(root)
        return self.said(root)[-1]

    def comments(self, key: str = "SHOP-12") -> list[Comment]:
        """A ticket's comments that the bot wrote."""
        issue = self.jira.world.issues[key]
        return [c for c in issue.comments if c.author == "557058:purser"]

    async def press(
        self, who: str, message: Message, action: str, *, value: str | None = None
    ) -> Ack:
        """Press a button, and wait until all that follows has its end."""
        ack = await self.slack.click(who, message, action, value=value)
        await self.idle()
        return ack

    def told(self, who: str) -> list[str]:
        """What the bot said to one person alone in the channel."""
        user = self.slack.world.person(who).id
        channel = self.slack.world.channel("#shop-dev")
        return [words_of(m) for m in channel.ephemerals if m.only_for == user]

    def state(self) -> str:
        """Of the one proposal."""
        (row,) = self.rows("SELECT state FROM proposals")
        return row["state"]

    def pressed(self) -> list[str]:
        """How the presses ended, in their order."""
        return [row["outcome"] for row in self.asks() if row["feature"] == "click"]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A world that may be changed, with the bot in it."""
    async with Office(tmp_path) as made:
        await made.start()
        yield made


def buttons(message: Message) -> list[str]:
    """The labels of the buttons under a message."""
    return [
        element["text"]["text"]
        for element, _ in actions(message.blocks).values()
        if "text" in element
    ]


def shown(message: Message) -> str:
    """What a proposal says would be written, letter for letter."""
    rich = next(block for block in message.blocks if block["type"] == "rich_text")
    return "".join(part["text"] for element in rich["elements"] for part in element["elements"])


def body(comment: Comment) -> str:
    """A comment's text."""
    return "".join(_texts(comment.body))


def _texts(node: Any) -> list[str]:
    if node.get("type") == "text":
        return [node["text"]]
    return [text for part in node.get("content", ()) for text in _texts(part)]


async def test_a_proposal_shows_all_and_writes_nothing(office: Office) -> None:
    """What would be written stands in the thread letter for letter, with who sees it; Jira is not touched."""
    message = await office.proposed()

    assert words_of(message).startswith("**Proposed: a comment on [SHOP-12](")
    assert "the fix is in *review* <!channel> https://evil.test/?q=1" in shown(message)
    assert shown(message).endswith("on behalf of Ana Duarte")
    assert "Everybody who may open it in Jira" in under(message)[0]
    assert buttons(message) == ["Do it", "Change", "Drop"]
    assert (office.comments(), office.state()) == ([], "open")


async def test_a_click_writes_once_and_says_where(office: Office) -> None:
    """Who asked says yes: it is written as shown, the place says by whom, and links to it."""
    message = await office.proposed()
    await office.press("ana", message, DO)

    (comment,) = office.comments()
    assert body(comment).endswith("on behalf of Ana Duarte")
    assert f"focusedCommentId={comment.id}" in words_of(message)
    assert words_of(message).startswith("**Written to Jira: a comment on [SHOP-12](")
    assert "Ana Duarte said yes." in under(message)
    assert buttons(message) == ["Undo"]
    assert office.pressed() == ["answer"]


@pytest.mark.parametrize("http", [False, True])
async def test_double_and_redelivered_clicks_write_once(tmp_path: Path, http: bool) -> None:
    """Two clicks at once, by two people, and one of them delivered again, write once, whatever the transport."""
    async with Office(tmp_path, http=http) as office:
        await office.start()
        message = await office.proposed()
        await asyncio.gather(
            office.slack.click("ana", message, DO),
            office.slack.click("ana", message, DO),
            office.slack.click("ruth", message, DO),
        )
        line = next(line for line in office.slack.log if line.method == "interactive")
        again = dict(line.arguments.get("payload", line.arguments))
        await office.slack.events.ask("interactive", again, wants_payload=False)
        await office.idle()

        assert len(office.comments()) == 1
        assert sorted(office.pressed()) == ["answer", "stopped", "stopped"]
        assert "It was written already, by a press of" in "".join(
            [*office.told("ana"), *office.told("ruth")]
        )


async def test_somebody_else_cannot_decide(office: Office) -> None:
    """Who did not ask is told so, alone; an admin may."""
    message = await office.proposed()
    for action in (DO, CHANGE, DROP):
        await office.press("ben", message, action)

    assert office.told("ben") == [NOT_YOURS] * 3
    assert (office.state(), office.comments(), office.slack.views.open) == ("open", [], {})
    await office.press("ruth", message, DO)
    assert len(office.comments()) == 1
    assert "Ruth Adeyemi said yes." in under(message)


async def test_who_may_not_ask_may_not_press(office: Office) -> None:
    """A press is asked of the policy like a question: guests, and everybody while it is paused, are told why not."""
    message = await office.proposed()
    await office.press("gil", message, DO)
    await office.slack.command("ruth", "#shop-dev", "/purser", "pause")
    await office.idle()
    await office.press("ana", message, DO)

    assert "not open to guest accounts" in office.told("gil")[0]
    assert "I am paused here" in office.told("ana")[0]
    assert (office.state(), office.comments()) == ("open", [])
    await office.slack.command("ruth", "#shop-dev", "/purser", "resume")
    await office.idle()
    await office.press("ana", message, DO)
    assert office.state() == "written"


async def test_a_button_nobody_knows_is_told(office: Office) -> None:
    """A proposal of a release that is gone does nothing, and says so."""
    message = await office.proposed()
    office.damage("DELETE FROM proposals")
    await office.press("ana", message, DO)

    assert office.told("ana") == ["I don't know this proposal. Please ask again in words."]


async def test_a_forged_value_decides_nothing(office: Office) -> None:
    """A hash that is not of what stands there, a proposal that is none, and one of elsewhere, are refused and recorded."""
    message = await office.proposed()
    (row,) = office.rows("SELECT id, hash FROM proposals")
    for value in (f"{row['id']}:{'0' * 32}", "p0:0", "", f"{row['id']}"):
        await office.press("ana", message, DO, value=value)
    root = await office.slack.say("ana", "#payments", "@purser comment on SHOP-12 that hi")
    await office.ended(root)
    await office.press("ana", office.said(root)[-1], DO, value=f"{row['id']}:{row['hash']}")

    assert STALE in office.told("ana")
    assert office.comments() == []
    assert office.pressed() == ["stopped"] * 5
    sentences = [a["sentence"] for a in office.asks() if a["feature"] == "click"]
    assert all(sentences)


async def test_a_late_click_takes_the_buttons_away(office: Office) -> None:
    """A day later nothing is written any more; the place says so, and so is who pressed told."""
    message = await office.proposed()
    office.ahead = DAY + 60
    await office.press("ana", message, DO)

    assert (office.state(), office.comments(), buttons(message)) == ("expired", [], [])
    assert under(message) == [LAPSED]
    assert office.told("ana") == [LAPSED]


async def test_dropped_is_dropped(office: Office) -> None:
    """What was dropped is not written by an old button."""
    message = await office.proposed()
    (row,) = office.rows("SELECT id, hash FROM proposals")
    await office.press("ana", message, DROP)

    assert under(message) == ["Dropped by Ana Duarte; nothing was written."]
    assert buttons(message) == []
    other = await office.proposed("@purser comment on SHOP-14 that hi")
    await office.press("ana", other, DO, value=f"{row['id']}:{row['hash']}")
    assert (office.comments(), office.told("ana")) == (
        [],
        ["It was dropped already, by Ana Duarte."],
    )


async def test_a_form_changes_what_would_be_written(office: Office) -> None:
    """Change opens a form with the words as they are; sent, the proposal shows the new ones, and old buttons are void."""
    message = await office.proposed()
    old = actions(message.blocks)[DO][0]["value"]
    await office.slack.click("ana", message, CHANGE)
    view: View = await office.until(lambda: next(iter(office.slack.views.open.values()), None))
    (field,) = view.view["blocks"]
    assert field["element"]["initial_value"].startswith("the fix is in *review*")
    empty = await office.slack.view_submit("ana", view, {"markdown": " "})
    assert empty.payload["response_action"] == "errors"
    await office.slack.view_submit("ana", view, {"markdown": "The fix is out."})
    await office.idle()

    assert shown(message).endswith("The fix is out.\n\non behalf of Ana Duarte")
    await office.press("ana", message, DO, value=old)
    assert (office.told("ana"), office.comments()) == ([STALE], [])
    await office.press("ana", message, DO)
    assert body(office.comments()[0]) == "The fix is out.on behalf of Ana Duarte"


async def test_a_form_that_does_not_open_is_told(office: Office) -> None:
    """Where Slack opens no form, such as too late after the press, who pressed is told to press again, and can."""
    message = await office.proposed()
    office.slack.troubles.errors["views.open"] = ["expired_trigger_id"]
    await office.slack.click("ana", message, CHANGE)
    await office.until(lambda: office.told("ana") == [UNOPENED])
    await office.slack.click("ana", message, CHANGE)
    await office.until(lambda: office.slack.views.open)
    await office.idle()

    assert office.told("ana") == [UNOPENED]


async def test_fields_change_in_a_form(office: Office) -> None:
    """Each field that would be set is one of the form; what Jira does not take is told, and nothing is changed."""
    message = await office.proposed("@purser set the priority of SHOP-12 to Low")
    for value in ("Whatever", "Highest"):
        await office.slack.click("ana", message, CHANGE)
        view: View = await office.until(lambda: next(iter(office.slack.views.open.values()), None))
        await office.slack.view_submit("ana", view, {"field-0": value})
        await office.idle()

    assert "Priority cannot be" in office.told("ana")[0]
    assert "> Whatever" in office.told("ana")[0]
    assert "→ Highest" in shown(message)
    await office.press("ana", message, DO)
    assert office.jira.world.issues["SHOP-12"].priority == "Highest"


async def test_a_lost_reply_is_looked_for_and_found(office: Office) -> None:
    """Jira wrote and its answer was lost: it is found, and said to be written."""
    message = await office.proposed()
    office.jira.troubles = Troubles(on=POSTED, reset=True, times=1)
    await office.press("ana", message, DO)

    assert (len(office.comments()), office.state()) == (1, "written")
    assert buttons(message) == ["Undo"]


@pytest.mark.parametrize("code", ["message_not_found", "not_in_channel", "is_archived"])
async def test_what_was_written_is_told_where_its_place_is_gone(office: Office, code: str) -> None:
    """When the proposal's message, or the channel, is gone by then, who pressed hears that it was written."""
    message = await office.proposed()
    office.slack.troubles.errors["chat.update"] = [code]
    await office.press("ana", message, DO)

    assert len(office.comments()) == 1
    assert "Written to Jira: a comment on" in office.told("ana")[-1]
    assert office.pressed() == ["answer"]


async def test_what_was_written_stands_there_where_blocks_are_refused(office: Office) -> None:
    """Where Slack refuses the blocks of an edit, its words alone say what was done, and no button is left."""
    message = await office.proposed()
    office.slack.troubles.errors["chat.update"] = ["invalid_blocks"]
    await office.press("ana", message, DO)

    assert len(office.comments()) == 1
    assert "Written to Jira: a comment on" in words_of(message)
    assert actions(message.blocks) == {}
    assert office.pressed() == ["answer"]


async def test_what_is_not_found_is_unknown_until_it_is(office: Office) -> None:
    """Where nobody can tell, that is said; a look later finds it, and it is never sent again."""
    message = await office.proposed()
    office.jira.troubles = Troubles(on="/comment", reset=True)  # what is written, and every look
    await office.press("ana", message, DO)

    assert office.state() == "unknown"
    assert buttons(message) == ["Look again"]
    assert "I will not send it a second time" in under(message)[0]
    office.jira.troubles = Troubles()
    await office.press("ana", message, DO)
    assert (len(office.comments()), office.state(), buttons(message)) == (1, "written", ["Undo"])


async def test_a_refusal_of_jira_is_told(office: Office) -> None:
    """What Jira refuses is not written, and the place says so."""
    message = await office.proposed()
    office.jira.troubles = Troubles(on=POSTED, status=403)
    await office.press("ana", message, DO)

    assert (office.state(), office.comments(), buttons(message)) == ("failed", [], [])
    assert under(message)[0].startswith("Ana Duarte said yes, but nothing was written. Jira")


async def test_what_was_written_is_undone(office: Office) -> None:
    """An unedited comment goes, once, and the place says so."""
    message = await office.proposed()
    await office.press("ana", message, DO)
    await asyncio.gather(
        office.slack.click("ana", message, UNDO), office.slack.click("ana", message, UNDO)
    )
    await office.idle()

    assert (office.comments(), office.state(), buttons(message)) == ([], "undone", [])
    assert under(message) == ["Undone by Ana Duarte. The comment on SHOP-12 was removed."]
    assert "focusedCommentId" not in words_of(message)


async def test_an_edited_comment_stays(office: Office) -> None:
    """What somebody built on is not taken back, and it is said why."""
    message = await office.proposed()
    await office.press("ana", message, DO)
    office.comments()[0].updated += 60.0
    await office.press("ana", message, UNDO)

    assert (len(office.comments()), office.state(), buttons(message)) == (1, "kept", [])
    assert "edited" in under(message)[0]


async def test_a_removal_whose_reply_was_lost_is_not_said_to_stay(office: Office) -> None:
    """Jira removed it and its answer was lost: asked again, the place says that it is gone, and nothing else."""
    message = await office.proposed()
    await office.press("ana", message, DO)
    office.jira.troubles = Troubles(on="DELETE", reset=True, times=1)
    await office.press("ana", message, UNDO)
    assert (office.state(), office.comments()) == ("undoing", [])
    await office.press("ana", message, UNDO)

    gone = "The comment on SHOP-12 is not there any more, so there is nothing to take back."
    assert under(message) == [f"Ana Duarte wanted it undone. {gone}"]


async def test_a_ticket_moved_since_stays(office: Office) -> None:
    """A status goes back only where nobody moved the ticket since."""
    message = await office.proposed("@purser move SHOP-11 to In Review")
    assert "In Progress → In Review" in shown(message)
    await office.press("ana", message, DO)
    issue = office.jira.world.issues["SHOP-11"]
    assert issue.status == "In Review"
    office.jira.world.move(issue, "Blocked", time.time(), "712020:raj")
    await office.press("ana", message, UNDO)

    assert (issue.status, office.state()) == ("Blocked", "kept")


async def test_an_undo_has_its_day(office: Office) -> None:
    """A day after it was written there is no way back from here."""
    message = await office.proposed()
    await office.press("ana", message, DO)
    office.ahead = DAY + 60
    await office.press("ana", message, UNDO)

    assert (len(office.comments()), office.told("ana")) == (1, [TOO_LATE])


async def test_it_is_assigned_to_who_asks(office: Office) -> None:
    """To "assign it to me" finds the asker in Jira by the address that Slack has; it is shown by the name there."""
    message = await office.proposed("@purser assign SHOP-11 to me")

    assert "→ Ana Ferreira" in shown(message)
    await office.press("ana", message, DO)
    assert office.jira.world.issues["SHOP-11"].assignee == "712020:ana"


async def test_who_jira_does_not_know_is_told(office: Office) -> None:
    """Where Jira knows nobody by the asker's name or address, Claude is told, and nothing is proposed."""
    root = await office.slack.say("ben", "#shop-dev", "@purser assign SHOP-11 to me")

    assert "Jira does not know Ben Okafor" in await office.answered(root)
    assert office.rows("SELECT id FROM proposals") == []


async def test_a_ticket_is_opened(office: Office) -> None:
    """A new ticket is shown with its project and type, is written once, and cannot be undone from here."""
    message = await office.proposed("@purser open a bug in SHOP: Pay button is grey")
    assert "Project: SHOP" in shown(message)
    await office.press("ana", message, DO)
    made = [i for i in office.jira.world.issues.values() if i.summary == "Pay button is grey"]

    assert [issue.type for issue in made] == ["Bug"]
    assert f"[{made[0].key}](" in words_of(message)
    assert buttons(message) == []


async def test_words_in_a_thread_mean_its_ticket(office: Office) -> None:
    """In a thread "it" is its ticket, and a bug is opened about what was said there, in the ticket's project."""
    root = await office.slack.say("ben", "#shop-dev", "SHOP-11 is slow again since noon.")
    for words in ("assign it to me", "comment that I look at it", "open a bug for this thread"):
        asked = await office.slack.say("ana", "#shop-dev", f"@purser {words}", thread_ts=root.ts)
        await office.ended(asked)

    rows = office.rows("SELECT tool, draft FROM proposals ORDER BY at")
    assert [row["tool"].removeprefix("jira_propose_") for row in rows] == [
        "update",
        "comment",
        "issue",
    ]
    assert [json.loads(row["draft"])["key"] for row in rows] == ["SHOP-11", "SHOP-11", ""]
    assert "SHOP-11 is slow again since noon." in json.loads(rows[2]["draft"])["markdown"]


async def test_the_same_tool_proposes_once(office: Office) -> None:
    """What is proposed twice in one ask stands there once."""
    use = Use("jira_propose_comment", {"key": "shop-12", "markdown": "Hi."})
    office.script(Draft("One.", uses=(use, use)), Draft("It lies ready."))
    root = await office.slack.say("ana", "#shop-dev", "@purser say hi on SHOP-12")
    await office.ended(root)

    assert len(office.rows("SELECT id FROM proposals")) == 1
    assert len(office.said(root)) == 2


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ('jira_writes = "off"', "Writing to Jira is switched off"),
        ('jira_projects = ["PAY"]', "not open in this channel"),
    ],
)
async def test_the_policy_forbids(tmp_path: Path, policy: str, words: str) -> None:
    """Where writing is off, or the project is not open, nothing is proposed and Jira is not asked."""
    async with Office(tmp_path, policy=policy) as office:
        await office.start()
        root = await office.slack.say("ana", "#shop-dev", COMMENT)

        assert words in await office.answered(root)
        assert office.rows("SELECT id FROM proposals") == []
        assert office.jira.log == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("done", [False, True])
async def test_a_kill_while_it_is_written(tmp_path: Path, done: bool) -> None:
    """Killed between claim and answer, it is looked for after the restart: found, or unknown, and never sent again."""
    async with Office(tmp_path) as office:
        await office.spawn()
        message = await office.proposed()
        stuck = Troubles(on=POSTED, late=FOR_EVER) if done else Troubles(hang=FOR_EVER)
        office.jira.troubles = stuck
        await office.slack.click("ana", message, DO)
        await office.until(lambda: office.state() == "writing")
        await office.until(lambda: bool(office.comments()) is done)
        await office.kill()
        office.jira.troubles = Troubles()
        await office.spawn()
        await office.idle()

        assert len(office.comments()) == int(done)
        assert office.state() == ("written" if done else "unknown")
        assert buttons(message) == (["Undo"] if done else ["Look again"])
        posts = [
            hit for hit in office.jira.log if hit.method == "POST" and hit.path.endswith("/comment")
        ]
        assert len(posts) == int(done)


@pytest.mark.timeout(120)
async def test_a_kill_after_it_was_shown(tmp_path: Path) -> None:
    """Killed when the proposal stood there and the ask was not yet settled, it stands there once, and works."""
    async with Office(tmp_path) as office:
        await office.spawn()
        root = await office.slack.say("ana", "#shop-dev", COMMENT)
        await office.until(lambda: office.rows("SELECT id FROM proposals"))
        slow = office.slack.troubles.slow
        slow["agents.sessions.setStatus"] = slow["assistant.threads.setStatus"] = FOR_EVER
        await office.until(
            lambda: [r["state"] for r in office.rows("SELECT state FROM parts")] == ["said"] * 2
        )
        await office.kill()
        slow.clear()
        await office.spawn()
        await office.ended(root)

        assert len(office.said(root)) == 2
        await office.press("ana", office.said(root)[-1], DO)
        assert len(office.comments()) == 1
