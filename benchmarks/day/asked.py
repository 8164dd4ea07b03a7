"""The day's requests in their order, as the bot's own code makes them of what people ask; no cache marks yet.

How long Claude and the tools take is made up; how the messages look, what is remembered of them, system and tools
are not.
"""

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from benchmarks.day.people import Ask, Round, Talk
from bot.ask import Said
from bot.caching import Thread
from bot.conversation import Conversation
from bot.demo.claude.models import catalogue
from bot.demo.claude.prompt import Prompt, read_prompt
from bot.labels import request, said_before
from bot.policy import Policy
from bot.prompts import Prompts
from bot.remembered import Kept, Message, as_sent, remembered
from bot.rules import Rules
from bot.summarize import brief as summary
from bot.tool_runner import ToolRunner
from bot.tools import declare
from bot.turn.brief import Brief
from bot.turn.request import frame
from integrations.web import Web

MIDNIGHT = 1_795_651_200.0  # of a day in November 2026, in epoch seconds
BEGINS_SECONDS = 1.2  # from a request to the first event of its answer
CHARS_PER_SECOND = 280.0  # of an answer, thoughts included
BYTES_PER_TOKEN = 3.5
POOL_CHARS = 2_000_000
SYLLABLES = ("ba", "ki", "lo", "ment", "ra", "si", "tor", "un", "ve", "xel", "in", "the", "of")
TOOLS = {"chat": "web_fetch", "review": "repository_file", "summarize": "jira_get_issue"}


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request of the day; what came before it in its thread is read as it is remembered.

    Attributes:
        at: when it leaves, in epoch seconds; `begins` and `ends` of its answer.
        thread: where; `n` is its place in its ask, from 0.
        rounds: what followed in its ask so far.
        prompt: as the cache sees it, without marks.
        output_tokens: of the answer.
        end: where its answer ends the ask, how that is kept.
    """

    at: float
    begins: float
    ends: float
    thread: Thread
    n: int
    feature: str
    model: str
    conversation: Conversation
    rounds: tuple[Message, ...]
    prompt: Prompt
    output_tokens: int
    end: Kept | None = None


@lru_cache(20_000)
def whole(request: Request, asks: tuple[int, ...]) -> Request:
    """The same, the asks before it from this one on read as they were sent."""
    if not any(one.sent for one in request.conversation.kept if one.n in asks):
        return request
    conversation = request.conversation.whole(asks)
    prompt = _prompt(request.model, conversation.messages(request.rounds))
    return replace(request, conversation=conversation, prompt=prompt)


def after(request: Request, asks: tuple[int, ...]) -> Prompt:
    """What the next ask in its thread begins with, if it reads those from this one on as they were sent."""
    kept = (*request.conversation.kept, *([request.end] if request.end else []))
    messages = [message for one in kept for message in one.read(whole=one.n in asks)]
    return _prompt(request.model, messages)


def system_end(prompt: Prompt) -> int:
    """The place of the system prompt's last block."""
    return max(n for n, piece in enumerate(prompt.pieces) if piece.section == "system")


def asked_end(request: Request) -> int:
    """The place of the last block of the ask's own message."""
    after = sum(len(message["content"]) for message in request.rounds)
    return len(request.prompt.pieces) - after - 1


def requests(talks: Sequence[Talk], seed: int) -> list[Request]:
    """All requests of a day, in the order in which they leave."""
    words = _Words(seed)
    made = [one for n, talk in enumerate(talks) for one in _talk(f"{n}", talk, words)]
    return sorted(made, key=lambda one: one.at)


@cache
def head(model: str) -> Mapping[str, Any]:
    """What all requests to a model begin with, as the bot sends it."""
    runner = ToolRunner(declare(jira=None, web=Web(), policy=Policy()), clock=lambda: 0.0)
    effort = Rules().effort
    return frame(prompts=Prompts.load(), tools=runner.declared, model=model, effort=effort)


def _prompt(model: str, messages: Sequence[Message]) -> Prompt:
    return read_prompt({**head(model), "messages": messages}, catalogue()[model])


