"""What is counted: each thing under a name that Prometheus' conventions allow, with few values to a label."""

import re
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import OTHER, VALUE_CHARS, VALUES, Metrics
from tests.chance import share

NAME = re.compile(r"purser_[a-z]+(_[a-z]+)*")
UNITS = ("_seconds", "_ratio", "_asks", "_total")


def count(metrics: Metrics, name: str, **labels: str) -> float | None:
    """A sample's value, as somebody who scrapes it sees it."""
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            if (sample.name, sample.labels) == (name, labels):
                return sample.value
    return None


def drive(metrics: Metrics) -> None:
    """Everything that can happen, once."""
    metrics.asked("review", "answer", 2.5)
    metrics.dropped("no_mention")
    metrics.first_sign(0.1)
    metrics.first_text(0.7)
    metrics.tool("jira_get_issue", "ok")
    metrics.attempt("claude-sonnet-5-5", "Overloaded")
    metrics.booked(
        "C1",
        "claude-sonnet-5-5",
        {"input": 100, "cache_read": 250, "cache_write": 50, "output": 7},
        Decimal("0.25"),
    )
    metrics.refused("cyber", "reword")
    metrics.climbed("cyber", "reword", "answered")
    metrics.rate_limited("claude-sonnet-5-5", "input tokens")
    metrics.queue({"waiting": 3, "leased": 2, "dead": 1}, 4.5)


def test_each_thing_is_counted_under_its_name() -> None:
    """Asks, first signs, first texts, tools, tokens, dollars, cache share, refusals, rate limits and the queue."""
    metrics = Metrics()
    drive(metrics)
    model = "claude-sonnet-5-5"

    assert count(metrics, "purser_asks_total", feature="review", outcome="answer") == 1
    assert count(metrics, "purser_ask_seconds_sum", feature="review") == 2.5
    assert count(metrics, "purser_dropped_total", reason="no_mention") == 1
    assert count(metrics, "purser_first_sign_seconds_bucket", le="0.1") == 1
    assert count(metrics, "purser_first_sign_seconds_bucket", le="0.05") == 0
    assert count(metrics, "purser_first_text_seconds_sum") == 0.7
    assert count(metrics, "purser_tool_calls_total", tool="jira_get_issue", outcome="ok") == 1
    assert count(metrics, "purser_claude_attempts_total", model=model, status="Overloaded") == 1
    assert count(metrics, "purser_tokens_total", model=model, kind="cache_write") == 50
    assert count(metrics, "purser_cost_usd_total", channel="C1", model=model) == 0.25
    assert count(metrics, "purser_cache_read_ratio") == 250 / 400
    assert count(metrics, "purser_refusals_total", category="cyber", rung="reword") == 1
    rung = {"category": "cyber", "rung": "reword", "outcome": "answered"}
    assert count(metrics, "purser_rungs_total", **rung) == 1
    assert count(metrics, "purser_rate_limited_total", model=model, limit="input tokens") == 1
    assert count(metrics, "purser_queue_asks", state="leased") == 2
    assert count(metrics, "purser_queue_oldest_seconds") == 4.5


def test_an_unknown_price_is_no_dollar() -> None:
    """Tokens of an unknown price are counted; no dollars are, not even none."""
    metrics = Metrics()
    metrics.booked("C1", "claude-nova-9", {"input": 5, "output": 1}, None)

    assert count(metrics, "purser_tokens_total", model="claude-nova-9", kind="input") == 5
    assert count(metrics, "purser_cost_usd_total", channel="C1", model="claude-nova-9") is None


def test_names_follow_the_conventions() -> None:
    """Lower case, one prefix, the unit last; counters end in _total; everything says what it is."""
    metrics = Metrics()
    drive(metrics)
    families = list(text_string_to_metric_families(metrics.text().decode()))

    assert len(families) >= 14
    for family in families:
        if family.name.endswith("_created"):
            continue
        assert NAME.fullmatch(family.name)
        assert family.documentation
        shown = family.name + ("_total" if family.type == "counter" else "")
        assert shown.endswith(UNITS), shown
        assert (family.type == "histogram") == any("le" in s.labels for s in family.samples)


def test_processes_do_not_count_together() -> None:
    """Two registries know nothing of each other."""
    one, other = Metrics(), Metrics()
    one.first_sign(1)

    assert count(other, "purser_first_sign_seconds_count") == 0


ANYTHING = st.characters(exclude_categories=())  # half surrogate pairs too


@settings(max_examples=share(0.3))
@example(["half a pair: \ud800", "long" * VALUE_CHARS])
@example([f"a tool that was made up, number {n}" for n in range(3 * VALUES)])
@given(st.lists(st.text(ANYTHING, max_size=2 * VALUE_CHARS), min_size=1, max_size=3 * VALUES))
def test_no_label_takes_any_number_of_values(words: list[str]) -> None:
    """Whatever words come from outside, each label has few and short values, and nothing goes uncounted."""
    metrics = Metrics()
    for word in words:
        metrics.dropped(word)
        metrics.tool(word, "ok")
        metrics.attempt(word, word)
        metrics.booked(word, word, {"input": 1}, Decimal(1))
        metrics.refused(word, "end")
        metrics.rate_limited(word, word)

    counted: dict[str, float] = {}
    values: dict[tuple[str, str], set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                counted[sample.name] = counted.get(sample.name, 0) + sample.value
            for label, value in sample.labels.items():
                values.setdefault((sample.name, label), set()).add(value)
    assert len(counted) == 7
    assert set(counted.values()) == {len(words)}
    assert all(len(found) <= VALUES + 1 for found in values.values())
    assert all(len(v) <= VALUE_CHARS for found in values.values() for v in found)
    assert metrics.text()


def test_a_known_value_stays_itself() -> None:
    """What a label took early is still told apart when it takes no more."""
    metrics = Metrics()
    metrics.tool("web_fetch", "ok")
    for n in range(2 * VALUES):
        metrics.tool(f"invented_{n}", "problem")
    metrics.tool("web_fetch", "ok")

    assert count(metrics, "purser_tool_calls_total", tool="web_fetch", outcome="ok") == 2
    others = count(metrics, "purser_tool_calls_total", tool=OTHER, outcome="problem")
    assert others == VALUES + 1
