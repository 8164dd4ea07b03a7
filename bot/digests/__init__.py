"""Digests: what somebody wants to read again and again, written by Claude in a batch, at half the price.

    cadence    how often it comes, and when
    subject    what it is about, and what is read for it
    kept       who wants what where; what is due soon becomes an ask
    writing    an ask of that kind, from what is read to what is said

A digest waits for nobody and wakes nobody: it is begun hours before it is due, nothing of it runs in between, and
what it says pings nobody.
"""

from bot.digests.cadence import BadCadence, Cadence, parted
from bot.digests.kept import Digest, Digests
from bot.digests.subject import USAGE, Subject, subject

__all__ = [
    "USAGE",
    "BadCadence",
    "Cadence",
    "Digest",
    "Digests",
    "Subject",
    "parted",
    "subject",
]