class _Words:
    """Text of any length that stands nowhere else."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        some = self._rng.choices(SYLLABLES, k=POOL_CHARS // 3)
        self._pool = " ".join(some)
        self._said = 0

    def some(self, chars: int) -> str:
        self._said += 1
        start = self._rng.randrange(len(self._pool) - max(chars, 1))
        return f"{self._said} {self._pool[start : start + chars]}"

    def seconds(self) -> float:
        """That tools take."""
        return self._rng.uniform(0.4, 4.0)


def _brief(ask: Ask) -> Brief:
    rules, workspace = Rules(), Policy().workspace
    if ask.feature == "summarize":
        return summary(rules, workspace, tools=True)
    brief = Brief(ask.feature, rules.model, rules.effort, rules, workspace)
    return brief.deeper() if ask.deep else brief


def _talk(lane: str, talk: Talk, words: _Words) -> list[Request]:
    made: list[Request] = []
    kept: list[Kept] = []
    at = MIDNIGHT + talk.begins
    for n, ask in enumerate(talk.asks, start=1):
        at += ask.gap
        brief = _brief(ask)
        conversation = _conversation(ask, tuple(kept), talk.user, at, words)
        thread = Thread(talk.channel, lane, n)
        followed = _answered(ask, brief, thread, conversation, at, words)
        made.extend(followed)
        at = followed[-1].ends
        end = [*followed[-1].rounds, _assistant(words, brief.model, ask.thought, ask.answer)]
        messages = (conversation.new, *end)
        sent = as_sent(messages) if followed[-1].n else ()
        kept.append(Kept(n, tuple(remembered(messages)), tuple(sent)))
        made[-1] = replace(made[-1], end=kept[-1])
    return made


def _conversation(
    ask: Ask, kept: tuple[Kept, ...], user: str, at: float, words: _Words
) -> Conversation:
    said = Said(ts=f"{at:.6f}", user=user, name=user, text=words.some(ask.context))
    content, _ = said_before([said] if ask.context else [])
    question = words.some(ask.words)
    new: Message = {"role": "user", "content": [*content, request(question, user, at)]}
    made = Conversation(older=None, kept=kept, new=new, question=question, seen_ts="")
    if ask.change:
        made = made.with_read([("pull_request_diff", "{}", words.some(ask.change))])
    return made


def _answered(
    ask: Ask, brief: Brief, thread: Thread, conversation: Conversation, at: float, words: _Words
) -> list[Request]:
    made: list[Request] = []
    rounds: list[Message] = []
    for n in range(len(ask.rounds) + 1):
        now = ask.rounds[n] if n < len(ask.rounds) else None
        chars = now.thought + now.said + 150 * len(now.results) if now else ask.thought + ask.answer
        begins = at + BEGINS_SECONDS
        ends = begins + chars / CHARS_PER_SECOND
        made.append(
            Request(
                at=at,
                begins=begins,
                ends=ends,
                thread=thread,
                n=n,
                feature=brief.feature,
                model=brief.model,
                conversation=conversation,
                rounds=tuple(rounds),
                prompt=_prompt(brief.model, conversation.messages(rounds)),
                output_tokens=round(chars / BYTES_PER_TOKEN),
            )
        )
        if now is not None:
            rounds += _tools(now, brief, words)
            at = ends + words.seconds()
    return made


def _tools(round_: Round, brief: Brief, words: _Words) -> list[Message]:
    name = TOOLS[brief.feature]
    uses = [
        {
            "type": "tool_use",
            "id": f"toolu_{words.some(8)}",
            "name": name,
            "input": {"of": words.some(40)},
        }
        for _ in round_.results
    ]
    called = _assistant(words, brief.model, round_.thought, round_.said)
    results = [
        {
            "type": "tool_result",
            "tool_use_id": use["id"],
            "content": [{"type": "text", "text": words.some(chars)}],
        }
        for use, chars in zip(uses, round_.results, strict=True)
    ]
    return [
        {**called, "content": [*called["content"], *uses]},
        {"role": "user", "content": results},
    ]


def _assistant(words: _Words, model: str, thought: int, said: int) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if thought:
        signature = base64.b64encode(f"{model}\0".encode()).decode()
        thinking = words.some(thought)
        content.append({"type": "thinking", "thinking": thinking, "signature": signature})
    if said:
        content.append({"type": "text", "text": words.some(said)})
    return {"role": "assistant", "content": content}
