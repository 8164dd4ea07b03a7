"""The one thread that writes: all that waits at the moment is handed to the engine together, as one group.

Both engines commit by groups; what a group is to them, and how one of it fails without the others, is theirs.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.errors import PurserError, StoreDown
from bot.store import Row

GROUP = 256  # transactions in one commit at most
Result = list[list[Row]] | PurserError
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    one: T
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Result]"


class Groups(Generic[T]):
    """Takes transactions from any loop and gives each its result.

    Args:
        write: commits a group in the thread, and gives a result for each of it.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[Result]]) -> None:
        self._write = write
        self._queue: queue.SimpleQueue[_Waiting[T] | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()  # nothing is queued behind the end
        self._thread = threading.Thread(target=self._work, name="purser-writer", daemon=True)
        self._thread.start()

    async def commit(self, one: T) -> list[list[Row]]:
        """Queue a transaction and wait until the engine has told what became of it.

        Raises:
            PurserError: what the engine gave as its result; or StoreDown, once it is closed.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(one, loop, loop.create_future())
        with self._closing:
            if self._closed:
                raise _over()
            self._queue.put(waiting)
        result = await waiting.future
        if isinstance(result, PurserError):
            raise result
        return result

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        group: list[_Waiting[T]] = []
        try:
            while group := self._gathered():
                _tell(zip(group, self._write([waiting.one for waiting in group]), strict=True))
                group = []
        finally:
            # At a regular end nobody is left. If it was an error of ours, nobody may wait for ever.
            with self._closing:
                self._closed = True
            while not self._queue.empty():
                if (one := self._queue.get()) is not None:
                    group.append(one)
            _tell((one, _over()) for one in group)

    def _gathered(self) -> list[_Waiting[T]]:
        """All that wait at the moment; nobody, once the store is closed."""
        group: list[_Waiting[T]] = []
        while len(group) < GROUP and not (group and self._queue.empty()):
            one = self._queue.get()
            if one is None:
                self._queue.put(None)  # to be found by the next look
                break
            group.append(one)
        return group


def _over() -> StoreDown:
    return StoreDown("the store is closed")


def _tell(told: "Iterable[tuple[_Waiting[T], Result]]") -> None:
    """Each hears its result; a loop is woken once for all its waiters."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Result], Result]]] = {}
    for waiting, result in told:
        by_loop.setdefault(waiting.loop, []).append((waiting.future, result))
    for loop, results in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, results)


def _resolve(results: list[tuple["asyncio.Future[Result]", Result]]) -> None:
    for future, result in results:
        if not future.done():  # its caller may have gone away
            future.set_result(result)
