"""Block Kit as Slack checks it: known types, required fields, lengths and counts."""

from collections.abc import Callable
from typing import Any

from bot.demo.slack.watch import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
ALL_TEXT = 13_200  # characters of all block texts of a message; more fails with msg_blocks_too_long
MARKDOWN_TEXT = 12_000  # characters of all markdown blocks
ACTION_ELEMENTS, CONTEXT_ELEMENTS, CONTEXT_ACTIONS = 25, 10, 5
TABLE_ROWS, TABLE_CELLS = 100, 20
CHARTS, CHART_SERIES, CHART_POINTS, CHART_LABEL = 2, 6, 20, 20
TABLES = 1  # of one message
SECTION_TEXT, HEADER_TEXT, FIELD_TEXT, CHART_TITLE = 3000, 150, 2000, 50
BUTTON_TEXT, BUTTON_VALUE, BLOCK_ID = 75, 2000, 255
TASK_STATES = ("pending", "in_progress", "complete", "error")

Problems = list[str]


def check(blocks: Any, *, most: int = MESSAGE_BLOCKS) -> Problems:
    """What Slack would complain of; empty when the blocks are right."""
    if not isinstance(blocks, list):
        return ["must provide an array"]
    problems: Problems = []
    if len(blocks) > most:
        problems.append(f"no more than {most} items allowed [json-pointer:/blocks]")
    charts, tables, markdown, ids = 0, 0, 0, set[str]()
    for at, block in enumerate(blocks):
        where = f"/blocks/{at}"
        if not isinstance(block, dict):
            problems.append(f"must be an object [json-pointer:{where}]")
            continue
        problems += [f"{said} [json-pointer:{where}]" for said in _block(block)]
        charts += block.get("type") == "data_visualization"
        tables += block.get("type") == "table"
        markdown += len(str(block.get("text", ""))) if block.get("type") == "markdown" else 0
        block_id = str(block.get("block_id", ""))
        if block_id and block_id in ids:
            problems.append(f"duplicate block_id {block_id} [json-pointer:{where}]")
        ids.add(block_id)
    if tables > TABLES:
        problems.append(f"no more than {TABLES} table blocks allowed")
    if charts > CHARTS:
        problems.append(f"no more than {CHARTS} data_visualization blocks allowed")
    if markdown > MARKDOWN_TEXT:
        problems.append(f"no more than {MARKDOWN_TEXT} characters of markdown allowed")
    return problems


def written(blocks: Any) -> int:
    """Characters of all texts in blocks."""
    if isinstance(blocks, list):
        return sum(written(block) for block in blocks)
    if not isinstance(blocks, dict):
        return 0
    own = blocks.get("text")
    text = len(own) if isinstance(own, str) else 0
    return text + sum(written(value) for value in blocks.values() if isinstance(value, dict | list))


def actions(blocks: list[Json]) -> dict[str, tuple[Json, str]]:
    """Everything that can be clicked: action_id -> (element, block_id)."""
    found: dict[str, tuple[Json, str]] = {}
    for block in blocks:
        elements = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        for element in elements:
            if isinstance(element, dict) and element.get("action_id"):
                found[str(element["action_id"])] = (element, str(block.get("block_id", "")))
    return found


def _block(block: Json) -> Problems:
    checker = _CHECKS.get(str(block.get("type")))
    if checker is None:
        return [f"unsupported type: {block.get('type')}"]
    problems = checker(block)
    if len(str(block.get("block_id", ""))) > BLOCK_ID:
        problems.append(f"block_id has more than {BLOCK_ID} characters")
    return problems


