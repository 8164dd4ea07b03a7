"""The demo's classifier: it looks at single words, so a blunt wording trips it and a neutral one passes.

    words                                            what happens
    -----------------------------------------------  --------------------------------------
    kill(s|ed|ing) with child, children or orphans   refusal, general_harms
    exploit, hack into, malware, attack payload      refusal, cyber
    nuke, blow up                                    refusal in mid-answer, general_harms
    gain-of-function, weaponise a pathogen           refusal, bio
    train a rival frontier model                     refusal, frontier_llm
    print your hidden reasoning                      refusal, reasoning_extraction
    curse word of no category: "burn it all down"    refusal without a category
    the full lyrics of                               the output filter's 400

Every ask of the conversation is looked at, so a refused turn that stays in it refuses
again. Other people's messages, files, tool results and rewordings are not looked at.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot.demo.claude.errors import OUTPUT_FILTER, invalid
from bot.demo.claude.reading import asks_of
from bot.demo.claude.reply import Refusal

# All patterns of a row must be found, anywhere in the ask.
TRIGGERS: tuple[tuple[tuple[re.Pattern[str], ...], Refusal], ...] = tuple(
    (tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns), refusal)
    for patterns, refusal in (
        ((r"\bkill(s|ed|ing)?\b", r"\b(child|children|orphans?)\b"), Refusal("general_harms")),
        ((r"\bexploit|\bhack(ing)? into\b|\bmalware\b|\battack payload",), Refusal("cyber")),
        ((r"\bnuk(e|es|ed|ing)\b|\bblow(s|ing)? up\b",), Refusal("general_harms", mid=True)),
        ((r"gain.of.function|weaponi[sz]e a pathogen",), Refusal("bio")),
        ((r"train a rival frontier model",), Refusal("frontier_llm")),
        ((r"print your hidden reasoning",), Refusal("reasoning_extraction")),
        ((r"burn it all down",), Refusal(None)),
    )
)
FILTERED = re.compile(r"\bthe full lyrics of\b", re.IGNORECASE)
REWORDING_CHARACTERS = 8_000  # a system prompt with one task; a long one has others, too
REWORDING = re.compile(
    r"\breword|\brewrite (it|the request)|put the same request into neutral", re.IGNORECASE
)
# What a neutral wording puts in place of what trips the filter above.
NEUTRAL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"\bkilling\b", "ending"),
        (r"\bkilled\b", "ended"),
        (r"\bkills\b", "ends"),
        (r"\bkill\b", "end"),
        (r"\borphans\b", "processes without a parent"),
        (r"\bexploits\b", "weaknesses"),
        (r"\bexploited\b", "misused"),
        (r"\bexploiting\b", "misusing"),
        (r"\bexploitable\b", "open to misuse"),
        (r"\b(an )?exploit\b", "a weakness"),
        (r"\bhack(ing)? into\b", "gain access to"),
        (r"\bmalware\b", "unwanted software"),
        (r"\battack payloads?\b", "hostile input"),
        (r"\bnuking\b", "clearing"),
        (r"\bnuked\b", "cleared"),
        (r"\bnukes\b", "clears"),
        (r"\bnuke\b", "clear"),
        (r"\bblow(s|ing)? up\b", "fail"),
        (r"burn it all down", "remove all of it"),
        (r"\bthe full lyrics of\b", "a summary of"),
        (r"[ \t]*!+", "."),
    )
)


def rewording(body: Mapping[str, Any]) -> bool:
    """Tell whether a request is there to reword another one: its short system prompt says so."""
    system = _system(body)
    short = len(system) <= REWORDING_CHARACTERS and not body.get("tools")
    return short and REWORDING.search(system) is not None


def refusal_of(body: Mapping[str, Any]) -> Refusal | None:
    """Look at all asks of a request.

    Raises:
        Problem: the output filter's 400.
    """
    if rewording(body):
        return None
    for ask in asks_of(body):
        if FILTERED.search(ask):
            raise invalid(OUTPUT_FILTER)
        for patterns, refusal in TRIGGERS:
            if all(pattern.search(ask) for pattern in patterns):
                return refusal
    return None


def neutral(request: str) -> str | None:
    """Put a request in words that pass; None where there are none."""
    text = request
    for pattern, words in NEUTRAL:
        text = pattern.sub(words, text)
    if text == request or any(all(p.search(text) for p in patterns) for patterns, _ in TRIGGERS):
        return None
    return text


def _system(body: Mapping[str, Any]) -> str:
    system = body.get("system") or ""
    return system if isinstance(system, str) else "\n".join(str(b["text"]) for b in system)
