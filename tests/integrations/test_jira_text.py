"""Jira's documents as Markdown: each kind of node, and documents that nobody would write."""

import inspect
import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.jira.adf import Writer, plain
from bot.demo.jira.seed import company
from integrations.jira_node import clean, words
from integrations.jira_text import markdown
from integrations.jira_trimmed import Trimmed
from tests.integrations.jira_worlds import NOW

WRITER = Writer({"ana": ("712020:ana", "Ana Ferreira")})
MOST = 10_000
KINDS = [
    *("paragraph", "heading", "codeBlock", "blockquote", "panel", "rule", "bulletList"),
    *("orderedList", "listItem", "decisionList", "decisionItem", "taskList", "taskItem", "table"),
    *("tableRow", "tableCell", "tableHeader", "mediaSingle", "mediaGroup", "media", "caption"),
    *("blockCard", "embedCard", "expand", "nestedExpand", "layoutSection", "layoutColumn"),
    *("extension", "bodiedExtension", "syncBlock", "text", "hardBreak", "mention", "emoji"),
    *("date", "status", "inlineCard", "placeholder", "mediaInline", "inlineExtension"),
    *("blockTaskItem", "doc", "nobodyKnows"),
]
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["javascript:alert(1)", "https://a.example/x)>y", "\ud800", "\0", "| a |\n"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
ATTRS = st.dictionaries(
    st.sampled_from(
        [
            *("level", "order", "url", "text", "title", "timestamp", "colspan", "rowspan", "alt"),
            *("language", "panelType", "state", "shortName", "id", "extensionKey", "href"),
        ]
    ),
    JSON,
    max_size=4,
)
MARKS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["strong", "em", "code", "strike", "link", "textColor"]) | JSON},
        optional={"attrs": ATTRS | JSON},
    )
    | JSON,
    max_size=3,
)


def _node(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.sampled_from(KINDS) | JSON},
        optional={
            "content": st.lists(inner, max_size=4) | JSON,
            "attrs": ATTRS | JSON,
            "marks": MARKS | JSON,
            "text": SCALARS,
        },
    )


TREES: st.SearchStrategy[Any] = st.recursive(_node(JSON), _node, max_leaves=25)


def doc(*content: Any) -> dict[str, Any]:
    """A document."""
    return {"type": "doc", "version": 1, "content": list(content)}


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    """A node."""
    return {"type": kind, "attrs": attrs, "content": list(content)}


def text(words: str, *marks: Any) -> dict[str, Any]:
    """A text."""
    return {"type": "text", "text": words, "marks": list(marks)}


