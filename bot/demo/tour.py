"""The fixed tour: thirteen scenes played on a real bot, in a terminal; each is checked as it ends.

A scene that did not end as promised is told, and makes the tour's exit code 1.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from bot.demo import clock
from bot.demo.github.repositories import mend
from bot.demo.pages.made import Page
from bot.demo.scenes import (
    AGAIN,
    BLUNT,
    DEAR,
    LONG,
    NIGHTLY,
    PLANTED,
    POST,
    QUESTION,
    REVIEW,
    SNIPPET,
)
from bot.demo.slack.message import Message
from bot.demo.stage import BotDied, Stage
from bot.demo.terminal import Terminal, has_feedback, literal, under, words_of

ANSWER_SECONDS = 60.0  # for one answer of the stand-in Claude
REAL_SECONDS = 180.0  # for one answer of the real one
LATE_SECONDS = 4.0  # for a digest, once its hour has come
HOUR_SECONDS = 3_600.0
MORNING = 7  # o'clock
TOOL_SECONDS = 20.0  # within which a tool call ends, whatever the other side does
KILL_AT_CHARS = 250  # of the answer that are seen before the kill


class NotAsPromised(Exception):
    """A scene ended otherwise than it should; the sentence says how."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One step: its title and what is played."""

    title: str
    play: Callable[[], Awaitable[str]]


