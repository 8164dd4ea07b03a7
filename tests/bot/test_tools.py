"""The tools as Claude gets them: the same bytes everywhere, policy asked when they run, errors as words."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web as server

from bot.demo.jira import JiraStandIn
from bot.demo.jira.seed import company
from bot.demo.jira.world import Comment
from bot.demo.loopback import Loopback
from bot.demo.pages.made import PIXEL, Page, pdf
from bot.demo.web import WebStandIn
from bot.errors import ToolProblem
from bot.policy import Policy
from bot.reach import Reach
from bot.rules import Rules
from bot.tool_runner import RESULT_CHARS, Given, Tool, ToolContext, ToolRun, ToolRunner
from bot.tools import declare
from bot.tools.tickets import NO_JIRA, Tickets
from integrations.jira import Jira
from integrations.pdf import Pdfs
from integrations.web import CHARS_PER_PAGE, Web
from tests.bot.stores import ask

OPEN = Rules(jira_projects=("SHOP",))


def wide(pixels: int) -> bytes:
    """The beginning of a PNG that is so wide."""
    return PIXEL[:16] + pixels.to_bytes(4) + PIXEL[20:]


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """The reader of web pages."""
    made = Web()
    yield made
    await made.close()


@pytest.fixture
async def pages() -> AsyncIterator[WebStandIn]:
    """The small web."""
    stand_in = WebStandIn(slow_seconds=None)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def tickets() -> AsyncIterator[JiraStandIn]:
    """Jira with its company."""
    stand_in = JiraStandIn()
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest.fixture
async def jira(tickets: JiraStandIn) -> AsyncIterator[Jira]:
    """Our client for it."""
    made = Jira(
        site_url=tickets.url,
        api_url=tickets.url,
        email=tickets.email,
        token=tickets.token,
        in_flight=4,
    )
    yield made
    await made.close()


def tool(name: str, web: Web, jira: Jira | None = None) -> Tool:
    """One of the declared tools."""
    return next(t for t in declare(jira=jira, web=web, policy=Policy()) if t.name == name)


async def given_by(which: Tool, rules: Rules, seconds: float = 15.0, **given: Any) -> Given:
    """All that a call gives under these rules, in an ask in which a person wrote the address."""
    reach = Reach.words(str(given.get("url", "")))
    found = await which.call(given, ToolContext(ask(), rules, seconds, reach=reach))
    return found if isinstance(found, Given) else Given(found)


async def called(which: Tool, rules: Rules, seconds: float = 15.0, **given: Any) -> str:
    """The text of it."""
    return (await given_by(which, rules, seconds, **given)).text


def declared(web: Web, jira: Jira | None) -> str:
    """The declarations as they stand in a request."""
    tools = declare(jira=jira, web=web, policy=Policy())
    return json.dumps([t.declared() for t in tools])


async def test_the_declared_bytes_are_the_same_everywhere(web: Web, jira: Jira) -> None:
    """With and without Jira, and in another process, the tools are declared byte for byte alike."""
    program = (
        "import json; from bot.tools import declare; from bot.policy import Policy; "
        "from integrations.web import Web; "
        "tools = declare(jira=None, web=Web(), policy=Policy()); "
        "print(json.dumps([t.declared() for t in tools]))"
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-c", program, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await other.communicate()

    assert declared(web, None) == declared(web, jira)
    assert told.decode().strip() == declared(web, jira)


async def test_a_page_is_read_behind_a_line_that_says_where_it_is_from(
    web: Web, pages: WebStandIn
) -> None:
    """The result has the title, the address it was read from, and the text."""
    rules = Rules(web_private_origins=(pages.url,))
    text = await called(tool("web_fetch", web), rules, url=pages.address(Page.ARTICLE))

    title, address, rest = text.split("\n", 2)
    assert title
    assert address == pages.address(Page.ARTICLE)
    assert "idempotency" in rest.lower()


async def test_a_private_page_is_not_read(web: Web, pages: WebStandIn) -> None:
    """Without the policy's word a page on this machine is words for Claude, and is never asked for."""
    with pytest.raises(ToolProblem, match="not open to web reading"):
        await called(tool("web_fetch", web), Rules(), url=pages.address(Page.ARTICLE))

    assert pages.log == []


