"""An address outside of what may be opened: refused, or, where it stands in what was read, left to a person's click."""

import asyncio
import re
from dataclasses import dataclass, field

from bot.errors import ToolProblem
from bot.proposals import Proposals
from bot.reach import RULE
from bot.tool_runner import ToolContext

BUTTONS_AT_MOST = 3  # of one ask
LEFT = (
    "NOT READ: a person decides. Nobody here wrote this address; it stands in what you read, on another host or in "
    "what nobody pointed at. Under your answer the person sees it whole, with a button, *Read it*; when they press it "
    "you are asked again, and it can be read then. Say in a sentence what you did not read and why it would help; do "
    "not write the address yourself."
)
ENOUGH = (
    f"Not read: of one request at most {BUTTONS_AT_MOST} addresses are left to a person to let be read. "
    "Say that there are more."
)
# What is shown has to be what is opened: nothing that looks like another sign, and nothing cut off.
_PLAIN = re.compile(r"[!-~]{1,2000}")


@dataclass(frozen=True, slots=True)
class Unopened:
    """What becomes of addresses that may not be opened.

    Attributes:
        proposals: where those are kept that a person may let be read; None where nobody can be asked.
    """

    proposals: Proposals | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def problem(self, tool: str, url: str, context: ToolContext, *, why: str) -> ToolProblem:
        """What Claude hears of an address that was not opened; a person may be asked about it.

        Args:
            tool: that was to open it.
            url: the address, as Claude wrote it.
            context: for whom, and what was read.
            why: the words for one that no person is asked about.

        Raises:
            StoreDown: it could not be kept for a person.
        """
        standing = context.reach.standing(url)
        if self.proposals is None or standing is None or not _PLAIN.fullmatch(standing):
            return ToolProblem(why, rule=RULE)
        async with self._turn:  # the calls of a round run side by side
            made = [p for p in await self.proposals.of(context.ask.id) if p.kind == "address"]
            known = any(p.draft == standing or p.use_id == context.use_id for p in made)
            if len(made) >= BUTTONS_AT_MOST and not known:
                return ToolProblem(ENOUGH, rule=RULE)
            await self.proposals.propose(
                context.ask,
                context.use_id,
                tool=tool,
                asked={"url": standing},
                draft=standing,
                behalf="",
            )
        return ToolProblem(LEFT, rule=RULE)
