"""The `purser` command as a process of its own, forked from one that has imported what the command needs.

It has its own arguments, environment, folder, streams and exit code, as from a shell; only what a start costs, about
two seconds at work, is paid once by each worker of a run. How the installed command itself starts is tried in
tests/test_wheel.py, and with `tests.bot.terminal.run`.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "bot.__main__",
        "bot.app.examination",
        "bot.app.process",
        "bot.demo.stage",
        "bot.doctor",
        "bot.evals.course",
        "bot.slack.manifest",
        "bot.statement",
        "genai_prices",
    ]
)
ENDS = os.O_WRONLY | os.O_CREAT | os.O_APPEND  # a second process of a story writes on


def start(
    *arguments: str, cwd: Path, env: Mapping[str, str], out: str, err: str
) -> ForkServerProcess:
    """Start a command.

    Args:
        arguments: after `purser`.
        cwd: its folder.
        env: all of its environment.
        out: the file at whose end it prints, seen from its folder.
        err: the same for its log and complaints.
    """
    process = FORKS.Process(target=_purser, args=(arguments, cwd, dict(env), out, err))
    process.start()
    return process


async def ended(process: ForkServerProcess) -> int:
    """The exit code of a process, once it has ended; negative is the signal that ended it."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _purser(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], out: str, err: str
) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for stream, path, how in ((0, os.devnull, os.O_RDONLY), (1, out, ENDS), (2, err, ENDS)):
        os.dup2(os.open(path, how, 0o600), stream)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - whatever kills us, it is written
    sys.argv = ["purser", *arguments]
    from bot.__main__ import main

    main(prog_name="purser")
