"""What the API refuses in `tools` and `tool_choice`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.claude.errors import invalid
from bot.demo.claude.models import Model

NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
FIELDS = frozenset(
    [
        "name",
        "description",
        "input_schema",
        "type",
        "strict",
        "cache_control",
        "eager_input_streaming",
        "input_examples",
        "allowed_callers",
        "defer_loading",
    ]
)
TYPES = frozenset(["string", "number", "integer", "boolean", "object", "array", "null"])
DEPTH = 32  # levels of a schema


def check_tools(tools: Any) -> tuple[str, ...]:
    """Check the declared tools; give their names."""
    if tools is None:
        return ()
    if not isinstance(tools, list):
        raise invalid("tools: Input should be a valid list")
    declared: list[Any] = tools
    names = tuple(_check_tool(i, tool) for i, tool in enumerate(declared))
    if len(set(names)) != len(names):
        raise invalid("tools: Tool names must be unique.")
    return names


def check_tool_choice(choice: Any, names: Sequence[str], model: Model) -> None:
    """Check `tool_choice` against the tools and the model."""
    if choice is None:
        return
    if not isinstance(choice, dict) or choice.get("type") not in ("auto", "any", "tool", "none"):
        raise invalid("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    kind: str = choice["type"]
    if not names:
        raise invalid("tool_choice: tool_choice may only be specified while providing tools")
    if kind in ("any", "tool") and not model.forced_tools:
        raise invalid(f"tool_choice.type: '{kind}' is not supported by {model.id}")
    if kind == "tool" and choice.get("name") not in names:
        raise invalid(f"tool_choice.name: Tool '{choice.get('name')}' not found in provided tools")


def _check_tool(index: int, tool: Any) -> str:
    place = f"tools.{index}"
    if not isinstance(tool, dict):
        raise invalid(f"{place}: Input should be a valid dictionary")
    declared: dict[str, Any] = tool
    if declared.get("type") not in (None, "custom"):
        raise invalid(f"{place}.type: '{declared['type']}' is not offered here (no server tools)")
    for name in declared:
        if name not in FIELDS:
            raise invalid(f"{place}.custom.{name}: Extra inputs are not permitted")
    name = declared.get("name")
    if not isinstance(name, str) or not NAME.match(name):
        raise invalid(f"{place}.custom.name: String should match pattern '{NAME.pattern}'")
    if not isinstance(declared.get("description", ""), str):
        raise invalid(f"{place}.custom.description: Input should be a valid string")
    schema = declared.get("input_schema")
    if not isinstance(schema, dict):
        raise invalid(f"{place}.custom.input_schema: Field required")
    if schema.get("type") != "object":
        raise invalid(f"{place}.custom.input_schema.type: Input should be 'object'")
    where = f"{place}.custom.input_schema"
    _check_schema(schema, where, strict=declared.get("strict") is True)
    return name


def _check_schema(schema: Any, where: str, *, strict: bool, depth: int = 0) -> None:
    """Check what of JSON Schema 2020-12 tools commonly use."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict) or depth > DEPTH:
        raise invalid(f"{where}: JSON schema is invalid. It must match JSON Schema draft 2020-12")
    node: dict[str, Any] = schema
    _check_words(node, where)
    if strict and node.get("type") == "object" and node.get("additionalProperties") is not False:
        raise invalid(
            f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )
    for name in ("properties", "$defs"):
        parts = node.get(name)
        if parts is None:
            continue
        if not isinstance(parts, dict):
            raise _bad(where, f"{name} must be an object")
        for key, part in parts.items():
            _check_schema(part, f"{where}.{name}.{key}", strict=strict, depth=depth + 1)
    for name in ("anyOf", "oneOf", "allOf"):
        for i, part in enumerate(_list(node.get(name), where, name)):
            _check_schema(part, f"{where}.{name}.{i}", strict=strict, depth=depth + 1)
    if "items" in node:
        _check_schema(node["items"], f"{where}.items", strict=strict, depth=depth + 1)


def _check_words(node: Mapping[str, Any], where: str) -> None:
    kinds = node.get("type", [])
    if not all(
        k in TYPES for k in ([kinds] if isinstance(kinds, str) else _list(kinds, where, "type"))
    ):
        raise _bad(where, f"unknown type {kinds!r}")
    if not all(isinstance(name, str) for name in _list(node.get("required"), where, "required")):
        raise _bad(where, "required must be a list of strings")
    if "enum" in node and not _list(node["enum"], where, "enum"):
        raise _bad(where, "enum must not be empty")
    pattern = node.get("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise _bad(where, "pattern is no regular expression") from error


def _list(value: Any, where: str, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _bad(where, f"{name} must be a list")
    return value


def _bad(where: str, why: str) -> Exception:
    return invalid(
        f"{where}: JSON schema is invalid. It must match JSON Schema draft 2020-12 ({why})"
    )
