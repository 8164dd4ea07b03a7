"""Blocking calls to Jira, each in a thread of its own that is gone when its work is, and bounded in number."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from integrations.jira_errors import JiraBroken, JiraSlow

if TYPE_CHECKING:
    from integrations.jira_client import Client


IDLE_CLIENTS = 8  # kept with their open connections

NO_THREAD = "Too much is asked of Jira at this moment; try again in a minute."

T = TypeVar("T")


class Calls:
    """Runs blocking work with a client, within a deadline.

    Args:
        connect: makes a client; nothing is asked of Jira by it.
        in_flight: calls at a time; further ones wait.
    """

    def __init__(self, connect: Callable[[], Client], in_flight: int) -> None:
        self._connect = connect
        self._free = asyncio.Semaphore(in_flight)
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue(IDLE_CLIENTS)
        self._closed = False

    async def __call__(self, work: Callable[[Client], T], deadline: float) -> T:
        """What the work returns, once a thread was free for it.

        Args:
            work: blocking; ends by itself, since its client asks within the deadline.
            deadline: seconds, waiting for a thread included.

        Raises:
            JiraProblem: of the work; JiraSlow also when the deadline passed while it ran or waited.
        """
        ends = time.monotonic() + deadline
        if self._closed:
            raise JiraBroken
        try:
            async with asyncio.timeout(deadline):
                await self._free.acquire()
                return await asyncio.wrap_future(self._begin(work, ends))
        except TimeoutError:
            raise JiraSlow from None

    def close(self) -> None:
        """Let go of idle connections; calls that still run end by their own deadlines."""
        self._closed = True
        self.renew()

    def renew(self) -> None:
        """Let go of idle connections, and of those in use when they are done: the next ones are made anew."""
        idle, self._idle = self._idle, queue.LifoQueue(IDLE_CLIENTS)
        with suppress(queue.Empty):
            while True:
                idle.get_nowait().close()

    def _begin(self, work: Callable[[Client], T], ends: float) -> Future[T]:
        """Start a thread; its place is free only when it is gone."""
        loop = asyncio.get_running_loop()

        def freed(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits for a place any more
                loop.call_soon_threadsafe(self._free.release)

        thread = ThreadPoolExecutor(1, thread_name_prefix="jira")
        try:
            running = thread.submit(self._work, work, ends)
        except RuntimeError:  # the machine gives no more threads
            self._free.release()
            raise JiraBroken(NO_THREAD) from None
        running.add_done_callback(freed)
        thread.shutdown(wait=False)
        return running

    def _work(self, work: Callable[[Client], T], ends: float) -> T:
        idle = self._idle
        try:
            client = idle.get_nowait()
        except queue.Empty:
            client = self._connect()
        try:
            from integrations.jira_session import until

            with until(ends):
                return work(client)
        finally:
            self._put_back(client, idle)

    def _put_back(self, client: Client, idle: queue.LifoQueue[Client]) -> None:
        try:
            idle.put_nowait(client)
        except queue.Full:
            client.close()
        if self._closed or idle is not self._idle:
            client.close()
