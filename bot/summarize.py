"""A summary of tickets: which ones are meant, and what is asked of Claude.

The instructions are in prompts/summarize.md, which every ask shares; here stands what differs between asks.
"""

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from bot.rules import Rules, Workspace
from bot.turn import Brief

KEY = re.compile(r"\b[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}\b")
JQL = re.compile(
    r"^\s*\(?\s*(project|status|assignee|reporter|sprint|labels?|issuetype|type|key|issuekey|priority|component|"
    r"fixversion|epic|parent|created|updated|due|resolution|text|summary|statusCategory)"
    r"\s*(!=|=|~|!~|<=|>=|<|>|\s(not\s+)?in\s*\(|\sis\s)",
    re.IGNORECASE,
)
SPRINT = re.compile(r"^sprint\s+(?:of\s+)?(?P<board>\S.*)", re.IGNORECASE)
KEYS_AT_MOST = 10  # tickets read one by one for one summary
WORDS = (
    "Give the whole first: their number, how far they are, what is at risk. Then those that need somebody's "
    "attention, and why; read such a ticket where its line does not say enough. Say what you did not read."
)
USAGE = (
    "Which tickets? `/summarize SHOP-12`, several keys, a Jira address, JQL such as "
    "`project = SHOP AND status = Open`, or `sprint SHOP`."
)


def brief(rules: Rules, workspace: Workspace, *, tools: bool) -> Brief:
    """What a summary's turn is told: the quick model reads and writes it."""
    return Brief(
        feature="summarize",
        model=rules.quick_model,
        effort=rules.effort,
        rules=rules,
        workspace=workspace,
        tools=tools,
    )


def keys(text: str) -> list[str]:
    """The ticket keys that a person named, in their order, each once; addresses are read for theirs."""
    found: dict[str, None] = {}
    for word in text.split():
        for key in _of_address(word.strip("<>(),;")) or KEY.findall(word.upper()):
            found.setdefault(key)
    return list(found)


def question(text: str) -> str | None:
    """The request as Claude reads it, or None when neither ticket, query nor sprint is named."""
    if jql := query(text):
        return (
            f"Summarise the tickets that this Jira query finds, asked exactly so: `{jql}`. {WORDS}"
        )
    if found := SPRINT.match(text.strip()):
        return f"Summarise the active sprint of {found['board'].strip()}. {WORDS}"
    named = keys(text)
    if not named:
        return None
    some, rest = named[:KEYS_AT_MOST], named[KEYS_AT_MOST:]
    words = f"Summarise {', '.join(some)}." if len(some) > 1 else f"Summarise the ticket {some[0]}."
    if rest:
        words += f" (Say that these were not read, ten being the most at once: {', '.join(rest)}.)"
    prose = text.strip()
    return words if _only_keys(prose) else f"{words} The person wrote: {prose}"


def query(text: str) -> str:
    """The JQL that a person wrote, or that stands in the Jira address they pasted; "" where there is none."""
    bare = text.strip()
    if JQL.match(bare):
        return " ".join(bare.split())
    for word in bare.split():
        address = _address(word.strip("<>(),;"))
        asked = parse_qs(address.query).get("jql", [""])[0] if address else ""
        if asked.strip():
            return " ".join(asked.split())
    return ""


def _address(word: str) -> SplitResult | None:
    """A web address in its parts; None for any other word, and for one that is broken."""
    if not word.startswith(("http://", "https://")):
        return None
    try:
        return urlsplit(word.split("|", maxsplit=1)[0])
    except ValueError:
        return None


def _of_address(word: str) -> list[str]:
    """The key in a Jira address: `/browse/KEY` or `?selectedIssue=KEY`."""
    parts = _address(word)
    if parts is None:
        return []
    selected = parse_qs(parts.query).get("selectedIssue", [])
    return [key for text in (*selected, parts.path) for key in KEY.findall(text.upper())][:1]


def _only_keys(text: str) -> bool:
    words = [w.strip("<>(),;") for w in text.split()]
    return all(KEY.fullmatch(w.upper()) or _of_address(w) for w in words)
