"""The words of a message, and what is wanted by them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ask import FileRef
from bot.slack.wishes import Usage, Wish, command, wish
from bot.slack.words import asked, fenced, has_code, mentions, said

BOT = "U0BOT"


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    """A section of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def text(words: str, **style: bool) -> dict[str, Any]:
    """A text element, with its style."""
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def rich(*parts: dict[str, Any]) -> dict[str, Any]:
    """A message with one rich text."""
    return {"blocks": [{"type": "rich_text", "elements": list(parts)}]}


US: dict[str, Any] = {"type": "user", "user_id": BOT}


def test_code_comes_from_the_blocks_exactly() -> None:
    """Pasted code is a fenced block, unescaped, whatever `text` says."""
    code = 'if a < b && c > d {\n\treturn "&amp;"\n}'
    message = {
        "text": "<@U0BOT> review this: ```if a &lt; b &amp;&amp; c ...```",
        **rich(
            section(US, text(" review this:\n")),
            {"type": "rich_text_preformatted", "elements": [text(code)]},
        ),
    }

    assert asked(message, BOT) == f"review this:\n```\n{code}\n```"


def test_without_blocks_the_text_is_unescaped() -> None:
    """Entities, links and names in `text` are written as people see them."""
    message = {
        "text": "<@U0BOT>: is 1 &lt; 2 &amp;&amp; &amp;lt; in <https://a.test/x|this page> and "
        "<https://b.test/>, <#C1|ops>, <!here>? ask <@U7>"
    }

    assert asked(message, BOT) == (
        "is 1 < 2 && &lt; in [this page](https://a.test/x) and https://b.test/, #ops, @here? ask <@U7>"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("<@U0BOT>", ""),
        ("<@U0BOT> ", ""),
        ("<@U0BOT|purser>, hello", "hello"),
        ("<@U0BOT> <@U0BOT> twice", "twice"),
        ("please stop <@U0BOT>!", "please stop!"),
        ("ask <@U0BOT> about it", "ask @Purser about it"),
        ("<@U0BOT> -v means?", "-v means?"),
    ],
)
def test_our_mention_is_taken_out_at_either_end(words: str, expected: str) -> None:
    """A mention of us is an address, not a word; in the middle it stays as a name."""
    assert asked({"text": words}, BOT) == expected


def test_lists_quotes_and_styles_stay_readable() -> None:
    """Lists, quotes, inline code, links and emoji of rich text come as Markdown."""
    message = rich(
        section(text("see "), {"type": "link", "url": "https://a.test", "text": "docs"}),
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 1,
            "elements": [section(text("x", code=True)), section({"type": "emoji", "name": "eyes"})],
        },
        {"type": "rich_text_quote", "elements": [text("one\ntwo")]},
        section({"type": "broadcast", "range": "here"}, {"type": "channel", "channel_id": "C1"}),
    )

    assert said(message) == (
        "see [docs](https://a.test)\n  1. `x`\n  1. :eyes:\n> one\n> two\n@here<#C1>"
    )


def test_an_apps_message_without_text_is_read_from_its_blocks_and_attachments() -> None:
    """A monitoring app's message speaks through blocks and attachments."""
    message = {
        "bot_id": "B9",
        "text": "",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "Disk full"}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "host &lt;db1&gt;"},
                "fields": [{"type": "plain_text", "text": "95 %"}],
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "since 9:00"}]},
        ],
        "attachments": [
            {
                "title": "Graph",
                "title_link": "https://g.test/1",
                "text": "rising",
                "fields": [{"title": "Region", "value": "eu"}],
            },
            {"fallback": "only a fallback"},
        ],
    }

    assert said(message) == (
        "Disk full\nhost <db1>\n95 %\nsince 9:00\n[Graph](https://g.test/1)\nrising\nRegion: eu\n"
        "only a fallback"
    )


