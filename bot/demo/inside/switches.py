"""Troubles to switch on and watch, each with the sentence of what will be seen.

Most strike the next thing they fit and are then over; some last until they are switched off; one is a deed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.demo.claude.errors import Problem
from bot.demo.claude.server import ClaudeStandIn
from bot.demo.claude.troubles import Trouble
from bot.demo.github import GitHubStandIn
from bot.demo.github.repositories import is_mended, mend
from bot.demo.inside.sources import Json, Sources
from bot.demo.jira.server import JiraStandIn
from bot.demo.loopback import Troubles as LoopbackTroubles
from bot.demo.slack.standin import SlackStandIn

HANG_SECONDS = 3600.0  # longer than any tool waits
SLACK_CALLS = 3  # that Slack turns away
INTO_ANSWER = 160  # characters that are said before it goes wrong


def _answers(body: Mapping[str, Any]) -> bool:
    """Whether a request wants an answer: keeping caches warm does not."""
    return int(body.get("max_tokens") or 0) > 0


@dataclass(slots=True)
class Switch:
    """One trouble.

    Attributes:
        who: the stranger it is with.
        left: how often it will still strike; 0 is off. Troubles that last say 1.
        struck: when it last struck by itself, epoch seconds.
    """

    name: str
    who: str
    title: str
    sentence: str
    lasts: bool
    on: Callable[[], None]
    off: Callable[[], None]
    left: Callable[[], int]
    struck: float | None = None
    _seen: int = 0

    def turn(self, *, on: bool) -> None:
        """Switch it; a second time the same changes nothing."""
        if on and not self.left():
            self.on()
        elif not on:
            self.off()
        self._seen = self.left()

    def look(self, now: float) -> None:
        """Notice whether it has struck meanwhile."""
        left = self.left()
        if left < self._seen:
            self.struck = now
        self._seen = left

    def wire(self) -> Json:
        """As it is sent to the page."""
        return {
            "name": self.name,
            "who": self.who,
            "title": self.title,
            "sentence": self.sentence,
            "lasts": self.lasts,
            "left": self.left(),
            "struck": self.struck,
        }


@dataclass(slots=True)
class Kill:
    """The one deed: the bot is killed, and started again."""

    name: str = "kill"
    killed: float | None = None
    ready: float | None = None
    problem: str = ""
    _running: asyncio.Future[None] | None = field(default=None, repr=False)

    def do(self, kill: Callable[[], Awaitable[None]], now: Callable[[], float]) -> None:
        """Kill it, unless it is being killed already."""
        if self._running is not None and not self._running.done():
            return
        self.killed, self.ready, self.problem = now(), None, ""
        self._running = running = asyncio.ensure_future(kill())
        running.add_done_callback(lambda done: self._over(done, now()))

    def _over(self, done: asyncio.Future[None], at: float) -> None:
        if done.cancelled():
            return
        broken = done.exception()
        self.ready = None if broken else at
        self.problem = "It did not come back; the log says why." if broken else ""

    def wire(self) -> Json:
        """As it is sent to the page."""
        return {
            "name": self.name,
            "title": "Kill the bot (kill -9)",
            "sentence": "The bot's process is ended as by a power cut and started again; an ask in mid-answer is "
            "taken up again within 30 s and answered whole, and what was paid before is not paid twice.",
            "deed": True,
            "killed": self.killed,
            "ready": self.ready,
            "problem": self.problem,
        }


class Switches:
    """Every trouble of a stage."""

    def __init__(self, sources: Sources, *, now: Callable[[], float]) -> None:
        self._now = now
        self._kill = sources.kill
        self.killing = Kill()
        made = [*_slack(sources.slack)]
        if sources.github is not None:
            made.append(_github(sources.github))
        if sources.jira is not None:
            made.insert(0, _jira(sources.jira))
        if sources.claude is not None:
            made[:0] = _claude(sources.claude)
        self._switches = {switch.name: switch for switch in made}

    def turn(self, name: str, *, on: bool) -> None:
        """Switch a trouble; a name that nobody has does nothing."""
        if name == self.killing.name:
            self.killing.do(self._kill, self._now)
        elif name in self._switches:
            self._switches[name].turn(on=on)

    def wire(self) -> list[Json]:
        """Every trouble as it is now."""
        for switch in self._switches.values():
            switch.look(self._now())
        return [*(switch.wire() for switch in self._switches.values()), self.killing.wire()]


def _claude(claude: ClaudeStandIn) -> list[Switch]:
    def switch(name: str, title: str, sentence: str, times: int = 1, **effects: Any) -> Switch:
        trouble = Trouble(fits=_answers, **effects)

        def off() -> None:
            claude.troubles.waiting[:] = [t for t in claude.troubles.waiting if t is not trouble]

        return Switch(
            name,
            "claude",
            title,
            sentence,
            lasts=False,
            on=lambda: claude.troubles.add(trouble, times),
            off=off,
            left=lambda: sum(1 for waiting in claude.troubles.waiting if waiting is trouble),
        )

    limited = Problem(429, headers={"retry-after": "3"})
    return [
        switch(
            "rate_limit",
            "Claude's rate limit (429)",
            "The next request is turned away; the thread's status says how long, and after three seconds it is "
            "asked again.",
            problem=limited,
        ),
        switch(
            "overload",
            "Claude overloaded (529)",
            "The next request is turned away; Purser waits a few seconds, asks once more, and the books show only "
            "what was answered.",
            problem=Problem(529),
        ),
        switch(
            "refusal_early",
            "Refusal before a word",
            "Claude refuses at once; Purser asks for a neutral wording, shows it and tries that. A request that is "
            "neutral already gets a sentence instead.",
            refuse=True,
        ),
        switch(
            "refusal_mid",
            "Refusal in mid-answer",
            "Claude begins, then refuses; the words already shown are taken back, and the same is tried as with a "
            "refusal before a word.",
            refuse=True,
            mid=True,
            after=INTO_ANSWER,
        ),
        switch(
            "cut",
            "A cut stream",
            "The connection breaks in mid-answer; what was generated is booked as unconfirmed, and Claude is "
            "asked again.",
            cut=True,
            after=INTO_ANSWER,
        ),
    ]


def _jira(jira: JiraStandIn) -> Switch:
    hanging = LoopbackTroubles(hang=HANG_SECONDS)

    def on() -> None:
        jira.troubles = hanging

    def off() -> None:
        if jira.troubles is hanging:
            jira.troubles = LoopbackTroubles()

    return Switch(
        "jira_hang",
        "jira",
        "Jira hangs",
        "Jira takes every request and never answers; the tool ends within its 20 s, and Claude answers without "
        "it and says so.",
        lasts=True,
        on=on,
        off=off,
        left=lambda: int(jira.troubles is hanging),
    )


def _github(github: GitHubStandIn) -> Switch:
    repository = github.repositories["shop/checkout"]

    def on() -> None:
        mend(repository)

    def off() -> None:
        if is_mended(repository):
            mend(repository, back=True)

    return Switch(
        "pushed",
        "github",
        "A fix is pushed",
        "One of the three bugs of pull request 7 is mended and pushed; “re-review” in the thread of its review reads "
        "only that, and says of each earlier finding what became of it.",
        lasts=True,
        on=on,
        off=off,
        left=lambda: int(is_mended(repository)),
    )


def _slack(slack: SlackStandIn) -> Sequence[Switch]:
    def limit(count: int) -> None:
        slack.troubles.limited["*"] = count

    def double(twice: bool) -> None:
        slack.troubles.twice = twice

    return (
        Switch(
            "slack_429",
            "slack",
            "Slack's rate limit (429)",
            "The next three calls to Slack are turned away; each is made again after the second that Slack asks "
            "for, and the answer is whole.",
            lasts=False,
            on=lambda: limit(SLACK_CALLS),
            off=lambda: limit(0),
            left=lambda: slack.troubles.limited.get("*", 0),
        ),
        Switch(
            "double",
            "slack",
            "Double delivery",
            "Slack delivers every event twice although it was acknowledged; each is asked, answered and paid once.",
            lasts=True,
            on=lambda: double(True),
            off=lambda: double(False),
            left=lambda: int(slack.troubles.twice),
        ),
    )
