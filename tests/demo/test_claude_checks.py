"""The stand-in Claude refuses what the API refuses, before any model sees it."""

from collections.abc import Mapping
from typing import Any

import pytest

from bot.demo.claude.check import check_request
from bot.demo.claude.errors import Problem
from bot.demo.claude.models import catalogue

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
LEGACY = "claude-sonnet-4-6"
USER: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL: dict[str, Any] = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
MARK: dict[str, Any] = {"type": "ephemeral"}
HOUR: dict[str, Any] = {"type": "ephemeral", "ttl": "1h"}
USE: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}


def request(**fields: Any) -> dict[str, Any]:
    """A good request with some fields of its own; None removes one."""
    whole = {"model": SONNET, "max_tokens": 100, "messages": [USER], **fields}
    return {name: value for name, value in whole.items() if value is not None}


def text(words: str, **fields: Any) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": words, **fields}


def user(*blocks: Mapping[str, Any]) -> dict[str, Any]:
    """A user message."""
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Mapping[str, Any]) -> dict[str, Any]:
    """An assistant message."""
    return {"role": "assistant", "content": list(blocks)}


def refusal(body: Any) -> Problem:
    """What is said to a body that must be refused."""
    with pytest.raises(Problem) as caught:
        check_request(body, catalogue())
    return caught.value


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"thinking": {"type": "adaptive", "display": "summarized"}},
        {"thinking": {"type": "between_tools"}, "output_config": {"effort": "high"}},
        {"model": HAIKU, "thinking": {"type": "disabled"}},
        {"model": HAIKU, "tools": [TOOL], "tool_choice": {"type": "any"}},
        {
            "model": LEGACY,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
            "max_tokens": 2000,
        },
        {"model": OPUS, "speed": "fast"},
        {"max_tokens": 0},
        {"max_tokens": 128_000},
        {"metadata": {"user_id": "a" * 64}, "diagnostics": {"previous_message_id": None}},
        {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"tools": [TOOL], "messages": [USER, assistant(USE), user(RESULT, text("and?"))]},
        {"messages": [user(text("a")), user(text("b")), assistant(text("c")), USER]},
        {"messages": [USER, {"role": "system", "content": "Be brief."}]},
        {"system": [text("a", cache_control=HOUR)], "cache_control": MARK},
        {"system": [text(c, cache_control=MARK) for c in "abc"], "cache_control": MARK},
    ],
)
def test_good_requests_pass(fields: dict[str, Any]) -> None:
    """What the documents permit is permitted."""
    assert check_request(request(**fields), catalogue()).id == fields.get("model", SONNET)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"temperature": 0}, "temperature"),
        ({"top_p": 0.9}, "top_p"),
        ({"top_k": 5}, "top_k"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"messages": None}, "messages: Field required"),
        ({"frobnicate": 1}, "frobnicate: Extra inputs"),
        ({"fallbacks": "default"}, "fallbacks: Extra inputs"),
        ({"max_tokens": 128_001}, "128001 > 128000"),
        ({"model": "claude-haiku-4-5", "max_tokens": 64_001}, "64001 > 64000"),
        ({"max_tokens": -1}, "greater than or equal to 0"),
        ({"max_tokens": True}, "valid integer"),
        ({"stream": "yes"}, "stream"),
        ({"stop_sequences": [" "]}, "non-whitespace"),
        ({"metadata": {"email": "a@b"}}, "metadata"),
        ({"speed": "fast"}, "speed"),
        ({"diagnostics": {"previous_message_id": 7}}, "diagnostics"),
        ({"thinking": {"type": "disabled"}}, "thinking.type"),
        ({"model": OPUS, "thinking": {"type": "disabled"}}, "thinking.type"),
        ({"model": OPUS, "thinking": {"type": "between_tools"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking.type"),
        ({"thinking": {"type": "between_tools", "display": "summarized"}}, "display"),
        (
            {"thinking": {"type": "between_tools"}, "output_config": {"effort": "max"}},
            'effort "max"',
        ),
        (
            {
                "model": HAIKU,
                "thinking": {"type": "disabled"},
                "output_config": {"effort": "xhigh"},
            },
            'effort "xhigh"',
        ),
        ({"thinking": {"type": "adaptive", "display": "loud"}}, "display"),
        (
            {"model": LEGACY, "thinking": {"type": "enabled", "budget_tokens": 10}},
            "1024",
        ),
        ({"output_config": {"effort": "huge"}}, "effort"),
        ({"model": "claude-haiku-4-5", "output_config": {"effort": "low"}}, "does not support"),
        ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "tool_choice"),
        ({"model": OPUS, "tools": [TOOL], "tool_choice": {"type": "tool", "name": "look"}}, "tool"),
        ({"model": HAIKU, "tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "'x'"),
        ({"tool_choice": {"type": "auto"}}, "while providing tools"),
        ({"system": [text("")]}, "non-empty"),
        ({"system": [{"type": "image"}]}, "system.0.type"),
    ],
)
def test_fields_that_the_api_refuses(fields: dict[str, Any], words: str) -> None:
    """A field that is unknown, gone, out of range or not for this model is a 400 that names it."""
    problem = refusal(request(**fields))

    assert (problem.status, problem.kind) == (400, "invalid_request_error")
    assert words in problem.message


@pytest.mark.parametrize("model", ["claude-none-9", "claude-sonnet-4-20250514", "sonnet-latest"])
def test_models_that_are_not_there(model: str) -> None:
    """An unknown and a retired model are a 404."""
    problem = refusal(request(model=model))

    assert (problem.status, problem.kind) == (404, "not_found_error")
    assert model in problem.message


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "at least one message"),
        ([{"role": "bot", "content": "x"}], "role"),
        ([assistant(text("a")), USER], 'first message must use the "user" role'),
        ([USER, assistant(text("prefill"))], "prefill"),
        ([{"role": "user", "content": ""}], "non-empty"),
        ([user()], "non-empty"),
        ([user(text(""))], "non-empty"),
        ([user(text("  \n"))], "non-whitespace"),
        ([user(text("", cache_control=MARK))], "empty text blocks"),
        ([user(text("a", citations=[{"type": "x"}]))], "citations"),
        ([user(text("a", parsed_output=None))], "parsed_output"),
        ([user(USE)], "not permitted in user"),
        ([USER, assistant({"type": "document", "source": {}}), USER], "not permitted in assistant"),
        ([USER, assistant(USE), USER], "without `tool_result`"),
        ([USER, assistant(USE), user(text("first"), RESULT)], "without `tool_result`"),
        ([USER, assistant(USE), user(RESULT, RESULT)], "multiple `tool_result`"),
        ([USER, assistant(USE, {**USE, "id": "toolu_2"}), user(RESULT)], "toolu_2"),
        ([user(RESULT)], "unexpected `tool_use_id`"),
        ([USER, assistant(USE, USE), user(RESULT)], "unique"),
        ([USER, assistant(USE), user(RESULT), assistant(USE), user(RESULT)], "unique"),
        ([USER, assistant({**USE, "input": "x"}), user(RESULT)], "tool_use.input"),
        (
            [USER, assistant({"type": "thinking", "thinking": "x", "signature": "s", "cache_control": MARK}), USER],
            "thinking blocks",
        ),
        ([USER, assistant({"type": "thinking", "thinking": "x"}), USER], "signature"),
        ([{"role": "system", "content": "x"}], "first message"),
        (
            [USER, assistant(text("a")), {"role": "system", "content": "x"}],
            "must follow a user turn",
        ),
        ([user(*[{"type": "image", "source": {}}] * 601)], "too many images"),
    ],
)  # fmt: skip
def test_conversations_that_the_api_refuses(messages: list[Any], words: str) -> None:
    """Roles out of order, prefills, empty blocks, and tools without their results are 400s."""
    problem = refusal(request(messages=messages, tools=[TOOL]))

    assert problem.status == 400
    assert words in problem.message


