"""Plain talk: pages that were read, files, sums, and short answers that quote what was said."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from bot.demo.claude.plans import urls_of
from bot.demo.claude.reading import Heard, Result, Text
from bot.demo.claude.tickets import clipped

SENTENCES = 3  # of a page
SUM_CHARACTERS = 100  # of a sum that is worked out
WORD = 60  # characters; what is longer is no word
SUM = re.compile(r"(?<![\w.])\(?-?\d[\d_.]*(?:\s*[-+*/x×]\s*\(?-?\d[\d_.]*\)?)+")
SUMMARY = re.compile(r"\bsummari[sz]e this thread\b", re.IGNORECASE)
LINES = 12  # of a thread that is summed up
STOPS = frozenset(
    [
        "about",
        "above",
        "after",
        "again",
        "please",
        "could",
        "would",
        "should",
        "because",
        "between",
        "what",
        "which",
        "where",
        "there",
        "their",
        "these",
        "those",
        "they",
        "this",
        "that",
        "with",
        "from",
        "have",
        "does",
        "into",
        "than",
        "then",
        "when",
        "your",
        "bitte",
        "welche",
        "einen",
        "diese",
        "dieser",
        "können",
        "nicht",
        "thread",
        "question",
        "answer",
        "purser",
    ]
)
POWERS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def page(result: Result) -> str:
    """Quote a fetched page's title and first sentences, or say that it could not be read."""
    url = str(result.input.get("url", "the page"))
    if result.failed:
        reason = clipped(result.text) or "no reason was given"
        return f"I could not read {url}: “{reason}” So this answer stands without it."
    rows = [line.strip() for line in result.text.splitlines() if line.strip()]
    titles = [row for row in rows[:12] if re.match(r"(?i)#|title\W", row)]
    title = re.sub(r"(?i)^(#+|title\W+)\s*", "", titles[0]) if titles else ""
    body = " ".join(r for r in rows if r not in titles and not r.startswith(("http", "URL", "<")))
    first = " ".join(re.split(r"(?<=[.!?])\s+", body)[:SENTENCES])
    head = f"**{title}** ({url}). " if title else f"From {url}: "
    return f"{head}It begins: “{clipped(first, 500)}”"


def other(result: Result) -> str:
    """Tell what any other tool brought."""
    if result.failed:
        return f"`{result.name}` failed: “{clipped(result.text)}”"
    return f"`{result.name}` brought: “{clipped(result.text, 400)}”"


def file(given: Text) -> str:
    """Tell of an attached text, or why it could not be read."""
    text = given.text.strip()
    if text.startswith("[not read"):
        return f"I could not read `{given.name}`: {text.strip('[]').removeprefix('not read: ')}"
    first = re.split(r"(?<=[.!?])\s+|\n", text)[0]
    return f"`{given.name}` ({len(text.splitlines())} lines) begins: “{clipped(first)}”"


def _line(text: Text) -> str:
    ends = re.split(r"(?<=[.!?])\s+|\n", text.text.strip())
    question = " (a question)" if ends[-1].endswith("?") else ""
    return f"- {text.name}: “{clipped(ends[0])}”{question}"


def chat(heard: Heard) -> str:
    """Answer shortly in the person's words: there is no knowledge here, and it says so."""
    if SUMMARY.search(heard.words) and (told := (*heard.before, *heard.said)):
        return "\n".join(["What was said here:", *map(_line, told[-LINES:])])
    parts = [_sum(heard.words) or _plain(heard)]
    if heard.earlier:
        before = clipped(heard.earlier[-1], 120)
        parts.append(
            f"Davor ging es um: “{before}”"
            if heard.german
            else f"Before that you asked: “{before}”"
        )
    elif heard.said:
        last = heard.said[-1]
        who = last.name or "somebody"
        parts.append(f"In the thread {who} wrote: “{clipped(last.text, 160)}”")
    parts.extend(_unseen(heard))
    return "\n\n".join(parts)


def distinctive(text: str, count: int = 3) -> list[str]:
    """Give the words of a text that another text would hardly have."""
    words = dict.fromkeys(re.findall(r"[\w][\w.@/-]{3,}\w", text))

    def weight(word: str) -> int:
        odd = any(c.isdigit() for c in word) + ("_" in word or "-" in word)
        return len(word) + 12 * odd + 4 * any(c.isupper() for c in word[1:])

    kept = [w for w in words if w.lower() not in STOPS and len(w) <= WORD]
    return sorted(kept, key=weight, reverse=True)[:count]


def _plain(heard: Heard) -> str:
    words = heard.words
    named = ", ".join(f"`{word}`" for word in distinctive(words))
    quoted = clipped(words, 160)
    if heard.german:
        return f"Du fragst: “{quoted}”. Es geht um {named or 'wenig'}; wissen kann ich dazu nichts."
    about = f"It is about {named}. " if named else ""
    return (
        f"You ask: “{quoted}” {about}I have no knowledge of my own, only what stands in this "
        "conversation and what tools bring."
    )


def _unseen(heard: Heard) -> list[str]:
    told: list[str] = []
    if heard.pictures:
        told.append("I did not look at the attached pictures or PDFs: I read text only.")
    if urls_of(heard.words) and not heard.results:
        told.append(f"I did not read {urls_of(heard.words)[0]}: no tool for it was offered.")
    return told


def _sum(words: str) -> str:
    found = SUM.search(words)
    if found is None or len(found[0]) > SUM_CHARACTERS:
        return ""
    text = found[0].replace("x", "*").replace("×", "*").strip()
    try:
        value = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        return ""
    shown = str(value) if value.denominator == 1 else f"{float(value):.10g}"
    return f"{found[0].strip()} = {shown}"


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in POWERS:
        return POWERS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError(ast.dump(node))
