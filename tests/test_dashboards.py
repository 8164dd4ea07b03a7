"""The dashboard and the alerts ask only for what /metrics gives, and the page on them tells of all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.answer import Ended
from bot.metrics import Metrics
from bot.tool_runner import Outcome
from bot.worker import STATES
from integrations import claude_errors

ROOT = Path(__file__).parent.parent
BOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/purser.json").read_text("utf-8"))
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8"))[
        "groups"
    ]
    for rule in group["rules"]
]
PAGE = (ROOT / "docs/observability.md").read_text("utf-8")
PANELS: list[dict[str, Any]] = [p for p in BOARD["panels"] if p["type"] != "row"]
ASKED = [t["expr"] for p in PANELS for t in p["targets"]] + [str(r["expr"]) for r in RULES]
SCRAPED = {"instance", "job", "le"}  # labels that Prometheus itself puts there
VALUES = {
    "state": set(STATES),
    "outcome": {kind.__name__.lower() for kind in get_args(Ended)} | {*get_args(Outcome)},
    "kind": {"input", "cache_read", "cache_write", "output"},
    "status": {"ok", *vars(claude_errors)},
    "reason": {"commit_failed", "unsigned"},
}


def exposed() -> dict[str, set[str]]:
    """Each metric by the name that it has at /metrics, with its labels."""
    metrics = Metrics()
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = set()
    for one in vars(metrics).values():
        if hasattr(one, "_labelnames"):
            name = f"{one._name}_total" if one._type == "counter" else one._name
            found[name] = set(one._labelnames)
    return found


METRICS = exposed()


def selected(expression: str) -> Iterator[tuple[str, str]]:
    """Each metric that an expression asks for, with what stands in its braces."""
    for name, braces in re.findall(r"\b(purser_\w+)(?:\{([^}]*)\})?", expression):
        yield re.sub(r"_(bucket|sum|count)$", "", name), braces


@pytest.mark.parametrize("expression", sorted(set(ASKED)))
def test_only_what_is_exposed_is_asked_for(expression: str) -> None:
    """Every metric, every label of it and every value that is spelled out is one that there is."""
    grouped = {
        label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")
    }
    asked = list(selected(expression))

    assert asked
    for name, braces in asked:
        matchers = re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', braces)
        assert name in METRICS
        assert {label for label, _, _ in matchers} <= METRICS[name] | SCRAPED
        assert grouped <= METRICS[name] | SCRAPED
        for label, _, value in matchers:
            assert label in SCRAPED or set(value.split("|")) <= VALUES[label]


def test_what_rouses_by_its_first_time_stands_at_nought() -> None:
    """Prometheus sees no increase of what begins at one: each value that an alert spells out is there from the start."""
    text = Metrics(models=lambda: ["claude-sonnet-5-5"]).text().decode()
    shown = {
        (sample.name, *pair)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value == 0
        for pair in sample.labels.items()
    }
    firsts = [str(rule["expr"]) for rule in RULES if re.search(r"increase\(.*> 0$", rule["expr"])]
    wanted = {
        (name, label, value)
        for expression in firsts
        for name, braces in selected(expression)
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', braces)
        for value in values.split("|")
    }

    assert len(firsts) == 2
    assert wanted <= shown


def test_each_metric_is_on_the_board_and_the_page() -> None:
    """Nothing is counted that nobody sees, and the page names each with its labels."""
    rows = dict(re.findall(r"^\| `(purser_\w+)` \| ([^|]*) \|", PAGE, re.MULTILINE))
    shown = {name for p in PANELS for t in p["targets"] for name, _ in selected(t["expr"])}

    assert shown == set(METRICS)
    assert {name: set(re.findall(r"`(\w+)`", by)) for name, by in rows.items()} == METRICS


def test_each_alert_is_on_the_page_in_its_order() -> None:
    """Whoever is woken finds what it means and what to do."""
    told = re.findall(r"^\| `(Purser\w+)` \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)

    assert told == [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_how_bad_it_is(rule: dict[str, Any]) -> None:
    """An alert has a severity and a sentence."""
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")


def test_the_board_is_in_order() -> None:
    """Each panel has a title, a description and an id of its own, asks the chosen Prometheus, and covers no other."""
    places = {
        (x, y)
        for p in BOARD["panels"]
        for at in [p["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    }

    assert len({p["id"] for p in BOARD["panels"]}) == len(BOARD["panels"])
    assert len(places) == sum(p["gridPos"]["w"] * p["gridPos"]["h"] for p in BOARD["panels"])
    assert max(x for x, _ in places) == 23
    assert all(p["title"] and p["description"].endswith(".") for p in PANELS)
    assert {t["datasource"]["uid"] for p in PANELS for t in p["targets"]} == {"${datasource}"}
    assert {v["name"] for v in BOARD["templating"]["list"]} == {"datasource", "instance"}
