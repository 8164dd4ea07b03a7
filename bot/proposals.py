"""Changes to tickets, reviews of pull requests and addresses to be read that were proposed and that a person decides on: bound to their content, and each decided once.

    open -> writing -> written -> undoing -> undone
      |        |-> unknown -> written   |-> kept
      |        `-> failed               `-> written
      `-> allowed (an address), dropped, expired

Every step is a compare-and-set in the transaction of the press that takes it, so that of two presses one counts. A
proposal that is found in `writing` is one whose outcome nobody saw: it is looked for, and never sent again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.ask import Ask, Lease
from bot.audit import Record, record
from bot.errors import PurserError
from bot.reach import READERS, host_of, normal_form
from bot.store import Row, Store, Transaction

DAY_SECONDS = 86_400.0  # that a proposal may be decided on, and what was written may be undone
HASH_CHARS = 32
State = Literal[
    "open",
    "writing",
    "written",
    "unknown",
    "failed",
    "allowed",
    "dropped",
    "expired",
    "undoing",
    "undone",
    "kept",
]
Kind = Literal["ticket", "review", "address"]
REVIEW_TOOL = "github_review"  # the one that is no tool of Claude's: code drafts it from a review
STEPS: Mapping[State, tuple[State, ...]] = {
    "open": ("writing", "allowed", "dropped", "expired"),
    "writing": ("written", "unknown", "failed"),
    "unknown": ("written", "unknown"),
    "written": ("undoing",),
    "undoing": ("undoing", "undone", "kept", "written"),
}
"""What may follow a state; nothing follows the others."""


class Moved(PurserError):
    """Somebody else decided on this proposal meanwhile."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change that may be made, or one address that may be read.

    Attributes:
        user: who asked for it; `behalf` is the name that it is signed with.
        tool: which tool proposed it (or REVIEW_TOOL), and `asked` with what.
        draft: what would be written, as the integration keeps it; or the address.
        hash: of the content and all that it is bound to; a button carries it.
        until: when it may no longer be decided on, or undone.
        press: the ask of the press that took the last step; `who` and `who_name` are whose it was.
        written: what was written, as the integration keeps it; "" before.
        sentence: what there is to say of the last step.
    """

    id: str
    ask_id: str
    use_id: str
    team: str
    channel: str
    thread: str
    user: str
    behalf: str
    tool: str
    asked: Mapping[str, Any]
    draft: str
    hash: str
    state: State
    until: float
    press: str = ""
    who: str = ""
    who_name: str = ""
    written: str = ""
    sentence: str = ""

    @property
    def kind(self) -> Kind:
        """What it would write, which says who writes it; an address is only read."""
        if self.tool in READERS:
            return "address"
        return "review" if self.tool == REVIEW_TOOL else "ticket"

    @property
    def value(self) -> str:
        """What its buttons carry."""
        return f"{self.id}:{self.hash}"


class Proposals:
    """Keeps proposals and their steps.

    Args:
        store: where they lie.
        now: seconds since the epoch.
    """

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store, self._now = store, now

    async def propose(
        self, ask: Ask, use_id: str, *, tool: str, asked: Mapping[str, Any], draft: str, behalf: str
    ) -> Proposal:
        """Keep a change that may be made: one for each tool use, and one for the same content of an ask.

        Raises:
            StoreDown: it was not kept.
        """
        digest = hashlib.sha256(f"{ask.id}:{use_id}".encode()).hexdigest()[:16]
        made = _bound(
            Proposal(
                id=f"p{digest}",
                ask_id=ask.id,
                use_id=use_id,
                team=ask.team,
                channel=ask.channel,
                thread=ask.thread,
                user=ask.user,
                behalf=behalf,
                tool=tool,
                asked=asked,
                draft=draft,
                hash="",
                state="open",
                until=self._now() + DAY_SECONDS,
            )
        )
        tx = Transaction()
        tx.add("proposals.put", now=self._now(), **_columns(made))
        await self._store.commit(tx)
        kept = await self.of(ask.id)
        same = [known for known in kept if known.use_id == use_id] or [
            known for known in kept if known.draft == draft
        ]
        return same[0] if same else made

    async def get(self, id: str) -> Proposal | None:  # noqa: A002 - its id
        """The proposal of that id, if there is one. Raises StoreDown."""
        rows = await self._store.read("proposals.get", id=id)
        return _proposal(rows[0]) if rows else None

    async def of(self, ask_id: str) -> list[Proposal]:
        """What was proposed in an ask, in order. Raises StoreDown."""
        rows = await self._store.read("proposals.of_ask", ask_id=ask_id)
        return [_proposal(row) for row in rows]

    async def like(self, ask: Ask, *, tool: str, asked: Mapping[str, Any]) -> list[Proposal]:
        """What was proposed in an ask's thread by a tool, asked for the same; not what nobody decided on in time.

        Raises:
            StoreDown: it cannot be read.
        """
        rows = await self._store.read(
            "proposals.like",
            team=ask.team,
            channel=ask.channel,
            thread=ask.thread,
            tool=tool,
            asked=_text(asked),
        )
        found = [_proposal(row) for row in rows]
        return [one for one in found if one.state != "open" or one.until >= self._now()]

    async def step(
        self,
        lease: Lease,
        proposal: Proposal,
        state: State,
        *,
        name: str,
        written: str = "",
        sentence: str = "",
        also: Callable[[Transaction], None] = lambda _: None,
    ) -> Proposal:
        """Take a step, as a press does; on disk when this returns.

        Args:
            lease: the press.
            proposal: as it was read; the step is taken from its state.
            state: what follows.
            name: of who pressed.
            written: what was written, where it is known now.
            sentence: what there is to say.
            also: adds what becomes true together with the step.

        Raises:
            Moved: it is not as it was read any more.
            LeaseLost: another worker has the press.
            StoreDown: the step was not taken.
        """
        if state not in STEPS.get(proposal.state, ()):
            raise Moved
        done = state == "written" and proposal.state != "undoing"
        moved = replace(
            proposal,
            state=state,
            press=lease.ask.id,
            who=lease.ask.user,
            who_name=name,
            written=written or proposal.written,
            sentence=sentence,
            until=self._now() + DAY_SECONDS if done else proposal.until,
        )
        await self._set(lease, proposal, moved, also)
        return moved

    async def reword(
        self, lease: Lease, proposal: Proposal, *, asked: Mapping[str, Any], draft: str, behalf: str
    ) -> Proposal:
        """Give an open proposal another content, and so another hash: buttons of the former content decide nothing.

        Raises:
            Moved: it is not as it was read any more.
            LeaseLost: another worker has the press.
            StoreDown: it stays as it was.
        """
        if proposal.state != "open":
            raise Moved
        new = _bound(
            replace(
                proposal, asked=asked, draft=draft, behalf=behalf, press=lease.ask.id, sentence=""
            )
        )
        await self._set(lease, proposal, new)
        return new

    async def _set(
        self,
        lease: Lease,
        old: Proposal,
        new: Proposal,
        also: Callable[[Transaction], None] = lambda _: None,
    ) -> None:
        tx = Transaction(lease)
        columns = _columns(new)
        tx.add(
            "proposals.set",
            must=Moved(),
            now=self._now(),
            old_state=old.state,
            old_hash=old.hash,
            old_press=old.press,
            **{name: columns[name] for name in _CHANGING},
        )
        record(tx, _recorded(lease.ask, old, new), at=self._now())
        also(tx)
        await self._store.commit(tx)


_CHANGING = (
    "id",
    "behalf",
    "asked",
    "draft",
    "hash",
    "state",
    "until",
    "press",
    "who",
    "who_name",
    "written",
    "sentence",
)


def _bound(proposal: Proposal) -> Proposal:
    """With the hash of its content and of all that it is bound to."""
    p = proposal
    content = [p.id, p.team, p.channel, p.thread, p.user, p.behalf, p.draft]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return replace(proposal, hash=digest[:HASH_CHARS])


def _recorded(press: Ask, old: Proposal, new: Proposal) -> Record:
    """For the audit: who decided what on which content, and what it is written to."""
    outcome = "changed" if (old.state, new.state) == ("open", "open") else new.state
    written = json.loads(new.written) if new.written else {}
    named = (written.get("key"), *(new.asked.get(name) for name in ("key", "project", "url")))
    subject, text = next((str(name) for name in named if name), ""), ""
    if new.kind == "address":  # the host stays; the rest goes with the other words
        subject, text = host_of(normal_form(new.draft)), new.draft
    return Record(
        team=press.team,
        channel=press.channel,
        user=press.user,
        ask_id=press.id,
        action="proposal",
        subject=subject,
        outcome=outcome,
        reference=f"{new.tool} {new.value}",
        text=text,
    )


def _columns(proposal: Proposal) -> dict[str, Any]:
    names = Proposal.__dataclass_fields__
    return {name: getattr(proposal, name) for name in names} | {"asked": _text(proposal.asked)}


def _proposal(row: Row) -> Proposal:
    values = {name: row[name] for name in Proposal.__dataclass_fields__}
    return Proposal(**{**values, "asked": json.loads(row["asked"])})


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
