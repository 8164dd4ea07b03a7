"""What is wrong in the end, ask by ask: in the threads, and between the books and what Claude's side served. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.crash.people import Asked, number
from bot import prices
from bot.demo.claude.record import Exchange
from bot.demo.slack import Message
from bot.demo.terminal import words_of
from bot.usage import Usage

Row = Mapping[str, Any]

TOKENS = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)
SHOWN = 100  # characters of a message that is told of


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing found; `n` is its ask's number, 0 where it is nobody's."""

    n: int
    what: str


@dataclass(frozen=True, slots=True)
class Books:
    """What the database says.

    Attributes:
        asks: rows of the inbox.
        ledger: rows of the books.
        open: requests in nobody's name whose end nobody saw; they are booked at a later start.
    """

    asks: Sequence[Row]
    ledger: Sequence[Row]
    open: Sequence[Row]


def in_threads(
    asked: Iterable[Asked],
    thread: Callable[[str, str], Sequence[Message]],
    exchanges: Iterable[Exchange],
) -> list[Wrong]:
    """Asks without exactly one whole answer, and whatever else stands in their threads.

    Args:
        asked: what was asked.
        thread: the app's messages in a channel and thread.
        exchanges: with Claude; what an ask was answered there, whole, is its answer.
    """
    said: dict[int, list[str]] = defaultdict(list)
    for exchange in exchanges:
        if exchange.state == "done" and (n := number(exchange.body)) is not None:
            said[n].append(exchange.text)
    groups: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for one in asked:
        groups[one.channel, one.root].append(one)
    wrong: list[Wrong] = []
    for (channel, root), asks in groups.items():
        wrong += _in_thread(asks, thread(channel, root), said)
    return wrong


def _in_thread(
    asks: Sequence[Asked], messages: Sequence[Message], said: Mapping[int, Sequence[str]]
) -> list[Wrong]:
    wrong, left = list[Wrong](), list(messages)

    def holding(ask: Asked, among: Sequence[Message]) -> list[Message]:
        return [m for m in among if any(_holds(m, text) for text in said.get(ask.n, ()))]

    # Two asks may be answered in the same words; whoever has the fewest to choose from chooses first.
    for ask in sorted(asks, key=lambda one: len(holding(one, messages))):
        found = holding(ask, left)
        if not found:
            wrong.append(Wrong(ask.n, "no whole answer in its thread"))
            continue
        left.remove(found[0])
        if problem := _unfinished(found[0]):
            wrong.append(Wrong(ask.n, problem))
    for message in left:
        again = [ask.n for ask in asks if holding(ask, [message])]
        what = "answered again" if again else "beside the answers"
        n = (again or [min(ask.n for ask in asks)])[0]
        wrong.append(Wrong(n, f"{what}: {words_of(message)[:SHOWN]!r}"))
    return wrong


def _holds(message: Message, text: str) -> bool:
    # Of a fence in the middle of a line Slack is shown less.
    shown, wanted = (set(words.replace("`", "").split()) for words in (words_of(message), text))
    return bool(wanted) and wanted <= shown


def _unfinished(message: Message) -> str:
    receipts = sum(block.get("type") == "context_actions" for block in message.blocks)
    if message.streaming == "in_progress":
        return "its answer still streams"
    return "" if receipts == 1 else f"{receipts} receipts under its answer"


def in_books(
    asked: Iterable[Asked], exchanges: Iterable[Exchange], books: Books
) -> tuple[list[Wrong], int]:
    """Where the books are not what Claude's side served; and how many rows were booked to be safe, for nothing served.

    Each response that was served whole is one settled row with its tokens, or (where nobody heard its end) an
    unconfirmed one that is not too low; one that broke off is unconfirmed; there is no other row.
    """
    numbers = {one.ts: one.n for one in asked}
    of_row = {row["id"]: numbers.get(row["ts"], 0) for row in books.asks}
    wrong = [
        Wrong(of_row[row["id"]], f"the inbox says {row['state']}, {row['outcome'] or 'no outcome'}")
        for row in books.asks
        if row["ts"] in numbers and (row["state"], row["outcome"]) != ("done", "answer")
    ]
    told = {row["ts"] for row in books.asks}
    wrong += [
        Wrong(n, "the inbox never heard of it") for ts, n in numbers.items() if ts not in told
    ]
    named: dict[str, list[Row]] = defaultdict(list)
    safe: dict[int, int] = defaultdict(int)  # rows without a message's id, by ask
    for row in books.ledger:
        if row["message_id"]:
            named[row["message_id"]].append(row)
        else:
            safe[of_row.get(row["ask_id"], 0)] += 1
    safe[0] += len(books.open)
    for exchange in exchanges:
        if exchange.message_id is None:
            continue
        n = number(exchange.body) or 0
        rows = named.pop(exchange.message_id, [])
        if not rows and safe[n]:
            safe[n] -= 1
        elif problem := _booked(exchange, rows):
            wrong.append(Wrong(n, f"{exchange.request_id}: {problem}"))
    for message, rows in named.items():
        wrong.append(Wrong(of_row.get(rows[0]["ask_id"], 0), f"{message} was never served"))
    return wrong, sum(safe.values())


def _booked(exchange: Exchange, rows: Sequence[Row]) -> str:
    """What is wrong with the rows of one response; "" for nothing."""
    if len(rows) != 1:
        return f"{len(rows)} rows in the books"
    (row,) = rows
    served = Usage.from_wire(exchange.usage)
    if row["status"] == "unconfirmed":
        cost = prices.price(served, model=str(exchange.model), at=exchange.at)
        if cost is None or (row["cost_picos"] or 0) >= cost.picos:
            return ""
        return f"booked below what it cost ({row['cost_picos']} < {cost.picos})"
    if exchange.state != "done":
        return "booked as settled although it broke off"
    if row["request_id"] != exchange.request_id or row["model"] != exchange.model:
        return f"booked as {row['request_id']} of {row['model']}"
    booked, counted = ([source[name] for name in TOKENS] for source in (row, _counts(served)))
    return "" if booked == counted else f"booked with {booked} tokens instead of {counted}"


def _counts(usage: Usage) -> dict[str, int]:
    return {name: getattr(usage, name) for name in TOKENS}


def twice(messages: Iterable[Message]) -> list[Wrong]:
    """What people were told more than once in the same words."""
    words = [words_of(message) for message in messages]
    return [
        Wrong(0, f"told {words.count(one)} times: {one[:SHOWN]!r}")
        for one in dict.fromkeys(words)
        if words.count(one) > 1
    ]
