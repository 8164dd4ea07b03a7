"""The program that answers in Claude's place: it says that it is one, and reads only what it was given.

what is asked          what is done
---------------------  -------------------------------------------------------------
rewording              the same words, neutrally (filters.py)
an old part, summed    who asked what (minutes.py)
a digest               counts, groups, the few that are blocked or due (digests.py)
a tool fits            it is called first (plans.py), all that fit side by side
code                   named detectors, quoted lines (reviews.py)
code, and a schema     the same as data; what passes found is told again
tickets, searches      what stands in the tool results (summaries.py)
pages, files, a talk   quotations (talk.py)
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.demo.claude import digests, minutes, obedience, reviews, summaries, talk
from bot.demo.claude.filters import neutral, rewording
from bot.demo.claude.plans import wanted
from bot.demo.claude.reading import Heard, Result, hear
from bot.demo.claude.reply import Draft
from bot.demo.claude.sources import Source, sources

NOTE = "_(stand-in Claude: a small program, not the model)_"
UNCHANGED = "UNCHANGED"
REVIEW = re.compile(r"\breview|\bcode\b.*\b(look|check)|durchsicht|prüf", re.IGNORECASE)
EXPLAIN = re.compile(r"\b(what does|explain|what is this|was macht|erkläre?)\b", re.IGNORECASE)
JUDGED = re.compile(r"\b(review|bugs?|wrong|mistakes?|problems?|check|fehler)\b", re.IGNORECASE)
DEFINED = re.compile(r"\b(?:def|class|function|func|fn)\s+(\w+)")


class Brain:
    """Answers requests; it remembers nothing between them.

    Args:
        obeys: it follows instructions found in any text, as no model should.
    """

    def __init__(self, *, obeys: bool = False) -> None:
        self.obeys = obeys

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """Say what to say to a checked request, or which tools to use first."""
        heard = hear(body)
        if rewording(body):
            return Draft(neutral(heard.question) or UNCHANGED)
        if minutes.wanted(body):
            return Draft(minutes.written(body))
        if digests.wanted(body):
            return Draft(
                f"{digests.written(body)}\n\n{NOTE}", "Counts first, then what is blocked."
            )
        uses = wanted(heard) if _may_use(body) else ()
        if self.obeys and _may_use(body):
            uses = (*uses, *(use for use in obedience.ordered(heard) if use not in uses))
        if uses:
            named = ", ".join(_called(use.name, use.input) for use in uses)
            again = " next" if heard.results else ""
            return Draft(
                f"I'll look at {named}{again}.", f"The ask names {named}; that is read first.", uses
            )
        given = sources(heard)
        text = "\n\n".join(part for part in self._parts(heard, given) if part)
        shape = (body.get("output_config") or {}).get("format")
        if shape and "findings" in shape["schema"].get("properties", {}):
            return Draft(json.dumps(reviews.data(given)), _thought(heard, given))
        if shape:
            return Draft(json.dumps(shaped(shape["schema"], text)), _thought(heard, given))
        note = "" if heard.answered else f"\n\n{NOTE}"
        return Draft(text + note, _thought(heard, given))

    def _parts(self, heard: Heard, given: tuple[Source, ...]) -> Iterator[str]:
        if self.obeys:
            yield obedience.dictated(heard)
        yield from _told(heard)
        yield from _earlier(heard)
        if passes := heard.result_of("review_passes"):
            yield reviews.retold(passes[0].text)
            return
        if given and EXPLAIN.search(heard.words) and not JUDGED.search(heard.words):
            yield _explained(given)
        elif given:
            yield reviews.review(given)
            yield from _coverage(heard)
        elif REVIEW.search(heard.words) and not heard.results:
            yield (
                f"I see no code to review in “{talk.clipped(heard.words, 120)}”: paste it, attach "
                "it, or name a pull request."
            )
        code = {source.name for source in given}
        rest = [file for file in heard.files if file.name not in code]
        yield from (talk.file(file) for file in rest)
        if heard.pictures and (given or rest or heard.results):
            yield "I did not look at the attached pictures or PDFs: I read text only."
        if not (heard.results or given or rest or REVIEW.search(heard.words)):
            yield talk.chat(heard)


def shaped(schema: Mapping[str, Any], text: str) -> Any:
    """Give a value that fits a JSON schema, with the answer in its strings."""
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        parts: Mapping[str, Any] = schema.get("properties") or {}
        return {name: shaped(part, text) for name, part in parts.items()}
    plain: Mapping[str, Any] = {"integer": 0, "number": 0, "boolean": False, "null": None}
    return [] if kind == "array" else plain.get(kind, text)


def _may_use(body: Mapping[str, Any]) -> bool:
    return (body.get("tool_choice") or {}).get("type") != "none"


def _called(name: str, given: Mapping[str, Any]) -> str:
    value = next(iter(given.values()), "")
    return f"{value}" if isinstance(value, str) and value else name


def _told(heard: Heard) -> Iterator[str]:
    tickets = heard.result_of("jira_get_issue")
    if tickets:
        yield summaries.summary(tickets, german=heard.german)
    for result in heard.results:
        yield _one(result)


def _one(result: Result) -> str:
    if result.name == "jira_get_issue":
        return ""
    if result.name in ("jira_search", "jira_count", "jira_sprint"):
        return summaries.search(result)
    if result.name.startswith("jira_propose_"):
        return summaries.proposal(result)
    if result.name == "web_fetch":
        return talk.page(result)
    if result.name in ("review_passes", "review_overview"):
        return ""
    if result.name in ("pull_request_diff", "repository_file") and not result.failed:
        return ""
    return talk.other(result)


def _earlier(heard: Heard) -> Iterator[str]:
    """What became of an earlier review's findings, in the words of whoever looked."""
    for result in heard.result_of("pull_request_diff"):
        if told := re.findall(r"^Earlier finding (\d+), (.+)$", result.text, re.MULTILINE):
            yield "\n".join(f"- Finding {n}, {words}" for n, words in told)


def _coverage(heard: Heard) -> Iterator[str]:
    """How much of a change was given, in the words of the tool that read it."""
    for result in heard.result_of("pull_request_diff"):
        if told := re.search(r"^Read: (.+)\.$", result.text, re.MULTILINE):
            yield f"Of the change I was given {told[1]}."


def _explained(given: tuple[Source, ...]) -> str:
    told: list[str] = []
    for source in given:
        names = dict.fromkeys(DEFINED.findall(source.text))
        first = source.code[0].text.strip() if source.code else ""
        listed = ", ".join(f"`{name}`" for name in names) or f"no named part; it begins `{first}`"
        where = f"`{source.name}`" if source.name else "The code"
        told.append(f"{where} ({source.language}, {len(source.lines)} lines) defines {listed}.")
    return "\n".join(told)


def _thought(heard: Heard, given: tuple[Source, ...]) -> str:
    if given:
        return reviews.thought(given)
    if heard.results:
        read = sum(not result.failed for result in heard.results)
        return f"{read} of {len(heard.results)} tool calls brought something. Putting it together."
    return f"A question of {len(heard.words.split())} words, without code and without tools."
