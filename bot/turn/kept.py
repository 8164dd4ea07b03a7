"""What is remembered of a review that was answered, for another look at the same change."""

from collections.abc import Sequence

from bot.ask import Ask
from bot.findings import Finding
from bot.findings.kept import Kept, keep, together
from bot.store import Transaction
from bot.turn.brief import Brief


def keep_review(
    tx: Transaction, ask: Ask, brief: Brief, said: Sequence[Finding], *, at: float
) -> None:
    """Keep the findings that were said, and the earlier ones that still stand; of one named change at a known commit.

    Args:
        tx: becomes true together with the answer.
        ask: whose answer it is.
        brief: with the change.
        said: in the order in which people see them.
        at: seconds since the epoch.
    """
    if len(brief.readings) != 1:
        return
    (reading,) = brief.readings
    if reading.url and reading.sha:
        findings = together(brief.standing, said)
        keep(tx, ask, Kept(reading.url, reading.sha, findings), at)
