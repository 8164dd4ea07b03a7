"""An account in sentences that a manager understands: spent, forecast, per ask, cache, lost, estimated, liked. Pure."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from bot.account import Account, Single
from bot.figures import PerAsk
from bot.misses import Cause, Miss, by_cause

FEATURES: Mapping[str, str] = {
    "chat": "an answer",
    "review": "a review",
    "summarize": "a summary",
    "digest": "a digest",
}
CAUSES: Mapping[Cause, str] = {
    "expired": "after a pause longer than the cache lasts",
    "unmarked": "where it was not likely to pay",
    "messages": "since the thread had changed",
    "settings": "since it was to think otherwise, or to use no more tools",
    "channel": "since the channel's instructions had changed",
    "system": "since the instructions had changed",
    "tools": "since the tools had changed",
    "short": "since it was too short for it",
    "cold": "since several began at the same time",
    "": "cause unknown",
}
FEATURES_AT_MOST = 4
EARLY = "It is too early to foretell the month: that takes ten whole days on the books."
MANY = "These are too many calls to look at one by one; a shorter time shows what single asks cost."

Money = Callable[[Decimal], str]


def sentences(
    account: Account, *, money: Money, limit: Decimal | None, fine: Money | None = None
) -> list[str]:
    """What there is to say, the most important first; what is nothing is left out.

    Args:
        account: what a place spent.
        money: how dollars are written.
        limit: the month's budget of that place, None where there is none to speak of.
        fine: how the dollars of a single ask are written, where that is not the same.
    """
    said = [_spent(account, money, limit), *_foretold(account, money, limit)]
    single = account.single
    if single is None:
        said.append(MANY)
    else:
        said += _each(single.asks, fine or money)
    said += [*_cached(account, money), *_carried(account, money)]
    if single is not None:
        said += [*_lost(single, money), *_liked(single, money), *_estimated(single)]
    return [*said, *_doubts(account, money)]


def _spent(account: Account, money: Money, limit: Decimal | None) -> str:
    total = account.report.total
    spent = f"{money(total.cost)} for {total.asks:,} {'ask' if total.asks == 1 else 'asks'}"
    if limit is None or not account.report.period.is_month:
        return f"{spent}."
    share = f" ({total.cost / limit:.0%})" if limit else ""
    left = limit - total.cost
    rest = f"{money(left)} left" if left >= 0 else f"{money(-left)} over it"
    return f"{spent}, of a budget of {money(limit)}{share}: {rest}."


def _foretold(account: Account, money: Money, limit: Decimal | None) -> list[str]:
    made = account.forecast
    if not account.foretells:
        return []
    if made is None:
        return [EARLY]
    found = f"By the month's end about {money(made.expected)}"
    low, high = money(made.low), money(made.high)
    if low != high:
        found += f", most likely {low} to {high}"
    if limit is None or made.high <= limit:
        return [f"{found}."]
    return [f"{found}: {'over' if made.expected > limit else 'perhaps over'} the budget."]


def _each(asks: Sequence[PerAsk], money: Money) -> list[str]:
    told = [
        f"{FEATURES.get(one.feature, one.feature)} {money(one.median)} (at most {money(one.worst)})"
        for one in asks[:FEATURES_AT_MOST]
    ]
    return [f"Median cost: {'; '.join(told)}."] if told else []


def _cached(account: Account, money: Money) -> list[str]:
    saved = account.report.total.saved
    missed = account.single.misses if account.single is not None else ()
    told: list[str] = []
    if saved > 0:
        told.append(f"The cache saved {money(saved)}.")
    elif saved < 0:
        told.append(f"The cache cost {money(-saved)} more than it saved.")
    if missed:
        extra = sum((miss.extra for miss in missed), Decimal(0))
        calls = "1 call" if len(missed) == 1 else f"{len(missed):,} calls"
        told.append(f"{calls} missed it, for {money(extra)} more ({_why(missed, money)}).")
    return [" ".join(told)] if told else []


def _carried(account: Account, money: Money) -> list[str]:
    """What keeps caches warm is paid already; it has a line of its own."""
    made = account.carried
    if not made.entries:
        return []
    calls = "1 call" if made.entries == 1 else f"{made.entries:,} calls"
    return [f"Keeping the cache of threads warm: {money(made.cost)} for {calls}, in the sum above."]


def _why(missed: Sequence[Miss], money: Money) -> str:
    found = by_cause(missed)
    if len(found) == 1:
        return CAUSES[missed[0].cause]
    return ", ".join(f"{money(extra)} {CAUSES[cause]}" for cause, (_, extra) in found.items())


def _lost(single: Single, money: Money) -> list[str]:
    gone = single.lost
    told: list[str] = []
    if gone.refused_asks:
        asks = "1 ask" if gone.refused_asks == 1 else f"{gone.refused_asks:,} asks"
        told.append(f"{money(gone.refused)} of it went into refusals ({asks})")
    if gone.reworded:
        told.append(f"{money(gone.reworded)} into asking once more in other words")
    if gone.again:
        told.append(f"{money(gone.again)} into calls that broke off and were made again")
    return [f"{', '.join(told)}."] if told else []


def _liked(single: Single, money: Money) -> list[str]:
    if not single.liked + single.disliked:
        return []
    down = "1 answer" if single.disliked == 1 else f"{single.disliked:,} answers"
    return [f"Thumbs down: {down}, for {money(single.disliked_cost)}; thumbs up: {single.liked:,}."]


def _estimated(single: Single) -> list[str]:
    if not single.estimated:
        return []
    asks = "1 ask" if single.estimated == 1 else f"{single.estimated:,} asks"
    return [f"Estimates, made before {asks}, were off by {single.off:.0%} (median)."]


def _doubts(account: Account, money: Money) -> list[str]:
    """What one has to know to trust the sum."""
    total, told = account.report.total, list[str]()
    if total.unconfirmed:
        told.append(
            f"{money(total.unconfirmed)} of it is our estimate: those answers were not read to their end."
        )
    if account.single is None and total.refused:
        told.append(f"{money(total.refused)} of it went into refusals.")
    if account.report.unpriced_models:
        models = ", ".join(account.report.unpriced_models)
        told.append(
            f"{total.unpriced:,} tokens have no known price ({models}): the true cost is higher."
        )
    return told
