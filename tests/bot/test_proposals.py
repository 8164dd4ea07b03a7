"""Proposals: bound to their content, and each step taken once, by one press."""

from dataclasses import replace
from typing import cast, get_args

import pytest

from bot.ask import Ask, Lease
from bot.errors import LeaseLost
from bot.inbox import Arrival, Inbox
from bot.proposals import DAY_SECONDS, STEPS, Moved, Proposal, Proposals, State
from bot.store import Store
from tests.bot.stores import Clock, ask

ASKED = {"key": "SHOP-12", "markdown": "Hi."}


@pytest.fixture
def kept(store: Store, clock: Clock) -> Proposals:
    """Proposals on the store."""
    return Proposals(store, now=clock)


async def proposed(
    kept: Proposals, origin: Ask, use: str = "use-1", *, draft: str = '{"a":1}'
) -> Proposal:
    """A comment that may be written."""
    return await kept.propose(
        origin, use, tool="jira_propose_comment", asked=ASKED, draft=draft, behalf="Ana"
    )


async def pressing(inbox: Inbox, **who: str) -> Lease:
    """A press that is being worked on."""
    press = ask(feature="click", origin="click", ts="", **who)
    await inbox.put(Arrival((press.key,), press))
    lease = await inbox.take(person_in_flight=9, channel_in_flight=9)
    assert lease is not None
    return lease


async def test_what_was_proposed_is_there_with_all_it_is_bound_to(
    kept: Proposals, clock: Clock
) -> None:
    """Place, asker, content and time are kept as they were; a button names id and hash."""
    origin = ask()
    made = await proposed(kept, origin)

    assert await kept.get(made.id) == made
    assert (made.team, made.channel, made.thread, made.user) == ("T1", "C1", origin.thread, "U1")
    assert (made.state, made.until, made.asked) == ("open", clock() + DAY_SECONDS, ASKED)
    assert made.value == f"{made.id}:{made.hash}"
    assert await kept.get("another") is None


async def test_one_for_each_use_and_each_content(kept: Proposals) -> None:
    """A tool use that is repeated after a restart, and a second use with the same content, make no second one."""
    origin = ask()
    first = await proposed(kept, origin)

    assert await proposed(kept, origin, draft='{"other":2}') == first
    assert await proposed(kept, origin, "use-2") == first
    other = await proposed(kept, origin, "use-3", draft='{"b":1}')
    assert await kept.of(origin.id) == sorted([first, other], key=lambda p: p.id)
    assert (await proposed(kept, ask())).id != first.id


async def test_the_hash_is_of_everything(kept: Proposals) -> None:
    """Another asker, place or content has another hash."""
    origin = ask()
    others = [
        await proposed(kept, replace(origin, id=f"other-{n}", **change))
        for n, change in enumerate(({}, {"user": "U2"}, {"channel": "C2"}, {"thread": "9.9"}))
    ]
    others.append(await proposed(kept, replace(origin, id="other-9"), draft="{}"))

    assert len({p.hash for p in others}) == 5


async def test_of_two_presses_one_counts(kept: Proposals, inbox: Inbox) -> None:
    """A step is taken from the state that was read; who comes second is told so."""
    found = await proposed(kept, ask())
    first, second = await pressing(inbox), await pressing(inbox)
    now = await kept.step(first, found, "writing", name="Ana")

    with pytest.raises(Moved):
        await kept.step(second, found, "writing", name="Ben")
    assert (now.state, now.press, now.who_name) == ("writing", first.ask.id, "Ana")
    assert await kept.get(found.id) == now


async def test_who_lost_the_press_takes_no_step(kept: Proposals, inbox: Inbox) -> None:
    """A worker whose lease another has changes nothing."""
    found = await proposed(kept, ask())
    lease = await pressing(inbox)

    with pytest.raises(LeaseLost):
        await kept.step(replace(lease, attempt=9), found, "writing", name="Ana")
    assert await kept.get(found.id) == found


@pytest.mark.parametrize("state", ["open", "writing", "written", "unknown", "undoing"])
async def test_only_what_may_follow_follows(kept: Proposals, inbox: Inbox, state: State) -> None:
    """What was decided is not decided again: from each state there are its steps and no others."""
    found = replace(await proposed(kept, ask()), state=state)
    lease = await pressing(inbox)
    others: list[State] = [cast("State", s) for s in get_args(State) if s not in STEPS[state]]

    for wanted in others:
        with pytest.raises(Moved):
            await kept.step(lease, found, wanted, name="Ana")


async def test_what_was_written_may_be_undone_for_a_day(
    kept: Proposals, inbox: Inbox, clock: Clock
) -> None:
    """The time to undo begins with the writing; a try that failed does not prolong it."""
    lease, found = await pressing(inbox), await proposed(kept, ask())
    clock.at += 100.0
    found = await kept.step(lease, found, "writing", name="Ana")
    found = await kept.step(lease, found, "written", name="Ana", written="{}")
    until = clock() + DAY_SECONDS
    clock.at += 100.0
    found = await kept.step(lease, found, "undoing", name="Ana")
    again = await kept.step(lease, found, "written", name="Ana", sentence="not now")

    assert (again.until, again.written, again.sentence) == (until, "{}", "not now")


async def test_new_words_void_the_old_buttons(kept: Proposals, inbox: Inbox) -> None:
    """Reworded, it has another hash, and what was read before is not so any more."""
    lease, found = await pressing(inbox), await proposed(kept, ask())
    new = await kept.reword(lease, found, asked={"key": "X-1"}, draft="{}", behalf="Ruth")

    assert new.hash != found.hash
    assert (new.asked, new.draft, new.behalf, new.state) == ({"key": "X-1"}, "{}", "Ruth", "open")
    assert await kept.get(found.id) == new
    with pytest.raises(Moved):
        await kept.step(lease, found, "writing", name="Ana")
    dropped = await kept.step(lease, new, "dropped", name="Ana")
    with pytest.raises(Moved):
        await kept.reword(lease, dropped, asked={}, draft="{}", behalf="Ana")
