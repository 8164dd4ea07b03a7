"""What a digest is about, from people's words, and what is read for it."""

from datetime import date

import pytest

from bot.digests.subject import LOOKED_AT, Subject, looks, projects, reads, subject


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("SHOP", Subject("project", "SHOP")),
        ("project shop", Subject("project", "SHOP")),
        ("sprint SHOP", Subject("sprint", "SHOP")),
        ("project = SHOP AND status = Open", Subject("query", "project = SHOP AND status = Open")),
        ("SHOP-12 PAY-3", Subject("tickets", "SHOP-12 PAY-3")),
        ("this channel", Subject("channel")),
        ("https://x.test/issues/?jql=project%20%3D%20SHOP", Subject("query", "project = SHOP")),
        ("the weather", None),
        ("", None),
    ],
)
def test_what_words_name(words: str, expected: Subject | None) -> None:
    """A project, a sprint, a query, tickets, the channel, or nothing of that."""
    assert subject(words) == expected


def test_what_is_read_first() -> None:
    """Of a project its counts and lists since the last time, of tickets each; of a channel nothing by tools."""
    tools = [use["name"] for use in reads(Subject("project", "SHOP"), 3)]
    queries = [use["input"]["jql"] for use in reads(Subject("project", "SHOP"), 3)]

    assert tools == ["jira_count"] * 3 + ["jira_search"] * 2
    assert all(query.startswith("project = SHOP AND ") for query in queries)
    assert sum("-3d" in query for query in queries) == 3
    keys = [use["input"]["key"] for use in reads(Subject("tickets", "SHOP-12 PAY-3"), 1)]
    assert keys == ["SHOP-12", "PAY-3"]
    assert reads(Subject("channel"), 7) == []


def test_a_closer_look_at_what_changed_last() -> None:
    """The tickets that changed since the last time, the newest first, each once and few of them."""
    rows = [
        f"- [SHOP-{n}](https://x.test/browse/SHOP-{n}) · Task · Open · Ana · updated 2026-11-{n:02} · A - [PAY-1](x) title"
        for n in range(10, 26)
    ]
    keys = [use["input"]["key"] for use in looks(["\n".join(rows), rows[-1]], date(2026, 11, 20))]

    assert keys == [f"SHOP-{n}" for n in range(25, 19, -1)]
    assert len(keys) == LOOKED_AT
    assert looks(["\n".join(rows)], date(2026, 11, 26)) == []


@pytest.mark.parametrize(
    ("about", "results", "told_of"),
    [
        (Subject("project", "SHOP"), [], {"SHOP"}),
        (Subject("tickets", "SHOP-1 PAY-2"), [], {"SHOP", "PAY"}),
        (
            Subject("query", "status = Blocked"),
            ["- [OPS-3](x) · Bug\n- [PAY-4](y)"],
            {"OPS", "PAY"},
        ),
        (Subject("sprint", "7"), ["# SHOP-9: a title\nsee OPS-1"], {"SHOP"}),
        (Subject("channel"), [], set[str]()),
    ],
)
def test_which_projects_are_told_of(about: Subject, results: list[str], told_of: set[str]) -> None:
    """Those it names, and those of the tickets that were found; what a ticket only mentions is not one."""
    assert projects(about, results) == told_of
