"""What people said and attached, with its secrets hidden; a PDF in whose words some stand goes to Claude as its text."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bot.ask import Attached, Said
from bot.redaction import hidden

INSTEAD = "[This is the text of a PDF. Secrets in it were hidden, so the document itself, with its pictures, is not shown.]"


async def without_secrets(
    files: Sequence[Attached], names: Collection[str] | None
) -> tuple[Attached, ...]:
    """The files without secrets in name or text, each PDF with one as its text; what its pictures show nobody looks at.

    Args:
        files: with the `words` of those that are PDFs.
        names: of the rules by which secrets are hidden; None is all.
    """
    texts = [words for file in files for words in (file.name, file.text, file.words)]
    shown = iter(await hidden(texts, names))
    return tuple(_as(file, next(shown), next(shown), next(shown)) for file in files)


async def discreet(said: Sequence[Said], names: Collection[str] | None) -> list[Said]:
    """The messages without secrets in their words, or in the names of people and files."""
    texts = [words for one in said for words in (one.name, one.text, *(f.name for f in one.files))]
    shown = iter(await hidden(texts, names))
    return [
        replace(
            one,
            name=next(shown),
            text=next(shown),
            files=tuple(replace(file, name=next(shown)) for file in one.files),
        )
        for one in said
    ]


def _as(file: Attached, name: str, text: str, words: str) -> Attached:
    if words == file.words:
        return replace(file, name=name, text=text, words="")
    return replace(file, name=name, text=f"{INSTEAD}\n{words}", data=b"", pages=0, words="")
