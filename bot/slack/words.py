"""The words of a Slack message as Markdown: code from `rich_text` blocks exactly, entities unescaped, mentions known.

Pure. The door reads an ask with it, `thread` what others said before.
"""

import re
from collections.abc import Iterator

from bot.slack.shapes import Json, items, mapping, words

NAME = "@Purser"  # how our own mention reads in the middle of a sentence
_OURS = "\ue000"  # stands for our mention until it is known where in the sentence it is
_ENTITY = re.compile(r"<([^<>\n]*)>")
_AFTER = " \t\n,;:\u2014"  # what may stand between our mention and the words
LIST_MARKS = {"ordered": "1.", "bullet": "-"}


def asked(message: Json, bot_user: str) -> str:
    """What was said to us: without our mention at either end, code as fenced blocks."""
    text = _text(message, bot_user).strip()
    while text.startswith(_OURS):
        text = text[1:].lstrip(_AFTER)
    while text.rstrip(".!?").endswith(_OURS):
        said = text.rstrip(".!?")
        text = said[:-1].rstrip(_AFTER) + text[len(said) :]
    return text.replace(_OURS, NAME).strip()


def said(message: Json) -> str:
    """What a message says, from blocks and attachments where `text` is empty; mentions stay `<@U…>`."""
    return _text(message, "").strip()


def mentions(message: Json, user: str) -> bool:
    """Whether a message mentions somebody. Typed as code it is no mention, and Slack escapes it."""
    if not user:
        return False
    if re.search(rf"<@{re.escape(user)}(\|[^>]*)?>", words(message.get("text"))):
        return True
    return any(
        element.get("type") == "user" and element.get("user_id") == user
        for block in items(message.get("blocks"))
        for part in items(block.get("elements"))
        for element in _leaves(part)
    )


def has_code(text: str) -> bool:
    """Whether some of it was pasted as a block of code, or is a diff."""
    return "```" in text or bool(re.search(r"^(diff --git |@@ -\d+)", text, re.MULTILINE))


def fenced(code: str, language: str = "") -> str:
    """Code as a fenced block that none of its own backticks can close."""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


def unescaped(text: str, bot_user: str = "") -> str:
    """Slack's `text` as people see it: links and mentions written out, `&amp;` `&lt;` `&gt;` undone."""

    def entity(match: re.Match[str]) -> str:
        body, _, label = match[1].partition("|")
        if body.startswith("@"):
            return _OURS if bot_user and body[1:] == bot_user else f"<{body}>"
        if body.startswith("#"):
            return f"#{label}" if label else f"<{body}>"
        if body.startswith("!"):
            return label or "@" + body[1:].partition("^")[0]
        return _link(body, label) if body else match[0]

    text = _ENTITY.sub(entity, text.replace(_OURS, ""))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _link(url: str, label: str) -> str:
    url = url.removeprefix("mailto:")
    if not url:
        return label
    return url if label in ("", url, url.partition("://")[2]) else f"[{label}]({url})"


def _text(message: Json, bot_user: str) -> str:
    """The richest form there is: rich text, else the longer of `text` and what other blocks say."""
    blocks = items(message.get("blocks"))
    rich = [b for b in blocks if b.get("type") == "rich_text"]
    if rich:
        found = "\n".join(_rich(block, bot_user) for block in rich)
    else:
        plain = unescaped(words(message.get("text")), bot_user)
        shown = "\n".join(filter(None, (_block(block) for block in blocks)))
        found = max(plain, shown, key=len)  # an app's `text` is often only the notification
    by_app = "bot_id" in message or not found.strip()
    tail = (_attachment(a, by_app=by_app) for a in items(message.get("attachments")))
    return "\n".join(filter(None, [found, *tail]))


def _rich(block: Json, bot_user: str) -> str:
    return "\n".join(
        _part(part, bot_user).rstrip("\n") for part in items(block.get("elements"))
    ).strip("\n")


