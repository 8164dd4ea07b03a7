"""What an ask writes in passing costs no commit of its own, and is there all the same."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.ask import Lease
from bot.errors import LeaseLost, OverBudget, StoreAway, StoreDown
from bot.inbox import Arrival, Inbox
from bot.journal import Journal
from bot.store import Row, Store, Transaction
from bot.store.soon import Soon
from bot.store.sqlite import SqliteStore
from tests.bot.stores import Clock, ask

NEVER = 60.0  # seconds, where nothing is to be written by itself


class Commits:
    """Commits nothing, remembers what it was given, and fails as it is told."""

    def __init__(self) -> None:
        self.names: list[list[str]] = []
        self.fails: list[Exception] = []
        self.heard, self.may = asyncio.Event(), asyncio.Event()
        self.may.set()

    async def __call__(self, tx: Transaction) -> list[list[Row]]:
        """Commit; each statement gives its place as a row."""
        self.names.append([one.name for one in tx.statements])
        self.heard.set()
        await self.may.wait()
        if self.fails:
            raise self.fails.pop(0)
        return [[{"place": n}] for n, _ in enumerate(tx.statements)]


def lease_of(name: str = "a", attempt: int = 1) -> Lease:
    """A lease of some ask."""
    return Lease(ask(id=name), attempt, 0.0)


def writing(lease: Lease, *names: str) -> Transaction:
    """A transaction with these statements."""
    tx = Transaction(lease)
    for name in names:
        tx.add(name)
    return tx


def rows_of(rows: Sequence[Sequence[Row]]) -> list[Any]:
    """What `Commits` gave."""
    return [row["place"] for (row,) in rows]


async def taken(inbox: Inbox) -> Lease:
    """A lease of an ask that was put."""
    one = ask()
    await inbox.put(Arrival((one.key,), one))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


def say_soon(store: Store, lease: Lease, clock: Clock) -> None:
    """Note in passing that a part was said."""
    tx = Transaction(lease)
    Journal(store, now=clock).part(
        tx, lease, n=1, state="said", channel="C1", ts="8.8", text="Yes."
    )
    store.soon(tx)


@pytest.fixture
async def commits() -> Commits:
    """A store's commit."""
    return Commits()


async def test_it_goes_with_the_next_commit_of_the_ask(commits: Commits) -> None:
    """It goes first, behind the look at the lease, and whoever commits sees only rows of their own."""
    soon, lease = Soon(commits, seconds=NEVER), lease_of()
    soon.add(writing(lease, "one", "two"))
    soon.add(writing(lease, "three"))

    rows = await soon.commit(writing(lease, "mine"))
    await soon.commit(writing(lease, "later"))

    fence = "inbox.fence"
    assert commits.names == [[fence, "one", "two", "three", "mine"], [fence, "later"]]
    assert rows_of(rows) == [0, 4]


async def test_others_do_not_take_it_along(commits: Commits) -> None:
    """Another ask, another attempt and what is nobody's go without it."""
    soon = Soon(commits, seconds=NEVER)
    soon.add(writing(lease_of(), "one"))
    for lease in (lease_of("b"), lease_of(attempt=2), None):
        await soon.commit(Transaction(lease))

    assert not any("one" in names for names in commits.names)
    await soon.close()


async def test_by_itself_after_a_moment(commits: Commits) -> None:
    """Where the ask commits nothing more, it is written all the same, once."""
    soon = Soon(commits, seconds=0.01)
    soon.add(writing(lease_of(), "one"))
    await commits.heard.wait()
    await soon.close()

    assert commits.names == [["inbox.fence", "one"]]


@pytest.mark.parametrize("why", [StoreAway("it is away"), OverBudget()])
async def test_what_was_undone_is_tried_again(commits: Commits, why: Exception) -> None:
    """When the commit that took it along comes to nothing, it goes with the next one, in its order."""
    soon, lease = Soon(commits, seconds=NEVER), lease_of()
    commits.fails = [why]
    soon.add(writing(lease, "one"))
    with pytest.raises(type(why)):
        await soon.commit(writing(lease, "mine"))
    soon.add(writing(lease, "two"))
    await soon.commit(writing(lease, "again"))

    assert commits.names[-1] == ["inbox.fence", "one", "two", "again"]


async def test_a_store_that_is_away_gets_it_later(commits: Commits) -> None:
    """What goes by itself is tried until the store takes it."""
    soon = Soon(commits, seconds=0.01)
    commits.fails = [StoreDown("full"), StoreDown("full")]
    soon.add(writing(lease_of(), "one"))
    while len(commits.names) < 3:
        commits.heard.clear()
        await commits.heard.wait()
    await soon.close()

    assert commits.names == [["inbox.fence", "one"]] * 3


