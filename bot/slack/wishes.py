"""What somebody wants, by the words they used: a review, a summary of tickets, the cost, a stop, or just an answer.

Pure. The same words mean the same after a mention and after a slash command. What is not clearly one of our words
goes to Claude.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.ask import Feature, FileRef
from bot.digests import BadCadence, parted, subject
from bot.slack.words import has_code
from bot.summarize import JQL, SPRINT, USAGE

KEY = re.compile(r"\b[A-Z][A-Z0-9_]{1,20}-\d{1,9}\b")  # SHOP-12
PULL = re.compile(
    r"https?://[^\s<>|)]{1,300}/"
    r"(?:(?:pull|pulls|merge_requests|pull-requests)/\d{1,9}|commit/[0-9a-f]{7}|compare/[^\s<>|)]{1,200}\.\.\.)"
)
JIRA = re.compile(
    r"https?://[^\s<>|)]{1,300}(?:/browse/[A-Z][A-Z0-9_]{1,20}-\d|[?&](?:jql|selectedIssue)=|/boards/\d)"
)
SUMMARIZE = re.compile(r"^(?:please\s+)?summari[sz]e\b[:,]?\s*", re.IGNORECASE)
REVIEW = re.compile(r"^(?:please\s+)?(?:code[- ]|re-?)?review\b", re.IGNORECASE)
STOP = re.compile(
    r"^(?:please\s+|@Purser\s+)?(?:stop|cancel)(?:\s+please)?\s*[.!]*$", re.IGNORECASE
)
COST = re.compile(r"^costs?\b[:,]?\s*", re.IGNORECASE)
PERIOD = re.compile(
    r"^(?:today|yesterday|\d{1,3}d|(?:this|last)\s+month|\d{4}-\d{2}|by\s|csv\b|<?#|$)",
    re.IGNORECASE,
)
OURS = ("help", "policy", "why", "budget", "hello", "digests")
ADMINS = re.compile(
    r"^(?:(?:pause|resume)(?:\s+everywhere)?|budget\s+\$?\d[\d.]*|reset\s+(?:budget|model)|model\s+claude-\S+"
    r"|audit\s+[a-z][a-z0-9_]{1,20}-\d{1,9}|digests\s+stop\s+`?[0-9a-f]{8}`?)$",
    re.IGNORECASE,
)
COST_WORDS = 3  # a longer sentence that begins with "cost" is a question for Claude
NOT_CODE = ("image/", "video/", "audio/", "application/pdf")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted, and the words that say the rest of it."""

    feature: Feature
    text: str
    stop: bool = False


def wish(text: str, files: Sequence[FileRef] = (), *, in_thread: bool = False) -> Wish:
    """What a mention or a direct message wants.

    Args:
        text: the words without the mention.
        files: what hangs on the message.
        in_thread: in a thread, "why" is a question about what was just said, not about the policy.
    """
    bare = text.strip()
    word = bare.rstrip(".!?").lower()
    if not bare and not files:
        return Wish("purser", "hello")
    if STOP.match(bare):
        return Wish("purser", "stop", stop=True)
    if word in OURS and not (in_thread and word == "why"):
        return Wish("purser", word)
    if ADMINS.match(bare):
        return Wish("purser", bare)
    if COST.match(bare) and _of_the_books(COST.sub("", bare), question=bare.endswith("?")):
        return Wish("cost", COST.sub("", bare).rstrip("?"))
    if SUMMARIZE.match(bare) and recurs(rest := SUMMARIZE.sub("", bare), named=True):
        return Wish("purser", f"digest {rest}")
    if SUMMARIZE.match(bare) and names_tickets(rest := SUMMARIZE.sub("", bare)):
        return Wish("summarize", rest)
    if only_tickets(bare):
        return Wish("summarize", bare)
    code_files = any(not f.mimetype.startswith(NOT_CODE) for f in files)
    if REVIEW.match(bare) or has_code(bare) or PULL.search(bare) or code_files:
        return Wish("review", bare)
    return Wish("chat", bare)


def _of_the_books(rest: str, *, question: bool) -> bool:
    """Whether words after "cost" ask for the books: a period, or too few words to be a question for Claude."""
    return bool(PERIOD.match(rest)) or (len(rest.split()) <= COST_WORDS and not question)


def recurs(text: str, *, named: bool = False) -> bool:
    """Whether words after "summarize" ask for it again and again; with `named`, of something that a digest can be of."""
    try:
        found = parted(text)
    except BadCadence as wrong:  # who answers says what is wrong with it
        return not named or subject(wrong.about) is not None
    return found is not None and not (named and subject(found[0]) is None)


def names_tickets(text: str) -> bool:
    """Whether words after "summarize" name tickets: keys, an address in Jira, JQL or a sprint."""
    return any(p.search(text) for p in (KEY, JIRA, JQL, SPRINT))


def only_tickets(text: str) -> bool:
    """Whether a message is nothing but tickets: keys and addresses in Jira, JQL, or `sprint NAME`."""
    if JQL.match(text):
        return True
    if SPRINT.match(text):
        return len(text.split()) == 2
    parts = re.split(r"[\s,]+", text.strip())
    return bool(text.strip()) and all(JIRA.match(p) or KEY.fullmatch(p) for p in parts)


@dataclass(frozen=True, slots=True)
class Usage:
    """A command that cannot be taken as it is: the sentence says how it is used."""

    sentence: str


def command(name: str, text: str) -> Wish | Usage:
    """What a slash command wants; `/purser summarize …` and `/purser cost …` are the same as the commands."""
    first, _, rest = text.strip().partition(" ")
    verb = name.lstrip("/").lower()
    if verb not in {"summarize", "cost"}:
        verb, text = first.lower(), rest
    text = text.strip()
    if verb in {"summarize", "summarise"} and recurs(text):
        return Wish("purser", f"digest {text}")
    if verb in {"summarize", "summarise"}:
        return Wish("summarize", text) if text else Usage(USAGE)
    if verb in {"cost", "costs"}:
        return Wish("cost", text)
    return Wish("purser", f"{verb} {text}".strip() or "help")
