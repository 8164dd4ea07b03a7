"""Our books against what Claude's side has counted, and the difference by its causes.

    books, journal --evidence--> Ours      reports of Claude --> Theirs
                                  |         |
                                  +-compare-+--> Reconciliation: each difference by its causes, the rest unexplained

Days are those of UTC, since the reports know no others.
"""

from bot.reconcile.compare import CAUSES, LIMIT, Difference, PriceGap, Reconciliation
from bot.reconcile.reconciler import KeyNotFound, Reconciler

__all__ = [
    "CAUSES",
    "LIMIT",
    "Difference",
    "KeyNotFound",
    "PriceGap",
    "Reconciler",
    "Reconciliation",
]
