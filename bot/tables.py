"""Tables for people at a terminal."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200  # columns of a table that no terminal shows
BARS = "▁▂▃▄▅▆▇█"  # from nothing to the most


def write(
    out: TextIO,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    words: int,
    foot: Sequence[str] = (),
) -> None:
    """Write a table.

    Args:
        out: where to.
        heads: of its columns; only the last one is broken into lines.
        rows: its cells.
        words: how many columns, from the left, are words; the rest are numbers.
        foot: a last line, such as the total.
    """
    console = Console(
        file=out,
        width=None if out.isatty() else PIPE_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
    )
    table = Table(box=box.SIMPLE_HEAD, show_footer=bool(foot), pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(
            head,
            footer=foot[i] if foot else "",
            justify="left" if i < words else "right",
            no_wrap=i < len(heads) - 1,
            overflow="fold",
        )
    for cells in rows:
        table.add_row(*cells)
    console.print(table)


def sparkline(values: Sequence[Decimal]) -> str:
    """A bar for each value, the highest for the most; what is something is higher than nothing."""
    most = max(values, default=Decimal(0))
    steps = len(BARS) - 1
    return "".join(
        BARS[min(steps, max(1, int(value * steps / most)))] if value > 0 else BARS[0]
        for value in values
    )