async def test_only_the_allowed_hosts_are_read(web: Web) -> None:
    """Where the policy names hosts, others are refused before anything is sent."""
    rules = Rules(web_allowed_hosts=("docs.python.org",))

    with pytest.raises(ToolProblem, match="not open to web reading"):
        await called(tool("web_fetch", web), rules, url="https://example.com/")


async def test_a_page_that_never_answers_ends_with_the_tools_deadline(
    web: Web, pages: WebStandIn
) -> None:
    """The tool's own deadline is passed down, and its end is a sentence."""
    rules = Rules(web_private_origins=(pages.url,))

    with pytest.raises(ToolProblem, match="took too long"):
        await called(tool("web_fetch", web), rules, 0.05, url=pages.address(Page.SLOW))


async def test_a_ticket_of_an_open_project_is_read(web: Web, jira: Jira) -> None:
    """The text has its key, its link, its status and its comments."""
    text = await called(tool("jira_get_issue", web, jira), OPEN, key=" shop-12 ")

    assert text.startswith("# SHOP-12: Retry a payment without charging twice\n")
    assert jira.browse_url("SHOP-12") in text
    assert "Status: Blocked" in text
    assert "## Comments" in text


@pytest.fixture
async def get(jira: Jira) -> AsyncIterator[Tool]:
    """The tool that reads tickets, with what counts the pages of their PDFs."""
    pdfs = Pdfs()
    (made,) = Tickets(jira, Policy(), pdfs).tools()
    yield made
    await pdfs.close()


async def test_pictures_and_pdfs_of_a_ticket_are_read_where_they_are_asked_for(get: Tool) -> None:
    """Without asking none is fetched; with it pictures and PDFs come as they are, and the text says which."""
    plain = await given_by(get, OPEN, key="SHOP-12")
    given = await given_by(get, OPEN, key="SHOP-12", include=["attachments"])

    assert plain.files == ()
    assert "Attachments (not read)" in plain.text
    assert [(f.name, f.mimetype, bool(f.data)) for f in given.files] == [
        ("checkout-timeout.png", "image/png", True),
        ("load-test.pdf", "application/pdf", True),
    ]
    assert "checkout-timeout.png (image/png, 67 bytes), shown below" in given.text
    assert "trace-7f3a.txt (text/plain" in given.text
    assert given.text.count("shown below") == 2


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("checkout-timeout.png", b"GIF89a", "no picture"),
        ("checkout-timeout.png", wide(8_001), "no picture"),
        ("load-test.pdf", b"%PDF-" + b"x" * 1024 * 1024, "larger than 1,024 KiB"),
        ("load-test.pdf", b"%PDF-1.4 and nothing behind it", "broken or locked"),
        ("load-test.pdf", pdf([["page"]] * 21), "it has 21 pages"),
    ],
)
async def test_a_file_of_a_ticket_that_claude_would_refuse_is_told_instead(
    name: str, content: bytes, why: str, get: Tool, tickets: JiraStandIn
) -> None:
    """What is too large, too long, broken or no picture is a sentence beside the ticket, and ends no ask."""
    files = tickets.world.issues["SHOP-12"].attachments
    files[:] = [replace(file, content=content) for file in files if file.name == name]
    (file,) = (await given_by(get, OPEN, key="SHOP-12", include=["attachments"])).files

    assert why in file.problem
    assert not file.data