class Tour:
    """Plays the scenes one after the other.

    Args:
        stage: with the bot running.
        console: where the tour is seen.
    """

    def __init__(self, stage: Stage, console: Console) -> None:
        self._stage, self._slack, self._console = stage, stage.slack, console
        self._terminal = Terminal(console, bot_user=stage.slack.bot_user)
        self._seconds = REAL_SECONDS if stage.real_claude else ANSWER_SECONDS
        self._command = 0  # of the channel's messages by the bot, those seen before
        self._reviewed: Message | None = None  # the thread of the pull request's review

    def scenes(self) -> tuple[Scene, ...]:
        """What is played, in this order."""
        return (
            Scene("A mention with code to review", self._review),
            Scene("A pull request with three planted bugs", self._pull),
            Scene("One of them mended and pushed: what is left?", self._again),
            Scene("The review posted to the pull request, by a click", self._posted),
            Scene("A dear review: go, smaller or cancel?", self._dear),
            Scene("A ticket's summary, by command", self._summary),
            Scene("A ticket changed, by a click", self._changed),
            Scene("A web page, fetched on the way", self._page),
            Scene("A page that never answers", self._slow),
            Scene("A harmless question that a filter refuses", self._refused),
            Scene("kill -9 in mid-answer", self._killed),
            Scene("What it cost", self._cost),
            Scene("A digest for the morning, and the clock moved on to it", self._digest),
        )

    async def play(self) -> int:
        """Play them all; 0, or 1 when one of them did not end as promised."""
        self._greet()
        failed: list[str] = []
        with self._slack.listen() as changes:
            following = asyncio.create_task(self._terminal.follow(changes))
            for number, scene in enumerate(self.scenes(), start=1):
                self._terminal.scene(number, scene.title)
                try:
                    kept = await scene.play()
                    await self._terminal.settle()
                    self._console.print(Text(f"  ✔ {kept}", style="green"))
                except (NotAsPromised, TimeoutError, BotDied) as wrong:
                    failed.append(scene.title)
                    await self._terminal.settle()
                    words = str(wrong) or "no end came in time"
                    self._console.print(Text(f"  ✘ {words}", style="bold red"))
        await following
        self._console.print()
        if failed:
            self._console.print(Text(f"Not as promised: {', '.join(failed)}.", style="bold red"))
            return 1
        self._console.print(Text("Every scene ended as promised.", style="bold green"))
        return 0

    def _greet(self) -> None:
        stage = self._stage
        claude = "the real Claude" if stage.real_claude else "a stand-in for Claude (a program)"
        jira = "the real Jira" if stage.real_jira else "a stand-in for Jira"
        self._console.print(
            Text(
                "Purser's tour: the real bot, in a process of its own, with a stand-in for Slack, "
                f"{claude} and {jira}. Nothing leaves this machine but what goes to the real ones."
            )
        )

    # The scenes; each gives the sentence of what was seen.

    async def _review(self) -> str:
        root = await self._ask("ana", "#shop-dev", REVIEW, code=SNIPPET)
        answer = await self._answered(root)
        streamed = self._slack.calls("chat.startStream") > 0
        self._need(streamed, "the text did not stream")
        quoted = [line.strip() for line in SNIPPET.splitlines() if len(line.strip()) > 12]
        found = any(line in words_of(answer) for line in quoted)
        self._need(found, "the review quotes no line of the snippet")
        return "streamed into the thread, each finding with its line, the receipt under it"

    async def _pull(self) -> str:
        github = self._stage.github
        root = await self._ask("maya", "#shop-dev", f"review {github.url}/shop/checkout/pull/7")
        self._reviewed = root
        words = words_of(await self._answered(root))
        self._need("Read: 3 of 5 files" in words, "it is not said what was read")
        if self._stage.real_claude:
            return "read before the first call, with exactly what was read under the answer"
        head = github.repositories["shop/checkout"].pulls[7].head
        for path, line in PLANTED:
            link = f"{github.url}/shop/checkout/blob/{head}/{path}#L{line}"
            self._need(link in words, f"no link leads to {path}:{line}")
        return "all three found, each with a link to its line at the head commit; what was not read is named"

    async def _again(self) -> str:
        root = self._thread()
        self._terminal.aside("(somebody mends the query, and pushes)")
        mend(self._stage.github.repositories["shop/checkout"])
        words = words_of(await self._followed(root, "maya", AGAIN))
        self._need("Read: 1 of 1 file" in words, "more was read than what was pushed")
        if self._stage.real_claude:
            return "only what was pushed was read"
        self._need("store.py:32: its code is no longer" in words, "the mended one is not told")
        self._need("keys.py:18: still there" in words, "one that is left is not told")
        return "only what was pushed was read; of each earlier finding it is said what became of it"

    async def _posted(self) -> str:
        root, reviews = (
            self._thread(),
            self._stage.github.repositories["shop/checkout"].pulls[7].reviews,
        )
        await self._say_in(root, "maya", POST)
        message = await self._slack.wait_for(lambda: self._offered(root, "Do it"), self._seconds)
        self._need(not reviews, "it was posted without a click")
        self._show(message)
        self._terminal.aside("(maya presses *Do it*, twice)")
        for _ in range(2):
            await self._slack.click("maya", message, "proposal_do")
        await self._slack.wait_for(lambda: "Posted to GitHub" in words_of(message), self._seconds)
        self._need(len(reviews) == 1, f"{len(reviews)} reviews were posted, not one")
        return "shown word for word, and posted once, as a comment and no approval"

    async def _dear(self) -> str:
        before = self._calls()
        root = await self._ask("ben", "#shop-dev", DEAR, code=SNIPPET)
        message = await self._slack.wait_for(lambda: self._offered(root, "Smaller"), self._seconds)
        self._need(self._calls() == before, "Claude was asked without a word")
        self._need("tokens" in words_of(message), "it is not said what it takes")
        self._terminal.aside("(ben presses *Smaller*)")
        await self._slack.click("ben", message, "estimate:smaller")
        await self._answered(root)
        return "what it would take was said first, it waited for a word, and was done for less"

    def _thread(self) -> Message:
        if self._reviewed is None:
            raise NotAsPromised("there is no review to go on with")
        return self._reviewed

    def _calls(self) -> int:
        """How often Claude was asked for words."""
        return sum(e.path == "/v1/messages" for e in self._stage.claude.log)

    async def _summary(self) -> str:
        key = "SHOP-12"
        answer = await self._commanded("ana", "#shop-dev", "/summarize", key)
        self._need(key in words_of(answer), f"the summary does not name {key}")
        if not self._stage.real_jira:
            asked = [h for h in self._stage.jira.log if h.path.endswith(f"/issue/{key}")]
            self._need(bool(asked), "Jira was not asked for the ticket")
        return f"Claude called jira_get_issue and summed {key} up, in the channel"

    async def _changed(self) -> str:
        words = "@purser comment on SHOP-12 that the fix is in review"
        if self._stage.real_jira:
            return "left out: a tour does not write to a real Jira"
        root = await self._ask("ana", "#shop-dev", words)
        await self._answered(root)
        comments = self._stage.jira.world.issues["SHOP-12"].comments
        before = len(comments)
        message = await self._slack.wait_for(lambda: self._offered(root, "Do it"), self._seconds)
        self._need(len(comments) == before, "a comment was written without a click")
        self._show(message)
        self._terminal.aside("(ana presses *Do it*, twice)")
        for _ in range(2):
            await self._slack.click("ana", message, "proposal_do")
        await self._slack.wait_for(lambda: self._offered(root, "Undo"), self._seconds)
        self._need(len(comments) == before + 1, f"{len(comments) - before} comments were written")
        self._terminal.aside("(ana presses *Undo*)")
        await self._slack.click("ana", message, "proposal_undo")
        await self._slack.wait_for(lambda: len(comments) == before, self._seconds)
        return "proposed word for word, written once by a click, and taken back by another"

    def _show(self, message: Message) -> None:
        """What stands in a proposal, letter for letter."""
        for text in literal(message):
            self._terminal.aside(text.replace("\n", "\n  "))

    def _offered(self, root: Message, label: str) -> Message | None:
        """The message in a thread that has such a button."""
        said = self._slack.by_app(root.channel, root.ts)
        return next((m for m in said if f"'text': '{label}'" in str(m.blocks)), None)

    async def _page(self) -> str:
        address = self._stage.web.address(Page.ARTICLE)
        root = await self._ask("ben", "#payments", f"@purser {QUESTION} {address}")
        answer = await self._answered(root)
        self._need(bool(self._stage.web.visits(Page.ARTICLE)), "the page was not fetched")
        self._need("dempoten" in words_of(answer), "the answer does not say what the page says")
        return "fetched, read in a process that can be ended, and answered from"

    async def _slow(self) -> str:
        address = self._stage.web.address(Page.SLOW)
        root = await self._ask("chi", "#payments", f"@purser What does {address} say?")
        self._terminal.aside("(this page says nothing for 25 s; a tool call has 20 s at most)")
        await self._answered(root)
        asked = self._stage.web.visits(Page.SLOW)[0].at
        later = [e for e in self._stage.claude.log if e.path == "/v1/messages" and e.at > asked]
        if self._stage.real_claude:
            return "the tool was ended in time and the answer came without it"
        self._need(bool(later), "Claude was not told of the tool's end")
        took = later[0].at - asked
        self._need(took <= TOOL_SECONDS + 1, f"the tool call took {took:.1f} s")
        return f"the tool was ended after {took:.1f} s, and the answer came and says so"

    async def _refused(self) -> str:
        root = await self._ask("ben", "#shop-dev", f"@purser {BLUNT}")
        answer = await self._answered(root)
        told = [line for line in under(answer) if "asked it this way instead" in line]
        if self._stage.real_claude:
            return "reworded once, visibly" if told else "the real Claude did not refuse it"
        self._need(bool(told), "nothing says that the question was reworded")
        refused = [e for e in self._stage.claude.log if e.stop_reason == "refusal"]
        self._need(len(refused) == 1, f"{len(refused)} refusals were seen, not one")
        return "refused, reworded once, answered, and the new wording is shown"

    async def _killed(self) -> str:
        root = await self._ask("maya", "#shop-dev", f"@purser {REVIEW}", code=LONG)
        first = await self._slack.wait_for(lambda: self._growing(root), self._seconds)
        await self._terminal.settle()
        self._terminal.aside("⚡ kill -9", style="bold red")
        await self._stage.kill_bot()
        self._terminal.aside("the bot is started again")
        await self._stage.start_bot()
        answer = await self._answered(root)
        self._need(answer.ts == first.ts, "the answer went on in another message")
        said = self._slack.by_app("#shop-dev", root.ts)
        self._need(len(said) == 1, f"{len(said)} messages stand in the thread, not one")
        return "the same message was finished after the restart, and nothing was said twice"

    async def _cost(self) -> str:
        before = len(self._slack.ephemerals("#shop-dev", "ana"))
        self._terminal.said("ana", "#shop-dev", "/cost this month")
        await self._slack.command("ana", "#shop-dev", "/cost", "this month")

        def report() -> Message | None:
            new = self._slack.ephemerals("#shop-dev", "ana")[before:]
            return next((m for m in reversed(new) if "total" in words_of(m)), None)

        found = await self._slack.wait_for(report, self._seconds)
        self._need("$" in words_of(found), "the report names no dollars")
        total = Decimal(0)
        for row in await self._stage.ledger():
            total += Decimal(row["cost_usd"] or 0)
        return f"to the asker alone; the whole tour cost ${total:.4f}, by the books"

    async def _digest(self) -> str:
        if self._stage.real_claude:
            return "left out: a batch of the real Claude takes its own time"
        hands = self._stage.hands
        known = {m.ts for m in self._slack.by_app("#shop-dev")}
        self._terminal.said("ana", "#shop-dev", f"/summarize {NIGHTLY}")
        await self._slack.command("ana", "#shop-dev", "/summarize", NIGHTLY)
        await self._slack.wait_for(lambda: self._begins("I write a digest", known), self._seconds)
        moment = hands.next(MORNING)
        while self._begins("**Digest", known) is None:
            await self._terminal.settle()
            self._terminal.aside(
                f"(it is {clock.told(hands.clock())}; the clock runs on to {clock.told(moment)})"
            )
            hands.set_out(moment)
            await hands.arrived()
            with suppress(
                TimeoutError
            ):  # where it was so near seven that its batch has to be waited for
                await self._slack.wait_for(lambda: self._begins("**Digest", known), LATE_SECONDS)
            moment += HOUR_SECONDS
        made = self._stage.claude.batches.all
        self._need(len(made) == 1, f"{len(made)} batches were made for it, not one")
        return "written in the night by a batch, at half the price, and posted at its hour"

    # How they are played

    async def _ask(self, who: str, where: str, words: str, *, code: str | None = None) -> Message:
        text = words if words.startswith("@purser") else f"@purser {words}"
        shown = f"{text}\n{code}" if code else text
        self._terminal.said(who, where, shown)
        return await self._slack.say(who, where, text, code=code)

    async def _followed(self, root: Message, who: str, words: str) -> Message:
        """The whole answer to another request in a message's thread."""
        known = {m.ts for m in self._slack.by_app(root.channel, root.ts)}
        await self._say_in(root, who, words)
        return await self._answered(root, known)

    async def _say_in(self, root: Message, who: str, words: str) -> None:
        """Ask for something in a message's thread."""
        self._terminal.said(who, "the thread", f"@purser {words}")
        await self._slack.say(who, root.channel, f"@purser {words}", thread_ts=root.ts)

    async def _answered(self, root: Message, known: Collection[str] = ()) -> Message:
        """The whole answer in a message's thread, but for those that are known."""

        def whole() -> Message | None:
            said = [m for m in self._slack.by_app(root.channel, root.ts) if m.ts not in known]
            return next((m for m in said if has_feedback(m) and m.streaming != "in_progress"), None)

        return await self._slack.wait_for(whole, self._seconds)

    async def _commanded(self, who: str, where: str, command: str, text: str) -> Message:
        """The answer to a command, in the channel."""
        known = {m.ts for m in self._slack.by_app(where)}
        self._terminal.said(who, where, f"{command} {text}")
        ack = await self._slack.command(who, where, command, text)
        self._need(ack.acked, "the command was not acknowledged")

        def whole() -> Message | None:
            fresh = [m for m in self._slack.by_app(where) if m.ts not in known]
            return next((m for m in fresh if has_feedback(m)), None)

        return await self._slack.wait_for(whole, self._seconds)

    def _begins(self, words: str, known: Collection[str]) -> Message | None:
        """A new message of the bot, in the channel or to ana alone, that begins so."""
        told = [*self._slack.by_app("#shop-dev"), *self._slack.ephemerals("#shop-dev", "ana")]
        fresh = [m for m in told if m.ts not in known]
        return next((m for m in fresh if words_of(m).startswith(words)), None)

    def _growing(self, root: Message) -> Message | None:
        said = self._slack.by_app(root.channel, root.ts)
        return next((m for m in said if len(words_of(m)) > KILL_AT_CHARS), None)

    @staticmethod
    def _need(kept: bool, otherwise: str) -> None:
        if not kept:
            raise NotAsPromised(otherwise)
