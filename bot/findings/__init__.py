"""Findings of a review held against what Claude was given, before anybody sees them.

    deltas -> Sieve -> deltas     a finding waits until its quotation is whole, then passes or is dropped
                ^
              Given               every line that Claude was shown, by file and number where they are known

    passes -> shape -> checked, merged -> what the answer is written from

A quotation that stands nowhere, or a place that is none, ends a finding; a wrong number beside a true quotation is put
right. What stands around findings passes as it comes. Pure.
"""

from bot.findings.given import Given
from bot.findings.shape import SCHEMA, Finding, Found, checked, digest, markdown, merged, parsed
from bot.findings.sieve import Sieve

__all__ = [
    "SCHEMA",
    "Finding",
    "Found",
    "Given",
    "Sieve",
    "checked",
    "digest",
    "markdown",
    "merged",
    "parsed",
]