@pytest.mark.parametrize(("names", "hides"), [(None, True), (("stripe-key",), False)])
async def test_a_tickets_pdf_with_a_secret_is_its_text(
    names: tuple[str, ...] | None, hides: bool, get: Tool, tickets: JiraStandIn
) -> None:
    """Its words go to Claude without the secret in the place of the document, by the channel's rules."""
    token = "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0bC3dE6"
    content = pdf([[f"The token is {token}."]])
    files = tickets.world.issues["SHOP-12"].attachments
    files[:] = [replace(file, content=content) for file in files if file.name.endswith(".pdf")]
    use = {"id": "u1", "name": get.name, "input": {"key": "SHOP-12", "include": ["attachments"]}}
    rules = Rules(jira_projects=("SHOP",), redact=names)
    (run,) = await ToolRunner((get,), clock=lambda: 0.0).run(
        [use], ToolContext(ask(), rules), on_started=lambda *_: None, on_ended=lambda _: None
    )

    (file,) = run.files
    assert (file.data, file.words) == (b"" if hides else content, "")
    assert ("The token is [redacted: github-token]." in file.text) is hides
    assert token not in file.text


def _adf(words: str) -> dict[str, Any]:
    """A text as Jira keeps it."""
    text = [{"type": "text", "text": words}]
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": text}]}


async def test_a_huge_ticket_ends_in_bounds() -> None:
    """Three thousand comments and a description of two megabytes become one result of the usual length; more than Jira's limit a sentence."""
    site = JiraStandIn(world=company(0.0))
    await site.start()
    jira = Jira(
        site_url=site.url, api_url=site.url, email=site.email, token=site.token, in_flight=4
    )
    runner = ToolRunner(Tickets(jira, Policy()).tools(), clock=lambda: 0.0)
    issue, who = site.world.issues["SHOP-12"], next(iter(site.world.accounts))
    issue.comments = [Comment(str(n), who, _adf("x" * 5_000), 0.0, 0.0) for n in range(3_000)]
    given = {"key": "SHOP-12", "include": ["comments_all", "changelog"]}

    async def read() -> ToolRun:
        use = {"id": "u1", "name": "jira_get_issue", "input": given}
        context = ToolContext(ask(), OPEN)
        (run,) = await runner.run(
            [use], context, on_started=lambda *_: None, on_ended=lambda _: None
        )
        return run

    for chars, outcome, words in ((2_000_000, "ok", "cut here"), (9_000_000, "problem", "8 MiB")):
        issue.description = _adf("y" * chars)
        run = await read()
        assert (run.outcome, words in run.text) == (outcome, True)
        assert len(run.text) < RESULT_CHARS + 100
    await jira.close()
    await site.stop()


async def test_a_ticket_of_a_closed_project_is_not_asked_for(
    web: Web, jira: Jira, tickets: JiraStandIn
) -> None:
    """Where the channel has not opened the project, Jira is not even called, and the sentence says how to open it."""
    with pytest.raises(ToolProblem, match="jira_projects"):
        await called(tool("jira_get_issue", web, jira), Rules(), key="SHOP-12")

    assert tickets.log == []


async def test_a_moved_ticket_counts_where_it_is_now(
    web: Web, jira: Jira, tickets: JiraStandIn
) -> None:
    """An old key of an open project does not open the project that the ticket was moved to."""
    old, new = next(iter(tickets.world.moved.items()))
    asked = Rules(jira_projects=(old.rpartition("-")[0],))

    with pytest.raises(ToolProblem, match=rf"project {new.rpartition('-')[0]} is not open"):
        await called(tool("jira_get_issue", web, jira), asked, key=old)


async def test_a_restricted_ticket_is_not_shown(web: Web, jira: Jira, tickets: JiraStandIn) -> None:
    """A ticket with a security level gives nothing but that it is restricted."""
    guarded = next(i for i in tickets.world.issues.values() if i.security)
    rules = Rules(jira_projects=("*",))

    with pytest.raises(ToolProblem, match="restricted") as raised:
        await called(tool("jira_get_issue", web, jira), rules, key=guarded.key)
    assert guarded.summary not in str(raised.value)


async def test_what_is_no_key_is_told_so(web: Web, jira: Jira, tickets: JiraStandIn) -> None:
    """Prose or a path in the place of a key never reaches Jira."""
    for word in ("the payment ticket", "SHOP-12/../../myself", "SHOP-0", ""):
        with pytest.raises(ToolProblem, match="looks like SHOP-12"):
            await called(tool("jira_get_issue", web, jira), OPEN, key=word)

    assert tickets.log == []


