"""Files that hang on a message, read within limits, or the sentence why one was not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Protocol

from bot.ask import Attached, FileRef
from bot.pictures import SIDE, size_of
from bot.slack.envelope import files_of
from bot.slack.wire import SlackError
from integrations.pdf import Pdfs

TEXT_BYTES = 1024 * 1024
IMAGE_BYTES = 5 * 1024 * 1024  # Claude takes 10 MB of base64 for one
PDF_BYTES = 10 * 1024 * 1024  # a request to Claude is at most 32 MB, base64 included
PICTURES = (
    10  # of one ask; with those of its thread, twenty, from where on Claude takes smaller ones only
)
PAGES = 600  # of all PDFs of one ask, the most that Claude takes
ALL_BYTES = 20 * 1024 * 1024  # of one ask
READY_SECONDS = 1.0  # a file just uploaded may not be there at once: one wait, one more try

IMAGES: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
PDF = "application/pdf"
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
TOO_MUCH = "the files of this message are too much together"
TOO_MANY = f"I look at {PICTURES} pictures at once; ask about this one by itself"
TOO_LARGE = "it has {0:,} by {1:,} pixels; I can look at {2:,} on a side at most"
LOCKED = "a password locks it; attach it without one"
TOO_LONG = "it has {0:,} pages; I can read {1:,} at once in all"
MARKUP = (".html", ".htm", ".xhtml", ".svg", ".vue", ".xml")


class Wire(Protocol):
    """What is needed of Slack."""

    async def file_info(self, file_id: str) -> Mapping[str, Any]:
        """The `file` object of files.info; raises SlackError."""
        ...

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file's bytes with our token, at most `limit` + 1 of them; raises SlackError."""
        ...


class Files:
    """Reads files.

    Args:
        wire: Slack.
        pdfs: reads PDFs; without it their pages are not counted, nor their words looked through for secrets.
        sleep: waits, for a file that is not ready yet.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        pdfs: Pdfs | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._wire = wire
        self._pdfs = pdfs
        self._sleep = sleep

    async def read(self, refs: Sequence[FileRef]) -> list[Attached]:
        """Read files, in their order; each is there, with its content or with its problem."""
        known = await asyncio.gather(*(self._known(ref) for ref in refs))
        room = ALL_BYTES
        reading: list[Awaitable[Attached]] = []
        for found in known:
            needed = (found.size or _limit(found)) if isinstance(found, FileRef) else 0
            fits = needed <= room
            room -= needed if fits else 0
            reading.append(self._one(found if fits else _not(found, TOO_MUCH)))
        return _within([await self._counted(file) for file in await asyncio.gather(*reading)])

    async def _counted(self, file: Attached) -> Attached:
        """A PDF with its pages and words, or why it cannot be read; anything else as it is."""
        if self._pdfs is None or file.mimetype != PDF or not file.data:
            return file
        found = await self._pdfs.count(file.data)
        if found.locked:
            return _not(file, LOCKED)
        words = await self._pdfs.words(file.data) if found.pages <= PAGES else ""
        return replace(file, pages=found.pages, words=words)

    async def _known(self, ref: FileRef) -> FileRef | Attached:
        """The file with its address, or why there is none to read."""
        if not ref.url:
            try:
                found = files_of({"files": [await self._wire.file_info(ref.id)]})
            except SlackError as error:
                return _not(ref, f"Slack did not give it to me ({error.code})")
            if not found or not found[0].url:
                return _not(ref, "it does not lie at Slack, or is hidden or deleted")
            ref = found[0]
        return ref if ref.size <= _limit(ref) else _not(ref, _too_large(ref))

    async def _one(self, ref: FileRef | Attached) -> Attached:
        if isinstance(ref, Attached):
            return ref
        try:
            data = await self._bytes(ref.url, _limit(ref))
        except SlackError as error:
            return _not(ref, f"Slack did not give it to me ({error.code})")
        return _not(ref, _too_large(ref)) if len(data) > _limit(ref) else _read(ref, data)

    async def _bytes(self, url: str, limit: int) -> bytes:
        data = await self._wire.download(url, limit=limit)
        if not data:
            await self._sleep(READY_SECONDS)
            data = await self._wire.download(url, limit=limit)
        return data


def _within(files: Sequence[Attached]) -> list[Attached]:
    """The files, and of pictures and pages as many as Claude takes at once."""
    pictures, pages, found = 0, 0, list[Attached]()
    for file in files:
        is_picture = bool(file.data) and file.mimetype != PDF
        pictures += is_picture
        pages += file.pages
        if is_picture and pictures > PICTURES:
            found.append(_not(file, TOO_MANY))
        elif pages > PAGES and file.pages:
            found.append(_not(file, TOO_LONG.format(file.pages, PAGES)))
            pages -= file.pages
        else:
            found.append(file)
    return found


def _limit(ref: FileRef) -> int:
    if ref.mimetype == PDF:
        return PDF_BYTES
    return IMAGE_BYTES if ref.mimetype.startswith("image/") else TEXT_BYTES


def _too_large(ref: FileRef) -> str:
    return f"it is larger than {_limit(ref) // (1024 * 1024)} MiB, the most I read of this kind"


def _not(file: FileRef | Attached, why: str) -> Attached:
    return Attached(file.name, file.mimetype, problem=why)


def _read(file: FileRef, data: bytes) -> Attached:
    """What the bytes are; what Slack called them is not believed."""
    if not data:
        return _not(file, "it is empty")
    if _is_login_page(file, data):
        return _not(file, "Slack showed a login page instead; the app may lack files:read")
    if data.startswith(b"%PDF-"):
        return Attached(file.name, PDF, data=data)
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    image = "image/webp" if webp else next((t for m, t in IMAGES.items() if data.startswith(m)), "")
    if image and len(data) <= IMAGE_BYTES:
        size = size_of(data)
        if size and max(size) > SIDE:
            return _not(file, TOO_LARGE.format(*size, SIDE))
        return Attached(file.name, image, data=data)
    if data.startswith(ARCHIVES):
        return _not(file, "it is an archive; attach the files themselves")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return _not(file, "it is neither text in UTF-8 nor an image or PDF that I can read")
    if "\x00" in text:
        return _not(file, "it is binary; I read text, code, diffs, PDF and images")
    return Attached(file.name, file.mimetype, text=text)


def _is_login_page(file: FileRef, data: bytes) -> bool:
    """Slack answers 200 with a page of HTML where it does not know our token."""
    page = data.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html"))
    wanted = PurePath(file.name).suffix.lower() in MARKUP or "html" in file.mimetype
    return page and not wanted
