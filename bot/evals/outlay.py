"""What an evaluation will take, said before it begins: calls and dollars, rather too many than too few. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.evals.cases import Case, ReviewCase
from bot.evals.trial import Plan
from bot.prices import dollars, estimate
from bot.turn.request import BYTES_PER_TOKEN, LIKELY_OUTPUT_TOKENS
from bot.usage import Usage

ROUNDS = 2  # calls of a summary: the ticket is read, then told; a change is read beforehand
FINDINGS = 4  # of a review, each judged by a call of its own
JUDGED_TOKENS = 3_000  # of such a call
VERDICT_TOKENS = 1_000  # of its answer, thoughts included


@dataclass(frozen=True, slots=True)
class Outlay:
    """About how many calls and dollars; `unpriced` are models whose price is unknown, whose dollars are left out."""

    calls: int
    cost: Decimal
    unpriced: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """For the one who pays."""
        words = f"This will make about {self.calls:,} calls and cost about ${self.cost:,.2f}"
        if self.unpriced:
            words += f", without {', '.join(self.unpriced)}, whose price is unknown"
        return f"{words}."


def expect(plans: Sequence[Plan], prefix: Mapping[str, Any], *, judge: str, at: float) -> Outlay:
    """Estimate what the plans will take.

    Args:
        plans: what is to be done.
        prefix: what all requests of the bot begin with.
        judge: the model that judges.
        at: when, in epoch seconds.
    """
    shared = round(len(json.dumps(prefix, ensure_ascii=False).encode()) / BYTES_PER_TOKEN)
    calls, picos, unpriced = 0, 0, dict[str, None]()
    for plan in plans:
        judged = _judged(plan.case)
        rounds = 1 if isinstance(plan.case, ReviewCase) else ROUNDS
        calls += rounds + judged
        answer = Usage(
            cache_read_tokens=rounds * shared,
            cache_write_5m_tokens=round(plan.case.size / BYTES_PER_TOKEN),
            output_tokens=LIKELY_OUTPUT_TOKENS,
        )
        verdict = Usage(input_tokens=judged * JUDGED_TOKENS, output_tokens=judged * VERDICT_TOKENS)
        for model, usage in ((plan.model, answer), (judge, verdict)):
            cost = estimate(usage, model=model, at=at)
            if cost is None:
                unpriced[model] = None
            else:
                picos += cost.picos
    return Outlay(calls, dollars(picos), tuple(unpriced))


def _judged(case: Case) -> int:
    """How many calls judge an answer."""
    return FINDINGS if isinstance(case, ReviewCase) else 1
