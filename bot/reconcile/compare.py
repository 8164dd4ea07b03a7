"""From two counts of the same tokens to their differences and the causes of them. Pure.

Two causes are known exactly and taken in full: a response that the journal holds and the books do not, and use of
our key in minutes in which we asked nothing. The others only bound what they can explain, and are taken as far as
they are needed. What is left is unexplained.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from bot.prices import UNKNOWN_INPUT_PICOS, UNKNOWN_OUTPUT_PICOS, dollars, price
from bot.usage import Usage

LIMIT = Decimal("0.005")  # of what was spent, above which what is unexplained is too much
ROUNDED = Decimal("0.001")  # dollars of a day and a model, within which sums of money agree
UNIT = 1_000  # tokens that are priced to know what one costs

Kind = Literal[
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
]
KINDS: tuple[Kind, ...] = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)
Cause = Literal[
    "row missing",
    "key used elsewhere",
    "unbilled refusal",
    "bucket border",
    "unread response",
]
CAUSES: Mapping[str, str] = {
    "row missing": "the journal holds the response, the books do not",
    "key used elsewhere": "our key was used in minutes in which Purser asked nothing",
    "unbilled refusal": "a refusal that is not billed is counted there",
    "bucket border": "a response about midnight (UTC) stands in the day beside it",
    "unread response": "its end was never read: our tokens are an estimate",
    "price version": "the tokens agree and their price does not; see `purser ledger reprice`",
}
"""What each cause means."""

Tokens = Mapping[Kind, int]
Place = tuple[date, str]  # a day (UTC) and a model
NOTHING: Tokens = dict.fromkeys(KINDS, 0)


@dataclass(frozen=True, slots=True)
class Border:
    """Tokens booked on `day` that may stand on the day `beside` it."""

    day: date
    beside: date
    model: str
    tokens: Tokens


@dataclass(slots=True)
class Ours:
    """What our books and our journal hold, by day and model."""

    settled: dict[Place, Tokens] = field(default_factory=dict[Place, Tokens])
    unconfirmed: dict[Place, Tokens] = field(default_factory=dict[Place, Tokens])
    unbilled: dict[Place, Tokens] = field(default_factory=dict[Place, Tokens])
    unbooked: dict[Place, Tokens] = field(default_factory=dict[Place, Tokens])
    borders: list[Border] = field(default_factory=list[Border])
    cost: dict[Place, Decimal] = field(default_factory=dict[Place, Decimal])

    def booked(self, place: Place) -> dict[Kind, int]:
        """All that should be billed."""
        return plus(self.settled.get(place, NOTHING), self.unconfirmed.get(place, NOTHING))


@dataclass(slots=True)
class Theirs:
    """What Claude's side has counted for our key, and charged where our key was the workspace's only one."""

    used: dict[Place, Tokens] = field(default_factory=dict[Place, Tokens])
    elsewhere: dict[Place, Tokens] = field(default_factory=dict[Place, Tokens])
    charged: dict[Place, Decimal] = field(default_factory=dict[Place, Decimal])


@dataclass(frozen=True, slots=True)
class Difference:
    """Tokens of a day, a model and a kind that are not the same; causes are signed as `theirs - ours` is."""

    day: date
    model: str
    kind: Kind
    ours: int
    theirs: int
    causes: Mapping[Cause, int]

    @property
    def unexplained(self) -> int:
        """What no cause was found for."""
        return self.theirs - self.ours - sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class PriceGap:
    """The same tokens of a day and a model at two prices, in dollars."""

    day: date
    model: str
    ours: Decimal
    theirs: Decimal


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome: each difference with its causes; `spent` is what Claude's side counts, at our prices."""

    since: date
    until: date
    differences: tuple[Difference, ...]
    prices: tuple[PriceGap, ...]
    spent: Decimal
    unexplained: Decimal  # dollars, all differences without a cause added up by their size

    @property
    def share(self) -> Decimal:
        """Of what was spent, how much is unexplained; 1 where only we know of anything."""
        if not self.unexplained:
            return Decimal(0)
        return self.unexplained / self.spent if self.spent else Decimal(1)

    @property
    def agrees(self) -> bool:
        """Whether what is unexplained is little enough."""
        return self.share <= LIMIT

    def by_cause(self) -> dict[str, int]:
        """Tokens by cause, differences in both directions added up by their size."""
        found: dict[str, int] = {}
        for one in self.differences:
            for cause, tokens in one.causes.items():
                found[cause] = found.get(cause, 0) + abs(tokens)
        return found