def read(*content: Any, most: int = MOST) -> str:
    """A document of these nodes, as it is read."""
    return markdown(doc(*content), most=most)


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("plain words", "plain words"),
        ("## Why", "## Why"),
        ("**b** _e_ `c`", "**b** *e* `c`"),
        ("[site](https://a.example/x)", "[site](<https://a.example/x>)"),
        ("[https://a.example/x](https://a.example/x)", "[a.example](<https://a.example/x>)"),
        ("https://a.example/x_y", "[a.example](<https://a.example/x_y>)"),
        ("ask @ana", "ask @Ana Ferreira"),
        ("{red:BLOCKED} {date:2026-11-03} :tada:", "`BLOCKED` 2026-11-03 🎉"),
        (":::warning\nCareful\n:::", "> **Warning:**\n>\n> Careful"),
        (":::expand Log\nlines\n:::", "**Log**\n\nlines"),
        (":::decision\nB it is\n:::", "- **Decision:** B it is"),
        ("- [x] done\n- [ ] open", "- [x] done\n- [ ] open"),
        ("- a\n- b", "- a\n- b"),
        ("1. a\n  - b", "1. a\n\n   - b"),
        ("> said", "> said"),
        ("---", "---"),
        ("!shot.png!", "(file: shot.png)"),
        ("```python\nx = '*'\n```", "```python\nx = '*'\n```"),
        ("| a |\n|---|\n| - x<br>- y |", "| a |\n| --- |\n| <ul><li>x</li><li>y</li></ul> |"),
        ("", ""),
    ],
)  # fmt: skip
def test_each_kind_of_node_reads_as_markdown(markup: str, expected: str) -> None:
    """What people write in Jira reads as they meant it."""
    assert markdown(WRITER.document(markup), most=MOST) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (node("whiteboard", node("paragraph", text("inside"))), "(whiteboard)\n\ninside"),
        (node("whiteboard"), "(whiteboard, not shown)"),
        (node("extension", extensionKey="toc"), "(toc, not shown)"),
        (node("extension", extensionKey="chart", text="Sales"), "(chart: Sales)"),
        (node("bodiedExtension", node("paragraph", text("kept"))), "(bodiedExtension)\n\nkept"),
        (node("paragraph", node("inlineExtension", extensionKey="jql")), "(jql, not shown)"),
        (node("paragraph", node("inlineCard")), "(card, not shown)"),
        (node("blockCard", url="https://a.example/"), "[a.example](<https://a.example/>)"),
        (node("paragraph", node("mention", id="712020:x")), "@somebody"),
        (node("paragraph", node("date", timestamp="never")), "(a date)"),
        (node("paragraph", node("date", timestamp="9" * 20)), "(a date)"),
        (node("paragraph", node("mediaInline", alt="a.pdf")), "(file: a.pdf)"),
        (
            node("mediaSingle", node("media", url="https://a.example/p.png", alt="p")),
            "[(file: p)](<https://a.example/p.png>)",
        ),
        (
            node("mediaSingle", node("media", alt="p.png"), node("caption", text("Seen"))),
            "(file: p.png) Seen",
        ),
        (node("layoutSection", node("layoutColumn", node("paragraph", text("left")))), "left"),
        (node("panel", panelType="<b>*"), "> **B:**"),
        (text("no paragraph"), "no paragraph"),
        (node("paragraph", node("paragraph", text("nested"))), "nested"),
        (node("bulletList", text("no item")), "- no item"),
        (node("taskList", node("taskList", node("taskItem", text("deep")))), "- [ ] deep"),
        (node("table", node("paragraph", text("no row"))), "|  |\n| --- |\n| no row |"),
        (node("heading", text("x"), level=99), "###### x"),
        (node("heading", text("x"), level="two"), "# x"),
        (node("paragraph", {"type": [], "text": "no kind"}), "no kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_named(found: Any, expected: str) -> None:
    """Unknown nodes and nodes in odd places keep their words, and what has none is said."""
    assert read(found) == expected


@pytest.mark.parametrize("kind", ["info", "note", "warning", "error", "success"])
def test_panels_keep_their_kind(kind: str) -> None:
    """A warning and a note do not read the same."""
    assert f"**{kind.capitalize()}:**" in read(node("panel", panelType=kind))


def test_a_string_is_taken_as_it_is() -> None:
    """Version 2 and Data Center give text; it is cut like a document."""
    assert markdown("h2. Why\r\n*wiki*", most=MOST) == "h2. Why\n*wiki*"
    assert markdown("abcdef", most=4) == "abcd\n\n[… 2 more characters are not shown]"


@pytest.mark.parametrize("body", [None, 5, 1.5, True, [], ["x"], {}, {"content": "x"}])
def test_what_is_no_document_is_empty(body: object) -> None:
    """Anything else reads as nothing."""
    assert markdown(body, most=MOST) == ""


def test_what_is_left_out_is_counted() -> None:
    """A long text keeps its beginning and says how much is missing."""
    short = read(node("paragraph", text("a" * 30)), node("paragraph", text("b" * 30)), most=20)

    assert short == f"{'a' * 18}\n\n[… 42 more characters are not shown]"


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    """An address with brackets, blanks or lines stays one address."""
    href = "https://a.example/>) [trap](https://evil.example\n"
    shown = read(node("paragraph", text("see", {"type": "link", "attrs": {"href": href}})))

    assert shown == "[see](<https://a.example/%3E)%20[trap](https://evil.example%0A>)"


def test_an_absurd_span_costs_no_words() -> None:
    """A cell that says it spans a billion columns is shown in as many as there can be."""
    row = node("tableRow", node("tableCell", text("wide"), colspan=10**9))

    assert "| wide |" in read(node("table", row))


def test_a_long_address_is_cut() -> None:
    """A link of thousands of characters is one of two thousand."""
    shown = read(node("paragraph", node("inlineCard", url="https://a.example/" + "x" * 9_000)))

    assert 1_900 < len(shown) < 2_100


def test_halves_of_characters_and_controls_do_not_get_through() -> None:
    """What could be neither stored nor sent is replaced or dropped."""
    shown = read(node("paragraph", text("a\ud83d b\0c\x1b[31m \U0001f64f")))

    assert shown.encode() == "a\ufffd bc\\[31m 🙏".encode()
    assert clean("\ud83d\ude4f") == "🙏"


@pytest.mark.parametrize("depth", [30, 200, 5_000])
@pytest.mark.parametrize(
    "kinds",
    [
        ["bulletList", "listItem"],
        ["blockquote"],
        ["table", "tableRow", "tableCell"],
        ["taskList"],
        ["nobodyKnows"],
    ],
    ids=lambda kinds: kinds[0],
)
def test_depth_costs_form_but_no_words(kinds: list[str], depth: int) -> None:
    """However deep something is nested, the innermost words are read, and the rest keeps its form."""
    inner = node("paragraph", text("the innermost words"))
    for _ in range(depth):
        for kind in reversed(kinds):
            inner = node(kind, inner)

    shown = read(node("heading", text("Why"), level=2), inner)

    assert shown.startswith("## Why\n\n")
    assert "the innermost words" in shown


def test_where_nothing_can_be_converted_the_words_remain() -> None:
    """On a stack that is nearly full there is no room for markup, and no error either."""
    inner = node("paragraph", text("still here"), node("mention", text="@Ana"))
    for _ in range(10):
        inner = node("bulletList", node("listItem", inner))

    def below(frames: int) -> str:
        return below(frames - 1) if frames else read(inner)

    shown = below(sys.getrecursionlimit() - len(inspect.stack(0)) - 30)

    assert shown == "still here@Ana"


@pytest.mark.parametrize(
    "hostile",
    [
        node("table", *[node("tableRow", node("tableCell", colspan=10**9)) for _ in range(50)]),
        node("table", node("tableRow", *[node("tableCell") for _ in range(9_000)])),
        node("table", *[node("tableRow", node("tableCell", rowspan=10**9)) for _ in range(9_000)]),
        node("table", *[node("tableRow", *[node("tableCell")] * 100) for _ in range(100)]),
        node("orderedList", node("listItem"), order=10**30),
        node("bulletList", *[node("listItem") for _ in range(100_000)]),
        node("paragraph", *[text("`" * 9) for _ in range(1_000)]),
        node("paragraph", *[text("*_[]`~<", {"type": "link", "attrs": {"href": "<" * 9_000}})] * 90),
        node("paragraph", *[node("emoji", text="\\ud83d\\ude4f" * 50)] * 50),
        node("codeBlock", text("`" * 9_000)),
        node("paragraph", node("date", timestamp="9" * 5_000), node("date", timestamp="-" + "9" * 17)),
    ],
    ids=range(11),
)  # fmt: skip
def test_hostile_documents_are_small_in_the_end(hostile: Any) -> None:
    """Spans, floods and escapes do not fill the answer, and tables stay within what can be laid out."""
    shown = read(hostile)
    blocks = Trimmed(MOST).document(doc(hostile))["content"]
    tables = [block["content"] for block in blocks if block["type"] == "table"]
    cells = [cell["attrs"] for rows in tables for row in rows for cell in row["content"]]
    widths = [
        sum(cell["attrs"]["colspan"] for cell in row["content"]) for rows in tables for row in rows
    ]

    assert len(shown) <= 3 * MOST + 100
    assert [len(rows) for rows in tables if len(rows) > 1_000] == []
    assert [width for width in widths if width > 60] == []
    assert [cell for cell in cells if cell["colspan"] > 10 or cell["rowspan"] > 50] == []


@given(TREES)
def test_any_tree_becomes_text(tree: Any) -> None:
    """Random documents never raise, and what comes out can be stored and sent."""
    for body in (tree, doc(tree)):
        shown = markdown(body, most=300)

        assert "\0" not in shown
        assert shown.encode().decode() == shown
        assert len(shown) <= 3 * 300 + 60


@given(JSON)
def test_any_json_becomes_text(body: Any) -> None:
    """Whatever stands where a document should be, nothing is raised."""
    assert isinstance(markdown(body, most=300), str)


@given(TREES)
def test_what_is_trimmed_is_within_its_bounds(tree: Any) -> None:
    """A document keeps no more words than it may, and words are never invented from counting."""
    trimmed = Trimmed(50)
    document = trimmed.document(doc(tree))

    assert len(words(document)) <= 50 + 40 * 51
    assert trimmed.left_out >= 0


@given(st.lists(st.text(alphabet="abc אב🙏", min_size=1, max_size=8), min_size=1, max_size=5))
def test_plain_words_come_out_as_they_went_in(lines: list[str]) -> None:
    """Text without markup is not changed, in any script."""
    shown = read(*[node("paragraph", text(line)) for line in lines])

    assert shown.split() == " ".join(lines).split()


def test_no_seeded_issue_loses_a_word() -> None:
    """Every word of every document in the seeded company is in its Markdown."""
    lost = {
        issue.key: gone
        for issue in company(NOW).issues.values()
        for body in (issue.description, *(comment.body for comment in issue.comments))
        if (gone := _spoken(plain(body)) - _spoken(markdown(body, most=3_000_000)))
    }

    assert lost == {}


def _spoken(shown: str) -> set[str]:
    """Every word and number in a text, without what stands around them."""
    return set(re.findall(r"[^\W_]+", shown))
