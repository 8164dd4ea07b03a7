"""Plays standard days by each way to use the cache and prints the table; `--check` exits 1 when a target is missed."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

import click

from benchmarks.day.after import After
from benchmarks.day.asked import Request, requests
from benchmarks.day.bill import Bill, Way, bill
from benchmarks.day.bound import bound
from benchmarks.day.people import day
from benchmarks.day.purser import Purser
from benchmarks.day.usual import Automatic, ByRule, Dated, Uncached, UnderWay
from benchmarks.targets import Target
from benchmarks.told import machine, told
from bot.prices import PICOS

SEED = 10  # of the day that is shown by itself
OPTIMUM = "the best there was, known afterwards"
PURSER = "Purser"
OURS = "Purser, `keep_warm = false`"
WAYS: Sequence[tuple[str, Callable[[Sequence[Request]], Way]]] = (
    (OPTIMUM, After),
    (PURSER, lambda _: Purser()),
    (OURS, lambda _: Purser(keep=False)),
    ("threads and tool loops for 5 min, large threads kept alive", lambda _: ByRule()),
    ("system for an hour, threads and tool loops for 5 min", lambda _: UnderWay()),
    ("a mark on the system prompt, an automatic one", lambda _: Automatic()),
    ("everything for an hour", lambda _: Automatic("1h", "1h")),
    ("no cache", lambda _: Uncached()),
    ("a clock at the head of the prompt", lambda _: Dated()),
)
MOST, LEAST_READ = 1.1, 0.9  # times the optimum; of what is sent again
CONTENT = 1.15  # times what asks need


@dataclass(frozen=True, slots=True)
class Played:
    """One day: how many asks it had, and its bill by each way."""

    asks: int
    threads: int
    requests: int
    bills: dict[str, Bill]
    bound: int = 0  # picos below which no plan can be

    def times(self, name: str) -> float:
        """A way's bill in those of the optimum."""
        return self.bills[name].picos / self.bills[OPTIMUM].picos


def play(seed: int, talks: int | None = None) -> Played:
    """Play one day by every way."""
    made = day(seed) if talks is None else day(seed, talks)
    sent = requests(made, seed)
    bills = {name: bill(sent, way(sent)) for name, way in WAYS}
    asks = sum(len(talk.asks) for talk in made)
    return Played(asks, len(made), len(sent), bills, bound(sent))


def table(shown: Played, others: Sequence[Played]) -> str:
    """All ways side by side, and why the bot's missed the cache."""
    size = f"{shown.asks} asks in {shown.threads} threads, {shown.requests} requests"
    heads = "the day, $", "times the best", f"{len(others)} other days", "keep-alive calls, $"
    lines = [
        f"| {' | '.join((size, *heads, 'sent again, read from cache'))} |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, _ in WAYS:
        one = shown.bills[name]
        times = [other.times(name) for other in others]
        over = f"{mean(times):.3f} ({min(times):.3f} to {max(times):.3f})" if times else ""
        kept = f"{one.calls}: {one.keeping / PICOS:.2f}" if one.calls else ""
        read = f"{one.read_share:.1%}" if one.resent else ""
        lines.append(
            f"| {name} | {one.dollars:.2f} | {shown.times(name):.3f} | {over} | {kept} | {read} |"
        )
    ours = shown.bills[PURSER]
    costs = ours.missed.most_common()
    causes = ", ".join(f"{cause} ${picos / PICOS:.2f}" for cause, picos in costs)
    days = [one.bills[PURSER] for one in (shown, *others)]
    needed, strictly = mean(one.content for one in days), mean(one.strictly for one in days)
    sent = (
        f"Tokens sent, in those needed: {needed:.2f}; {strictly:.2f} if what was read from cache "
        "for earlier asks' tools and thoughts is not needed."
    )
    share = mean(one.bound / one.bills[OPTIMUM].picos for one in (shown, *others))
    under = f"No plan whatever can be below {share:.1%} of the best that was found."
    return "\n".join(
        [
            *lines,
            "",
            under,
            f"What Purser's missed cache cost, by cause: {causes or 'nothing'}.",
            sent,
        ]
    )


def judged(days: Sequence[Played]) -> list[Target]:
    """What must hold, over all days."""
    times = mean(one.times(PURSER) for one in days)
    best = min(mean(one.times(name) for one in days) for name, _ in WAYS[3:])
    read = min(one.bills[PURSER].read_share for one in days)
    content = mean(one.bills[PURSER].content for one in days)
    rewritten = sum(one.bills[PURSER].missed["prefix changed"] for one in days) / PICOS
    return [
        Target("the bill, % of the best", 100 * times, 100 * MOST),
        Target("the same, beside the best of the others", 100 * times, 100 * best),
        Target("sent again and read from cache, %", 100 * read, 100 * LEAST_READ, at_least=True),
        Target("rewritten by its own doing, $", rewritten, 0.0),
        Target("tokens sent, % of what asks need", 100 * content, 100 * CONTENT),
    ]


@click.command()
@click.option("--days", default=5, help="Other days that are played beside the one shown.")
@click.option("--check", is_flag=True, help="Exit 1 when a target is missed.")
def main(*, days: int, check: bool) -> None:
    """Play a standard day against the prompt cache, by Purser's own policy and by others."""
    print(machine(), flush=True)
    began = time.monotonic()
    shown, others = play(SEED), [play(SEED + n) for n in range(1, days + 1)]
    targets = told(table(shown, others), judged([shown, *others]), began)
    if check and not all(one.ok for one in targets):
        sys.exit(1)


if __name__ == "__main__":
    main()
