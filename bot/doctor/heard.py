"""What the database tells: its engine and pace, and which of Slack's events have come.

Slack tells nobody what an app is subscribed to, so it is seen by what comes.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import SecretStr

from bot.doctor import Finding
from bot.store import Row, Store
from bot.store.opening import named

LOOKS = 5  # of which the middle one counts
SLOW_MS = 50.0  # an answer of the database, beyond which each ask is slowed by seconds
OLDEST = 15  # of PostgreSQL's majors
ASKS = 10  # after which a kind of event should have come
KINDS = {"mention": "mentions", "direct": "direct messages"}
"""Of events, with our words for them."""
PASTE = "paste `purser manifest` into the app's manifest page, which subscribes to {event}"


async def examine(
    store: Store, url: SecretStr, *, clock: Callable[[], float] = time.perf_counter
) -> list[Finding]:
    """How fast the database answers, and what has come.

    Args:
        store: the database.
        url: of it.
        clock: seconds that only grow.

    Raises:
        StoreDown: it cannot be read.
    """
    version = str((await store.read("doctor.version"))[0]["version"])
    took: list[float] = []
    for _ in range(LOOKS):
        began = clock()
        await store.ready()
        took.append(clock() - began)
    (heard,) = await store.read("doctor.heard")
    return [engine(named(url), version, sorted(took)[LOOKS // 2] * 1000), _events(heard)]


def engine(name: str, version: str, ms: float) -> Finding:
    """Whether the database's engine is one that Purser was tried with, and fast enough.

    Args:
        name: of the database.
        version: of the engine, such as `PostgreSQL 18.4`.
        ms: for an answer.
    """
    says = f"{version} answers in {ms:.1f} ms"
    server = re.match(r"PostgreSQL (\d+)", version)
    if server and int(server[1]) < OLDEST:
        says += f", and is older than what Purser was tried with (PostgreSQL {OLDEST})"
        return Finding("Database engine", "yellow", says, "upgrade the server")
    if ms < SLOW_MS:
        return Finding("Database engine", "green", says)
    mend = f"move {name} nearer, or look at what else its machine does"
    return Finding("Database engine", "yellow", says, mend, passing=True)


def _events(heard: Row) -> Finding:
    """Whether each kind of event has ever come, as far as that can be expected.

    Many teams never write to an app directly, so that silence alone is nothing to mend.
    """
    if heard["mention"] is None and heard["asks"] >= ASKS:
        says = f"of {heard['asks']:,} asks none has come as app_mention"
        return Finding("Slack events", "yellow", says, PASTE.format(event="app_mention"))
    came = [
        f"{words} came last on {datetime.fromtimestamp(heard[kind], UTC):%Y-%m-%d}"
        for kind, words in KINDS.items()
        if heard[kind] is not None
    ]
    if not came:
        return Finding("Slack events", "green", "none has come yet; mention Purser")
    if heard["direct"] is None:
        paste = PASTE.format(event="message.im")
        came.append(f"no direct message has come yet (if somebody has sent one, {paste})")
    return Finding("Slack events", "green", "; ".join(came))
