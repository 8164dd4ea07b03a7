"""`purser serve` as a supervisor keeps it: started again whenever it ends, until it is told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.apps import PURSER

AGAIN_SECONDS = 1.0  # until it is started again
STOP_SECONDS = 40.0  # within which it ends when told to
ENDED = (0, -signal.SIGTERM)  # how: the second one while it still starts


class Replica:
    """One of them.

    Args:
        folder: where its log goes on from one process to the next; it exists.
        environ: its settings.
        start: the folder it is started in; None is ours, whose sources it then runs.

    Attributes:
        fell: exit codes of processes that ended although nobody had killed or stopped them.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str], *, start: Path | None = None
    ) -> None:
        self._log, self._start = folder / "log", start
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None
        self._struck = self._wanted = False
        self.fell: list[int] = []
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve from now on."""
        self._wanted = True
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> bool:
        """Tell it to stop; whether it ended by that, in time."""
        self._wanted = False
        self._signal(signal.SIGTERM)
        assert self._keeping is not None
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.wait({self._keeping})
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._keeping
            return False
        return self._process is None or self._process.returncode in ENDED

    def kill(self) -> bool:
        """End it as a power cut would; whether there was anything to end."""
        self._struck = self._signal(signal.SIGKILL)
        return self._struck

    def pause(self) -> bool:
        """Let it stand still; whether there was anything to pause."""
        return self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """What its processes logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    async def _keep(self) -> None:
        while self._wanted:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *PURSER,
                    cwd=self._start,
                    env=self._environ,
                    stdout=log,
                    stderr=log,
                )
            code = await self._process.wait()
            if self._wanted and not self._struck:
                self.fell.append(code)
            self._struck = False
            if self._wanted:
                await asyncio.sleep(AGAIN_SECONDS)

    def _signal(self, number: signal.Signals) -> bool:
        process = self._process
        if process is None or process.returncode is not None:
            return False
        os.kill(process.pid, number)
        return True
