"""What was done for whom: one record for each action, only ever added to, and chained so that a change is found.

A record goes into the transaction of what it tells, so that neither is ever without the other, and costs no commit of
its own. SQL chains it, in the thread or under the lock that writes: a record's hash covers the hash before it, its
number and its lines, but of the words that may be erased (an address, a query) only a salted digest. So words can go
and the chain still holds. The end of each day's chain is signed by a key that does not lie in the database.
"""

from bot.audit.chains import (
    AUDIT_DAYS,
    BROKEN_DAY,
    CHANGED,
    CUT,
    GAP,
    NO_CHAIN,
    NOT_NEXT,
    NOT_SIGNED,
    PAGE,
    WORDS,
    Audit,
    Proof,
    Wanted,
    Wrong,
    hashed,
)
from bot.audit.records import (
    FIELD_CHARS,
    LINES,
    SEEN,
    TEXT_CHARS,
    Record,
    digest,
    ended,
    new_salt,
    of_ask,
    of_dead,
    of_tool,
    record,
)

__all__ = [
    "AUDIT_DAYS",
    "BROKEN_DAY",
    "CHANGED",
    "CUT",
    "FIELD_CHARS",
    "GAP",
    "LINES",
    "NOT_NEXT",
    "NOT_SIGNED",
    "NO_CHAIN",
    "PAGE",
    "SEEN",
    "TEXT_CHARS",
    "WORDS",
    "Audit",
    "Proof",
    "Record",
    "Wanted",
    "Wrong",
    "digest",
    "ended",
    "hashed",
    "new_salt",
    "of_ask",
    "of_dead",
    "of_tool",
    "record",
]