def _part(part: Json, bot_user: str) -> str:
    """One section, list, quote or block of code of a rich text."""
    kind = part.get("type")
    if kind == "rich_text_preformatted":
        code = "".join(_exact(e) for e in items(part.get("elements")))
        return fenced(code, words(part.get("language")))
    if kind == "rich_text_list":
        indent = part.get("indent")
        lead = "  " * (min(indent, 8) if isinstance(indent, int) else 0)
        mark = LIST_MARKS.get(words(part.get("style")), "-")
        rows = (_line(row, bot_user) for row in items(part.get("elements")))
        return "\n".join(f"{lead}{mark} {row}" for row in rows)
    line = _line(part, bot_user)
    if kind == "rich_text_quote":
        return "\n".join(f"> {row}" for row in line.split("\n"))
    return line


def _line(part: Json, bot_user: str) -> str:
    return "".join(_element(e, bot_user) for e in items(part.get("elements")))


def _exact(element: Json) -> str:
    return words(element.get("text")) or words(element.get("url"))


def _element(element: Json, bot_user: str) -> str:
    """One piece of a line: a text, a link, a mention, an emoji."""
    kind, text = element.get("type"), words(element.get("text")).replace(_OURS, "")
    if kind == "text":
        if mapping(element.get("style")).get("code") is True and text.strip():
            return f"`{text}`" if "`" not in text else f"`` {text} ``"
        return text
    if kind == "link":
        return _link(words(element.get("url")), text)
    if kind == "user":
        user = words(element.get("user_id"))
        return _OURS if bot_user and user == bot_user else f"<@{user}>"
    if kind == "emoji":
        return f":{words(element.get('name'))}:"
    named = {
        "channel": f"<#{words(element.get('channel_id'))}>",
        "broadcast": f"@{words(element.get('range'))}",
        "usergroup": f"@{words(element.get('usergroup_id'))}",
        "date": words(element.get("fallback")),
        "color": words(element.get("value")),
    }
    return named.get(words(kind), text)


def _leaves(part: Json) -> Iterator[Json]:
    """The pieces of a section, and of each row of a list."""
    for element in items(part.get("elements")):
        yield element
        yield from items(element.get("elements"))


def _block(block: Json) -> str:
    """A block of an app's message, as text."""
    kind = words(block.get("type"))
    if kind == "rich_text":
        return _rich(block, "")
    if kind in {"section", "header"}:
        fields = [_object(f) for f in items(block.get("fields"))]
        return "\n".join(filter(None, [_object(mapping(block.get("text"))), *fields]))
    if kind == "markdown":
        return words(block.get("text"))
    if kind == "context":
        return " ".join(filter(None, (_object(e) for e in items(block.get("elements")))))
    if kind in {"image", "video"}:
        return words(block.get("alt_text"))
    if kind == "table":
        rows = block.get("rows")
        return "\n".join(
            " | ".join(_rich(c, "") or words(c.get("text")) for c in items(row))
            for row in (rows if isinstance(rows, list) else [])
        )
    return ""


def _object(text: Json) -> str:
    """A text object: `mrkdwn` is escaped, `plain_text` is not."""
    found = words(text.get("text"))
    return unescaped(found) if text.get("type") == "mrkdwn" else found


def _attachment(attachment: Json, *, by_app: bool) -> str:
    """A legacy attachment (monitoring apps still speak so), or a message that somebody forwarded.

    What else hangs on a person's message are previews of links: not their words.
    """
    forwarded = attachment.get("is_share") is True or attachment.get("is_msg_unfurl") is True
    if not by_app and not forwarded:
        return ""
    fields = [
        f"{unescaped(words(f.get('title')))}: {unescaped(words(f.get('value')))}"
        for f in items(attachment.get("fields"))
    ]
    parts = [
        unescaped(words(attachment.get("pretext"))),
        _link(words(attachment.get("title_link")), unescaped(words(attachment.get("title")))),
        unescaped(words(attachment.get("text"))),
        *fields,
        *(_block(b) for b in items(attachment.get("blocks"))),
    ]
    text = "\n".join(filter(None, parts)) or unescaped(words(attachment.get("fallback")))
    if forwarded and text:
        quoted = "\n".join(f"> {line}" for line in text.split("\n"))
        author = " ".join(words(attachment.get("author_name")).split())
        return f"Forwarded{' from ' + author if author else ''}:\n{quoted}"
    return text
