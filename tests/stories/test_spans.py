"""An ask is one trace, sent to the collector that is set, and nobody's words are in it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from bot.app.telemetry import MEND, collector
from bot.demo.claude.reply import Draft, Use
from bot.demo.pages.made import Page
from bot.settings import Settings
from tests.stories.collector import Collector, Seen
from tests.stories.world import World

SHOWN = {
    "gen_ai.operation.name", "gen_ai.agent.name", "purser.ask.id", "purser.ask.feature", "purser.ask.attempt", "purser.ask.outcome",
    "gen_ai.request.model", "gen_ai.tool.name", "gen_ai.tool.call.id", "purser.tool.outcome", "rpc.system", "rpc.method", "error.type",
}  # fmt: skip
"""All that our own spans may say."""

WORD = re.compile(r"[^\W\d_]{5,}")
NAMES = {"answer", "error", "purser"}
"""Words that are in a ticket and name something in a trace as well."""


@pytest.fixture
async def traces(tmp_path: Path) -> AsyncIterator[tuple[World, Collector]]:
    """A world, not served yet, whose traces are collected."""
    async with Collector.running() as made, World(tmp_path) as world:
        world.set["OTEL_EXPORTER_OTLP_ENDPOINT"] = made.url
        world.set["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Basic%20made-up"
        yield world, made


def of_ask(made: Collector) -> list[Seen]:
    """The spans of the one ask."""
    (whole,) = made.named("invoke_agent purser")
    return [span for span in made.spans if span.trace == whole.trace]


async def test_an_ask_is_one_trace(traces: tuple[World, Collector]) -> None:
    """Its waits, each call of Claude, of a tool and of Slack are spans under it, and the log names the trace."""
    world, made = traces
    with capture_logs(processors=[merge_contextvars]) as logged:
        await world.start()
        world.script(
            Draft("I'll look.", uses=(Use("jira_get_issue", {"key": "SHOP-12"}),)), Draft("Done.")
        )
        root = await world.slack.say("ana", "#shop-dev", "@purser Where does SHOP-12 stand?")
        await world.answered(root)
        await world.stop()
    spans = of_ask(made)
    (whole,) = made.named("invoke_agent purser")
    claude = [s for s in made.named("anthropic.messages.create") if s.trace == whole.trace]
    (line,) = [one for one in logged if one["event"] == "ask"]

    assert {s.parent for s in spans if s is not whole} <= {s.id for s in spans}
    assert whole.about["purser.ask.outcome"] == "answer"
    assert whole.about["purser.ask.id"] == line["ask"]
    assert line["trace_id"] == whole.trace
    assert len([s for s in spans if s.name == "inbox wait"]) == 1
    assert len([s for s in spans if s.name == "governor wait"]) == len(claude) == 2
    assert all(s.about["gen_ai.response.time_to_first_chunk"] > 0 for s in claude)
    assert all(s.about["gen_ai.usage.output_tokens"] > 0 for s in claude)
    (tool,) = made.named("execute_tool jira_get_issue")
    assert tool.about["purser.tool.outcome"] == "ok"
    assert {s.name for s in spans} & {"chat.postMessage", "chat.startStream"}
    assert all(whole.begun <= s.begun for s in spans)
    assert made.resource["service.name"] == "purser"
    assert {h["Authorization"] for h in made.headers} == {"Basic made-up"}
    assert not any("traceparent" in exchange.headers for exchange in world.claude.log)


async def test_no_word_of_anybody_is_in_a_trace(traces: tuple[World, Collector]) -> None:
    """Not of the question, the answer, the thinking, a ticket, a page, a tool's arguments or a failure."""
    world, made = traces
    await world.start()
    page = world.web.address(Page.MISSING)
    world.script(
        Draft(
            "zebra-answer one",
            thinking="zebra-thought of it",
            uses=(
                Use("jira_get_issue", {"key": "SHOP-12"}),
                Use("web_fetch", {"url": page}),
                Use("zebra_invented", {"zebra": "zebra"}),
                Use("jira_search", {"jql": "summary ~ zebra"}),
            ),
        ),
        Draft("zebra-answer two"),
    )
    world.claude.troubles.fail(status=529, times=1)
    world.slack.troubles.down["agents.sessions.setStatus"] = "not_allowed"
    root = await world.slack.say("ana", "#shop-dev", f"@purser zebra-question SHOP-12 {page}")
    await world.answered(root)
    await world.stop()
    results = world.asked[-1].body["messages"][-1]["content"]
    read = " ".join(part["text"] for block in results for part in block.get("content", []))
    told = json.dumps([span.raw for span in made.spans], ensure_ascii=False)
    values = {word for s in made.spans for v in (s.name, *s.about.values()) for word in WORD.findall(str(v))}  # fmt: skip
    ours = [s for s in of_ask(made) if not s.name.startswith("anthropic.")]

    assert "Checkout" in read
    assert "zebra" not in told
    assert page not in told
    assert "SHOP-12" not in told
    assert values & {*WORD.findall(read)} <= NAMES
    assert not any(span.raw.get("events") for span in made.spans)
    assert {key for span in ours for key in span.about} <= SHOWN
    assert {s.about.get("error.type") for s in ours} == {None, "SlackError"}


async def test_a_second_attempt_is_in_the_same_trace(tmp_path: Path) -> None:
    """What a process that stopped had begun, and what the next one did with it, is one trace."""
    async with Collector.running() as made, World(tmp_path, drain=0.05) as world:
        world.set["OTEL_EXPORTER_OTLP_ENDPOINT"] = made.url
        await world.start()
        world.claude.troubles.slow(ttft=5.0)
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")
        await world.until(lambda: world.asked)
        await world.stop()
        world.claude.troubles.clear()
        await world.start()
        await world.answered(root)
        await world.stop()
    attempts = made.named("invoke_agent purser")

    assert [s.about["purser.ask.attempt"] for s in attempts] == [1, 2]
    assert len({s.trace for s in attempts}) == 1


async def test_a_collector_that_is_away_holds_up_nothing(tmp_path: Path) -> None:
    """Where nobody collects what is sent, answers come as ever, and the end comes soon."""
    async with World(tmp_path) as world:
        world.set["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
        await world.start()
        root = await world.slack.say("ana", "#shop-dev", "@purser What is 6*7?")

        assert "42" in await world.answered(root)
        async with asyncio.timeout(10):
            await world.stop()


async def test_without_the_extra_a_sentence_says_so() -> None:
    """An address without OpenTelemetry's SDK is told at the start; no address is nothing to tell of."""
    asked = Settings.read({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/"})
    with capture_logs() as logged:
        async with collector(asked, installed=lambda: False) as none:
            assert none is None
        async with collector(Settings.read({})) as nobody:
            assert nobody is None

    assert [line["mend"] for line in logged] == [MEND]
