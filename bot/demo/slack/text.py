"""How Slack writes down what people type: escaped text with <@U…> in it, and rich_text blocks with the code unescaped."""

import re
from dataclasses import dataclass

from bot.demo.slack.watch import Json
from bot.demo.slack.world import World

_FENCE = re.compile(r"```[^\S\n]*(?:[\w+-]+\n)?\n?(.*?)\n?```", re.DOTALL)
_TOKEN = re.compile(
    r"<@(?P<id>[UW][A-Z0-9]+)>"
    r"|(?<![\w@])@(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)"
    r"|(?<![\w#])#(?P<channel>[a-z0-9][a-z0-9_-]*)"
    r"|(?P<link>https?://[^\s<>|]+)"
    r"|`(?P<code>[^`\n]+)`"
)
BROADCASTS = ("here", "channel", "everyone")
_PING = re.compile(r"<(?:!(?:channel|here|everyone)|!subteam\^\w+|@[UW][A-Z0-9]+)(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed, as Slack delivers it."""

    text: str
    blocks: list[Json]
    mentions: frozenset[str]  # user ids


def escape(text: str) -> str:
    """As Slack escapes what people type."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def pings(text: str) -> list[str]:
    """Everything in a message's text that would notify somebody: <!channel>, <@U…>, <!subteam^…>."""
    return _PING.findall(text)


def type_in(world: World, text: str, code: str | None = None) -> Typed:
    """Text as typed into Slack's composer; ```fences``` and `code` become code, @ana and #shop-dev references.

    Args:
        world: Who and what can be referred to.
        text: As a person types it; "<@U…>" is taken too.
        code: Pasted below the text as a code block.
    """
    if code is not None:
        text = f"{text}\n```{code}```" if text else f"```{code}```"
    parts: list[str] = []
    elements: list[Json] = []
    mentions: set[str] = set()
    at = 0
    for fence in _FENCE.finditer(text):
        _section(world, text[at : fence.start()], parts, elements, mentions)
        parts.append("```" + escape(fence[1]) + "```")
        elements.append(
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": fence[1]}]}
        )
        at = fence.end()
    _section(world, text[at:], parts, elements, mentions)
    block: Json = {"type": "rich_text", "block_id": world.secret(5), "elements": elements}
    return Typed("".join(parts), [block] if elements else [], frozenset(mentions))


def _section(
    world: World, text: str, parts: list[str], elements: list[Json], mentions: set[str]
) -> None:
    if not text:
        return
    inside: list[Json] = []
    at = 0
    for token in _TOKEN.finditer(text):
        found = _element(world, token)
        if found is None:
            continue
        _plain(text[at : token.start()], parts, inside)
        written, element = found
        parts.append(written)
        inside.append(element)
        if element["type"] == "user":
            mentions.add(element["user_id"])
        at = token.end()
    _plain(text[at:], parts, inside)
    elements.append({"type": "rich_text_section", "elements": inside})


def _plain(text: str, parts: list[str], inside: list[Json]) -> None:
    if text:
        parts.append(escape(text))
        inside.append({"type": "text", "text": text})


def _element(world: World, token: re.Match[str]) -> tuple[str, Json] | None:
    """What a token is written as, and its rich_text element; None when it refers to nothing."""
    user = token["id"] or world.handles.get((token["name"] or "").rstrip(".").lower(), "")
    if user:
        return f"<@{user}>", {"type": "user", "user_id": user}
    if token["name"] in BROADCASTS:
        return f"<!{token['name']}>", {"type": "broadcast", "range": token["name"]}
    if token["channel"] and (channel := world.names.get(token["channel"])):
        return f"<#{channel}|{token['channel']}>", {"type": "channel", "channel_id": channel}
    if token["link"]:
        return f"<{escape(token['link'])}>", {"type": "link", "url": token["link"]}
    if token["code"]:
        element: Json = {"type": "text", "text": token["code"], "style": {"code": True}}
        return f"`{escape(token['code'])}`", element
    return None
