"""Keeps the processes that read documents: warm, few, and killed as soon as one is late.

Each process sits at the other end of a socket pair, gets no environment of ours (there are keys
in it), and takes one document at a time. A process that was late, or whose reader was cancelled,
is killed, and its place is filled again when the next document comes.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations.extract import FRAME_BYTES, LENGTH, Extract, framed
from integrations.web_errors import TooSlow, Unreadable

PROCESSES = 2
SECONDS = 10.0  # of reading one document
JOBS = 200  # of a process, then a new one takes its place: memory it lost is free again
BUFFER_BYTES = 1024 * 1024
ROOT = Path(__file__).resolve().parent.parent  # where `integrations` is found


@dataclass(slots=True)
class _Place:
    """A place for a process, and the process that fills it."""

    process: asyncio.subprocess.Process | None = None
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    jobs: int = 0

    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None


class Extractor:
    """Reads documents in processes of their own.

    Args:
        processes: how many documents are read at a time; further ones wait.
        seconds: after which a process is killed, waiting for a place not counted.
        environment: the whole environment of the processes; what Python needs to start, if anything.
    """

    def __init__(
        self,
        *,
        processes: int = PROCESSES,
        seconds: float = SECONDS,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._seconds = seconds
        self._environment = {"PYTHONUTF8": "1", **(environment or {})}
        self._places = [_Place() for _ in range(processes)]
        self._free: asyncio.LifoQueue[_Place] = asyncio.LifoQueue()  # the warmest first
        for place in self._places:
            self._free.put_nowait(place)
        self._closed = False

    async def start(self) -> None:
        """Start the processes ahead of the first document; without it they start when needed."""
        for place in self._places:
            if not place.alive():
                await self._fill(place)

    async def close(self) -> None:
        """Kill the processes; what they read is lost."""
        self._closed = True
        for place in self._places:
            await _empty(place)

    @property
    def pids(self) -> list[int]:
        """The living processes."""
        return [p.process.pid for p in self._places if p.process is not None and p.alive()]

    async def extract(self, kind: str, body: bytes, charset: str | None, url: str = "") -> Extract:
        """Read a document; a cancelled call kills its process.

        Args:
            kind: "html", "text" or "pdf"; "pages" counts those of a PDF.
            body: the document.
            charset: as announced by its server.
            url: where it came from, for its links.

        Raises:
            TooSlow: it took more than the seconds of a document.
            Unreadable: the process broke on it.
        """
        place = await self._free.get()
        whole = False
        try:
            async with asyncio.timeout(self._seconds):
                if self._closed:
                    raise Unreadable
                if not place.alive():
                    await self._fill(place)
                head = {"kind": kind, "charset": charset, "url": url}
                answer = await _asked(place, head, body)
            whole = place.jobs < JOBS
        except TimeoutError:
            raise TooSlow from None
        except (OSError, EOFError, ValueError):
            raise Unreadable from None
        finally:
            try:
                if not whole:
                    await _empty(place)
            finally:  # cancelled once more: a lost place would never be filled again
                self._free.put_nowait(place)
        return Extract(
            str(answer["title"]),
            str(answer["text"]),
            int(answer["pages"]),
            bool(answer["locked"]),
        )

    async def _fill(self, place: _Place) -> None:
        await _empty(place)
        ours, theirs = socket.socketpair()
        try:
            place.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "integrations.extract",
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=asyncio.subprocess.DEVNULL,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for us: asks that still run want their pages
            )
            place.reader, place.writer = await asyncio.open_connection(
                sock=ours, limit=BUFFER_BYTES
            )
        finally:
            theirs.close()
            if place.writer is None:
                ours.close()


async def _asked(place: _Place, head: dict[str, str | None], body: bytes) -> dict[str, Any]:
    """Hand a job over and wait for its answer."""
    reader, writer = place.reader, place.writer  # close() may empty the place meanwhile
    if reader is None or writer is None:
        raise EOFError
    place.jobs += 1
    writer.write(framed(json.dumps(head).encode("ascii")))
    writer.write(framed(body))
    await writer.drain()
    size = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
    if size > FRAME_BYTES:
        raise EOFError
    return json.loads(await reader.readexactly(size))


async def _empty(place: _Place) -> None:
    """Kill what is in a place, and wait until it is gone."""
    process, writer = place.process, place.writer
    place.process = place.reader = place.writer = None
    place.jobs = 0
    if writer is not None:
        writer.transport.abort()
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
