"""A process that writes to a store until somebody kills it, or until its disk is full; run by the tests beside it.

python -m tests.bot.store.child write purser.db     prints the id of each ask once its commit has returned; or an address
python -m tests.bot.store.child quota purser.db     fills its share of the disk, gets more, and prints what it heard
"""

import asyncio
import json
import resource
import sys
from pathlib import Path
from typing import Any

from bot.errors import StoreDown
from bot.inbox import Arrival, Inbox
from bot.store import Store, Transaction
from bot.store.postgres import PostgresStore
from bot.store.sqlite import SqliteStore
from tests.bot.stores import ask

WRITERS = 20  # at the same time
QUOTA = 300_000  # bytes of one file at first
TEXT = "x" * 5_000


def both(n: int) -> Transaction:
    """An ask and a part of its answer, true together or not at all."""
    one = ask(id=f"ask{n:08d}", key=f"key{n}", ts=f"{n}.0", thread="")
    tx = Transaction()
    columns: dict[str, Any] = {
        **{name: getattr(one, name) for name in ("id", "key", "team", "channel", "user", "ts")},
        **{name: getattr(one, name) for name in ("lane", "feature", "at", "not_before")},
        "body": json.dumps(one.to_json()),
    }
    part: dict[str, Any] = {"ask_id": one.id, "n": 1, "state": "said", "kind": "post"}
    part |= {"channel": "C1", "ts": one.ts, "text": TEXT, "now": 0.0}
    tx.add("inbox.put", **columns)
    tx.add("journal.part", **part)
    return tx


async def write(place: str) -> None:
    """Write for ever, and say what was acknowledged."""
    store: Store
    if place.startswith("postgresql:"):
        store = await PostgresStore.open(place, serve=True)
    else:
        store = await SqliteStore.open(Path(place), serve=True)

    async def writer(first: int) -> None:
        for n in range(first, 10**8, WRITERS):
            await store.commit(both(n))
            print(f"ask{n:08d}", flush=True)  # noqa: T201 - it is what the parent waits for

    await asyncio.gather(*(writer(n) for n in range(WRITERS)))


async def quota(place: str) -> None:
    """Write until the disk is full, then with more room."""
    store = await SqliteStore.open(Path(place), serve=True)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard: list[object] = [await store.commit(both(n)) for n in range(5)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (QUOTA, hard))
    later = (store.commit(both(n)) for n in range(5, 200))
    heard += await asyncio.gather(*later, return_exceptions=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    ready = await store.ready()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    inbox = Inbox(store, now=lambda: 2_000.0, worker="w1")
    after = await inbox.put(Arrival(("after",), ask(id="after", key="after", ts="9999.0")))
    report = {
        "acknowledged": [f"ask{n:08d}" for n, h in enumerate(heard) if isinstance(h, list)],
        "refused": sorted({str(h) for h in heard if isinstance(h, StoreDown)}),
        "ready": [ready, await store.ready()],
        "after": after,
    }
    print(json.dumps(report))  # noqa: T201 - it is what the parent reads
    await store.close()


if __name__ == "__main__":
    asyncio.run({"write": write, "quota": quota}[sys.argv[1]](sys.argv[2]))
