"""Which tools the words of an ask call for, as far as they are offered and were not used yet."""

import re
from collections.abc import Iterator

from bot.demo.claude.reading import Heard
from bot.demo.claude.reply import Use

URL = re.compile(r"https?://[^\s<>|\"'`)\]]+")
KEY = re.compile(r"\b[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}\b")
# Looks like a ticket's key and is none.
NO_KEYS = re.compile(r"^(UTF|SHA|ISO|RFC|CVE|AES|MD|GPT|HTTP|TLS|IPV|BASE|PEP|COVID|X)-")
PULL = re.compile(r"https?://[^/\s]+/[^/\s]+/[^/\s]+/(?:pull/\d|commit/[0-9a-f]{7}|compare/\S)")
BROWSE = re.compile(r"/browse/([A-Z][A-Z0-9_]+-\d+)")
JQL = re.compile(
    r"(?:\(|\b)(?:project|status|assignee|sprint|labels?|priority|issuetype|reporter|created|updated|"
    r"resolution|fixVersion|key|text|statusCategory)\s*(?:=|!=|~|<=?|>=?|\bin\b|\bis\b)[^\n?`]*",
    re.IGNORECASE,
)
COMMENT = re.compile(
    r"\bcomment\s+(?:on|in|to|at)\s+(?P<key>[A-Z]\S+-\d+)[:,]?\s+(?:that\s+|saying\s+)?(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)
MOVE = re.compile(
    r"\b(?:move|set|transition|put)\s+(?P<key>[A-Z]\S+-\d+)\s+(?:to|into|on)\s+[\"'“]?(?P<status>[A-Za-z][\w ]*?)[\"'”]?(?=[.,;!?\n]|\s+and\b|$)",
    re.IGNORECASE,
)
FIELD = re.compile(
    r"\bset\s+(?:the\s+)?(?P<field>priority|summary|due date|labels?|assignee)\s+(?:of|on|for)\s+(?P<key>[A-Z]\S+-\d+)\s+to\s+[\"'“]?(?P<value>[^\"'”.\n]+)",
    re.IGNORECASE,
)
ASSIGN = re.compile(
    r"\bassign\s+(?P<key>[A-Z]\S+-\d+)\s+to\s+(?P<who>me|[A-Z][\w.-]+(?: [A-Z][\w.-]+)*)",
    re.IGNORECASE,
)
CREATE = re.compile(
    r"\b(?:create|open|file)\s+(?:a|an)\s+(?:new\s+)?(?P<type>bug|task|story|ticket|issue)\s+in\s+(?P<project>[A-Z][A-Z0-9_]+)\s*:\s*(?P<summary>[^\n]+)",
    re.IGNORECASE,
)
THREAD = re.compile(
    r"\b(?:create|open|file)\s+an?\s+(?P<type>bug|task|story|ticket|issue)\s+(?:for|from|about|out of)\s+this\b",
    re.IGNORECASE,
)
IT = re.compile(
    r"\b(?P<verb>(?:assign|move|set|comment on)|set the priority of)\s+(?:it|this|this ticket)\b",
    re.IGNORECASE,
)
ALONE = re.compile(r"\bcomment\s+(?=that\b)", re.IGNORECASE)
SPRINT = re.compile(
    r"\bsprint\s+(?:of\s+|in\s+|on\s+)?(?:board\s+|project\s+)?(?P<board>[A-Z][A-Z0-9_]+|\d+)\b"
)
FIELD_NAMES = {"due date": "duedate", "label": "labels"}
USES = 8  # tool calls in one round


def wanted(heard: Heard) -> tuple[Use, ...]:
    """Give the calls to make now; none when all that was wanted is there."""
    done = [(result.name, dict(result.input)) for result in heard.results]
    found: list[Use] = []
    for use in _plan(heard):
        if use.name in heard.tools and (use.name, use.input) not in done and use not in found:
            found.append(use)
    return tuple(found[:USES])


def keys_of(text: str) -> list[str]:
    """Give the ticket keys of a text, each once, in their order."""
    return list(dict.fromkeys(k for k in KEY.findall(text) if not NO_KEYS.match(k)))


def urls_of(text: str) -> list[str]:
    """Give the addresses of a text, each once, without punctuation behind them."""
    return list(dict.fromkeys(url.rstrip(".,;:!?*_~") for url in URL.findall(text)))


def _plan(heard: Heard) -> Iterator[Use]:
    words = heard.words
    changes = [*writes(_named(words, heard)), *_opened(words, heard)]
    if changes:
        yield from changes
        return
    yield from _addresses(words, heard.tools)
    yield from _searches(words)
    if JQL.search(words) is None:
        for key in keys_of(URL.sub(" ", words)):
            yield Use("jira_get_issue", {"key": key})


def _named(words: str, heard: Heard) -> str:
    """The words with "it" and "this" replaced by the ticket that was last named before them, and a comment's "on it" added."""
    key = next(iter(reversed(_earlier(heard))), "")
    if not key or keys_of(words):
        return words
    words = ALONE.sub(rf"comment on {key} ", words)
    return IT.sub(rf"\g<verb> {key}", words)


def _opened(words: str, heard: Heard) -> Iterator[Use]:
    """A ticket about what was said in the thread, in the project that it names."""
    asked = THREAD.search(words)
    keys = [*keys_of(words), *_earlier(heard)]
    talk = (*heard.before, *heard.said)
    if asked is None or not keys or not talk:
        return
    told = "\n\n".join(f"{text.name} wrote:\n\n> {text.text}" for text in talk)
    yield Use(
        "jira_propose_issue",
        {
            "project": keys[0].rpartition("-")[0],
            "type": _kind(asked["type"]),
            "summary": talk[0].text.strip().splitlines()[0][:120],
            "markdown": told,
        },
    )


def _kind(word: str) -> str:
    """The type of a new ticket; who says no more than "a ticket" has a task."""
    return "Task" if word.lower() in ("ticket", "issue") else word.capitalize()


def _earlier(heard: Heard) -> list[str]:
    told = (text.text for text in (*heard.before, *heard.said))
    return keys_of("\n".join([*told, *heard.earlier]))


def _addresses(words: str, tools: frozenset[str]) -> Iterator[Use]:
    for url in urls_of(words):
        ticket = BROWSE.search(url)
        if PULL.match(url) and "pull_request_diff" in tools:
            yield Use("pull_request_diff", {"url": url})
        elif ticket and "jira_get_issue" in tools:
            yield Use("jira_get_issue", {"key": ticket[1]})
        else:
            yield Use("web_fetch", {"url": url})


def _searches(words: str) -> Iterator[Use]:
    jql = JQL.search(words)
    if jql is not None:
        query = jql[0].strip().rstrip(".")
        count = re.search(r"\bhow many\b|\bcount\b|\bwie viele\b", words, re.IGNORECASE)
        yield Use("jira_count" if count else "jira_search", {"jql": query})
    sprint = SPRINT.search(words)
    if sprint is not None and jql is None:
        yield Use("jira_sprint", {"board_or_project": sprint["board"]})


def writes(words: str) -> Iterator[Use]:
    """Give the changes to Jira that words ask for; each is only proposed."""
    for m in COMMENT.finditer(words):
        yield Use("jira_propose_comment", {"key": m["key"], "markdown": m["text"].strip()})
        return
    for m in FIELD.finditer(words):
        name = FIELD_NAMES.get(m["field"].lower(), m["field"].lower())
        change = [{"name": name, "value": m["value"].strip()}]
        yield Use("jira_propose_update", {"key": m["key"], "fields": change})
    for m in ASSIGN.finditer(words):
        change = [{"name": "assignee", "value": m["who"].strip()}]
        yield Use("jira_propose_update", {"key": m["key"], "fields": change})
    for m in MOVE.finditer(words):
        change = {"key": m["key"], "status": m["status"].strip()}
        yield Use("jira_propose_transition", change)
    for m in CREATE.finditer(words):
        kind = _kind(m["type"])
        yield Use(
            "jira_propose_issue",
            {
                "project": m["project"],
                "type": kind,
                "summary": m["summary"].strip(),
                "markdown": "",
            },
        )