def _text(value: Any, most: int, *, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Problems:
    if not isinstance(value, dict):
        return ["missing required field: text"]
    if value.get("type") not in kinds:
        return [f"text type must be one of {', '.join(kinds)}"]
    text = value.get("text")
    if not isinstance(text, str) or not text:
        return ["must be more than 0 characters"]
    if len(text) > most:
        return [f"must be less than {most + 1} characters"]
    return []


def _section(block: Json) -> Problems:
    if "text" not in block and not block.get("fields"):
        return ["section needs text or fields"]
    problems = _text(block["text"], SECTION_TEXT) if "text" in block else []
    for field in block.get("fields", []):
        problems += _text(field, FIELD_TEXT)
    if len(block.get("fields", [])) > 10:
        problems.append("no more than 10 fields allowed")
    if "accessory" in block:
        problems += _element(block["accessory"])
    return problems


def _header(block: Json) -> Problems:
    return _text(block.get("text"), HEADER_TEXT, kinds=("plain_text",))


def _elements(most: int, check_one: Callable[[Any], Problems]) -> Callable[[Json], Problems]:
    def check_all(block: Json) -> Problems:
        elements = block.get("elements")
        if not isinstance(elements, list) or not elements:
            return ["missing required field: elements"]
        problems = [f"no more than {most} elements allowed"] if len(elements) > most else []
        for element in elements:
            problems += check_one(element)
        ids = [e["action_id"] for e in elements if isinstance(e, dict) and "action_id" in e]
        if len(set(ids)) != len(ids):
            problems.append("action_id already exists in this block")
        return problems

    return check_all


def _element(element: Any) -> Problems:
    if not isinstance(element, dict) or not element.get("type"):
        return ["unsupported element"]
    kind = element["type"]
    problems: Problems = []
    if kind == "button":
        problems += _text(element.get("text"), BUTTON_TEXT, kinds=("plain_text",))
    if kind in {"button", "icon_button"} and len(str(element.get("value", ""))) > BUTTON_VALUE:
        problems.append(f"value has more than {BUTTON_VALUE} characters")
    if kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            button = element.get(side)
            problems += _text(
                button.get("text") if isinstance(button, dict) else None,
                BUTTON_TEXT,
                kinds=("plain_text",),
            )
    if len(str(element.get("action_id", ""))) > BLOCK_ID:
        problems.append(f"action_id has more than {BLOCK_ID} characters")
    return problems


def _context_element(element: Any) -> Problems:
    if isinstance(element, dict) and element.get("type") == "image":
        return [] if element.get("alt_text") else ["missing required field: alt_text"]
    return _text(element, SECTION_TEXT)


def _context_action(element: Any) -> Problems:
    if not isinstance(element, dict) or element.get("type") not in {
        "feedback_buttons",
        "icon_button",
    }:
        return ["context_actions takes feedback_buttons and icon_button"]
    return _element(element)


def _markdown(block: Json) -> Problems:
    text = block.get("text")
    if not isinstance(text, str) or not text:
        return ["missing required field: text"]
    return (
        [] if len(text) <= MARKDOWN_TEXT else [f"must be less than {MARKDOWN_TEXT + 1} characters"]
    )


def _table(block: Json) -> Problems:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        return ["missing required field: rows"]
    problems = [f"no more than {TABLE_ROWS} rows allowed"] if len(rows) > TABLE_ROWS else []
    for row in rows:
        if not isinstance(row, list) or not 0 < len(row) <= TABLE_CELLS:
            problems.append(f"a row has 1 to {TABLE_CELLS} cells")
            continue
        for cell in row:
            kind = cell.get("type") if isinstance(cell, dict) else None
            if kind not in {"raw_text", "raw_number", "rich_text"}:
                problems.append(f"unsupported cell: {kind}")
            elif kind == "raw_text" and not cell.get("text"):
                problems.append("must be more than 0 characters")
    return problems


def _chart(block: Json) -> Problems:
    chart = block.get("chart")
    if not isinstance(chart, dict) or not block.get("title"):
        return ["data_visualization needs title and chart"]
    problems: Problems = []
    if len(str(block["title"])) > CHART_TITLE:
        problems.append(f"title has more than {CHART_TITLE} characters")
    if chart.get("type") == "pie":
        return problems + _points(chart.get("segments"), CHART_SERIES)
    if chart.get("type") not in {"bar", "line", "area"}:
        return [*problems, f"unsupported chart: {chart.get('type')}"]
    series = chart.get("series")
    categories = (chart.get("axis_config") or {}).get("categories")
    if not isinstance(series, list) or not 0 < len(series) <= CHART_SERIES:
        return [*problems, f"a chart has 1 to {CHART_SERIES} series"]
    if len({str(one.get("name")) for one in series}) != len(series):
        problems.append("series names must be unique")
    for one in series:
        problems += _points(one.get("data"), CHART_POINTS)
        if [point.get("label") for point in one.get("data") or []] != categories:
            problems.append("labels must equal the categories")
        if not 0 < len(str(one.get("name", ""))) <= CHART_LABEL:
            problems.append(f"a series name has 1 to {CHART_LABEL} characters")
    return problems


def _points(points: Any, most: int) -> Problems:
    if not isinstance(points, list) or not 0 < len(points) <= most:
        return [f"1 to {most} points allowed"]
    problems: Problems = []
    for point in points:
        if not isinstance(point, dict) or not isinstance(point.get("value"), int | float):
            problems.append("a point needs a value")
        elif not 0 < len(str(point.get("label", ""))) <= CHART_LABEL:
            problems.append(f"a label has 1 to {CHART_LABEL} characters")
    return problems


def _rich_text(block: Json) -> Problems:
    known = {
        "rich_text_section",
        "rich_text_list",
        "rich_text_preformatted",
        "rich_text_quote",
    }
    elements = block.get("elements")
    if not isinstance(elements, list):
        return ["missing required field: elements"]
    return [
        f"unsupported element: {element.get('type')}"
        for element in elements
        if element.get("type") not in known
    ]


def _task(block: Json) -> Problems:
    if not block.get("task_id") or not block.get("title"):
        return ["task_card needs task_id and title"]
    if block.get("status") not in {None, *TASK_STATES}:
        return [f"status must be one of {', '.join(TASK_STATES)}"]
    return []


def _needs(*names: str) -> Callable[[Json], Problems]:
    def check_names(block: Json) -> Problems:
        return [f"missing required field: {name}" for name in names if not block.get(name)]

    return check_names


def _input(block: Json) -> Problems:
    return _text(block.get("label"), FIELD_TEXT, kinds=("plain_text",)) + _element(
        block.get("element")
    )


_CHECKS: dict[str, Callable[[Json], Problems]] = {
    "section": _section,
    "header": _header,
    "divider": lambda _: [],
    "markdown": _markdown,
    "actions": _elements(ACTION_ELEMENTS, _element),
    "context": _elements(CONTEXT_ELEMENTS, _context_element),
    "context_actions": _elements(CONTEXT_ACTIONS, _context_action),
    "rich_text": _rich_text,
    "table": _table,
    "data_visualization": _chart,
    "data_table": _needs("rows"),
    "input": _input,
    "image": _needs("alt_text"),
    "file": _needs("external_id"),
    "video": _needs("alt_text", "title"),
    "task_card": _task,
    "plan": _needs("title"),
    "alert": _needs("text"),
    "card": _needs("title"),
    "container": _needs("child_blocks"),
    "carousel": _needs("elements"),
}
