"""The processes of a rolling update: each runs one of the versions, in a folder of its own, on one database."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.crash.found import Wrong
from benchmarks.crash.replicas import Replica

READY_SECONDS = 60.0  # until a process takes asks
LOOK_SECONDS = 0.1  # between looks at what was logged
LAST_WORDS = 2000  # characters of a log that is told of


@dataclass(frozen=True, slots=True)
class Version:
    """What a process runs: `environ` is how Python finds it."""

    name: str
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ship:
    """A process, and what it runs."""

    version: Version
    replica: Replica

    def logged(self, event: str) -> list[Mapping[str, Any]]:
        """Its log's lines of a kind."""
        whole = self.replica.log().rpartition("\n")[0]
        lines = (line for line in whole.splitlines() if line.startswith("{"))
        return [line for line in map(json.loads, lines) if line["event"] == event]

    @property
    def answers(self) -> int:
        """How many asks it has answered; presses are none."""
        asks = (line for line in self.logged("ask") if line["feature"] != "click")
        return sum(line["outcome"] == "answer" for line in asks)


class Fleet:
    """All that were ever started.

    Args:
        folder: where they lie; it exists.
        environ: their settings.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, environ
        self._sailing = list[Ship]()
        self.ships = list[Ship]()

    async def migrate(self, version: Version) -> str:
        """Run a version's `purser migrate`; what it says that it did.

        Raises:
            ChildProcessError: it refused.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "migrate"),
            cwd=self._folder,
            env={**self._environ, **version.environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        said = out.decode(errors="replace").strip()
        if process.returncode:
            raise ChildProcessError(f"purser migrate ended with {process.returncode}: {said}")
        return said

    async def start(self, version: Version, count: int) -> list[Ship]:
        """Start so many, and wait until they take asks.

        Raises:
            ChildProcessError: one did not; the end of its log says why.
        """
        new = list[Ship]()
        for _ in range(count):
            folder = self._folder / f"process-{len(self.ships) + 1}"
            folder.mkdir()
            (folder / "log").touch()
            replica = Replica(folder, {**self._environ, **version.environ}, start=folder)
            new.append(Ship(version, replica))
            self.ships.append(new[-1])
            self._sailing.append(new[-1])
            replica.start()
        with suppress(TimeoutError):
            await until(lambda: all(ship.logged("ready") for ship in new), READY_SECONDS)
        for ship in new:
            if not ship.logged("ready"):
                raise ChildProcessError(
                    f"{version.name} took no asks:\n{ship.replica.log()[-LAST_WORDS:]}"
                )
        return new

    def answers(self) -> Counter[str]:
        """How many asks each version has answered."""
        found = Counter[str]()
        for ship in self.ships:
            found[ship.version.name] += ship.answers
        return found

    def parked(self) -> set[str]:
        """The asks that were ever parked."""
        return {line["ask"] for ship in self.ships for line in ship.logged("parked")}

    async def stop(self, some: Sequence[Ship] | None = None) -> list[Wrong]:
        """Tell some to stop, or all that still run; what was wrong with that, and with them."""
        going = [ship for ship in self._sailing if some is None or ship in some]
        self._sailing = [ship for ship in self._sailing if ship not in going]
        went = await asyncio.gather(*(ship.replica.stop() for ship in going))
        wrong = list[Wrong]()
        for ship, well in zip(going, went, strict=True):
            name = ship.version.name
            if not well:
                wrong.append(Wrong(0, f"a process of {name} did not end when told to"))
            wrong += [Wrong(0, f"one of {name} ended with {code}") for code in ship.replica.fell]
        return wrong


async def until(seen: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it was not, in time.
    """
    async with asyncio.timeout(seconds):
        while not seen():  # noqa: ASYNC110 - what is looked at is other processes' logs
            await asyncio.sleep(LOOK_SECONDS)
