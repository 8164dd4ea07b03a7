"""The `purser` command as a process of its own, in a clean environment."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import forks

PURSER = Path(sys.executable).with_name("purser")
CLEAN = {"PATH": os.defpath, "HOME": "/nowhere", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str


async def purser(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a folder, with these settings and nothing else of ours; see tests/forks.py."""
    with TemporaryDirectory(prefix="purser-") as place:
        out, err = Path(place) / "out", Path(place) / "err"
        own = {**CLEAN, **(env or {})}
        process = forks.start(*arguments, cwd=cwd, env=own, out=str(out), err=str(err))
        try:
            code = await forks.ended(process)
        finally:
            process.kill()  # where its test has given up
        return Ran(code, out.read_text(), err.read_text())


async def run(*line: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """Run a program in the clean environment; `PURSER` is the installed command."""
    process = await asyncio.create_subprocess_exec(
        *line,
        cwd=cwd,
        env={**CLEAN, **(env or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), err.decode())
