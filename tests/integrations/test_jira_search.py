"""Searching Jira: rows, pages, counts and sprints, and every request as Jira's description wants it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.demo.jira import JiraStandIn
from bot.demo.loopback import Troubles
from integrations.jira import Jira, JiraBroken, JiraNotFound, JiraRejected
from tests.contract import contract
from tests.integrations.jira_worlds import SECONDS, SITE, client, standing_in


async def test_rows_have_what_one_chooses_by() -> None:
    """A row has key, project, type, status with its category, people, dates, title and the site's address."""
    async with standing_in() as stand_in:
        jira = client(stand_in)
        found = await jira.search("key = SHOP-12", limit=5, deadline=SECONDS)
        await jira.close()

    [row] = found.rows
    assert (row.key, row.project, row.type) == ("SHOP-12", "SHOP", "Story")
    assert (row.status.name, row.status.category) == ("Blocked", "in progress")
    assert row.summary == "Retry a payment without charging twice"
    assert row.url == f"{SITE}/browse/SHOP-12"
    assert row.updated is not None
    assert not row.restricted
    assert found.next_page == ""


async def test_pages_go_on_where_the_one_before_ended() -> None:
    """Page after page brings each ticket once, and the last one names no next."""
    async with standing_in() as stand_in:
        jira = client(stand_in)
        whole = await jira.search("project = SHOP", limit=100, deadline=SECONDS)
        keys: list[str] = []
        page = ""
        while True:
            found = await jira.search("project = SHOP", limit=7, page=page, deadline=SECONDS)
            keys += [row.key for row in found.rows]
            if not (page := found.next_page):
                break
        counted = await jira.count("project = SHOP", deadline=SECONDS)
        await jira.close()

    assert keys == [row.key for row in whole.rows]
    assert len(keys) == counted > 30


async def test_a_wrong_query_is_answered_in_jiras_words() -> None:
    """What Jira says of a query reaches the reader."""
    async with standing_in() as stand_in:
        jira = client(stand_in)
        with pytest.raises(JiraRejected, match="colour"):
            await jira.search("project = SHOP AND colour = red", limit=5, deadline=SECONDS)
        with pytest.raises(JiraRejected):
            await jira.count("project =", deadline=SECONDS)
        await jira.close()


@pytest.mark.parametrize("asked", ["SHOP", "shop", "1", "Shop board"])
async def test_a_sprint_is_found_by_project_number_or_name(asked: str) -> None:
    """The board of a project, a board's number and a board's name lead to the active sprint."""
    async with standing_in() as stand_in:
        board = next(b for b in stand_in.world.boards.values() if b.project == "SHOP")
        named = {"1": str(board.id), "Shop board": board.name}.get(asked, asked)
        jira = client(stand_in)
        sprint = await jira.sprint(named, deadline=SECONDS)
        await jira.close()

    assert (sprint.name, sprint.project, sprint.board) == ("Shop 42", "SHOP", board.name)
    assert sprint.starts is not None


async def test_no_board_and_no_sprint_are_said_apart() -> None:
    """A board that is not there, one without sprints and one between sprints each have a sentence."""
    async with standing_in() as stand_in:
        jira = client(stand_in)
        with pytest.raises(JiraNotFound, match="no board or project NOWHERE"):
            await jira.sprint("NOWHERE", deadline=SECONDS)
        for number, sprint in stand_in.world.sprints.items():
            stand_in.world.sprints[number] = replace(sprint, state="closed")
        with pytest.raises(JiraNotFound, match="no active sprint"):
            await jira.sprint("SHOP", deadline=SECONDS)
        for number, board in stand_in.world.boards.items():
            stand_in.world.boards[number] = replace(board, kind="kanban")
        with pytest.raises(JiraNotFound, match="has no sprints"):
            await jira.sprint("SHOP", deadline=SECONDS)
        await jira.close()


async def test_an_answer_of_another_shape_is_no_result() -> None:
    """Half an answer is told as a broken one, never as nothing found."""
    async with standing_in() as stand_in:
        jira = client(stand_in)
        stand_in.troubles = Troubles(cut=True)
        with pytest.raises(JiraBroken):
            await jira.search("project = SHOP", limit=5, deadline=SECONDS)
        with pytest.raises(JiraBroken):
            await jira.count("project = SHOP", deadline=SECONDS)
        await jira.close()


async def test_requests_are_what_jira_describes(jira_openapi: Path) -> None:
    """Query strings and bodies of search and count hold by the official description."""
    judge = contract(jira_openapi)
    async with standing_in() as stand_in:
        await _everything(client(stand_in))
        problems = [p for heard in _described(stand_in) for p in judge.request(*heard)]

    assert problems == []


async def _everything(jira: Jira) -> None:
    first = await jira.search("project = SHOP ORDER BY updated", limit=3, deadline=SECONDS)
    await jira.search(
        "project = SHOP ORDER BY updated", limit=3, page=first.next_page, deadline=SECONDS
    )
    await jira.count("project = SHOP", deadline=SECONDS)
    await jira.close()


def _described(stand_in: JiraStandIn) -> list[tuple[str, str, dict[str, str], object]]:
    """What was asked; three requests at least, so that an empty log does not pass."""
    assert len(stand_in.log) == 3
    return [
        (h.method, h.path, dict(h.query), json.loads(h.body) if h.body else None)
        for h in stand_in.log
    ]
