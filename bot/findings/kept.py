"""The findings of a thread's last review, kept so that another look at the same change can say what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ask import Ask
from bot.findings.given import plain
from bot.findings.shape import Finding
from bot.store import Store, Transaction

MOST = 40  # of one review
REVIEWS = 5  # of one thread, whose words are looked for


@dataclass(frozen=True, slots=True)
class Kept:
    """A review that was answered.

    Attributes:
        url: of the change, as it was named.
        head: the commit that was reviewed.
        findings: in the order in which people saw them.
        ask_id: of the ask that it answered; "" before it is kept.
    """

    url: str
    head: str
    findings: tuple[Finding, ...]
    ask_id: str = ""


def keep(tx: Transaction, ask: Ask, kept: Kept, at: float) -> None:
    """Remember a review.

    Args:
        tx: becomes true together with the answer.
        ask: whose answer it is.
        kept: the review.
        at: seconds since the epoch.
    """
    review = Finding("", "", 0, "", "")
    for n, one in enumerate([review, *kept.findings[:MOST]]):
        tx.add(
            "findings.keep",
            ask_id=ask.id,
            n=n,
            lane=ask.lane,
            url=kept.url,
            head=kept.head,
            severity=one.severity,
            path=one.path,
            line=one.line,
            quote=one.quote,
            sentence=one.sentence,
            at=at,
        )


async def last(store: Store, ask: Ask) -> Kept | None:
    """The last review in an ask's thread; None where there was none.

    Raises:
        StoreDown: it cannot be read.
    """
    rows = await store.read("findings.last", lane=ask.lane, ask_id=ask.id)
    if not rows:
        return None
    found = [
        Finding(
            severity=str(row["severity"]),
            path=str(row["path"]),
            line=int(row["line"]),
            quote=str(row["quote"]),
            sentence=str(row["sentence"]),
        )
        for row in rows[1:]
    ]
    review = rows[0]
    return Kept(str(review["url"]), str(review["head"]), tuple(found), str(review["ask_id"]))


async def answered(store: Store, ask: Ask) -> list[str]:
    """The ids of the asks that were answered by reviews in an ask's thread, the newest first. Raises StoreDown."""
    rows = await store.read("findings.reviews", lane=ask.lane, most=REVIEWS)
    return [str(row["ask_id"]) for row in rows]


def standing(one: Finding, text: str) -> int:
    """The line at which a finding's quotation begins in a file as it is now; 0 where it is not there any more."""
    wanted = [plain(line) for line in one.quote.split("\n") if plain(line)]
    lines = text.split("\n")
    bare = [plain(line) for line in lines]
    if not wanted or any(not any(part in line for line in bare) for part in wanted):
        return 0
    places = [n for n, line in enumerate(bare, start=1) if wanted[0] in line]
    return min(places, key=lambda n: abs(n - one.line))


def together(earlier: Sequence[Finding], now: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings of an earlier review that still stand, and those of this one, each once."""
    known = {(one.path, plain(one.quote)) for one in now}
    return (*(one for one in earlier if (one.path, plain(one.quote)) not in known), *now)
