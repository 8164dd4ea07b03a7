"""Changes that a review's words name, read before Claude is asked: one call less than if Claude asked for them.

    words -> addresses -> tool_runner -> tools/pulls -> Reading, journalled -> what Claude is told

The policy, the rights, the 20 s and the sentences are those of the tool that Claude itself may call; it stays for
everything else.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.answer import ToolStarted
from bot.ask import Lease
from bot.audit import of_tool, record
from bot.diffs import PASSES, Reading
from bot.findings import Finding
from bot.findings.kept import Kept, last
from bot.journal import Journal
from bot.reach import typed_in
from bot.redaction import redacted
from bot.rules import Rules
from bot.store import Store, Transaction
from bot.tool_runner import Tool, ToolContext, ToolRun, ToolRunner
from bot.tools.pulls import PULL_REQUEST_DIFF, Pulls
from bot.tools.pushed import moves, pushed
from bot.turn import Brief

CHANGES = 3  # of one ask, that are read; Claude may ask for more

_ADDRESS = re.compile(r"https?://[^\s<>|()\[\]`\"']+")
_CHANGE = re.compile(r"https?://.+/(?:pulls?|commits?|compare)/.")
_AGAIN = re.compile(
    r"\b(re-?review|re-?check|again|since|pushed|fixed|nochmal|erneut|gepusht)\b", re.IGNORECASE
)
_ENDS = ".,;:!?*_~"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of an address: a change, or the sentence why it was not read.

    `standing` are findings of an earlier review of it whose code still stands.
    """

    url: str
    reading: Reading | None = None
    problem: str = ""
    standing: tuple[Finding, ...] = ()

    def told(self, *, whole: bool = True) -> tuple[str, str, str]:
        """The tool, its input and its result, as Claude is told of what was read.

        Args:
            whole: with the diff, or its first part; otherwise with the list of files alone.
        """
        if self.reading is None:
            text = f"[not read: {self.problem}]"
        else:
            text = self.reading.told() if whole else self.reading.overview()
        return ("pull_request_diff", json.dumps({"url": self.url}), text)


class Prefetch:
    """Reads what an ask names.

    Args:
        pulls: reads GitHub, as far as the policy lets it.
        journal: remembers what was read, so that a restart does not read it again.
        store: commits that.
        clock: seconds that only grow.
    """

    def __init__(
        self, pulls: Pulls, journal: Journal, store: Store, *, clock: Callable[[], float]
    ) -> None:
        self._pulls, self._journal, self._store, self._clock = pulls, journal, store, clock

    async def read(
        self,
        lease: Lease,
        brief: Brief,
        tell: Callable[[ToolStarted], Awaitable[None]],
    ) -> tuple[Fetched, ...]:
        """Read the changes that a review's words name, side by side; nothing where no tools may be used.

        Args:
            lease: the ask.
            brief: what the turn is to do.
            tell: hears what is being read.

        Raises:
            LeaseLost: another worker has this ask.
            StoreDown: what was read could not be journalled.
        """
        if brief.feature != "review" or not brief.tools:
            return ()
        words = typed_in(redacted(lease.ask.text, brief.rules.redact))
        urls = [url for url in addresses(words) if self._pulls.names_change(url)][:CHANGES]
        kept = await self._earlier(lease, words, urls)
        if kept is not None:
            urls = [kept.url]
        if not urls:
            return ()
        known = await self._known(lease)
        missing = [url for url in urls if url not in known]
        for url in missing:
            await tell(ToolStarted(url, "pull_request_diff", f"reading {_short(url)}"))
        fetched = await self._fetched(lease, brief.rules, missing, kept)
        return tuple(known.get(url) or fetched[url] for url in urls)

    async def _earlier(self, lease: Lease, words: str, urls: Sequence[str]) -> Kept | None:
        """The review of the same change in this thread, where the words ask for another look at it."""
        if lease.ask.is_first or not _AGAIN.search(words):
            return None
        kept = await last(self._store, lease.ask)
        same = kept is not None and moves(kept.url) and list(urls) in ([], [kept.url])
        return kept if same else None

    async def _known(self, lease: Lease) -> dict[str, Fetched]:
        """What an earlier attempt has read."""
        if lease.attempt == 1:
            return {}
        results = (await self._journal.read(lease.ask.id)).tool_results
        return {
            use_id.removeprefix(_READ): _from_json(use_id.removeprefix(_READ), content)
            for use_id, content in results.items()
            if use_id.startswith(_READ)
        }

    async def _fetched(
        self, lease: Lease, rules: Rules, urls: Sequence[str], kept: Kept | None
    ) -> dict[str, Fetched]:
        readings: dict[str, tuple[Reading, tuple[Finding, ...]]] = {}

        async def call(given: Mapping[str, Any], context: ToolContext) -> str:
            url = str(given["url"])
            if kept is not None:
                readings[url] = await pushed(self._pulls, kept, context)
            else:
                readings[url] = await self._pulls.read(url, context, parts=PASSES), ()
            return "read"

        tool = Tool("pull_request_diff", "", PULL_REQUEST_DIFF, lambda _: "", call)
        runs = await ToolRunner((tool,), clock=self._clock).run(
            [{"id": url, "name": tool.name, "input": {"url": url}} for url in urls],
            ToolContext(lease.ask, rules),
            on_started=lambda *_: None,
            on_ended=lambda _: None,
        )
        found = {run.use_id: _fetched(run, readings) for run in runs}
        if runs:
            tx = Transaction(lease)
            for run in runs:
                content = _to_json(found[run.use_id])
                self._journal.tool_result(
                    tx, lease, use_id=f"{_READ}{run.use_id}", content=content, outcome=run.outcome
                )
                given = {"url": run.use_id}
                read = of_tool(lease.ask, tool.name, given, run.outcome, rule=run.rule)
                record(tx, read, at=self._journal.now())
            await self._store.commit(tx)
        return found


def addresses(words: str) -> list[str]:
    """Addresses that look like a change's, each once, in their order."""
    found = (url for url in _ADDRESS.findall(words) if _CHANGE.match(url))
    return list(dict.fromkeys(url.rstrip(_ENDS) for url in found))


_READ = "read:"


def _fetched(run: ToolRun, readings: Mapping[str, tuple[Reading, tuple[Finding, ...]]]) -> Fetched:
    if run.outcome == "ok":
        reading, standing = readings[run.use_id]
        return Fetched(run.use_id, reading, standing=standing)
    return Fetched(run.use_id, problem=run.text)


def _to_json(fetched: Fetched) -> dict[str, Any]:
    if fetched.reading is None:
        return {"problem": fetched.problem}
    standing = [asdict(finding) for finding in fetched.standing]
    return {"reading": fetched.reading.to_json(), "standing": standing}


def _from_json(url: str, content: Mapping[str, Any]) -> Fetched:
    if "reading" in content:
        standing = tuple(Finding(**finding) for finding in content["standing"])
        return Fetched(url, Reading.from_json(content["reading"]), standing=standing)
    return Fetched(url, problem=str(content["problem"]))


def _short(url: str) -> str:
    return url.partition("://")[2][:60]