async def test_without_jira_the_tool_says_so(web: Web) -> None:
    """Where Jira is not set up its tool is declared all the same, and says what is missing."""
    with pytest.raises(ToolProblem) as raised:
        await called(tool("jira_get_issue", web), OPEN, key="SHOP-12")

    assert str(raised.value) == NO_JIRA


async def test_an_address_that_nobody_wrote_is_not_opened(web: Web, pages: WebStandIn) -> None:
    """Words put behind an address that a person wrote make it another one: nothing is sent, and Claude hears why."""
    written = pages.address(Page.ARTICLE)
    context = ToolContext(
        ask(), Rules(web_private_origins=(pages.url,)), reach=Reach.words(written)
    )

    for url in (
        f"{written}?q=secret",
        pages.address(Page.DOCS),
        f"{pages.other_url}{Page.ARTICLE}",
    ):
        with pytest.raises(ToolProblem, match="write the address here") as raised:
            await tool("web_fetch", web).call({"url": url}, context)
        assert raised.value.rule == "reach"
    assert pages.log == []


class Mover(Loopback):
    """Sends everybody away to another host."""

    def routes(self) -> list[server.RouteDef]:
        """One answer for all."""
        return [server.get("/{rest:.*}", self._away)]

    async def _away(self, _request: server.Request) -> server.Response:
        return server.Response(status=302, headers={"Location": "http://elsewhere.invalid/"})


async def test_a_link_of_a_page_stays_on_its_host(web: Web) -> None:
    """A link that stood in a page is not followed to another host, where an address that a person wrote is."""
    mover = Mover()
    await mover.start()
    url = f"{mover.url}/next"
    rules = Rules(web_private_origins=(mover.url,))

    for reach, why in (
        (Reach(own={url: url}), "only public"),
        (Reach.words(url), "not be reached"),
    ):
        with pytest.raises(ToolProblem, match=why):
            await tool("web_fetch", web).call({"url": url}, ToolContext(ask(), rules, reach=reach))
    await mover.stop()


async def test_links_in_other_content_lead_to_allowed_hosts_alone(web: Web) -> None:
    """A link that stood in a ticket or a file is opened only where an admin named its host, or it is Jira's or the code host's."""
    url = "https://docs.example.com/a"
    opened = Reach(content={url: url})

    with pytest.raises(ToolProblem, match="write the address here"):
        await tool("web_fetch", web).call({"url": url}, ToolContext(ask(), Rules(), reach=opened))
    rules = Rules(web_allowed_hosts=("example.com",))
    with pytest.raises(ToolProblem, match="took too long"):  # it went out, in no time at all
        await tool("web_fetch", web).call(
            {"url": url}, ToolContext(ask(), rules, 0.0, reach=opened)
        )


class Teller(Loopback):
    """A site whose one page is a text."""

    text = ""

    def routes(self) -> list[server.RouteDef]:
        """Everything is that page."""
        return [server.get("/{rest:.*}", self._tell)]

    async def _tell(self, _request: server.Request) -> server.Response:
        return server.Response(text=self.text)


async def test_a_secret_on_the_border_of_two_parts_is_hidden(web: Web) -> None:
    """A long page has its secrets hidden before it is cut into parts, or half of one would look like none."""
    token = "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0bC3dE6"
    site = Teller()
    site.text = f"{'word ' * (CHARS_PER_PAGE // 5 - 4)}{token} {'word ' * 100}"
    await site.start()
    try:
        rules = Rules(web_private_origins=(site.url,))
        url = f"{site.url}/long"
        first = await called(tool("web_fetch", web), rules, url=url)
        second = await called(tool("web_fetch", web), rules, url=url, page=2)
    finally:
        await site.stop()

    assert "page 1 of 2" in first
    assert token[:19] not in first
    assert token[20:] not in second
