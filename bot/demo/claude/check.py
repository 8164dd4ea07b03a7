"""What the API refuses before a model sees it: fields, settings and limits of a request.

Messages and tools have pages of their own (check_messages, check_tools). Each refusal is
a Problem in the words the API uses, as far as they are known.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.demo.claude.check_messages import check_messages, check_system
from bot.demo.claude.check_tools import check_tool_choice, check_tools
from bot.demo.claude.errors import Problem, invalid
from bot.demo.claude.models import LEVELS, Model
from bot.demo.claude.prompt import Prompt

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
REQUIRED = ("model", "max_tokens", "messages")
KNOWN = frozenset(
    [
        "model",
        "max_tokens",
        "messages",
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "metadata",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
        "user_profile_id",
    ]
)
COUNTED = frozenset(
    [
        "model",
        "messages",
        "cache_control",
        "output_config",
        "speed",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    ]
)
SAMPLING = ("temperature", "top_p", "top_k")
MARKS = 4  # cache marks in a request, the top-level one counted
BUDGET_MINIMUM = 1024  # tokens of thinking.budget_tokens
USER_ID_CHARACTERS = 256
# A forced tool and prefilled thinking cannot go together on models that always think.
FORCED = ("any", "tool")


def check_request(body: Any, models: Mapping[str, Model], *, counting: bool = False) -> Model:
    """Check a whole request body.

    Args:
        body: the parsed JSON.
        models: the catalogue.
        counting: it came to count_tokens, where nothing is generated.

    Returns:
        The model that is to answer.

    Raises:
        Problem: what the API would answer instead.
    """
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary")
    request: dict[str, Any] = body
    _check_fields(request, COUNTED if counting else KNOWN, counting=counting)
    model = _model(request["model"], models)
    _check_thinking(request, model)
    _check_output(request, model)
    if not counting:
        _check_max_tokens(request, model)
        _check_small_fields(request, model)
    tools = check_tools(request.get("tools"))
    check_tool_choice(request.get("tool_choice"), tools, model)
    check_system(request.get("system"))
    check_messages(request["messages"], model)
    _check_marks(request)
    if not counting and request["max_tokens"] == 0:
        _check_prewarm(request)
    return model


def _check_fields(request: Mapping[str, Any], known: frozenset[str], *, counting: bool) -> None:
    for name in SAMPLING:
        if name in request:
            raise invalid(
                f"{name}: this parameter was removed in API version 2026-10-21; "
                "steer by output_config.effort and the prompt instead"
            )
    for name in REQUIRED:
        if name not in request and not (counting and name == "max_tokens"):
            raise invalid(f"{name}: Field required")
    for name in request:
        if name not in known:
            raise invalid(f"{name}: Extra inputs are not permitted")


def _model(name: Any, models: Mapping[str, Model]) -> Model:
    if not isinstance(name, str) or not name:
        raise invalid("model: Input should be a valid string")
    model = models.get(name)
    if model is None or model.lifecycle == "retired":
        raise Problem(404, f"model: {name}")
    return model


def _check_thinking(request: Mapping[str, Any], model: Model) -> None:
    thinking = request.get("thinking")
    if thinking is None:
        return
    if not isinstance(thinking, dict) or thinking.get("type") not in (
        "adaptive",
        "between_tools",
        "disabled",
        "enabled",
    ):
        raise invalid(
            "thinking.type: Input should be 'adaptive', 'between_tools', 'disabled' or 'enabled'"
        )
    settings: dict[str, Any] = thinking
    kind = settings["type"]
    if kind not in model.thinking:
        raise invalid(f'thinking.type: "{kind}" is not supported by {model.id}')
    allowed = {
        "adaptive": {"type", "display"},
        "enabled": {"type", "display", "budget_tokens"},
    }.get(kind, {"type"})
    for name in settings:
        if name not in allowed:
            raise invalid(f"thinking.{kind}.{name}: Extra inputs are not permitted")
    if settings.get("display") not in (None, "summarized", "omitted"):
        raise invalid(f"thinking.{kind}.display: Input should be 'summarized' or 'omitted'")
    effort = _effort(request) or model.default_effort
    off = kind in ("disabled", "between_tools")
    if off and model.efforts and LEVELS.index(effort) > LEVELS.index("high"):
        raise invalid(f'thinking.type: "{kind}" is not supported with effort "{effort}"')
    if kind == "enabled":
        _check_budget(settings.get("budget_tokens"), request.get("max_tokens"))


def _check_budget(budget: Any, max_tokens: Any) -> None:
    if not isinstance(budget, int) or budget < BUDGET_MINIMUM:
        raise invalid(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        )
    if isinstance(max_tokens, int) and max_tokens and budget >= max_tokens:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`")


def _effort(request: Mapping[str, Any]) -> str | None:
    config = request.get("output_config")
    return config.get("effort") if isinstance(config, dict) else None


def _check_output(request: Mapping[str, Any], model: Model) -> None:
    config = request.get("output_config")
    if config is None:
        return
    if not isinstance(config, dict) or set(config) - {"effort", "format"}:
        raise invalid("output_config: Extra inputs are not permitted")
    effort = _effort(request)
    if effort is not None and effort not in LEVELS:
        raise invalid(f"output_config.effort: Input should be one of {', '.join(LEVELS)}")
    if effort is not None and effort not in model.efforts:
        raise invalid(f"output_config.effort: this model does not support effort level '{effort}'")
    shape: Any = config.get("format")
    if shape is not None and (
        not isinstance(shape, dict)
        or shape.get("type") != "json_schema"
        or not isinstance(shape.get("schema"), dict)
    ):
        raise invalid("output_config.format: Input should be a json_schema with a schema")


def _check_max_tokens(request: Mapping[str, Any], model: Model) -> None:
    limit = request["max_tokens"]
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise invalid("max_tokens: Input should be a valid integer")
    if limit < 0:
        raise invalid("max_tokens: Input should be greater than or equal to 0")
    if limit > model.max_tokens:
        raise invalid(
            f"max_tokens: {limit} > {model.max_tokens}, which is the maximum allowed number "
            f"of output tokens for {model.id}"
        )


def _check_small_fields(request: Mapping[str, Any], model: Model) -> None:
    if not isinstance(request.get("stream", False), bool):
        raise invalid("stream: Input should be a valid boolean")
    if request.get("service_tier", "auto") not in ("auto", "standard_only"):
        raise invalid("service_tier: Input should be 'auto' or 'standard_only'")
    if request.get("inference_geo") not in (None, "us", "global"):
        raise invalid("inference_geo: Input should be 'us' or 'global'")
    speed = request.get("speed")
    if speed not in (None, "standard", "fast") or (speed == "fast" and not model.fast):
        raise invalid(f"speed: '{speed}' is not supported by {model.id}")
    stops = request.get("stop_sequences")
    if stops is not None and (
        not isinstance(stops, list) or not all(isinstance(s, str) and s.strip() for s in stops)
    ):
        raise invalid("stop_sequences: each stop sequence must contain non-whitespace")
    metadata = request.get("metadata")
    if metadata is not None:
        if not isinstance(metadata, dict) or set(metadata) - {"user_id"}:
            raise invalid("metadata: Extra inputs are not permitted")
        user = metadata.get("user_id")
        if user is not None and (not isinstance(user, str) or len(user) > USER_ID_CHARACTERS):
            raise invalid("metadata.user_id: String should have at most 256 characters")
    asked = request.get("diagnostics")
    if asked is not None and (
        not isinstance(asked, dict)
        or set(asked) - {"previous_message_id"}
        or not isinstance(asked.get("previous_message_id"), str | None)
    ):
        raise invalid("diagnostics.previous_message_id: Input should be a valid string")


def _check_prewarm(request: Mapping[str, Any]) -> None:
    if request.get("stream"):
        raise invalid("max_tokens: 0 is not supported with stream")
    if (request.get("thinking") or {}).get("type") == "enabled":
        raise invalid('max_tokens: 0 is not supported with thinking.type "enabled"')
    if (request.get("output_config") or {}).get("format") is not None:
        raise invalid("max_tokens: 0 is not supported with output_config.format")
    if (request.get("tool_choice") or {}).get("type") in FORCED:
        raise invalid("max_tokens: 0 is not supported with a forced tool_choice")


def _check_marks(request: Mapping[str, Any]) -> None:
    """Count the cache marks and see that long lives stand before short ones."""
    marks = list(_marks(request))
    top = request.get("cache_control")
    if top is not None:
        marks.append(("cache_control", _ttl("cache_control", top)))
    if len(marks) > MARKS:
        raise invalid(
            f"A maximum of {MARKS} blocks with cache_control may be provided. Found {len(marks)}."
        )
    short = False
    for place, ttl in marks:
        if ttl == "1h" and short:
            raise invalid(
                f"{place}.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following order: "
                "`tools`, `system`, `messages`."
            )
        short = short or ttl == "5m"


def _marks(request: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    places: list[tuple[str, Any]] = [
        (f"tools.{i}", tool) for i, tool in enumerate(request.get("tools") or ())
    ]
    system = request.get("system")
    if isinstance(system, list):
        places += [(f"system.{i}", block) for i, block in enumerate(system)]
    for i, message in enumerate(request["messages"]):
        if isinstance(message["content"], list):
            places += [
                (f"messages.{i}.content.{j}", block) for j, block in enumerate(message["content"])
            ]
    return [
        (f"{place}.cache_control", _ttl(f"{place}.cache_control", block["cache_control"]))
        for place, block in places
        if block.get("cache_control") is not None
    ]


def _ttl(place: str, mark: Any) -> str:
    if not isinstance(mark, dict) or mark.get("type") != "ephemeral" or set(mark) - {"type", "ttl"}:
        raise invalid(f"{place}.type: Input should be 'ephemeral'")
    ttl: Any = mark.get("ttl") or "5m"
    if ttl not in ("5m", "1h"):
        raise invalid(f"{place}.ttl: Input should be '5m' or '1h'")
    return str(ttl)


def check_key(key: str, headers: Mapping[str, str], expected: str) -> None:
    """Check the key and the version that a request came with.

    Raises:
        Problem: one of them is wrong or missing.
    """
    if not key:
        raise Problem(401, "x-api-key header is required")
    if key != expected:
        raise Problem(401, "invalid x-api-key")
    version = headers.get("anthropic-version")
    if version not in VERSIONS:
        raise invalid(f"anthropic-version: {version or 'header is required'}")


def check_context(prompt: Prompt) -> None:
    """Check that a prompt is not longer than its model reads.

    Raises:
        Problem: it is.
    """
    if prompt.tokens > prompt.model.context:
        raise invalid(
            f"prompt is too long: {prompt.tokens} tokens > {prompt.model.context} maximum"
        )