def unlike(ours: Ours, theirs: Theirs) -> list[Place]:
    """Days and models whose tokens differ."""
    places = sorted({*ours.settled, *ours.unconfirmed, *theirs.used})
    return [p for p in places if ours.booked(p) != dict(theirs.used.get(p, NOTHING))]


def compare(ours: Ours, theirs: Theirs, *, since: date, until: date, at: float) -> Reconciliation:
    """Classify every difference between two counts (`until` excluded; `at` dates the prices that weigh them)."""
    differences = [
        _difference(ours, theirs, place, kind)
        for place in unlike(ours, theirs)
        if since <= place[0] < until
        for kind in KINDS
    ]
    differences = [one for one in differences if one.theirs != one.ours]
    spent = sum(
        (
            tokens * _unit(model, kind, at)
            for (day, model), used in theirs.used.items()
            if since <= day < until
            for kind, tokens in used.items()
        ),
        Decimal(0),
    )
    unexplained = sum(
        (abs(one.unexplained) * _unit(one.model, one.kind, at) for one in differences), Decimal(0)
    )
    gaps = tuple(_gaps(ours, theirs, since, until))
    return Reconciliation(since, until, tuple(differences), gaps, spent, unexplained)


def _difference(ours: Ours, theirs: Theirs, place: Place, kind: Kind) -> Difference:
    booked, used = ours.booked(place)[kind], theirs.used.get(place, NOTHING)[kind]
    causes: dict[Cause, int] = {}
    left = used - booked

    def take(cause: Cause, amount: int) -> None:
        nonlocal left
        if amount:
            causes[cause] = causes.get(cause, 0) + amount
            left -= amount

    take("row missing", ours.unbooked.get(place, NOTHING)[kind])
    take("key used elsewhere", theirs.elsewhere.get(place, NOTHING)[kind])
    guessed = ours.unconfirmed.get(place, NOTHING)
    prompt = sum(guessed[one] for one in KINDS if one != "output_tokens")
    most = guessed[kind] if kind == "output_tokens" else prompt
    if left > 0:
        take("unbilled refusal", min(left, ours.unbilled.get(place, NOTHING)[kind]))
        take("bucket border", min(left, _moved(ours.borders, place, kind, come=True)))
        take("unread response", min(left, most))
    elif left < 0:
        take("unread response", -min(-left, guessed[kind]))
        take("bucket border", -min(-left, _moved(ours.borders, place, kind, come=False)))
    return Difference(*place, kind, booked, used, causes)


def _moved(borders: Iterable[Border], place: Place, kind: Kind, *, come: bool) -> int:
    """Tokens that may have come to a day from the one beside it, or gone there."""
    day, model = place
    return sum(
        one.tokens[kind]
        for one in borders
        if one.model == model and (one.beside if come else one.day) == day
    )


def _gaps(ours: Ours, theirs: Theirs, since: date, until: date) -> Iterable[PriceGap]:
    """Where tokens agree, money has to."""
    for place, charged in sorted(theirs.charged.items()):
        day, model = place
        same = ours.booked(place) == dict(theirs.used.get(place, NOTHING))
        cost = ours.cost.get(place, Decimal(0))
        if since <= day < until and same and abs(charged - cost) > ROUNDED:
            yield PriceGap(day, model, cost, charged)


def _unit(model: str, kind: Kind, at: float) -> Decimal:
    """What one token of a kind weighs, in dollars."""
    cost = price(replace(Usage(), **{kind: UNIT}), model=model, at=at)
    if cost is not None:
        return dollars(cost.picos) / UNIT
    return dollars(UNKNOWN_OUTPUT_PICOS if kind == "output_tokens" else UNKNOWN_INPUT_PICOS)


def plus(one: Tokens, other: Tokens) -> dict[Kind, int]:
    """Both together."""
    return {kind: one[kind] + other[kind] for kind in KINDS}
