"""Digests: who wants them, what writes them, and what answers words about them."""

from collections.abc import Callable

from bot.digests import Digests
from bot.digests.material import Material
from bot.digests.writing import Writing
from bot.inbox import Inbox
from bot.policy import Policy
from bot.slack.askers import Askers
from bot.slack.people import People
from bot.slack.thread import Threads
from bot.turn import Turn
from integrations.claude_batches import Batches


def digesting(
    policy: Policy,
    inbox: Inbox,
    turn: Turn,
    askers: Askers,
    people: People,
    threads: Threads,
    new_id: Callable[[], str],
) -> tuple[Digests, Writing]:
    """What is wanted again and again, and what works on it."""
    zone = policy.workspace.zone
    digests = Digests(turn.store, inbox, zone=zone, new_id=new_id, now=turn.now)
    material = Material(turn, zone=zone, lately=threads.lately)
    batches = Batches(turn.claude.client)
    writing = Writing(
        turn, digests, batches, material, policy, admit=askers.look, here=people.among
    )
    return digests, writing
