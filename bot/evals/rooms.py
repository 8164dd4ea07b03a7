"""What an evaluation works with: the real turn, on a store of its own that is gone afterwards."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.alerts import AdminAlerts
from bot.app.clients import claude_client
from bot.ask import Ask, Lease
from bot.budget import Budget
from bot.conversation import Conversations
from bot.estimates import Estimates
from bot.evals.material import Material
from bot.governor import Governor
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.ledger import Ledger
from bot.metrics import Metrics
from bot.prefetch import Prefetch
from bot.prompts import Prompts
from bot.settings import Settings
from bot.store.sqlite import SqliteStore
from bot.tool_runner import ToolRunner
from bot.turn import Turn
from integrations.claude import Claude
from integrations.web import Web

LEASE_SECONDS = 6 * 3600.0  # nobody else is there to take an ask over
IN_FLIGHT = 1_000  # asks of one person or channel; what runs at a time is bounded elsewhere


@dataclass(frozen=True, slots=True)
class Rooms:
    """The turn, what is read before it and by its tools, and the inbox that its asks are leased from."""

    turn: Turn
    prefetch: Prefetch
    material: Material
    inbox: Inbox
    _taking: asyncio.Lock

    async def take(self, ask: Ask) -> Lease:
        """Put an ask in and lease that very one.

        Raises:
            StoreDown: it could not be written down.
        """
        async with self._taking:
            await self.inbox.put(Arrival((ask.key,), ask))
            lease = await self.inbox.take(person_in_flight=IN_FLIGHT, channel_in_flight=IN_FLIGHT)
        if lease is None or lease.ask.id != ask.id:
            raise RuntimeError("the inbox gave another ask than the one that was put")
        return lease


@asynccontextmanager
async def furnish(
    settings: Settings, *, now: Callable[[], float] = time.time
) -> AsyncGenerator[Rooms]:
    """Open everything for the time of an evaluation.

    Args:
        settings: Claude's key and address.
        now: seconds since the epoch.
    """
    clock, rng, web = time.monotonic, random.Random(), Web()  # noqa: S311 - jitter
    with TemporaryDirectory(prefix="purser-eval-") as folder:
        store = await SqliteStore.open(Path(folder) / "eval.db", serve=True)
        try:
            async with claude_client(settings) as client:
                inbox = Inbox(store, now=now, worker="eval", lease_seconds=LEASE_SECONDS)
                material = Material()
                journal = Journal(store, now=now)
                turn = Turn(
                    claude=Claude(client),
                    runner=ToolRunner(material.tools(web), clock=clock),
                    journal=journal,
                    ledger=Ledger(store, zone=UTC, now=now),
                    estimates=Estimates(store, now=now),
                    budget=Budget(store, now=now, zone=UTC),
                    governor=Governor(clock=clock, rng=rng),
                    conversations=Conversations(store),
                    store=store,
                    prompts=Prompts.load(),
                    metrics=Metrics(),
                    alerts=AdminAlerts(inbox, admins=tuple, team="", new_id=str, now=now),
                    user_salt=b"eval",
                    now=now,
                    clock=clock,
                    rng=rng,
                    sleep=asyncio.sleep,
                )
                prefetch = Prefetch(material.pulls(), journal, store, clock=clock)
                yield Rooms(turn, prefetch, material, inbox, asyncio.Lock())
        finally:
            await web.close()
            await store.close()
