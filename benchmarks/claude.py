"""The Claude stand-in in a process of its own: prints its address, and ends when its input is closed."""

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.demo.claude import UNLIMITED, ClaudeStandIn

FIRST_WORD_SECONDS = 0.2  # from a request to the beginning of its answer


@asynccontextmanager
async def claude(ttft: float = FIRST_WORD_SECONDS) -> AsyncGenerator[tuple[str, int]]:
    """The stand-in while inside; gives its address and its process id.

    Args:
        ttft: seconds from a request to the beginning of its answer.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.claude", str(ttft)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip(), process.pid
    finally:
        process.stdin.close()
        await process.wait()


async def _serve(ttft: float) -> None:
    stand_in = ClaudeStandIn(ttft=ttft, tier=UNLIMITED, keep_bodies=False)
    await stand_in.start()
    gc.freeze()  # a pause here would be taken for the app's
    print(stand_in.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await stand_in.stop()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
