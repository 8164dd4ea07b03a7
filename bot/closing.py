"""What is told of an ask when it has its end: one line in the log, its count, and the outcome on its trace."""

import structlog

from bot import spans
from bot.answer import Ended
from bot.ask import Lease
from bot.metrics import Metrics
from bot.prices import dollars

log = structlog.get_logger()


def tell(metrics: Metrics, lease: Lease, ended: Ended, *, seconds: float, version: str) -> None:
    """Tell operators how an ask ended; nobody's words are in it.

    Args:
        metrics: count it.
        lease: the ask.
        ended: how.
        seconds: since it was asked.
        version: of the prompts.
    """
    ask, outcome = lease.ask, type(ended).__name__.lower()
    receipt, expected = ended.receipt, ended.receipt.estimate
    metrics.asked(ask.feature, outcome, seconds)
    spans.ended(outcome)
    log.info(
        "ask",
        ask=ask.id,
        channel=ask.channel,
        feature=ask.feature,
        outcome=outcome,
        attempt=lease.attempt,
        rounds=receipt.rounds,
        tools=receipt.tools,
        input_tokens=receipt.input_tokens,
        cached_tokens=receipt.cached_tokens,
        output_tokens=receipt.output_tokens,
        cost_usd=None if receipt.cost is None else str(receipt.cost),
        estimated_usd=None if expected is None else str(dollars(expected.picos)),
        model=receipt.model,
        seconds=round(seconds, 3),
        prompt_version=version,
    )