async def test_an_end_is_not_there_without_what_was_before(commits: Commits) -> None:
    """What comes while a commit has it on the way waits for that, and takes it along where that came to nothing."""
    soon, lease = Soon(commits, seconds=NEVER), lease_of()
    soon.add(writing(lease, "answer"))
    commits.fails = [StoreAway("it is away")]
    commits.may.clear()
    first = asyncio.create_task(soon.commit(writing(lease, "first")))
    await commits.heard.wait()
    end = asyncio.create_task(soon.commit(writing(lease, "end")))
    others = await asyncio.wait(
        {asyncio.create_task(soon.commit(writing(lease_of("b"), "b")))}, timeout=0
    )
    commits.may.set()
    with pytest.raises(StoreAway):
        await first
    rows = await end
    await asyncio.wait(others[1])

    fence = "inbox.fence"
    assert commits.names == [
        [fence, "answer", "first"],
        [fence, "b"],
        [fence, "answer", "end"],
    ]
    assert rows_of(rows) == [0, 2]


async def test_who_goes_away_leaves_it(commits: Commits) -> None:
    """Where nobody heard what became of the commit that has it, it is said again: it may be there twice, never not at all."""
    soon, lease = Soon(commits, seconds=NEVER), lease_of()
    soon.add(writing(lease, "one"))
    commits.may.clear()
    gone = asyncio.create_task(soon.commit(writing(lease, "gone")))
    await commits.heard.wait()
    gone.cancel()
    await asyncio.wait({gone})
    commits.may.set()
    await soon.commit(writing(lease, "again"))
    await soon.commit(writing(lease, "later"))

    fence = "inbox.fence"
    assert commits.names[1:] == [[fence, "one", "again"], [fence, "later"]]


async def test_whoever_lost_the_ask_writes_nothing_more(commits: Commits) -> None:
    """With the lease goes what was to be written under it."""
    soon, lease = Soon(commits, seconds=NEVER), lease_of()
    commits.fails = [LeaseLost()]
    soon.add(writing(lease, "one"))
    with pytest.raises(LeaseLost):
        await soon.commit(writing(lease, "mine"))
    await soon.commit(writing(lease, "again"))

    assert commits.names[-1] == ["inbox.fence", "again"]


async def test_behind_the_end_nothing_is_tried_for_ever(commits: Commits) -> None:
    """What came too late, when the ask had ended or was another's, is let go of with the first try."""
    soon = Soon(commits, seconds=0.01)
    commits.fails = [LeaseLost()]
    soon.add(writing(lease_of(), "late"))
    await commits.heard.wait()
    await soon.close()

    assert commits.names == [["inbox.fence", "late"]]


async def test_only_what_may_be_lost(commits: Commits) -> None:
    """What is nobody's, or has a failure somebody must hear of, is refused at the door."""
    soon, must = Soon(commits, seconds=NEVER), Transaction(lease_of())
    must.add("one", must=OverBudget())
    for tx in (must, Transaction()):
        with pytest.raises(ValueError, match="may lose"):
            soon.add(tx)


async def test_it_is_on_disk_with_the_commit(store: Store, inbox: Inbox, clock: Clock) -> None:
    """On both engines: not before the ask's next commit, and there as soon as that returns."""
    lease, journal = await taken(inbox), Journal(store, now=clock)
    one = lease.ask
    say_soon(store, lease, clock)
    assert not (await journal.read(one.id)).parts

    tx = Transaction(lease)
    tool = tx.add("journal.names", message_id="none", since=0.0)
    assert (await store.commit(tx))[tool] == []
    assert [part.text for part in (await journal.read(one.id)).parts] == ["Yes."]


async def test_a_refusal_is_that_of_whoever_commits(
    store: Store, inbox: Inbox, clock: Clock
) -> None:
    """On both engines: what rides along takes nobody's refusal for its own, and is on disk with what comes next."""
    lease, journal = await taken(inbox), Journal(store, now=clock)
    one = lease.ask
    say_soon(store, lease, clock)
    tx = Transaction(lease)
    tx.add("inbox.claim", key="mine", now=clock())
    tx.add("inbox.claim", must=OverBudget("month"), key=one.key, now=clock())
    with pytest.raises(OverBudget, match="month"):
        await store.commit(tx)

    assert not (await journal.read(one.id)).parts
    await inbox.give_back(lease)
    assert [part.text for part in (await journal.read(one.id)).parts] == ["Yes."]


async def test_closing_writes_what_is_left(tmp_path: Path, clock: Clock) -> None:
    """A store that is closed loses nothing of it."""
    store = await SqliteStore.open(tmp_path / "purser.db", serve=True, now=clock)
    lease = await taken(Inbox(store, now=clock, worker="w"))
    say_soon(store, lease, clock)
    await store.close()

    async with SqliteStore.beside(tmp_path / "purser.db") as again:
        told = await Journal(again, now=clock).read(lease.ask.id)
        assert [part.text for part in told.parts] == ["Yes."]