def test_previews_of_links_are_not_the_persons_words_but_a_forwarded_message_is_quoted() -> None:
    """An unfurled page is left out; a message that somebody forwards is read, as a quotation."""
    message = {
        "text": "look",
        "attachments": [
            {"title": "A page", "text": "its summary", "from_url": "https://a.test"},
            {"is_share": True, "author_name": "Ana", "text": "it &lt;broke&gt;\nagain"},
        ],
    }

    assert said(message) == "look\nForwarded from Ana:\n> it <broke>\n> again"


def test_a_mention_typed_as_code_is_none() -> None:
    """Only Slack's own mention counts, in `text` or in blocks."""
    typed = {"text": "&lt;@U0BOT&gt;", **rich(section(text("<@U0BOT>")))}
    in_a_list = rich({"type": "rich_text_list", "elements": [section(US)]})

    assert not mentions(typed, BOT)
    assert mentions({"text": "hi <@U0BOT|p>"}, BOT)
    assert mentions(in_a_list, BOT)
    assert not mentions({"text": "hi <@U0BOTX>"}, BOT)


@given(st.text(alphabet="`a\n", max_size=60))
def test_no_code_closes_its_own_fence(code: str) -> None:
    """A fence is longer than any run of backticks in the code."""
    first, *body, last = fenced(code).split("\n")

    assert first == last
    assert all(not line.startswith(first) for line in body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "text", "blocks", "elements", "attachments", "rows", "style"]
                ),
                inner
                | st.sampled_from(["rich_text", "rich_text_list", "section", "table", "user"]),
                max_size=4,
            )
        ),
        max_leaves=25,
    )
)
def test_no_shape_of_json_breaks_the_reading(value: object) -> None:
    """Whatever lies in a body, reading it gives a text."""
    assert isinstance(asked({"blocks": value, "text": value, "attachments": [value]}, BOT), str)


def test_a_hundred_thousand_characters_are_taken_whole() -> None:
    """Length costs time in proportion, not more, and nothing is cut."""
    long = "x" * 50_000 + " " * 50_000 + "y"

    assert asked({"text": f"<@U0BOT> {long}"}, BOT) == long
    assert wish(long).text == long


CODE = FileRef("F1", "a.py", "text/x-python", 10, "")
PICTURE = FileRef("F2", "a.png", "image/png", 10, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", Wish("purser", "hello")),
        ("stop", Wish("purser", "stop", stop=True)),
        ("Please stop!", Wish("purser", "stop", stop=True)),
        ("stop using tabs in this file", Wish("chat", "stop using tabs in this file")),
        ("help", Wish("purser", "help")),
        ("help me write a test", Wish("chat", "help me write a test")),
        ("policy?", Wish("purser", "policy")),
        ("cost", Wish("cost", "")),
        ("cost this month by user", Wish("cost", "this month by user")),
        ("cost 2026-11 csv", Wish("cost", "2026-11 csv")),
        ("cost lastmonth", Wish("cost", "lastmonth")),
        (
            "cost of a seat at Jira for ten people?",
            Wish("chat", "cost of a seat at Jira for ten people?"),
        ),
        ("summarize SHOP-12", Wish("summarize", "SHOP-12")),
        (
            "Summarise: project = SHOP AND status = Open",
            Wish("summarize", "project = SHOP AND status = Open"),
        ),
        ("summarize sprint SHOP", Wish("summarize", "sprint SHOP")),
        ("summarize this thread", Wish("chat", "summarize this thread")),
        ("https://j.test/browse/SHOP-12", Wish("summarize", "https://j.test/browse/SHOP-12")),
        ("SHOP-1, SHOP-2", Wish("summarize", "SHOP-1, SHOP-2")),
        ("sprint SHOP", Wish("summarize", "sprint SHOP")),
        ("what blocks SHOP-12?", Wish("chat", "what blocks SHOP-12?")),
        ("review this", Wish("review", "review this")),
        (
            "look https://github.com/o/r/pull/7",
            Wish("review", "look https://github.com/o/r/pull/7"),
        ),
        ("```\nx\n```", Wish("review", "```\nx\n```")),
        ("good morning", Wish("chat", "good morning")),
    ],
)
def test_wishes_by_their_words(words: str, expected: Wish) -> None:
    """Each of our words leads to its use; what is not clearly ours goes to Claude."""
    assert wish(words) == expected


