"""PDFs that have secrets in them: their text, with the secrets hidden, goes to Claude in the place of the document."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.ask import Attached
from bot.redaction import hidden

INSTEAD = "[This is the text of a PDF. Secrets in it were hidden, so the document itself, with its pictures, is not shown.]"


async def without_secrets(
    files: Sequence[Attached], names: Collection[str] | None
) -> tuple[Attached, ...]:
    """The files, each PDF in whose text a secret was found as that text; what its pictures show nobody looks at.

    Args:
        files: with the `words` of those that are PDFs.
        names: of the rules by which secrets are hidden; None is all.
    """
    shown = await hidden([file.words for file in files], names)
    return tuple(_as(file, words) for file, words in zip(files, shown, strict=True))


def _as(file: Attached, words: str) -> Attached:
    if words == file.words:
        return replace(file, words="")
    return replace(file, text=f"{INSTEAD}\n{words}", data=b"", pages=0, words="")
