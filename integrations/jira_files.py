"""Reads an image or a PDF of an issue, within a cap of bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """A file of an issue; `mimetype` is by its first bytes, not by what somebody called it."""

    name: str
    mimetype: str
    content: bytes