def test_files_with_code_are_a_review_and_pictures_are_not() -> None:
    """An attached source file is reviewed, a picture is talked about, and a file alone is no empty mention."""
    assert wish("", [CODE]) == Wish("review", "")
    assert wish("what is this?", [PICTURE]).feature == "chat"


@pytest.mark.parametrize(
    "text",
    [
        "pause",
        "audit SHOP-12",
        "Pause everywhere",
        "resume",
        "budget 80",
        "budget $12.50",
        "reset budget",
        "model claude-opus-5-5",
    ],
)
def test_an_admins_words_work_after_a_mention(text: str) -> None:
    """What `/purser` takes from admins is taken in a thread, too."""
    assert wish(text) == Wish("purser", text)


@pytest.mark.parametrize(
    "text",
    ["pause the deployment", "audit the login code", "budget for next year?", "model the data"],
)
def test_sentences_that_begin_alike_go_to_claude(text: str) -> None:
    """A sentence is a question, whatever its first word is."""
    assert wish(text).feature == "chat"


def test_why_in_a_thread_is_a_question() -> None:
    """After an answer, "why" asks Claude; elsewhere it asks for the rule that applies."""
    assert wish("why?", in_thread=True).feature == "chat"
    assert wish("why?") == Wish("purser", "why")


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("/summarize", " SHOP-12 ", Wish("summarize", "SHOP-12")),
        ("/cost", "", Wish("cost", "")),
        ("/purser", "", Wish("purser", "help")),
        ("/purser", "cost last month", Wish("cost", "last month")),
        ("/purser", "summarize SHOP-1", Wish("summarize", "SHOP-1")),
        ("/acme", "budget 80", Wish("purser", "budget 80")),
    ],
)
def test_commands_by_their_words(name: str, words: str, expected: Wish) -> None:
    """`/purser cost` and `/cost` are the same, whatever the one command is called."""
    assert command(name, words) == expected


def test_a_command_without_its_words_says_how_it_is_used() -> None:
    """`/summarize` alone is answered with examples."""
    assert isinstance(command("/summarize", "  "), Usage)


def test_a_diff_is_code() -> None:
    """A pasted diff needs no fence to be known."""
    assert has_code("diff --git a/x b/x\n--- a/x")
    assert not has_code("just words")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("project SHOP nightly at 7:00", Wish("purser", "digest project SHOP nightly at 7:00")),
        ("this channel weekly", Wish("purser", "digest this channel weekly")),
        ("the weather nightly", Wish("purser", "digest the weather nightly")),
        ("project SHOP nightly 7:00 UTC", Wish("purser", "digest project SHOP nightly 7:00 UTC")),
        ("project SHOP monthly", Wish("purser", "digest project SHOP monthly")),
        ("SHOP-12", Wish("summarize", "SHOP-12")),
    ],
)
def test_a_summary_that_is_to_come_again_is_a_digest(text: str, expected: Wish) -> None:
    """As a command whatever it is of; its answer says what can be."""
    assert command("/summarize", text) == expected
    assert command("/purser", f"summarize {text}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "summarize sprint SHOP on weekdays at 8",
            Wish("purser", "digest sprint SHOP on weekdays at 8"),
        ),
        ("summarise this channel weekly", Wish("purser", "digest this channel weekly")),
        ("digests", Wish("purser", "digests")),
        ("digests stop 1a2b3c4d", Wish("purser", "digests stop 1a2b3c4d")),
        ("summarize what we talk about daily", Wish("chat", "summarize what we talk about daily")),
        ("summarize sprint SHOP monthly", Wish("purser", "digest sprint SHOP monthly")),
        (
            "summarize what was said on Friday at noon",
            Wish("chat", "summarize what was said on Friday at noon"),
        ),
        ("digests stop working, why?", Wish("chat", "digests stop working, why?")),
    ],
)
def test_words_about_digests_after_a_mention(text: str, expected: Wish) -> None:
    """What names something that a digest can be of is ours; what only sounds so goes to Claude."""
    assert wish(text) == expected