def test_a_system_message_amid_is_not_for_every_model() -> None:
    """Sonnet 5 does not take system messages within a conversation."""
    messages = [USER, {"role": "system", "content": "Be brief."}]

    assert "not supported" in refusal(request(model="claude-sonnet-5", messages=messages)).message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"system": [text(c, cache_control=MARK) for c in "abcde"]}, "maximum of 4"),
        (
            {"system": [text(c, cache_control=MARK) for c in "abcd"], "cache_control": MARK},
            "Found 5",
        ),
        (
            {"system": [text("a", cache_control=MARK), text("b", cache_control=HOUR)]},
            "must not come after",
        ),
        (
            {"tools": [{**TOOL, "cache_control": MARK}], "system": [text("b", cache_control=HOUR)]},
            "must not come after",
        ),
        ({"system": [text("a", cache_control=MARK)], "cache_control": HOUR}, "must not come after"),
        ({"cache_control": {"type": "ephemeral", "ttl": "2h"}}, "'5m' or '1h'"),
        ({"cache_control": {"type": "eternal"}}, "'ephemeral'"),
    ],
)
def test_cache_marks_that_the_api_refuses(fields: dict[str, Any], words: str) -> None:
    """At most four marks, the top-level one counted, and long lives before short ones."""
    assert words in refusal(request(**fields)).message


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"stream": True}, "stream"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "format"),
        ({"model": HAIKU, "tools": [TOOL], "tool_choice": {"type": "any"}}, "tool_choice"),
        ({"model": LEGACY, "thinking": {"type": "enabled", "budget_tokens": 1024}}, "enabled"),
    ],
)
def test_what_does_not_go_with_zero_tokens(fields: dict[str, Any], words: str) -> None:
    """A pre-warming call generates nothing, so nothing may be asked that needs output."""
    problem = refusal(request(max_tokens=0, **fields))

    assert "max_tokens: 0" in problem.message
    assert words in problem.message


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ({"name": "a b", "input_schema": {"type": "object"}}, "pattern"),
        ({"name": "a"}, "input_schema: Field required"),
        ({"name": "a", "input_schema": {"type": "string"}}, "Input should be 'object'"),
        (
            {"name": "a", "input_schema": {"type": "object", "properties": {"x": 1}}},
            "draft 2020-12",
        ),
        (
            {
                "name": "a",
                "input_schema": {"type": "object", "properties": {"x": {"type": "text"}}},
            },
            "unknown type",
        ),
        ({"name": "a", "input_schema": {"type": "object", "required": "x"}}, "must be a list"),
        (
            {
                "name": "a",
                "input_schema": {"type": "object", "properties": {"x": {"pattern": "("}}},
            },
            "regular expression",
        ),
        ({"name": "a", "strict": True, "input_schema": {"type": "object"}}, "additionalProperties"),
        ({"name": "a", "label": "x", "input_schema": {"type": "object"}}, "label"),
        ({"type": "web_fetch_20260318", "name": "web_fetch"}, "not offered"),
    ],
)
def test_tools_that_the_api_refuses(tool: dict[str, Any], words: str) -> None:
    """A tool's name and schema must be such as the API takes."""
    assert words in refusal(request(tools=[tool])).message


def test_tools_have_different_names() -> None:
    """Two tools of one name are refused."""
    assert "unique" in refusal(request(tools=[TOOL, TOOL])).message
