"""Claude's side: the key, every model that some channel may call, and the organization's own keys."""

import asyncio
from contextlib import suppress

from pydantic import SecretStr

from bot.doctor import Colour, Finding, ending
from bot.errors import StoreDown
from bot.ledger import Ledger
from bot.policy import Policy
from bot.prices import price
from bot.store import Transaction
from bot.store.opening import beside
from bot.turn.response import Response
from bot.turn.rows import Cause, settled
from bot.usage import Usage
from integrations.claude import Claude, ModelFacts
from integrations.claude_admin import AdminProblem, AdminRefused, ClaudeAdmin
from integrations.claude_errors import Broken, Busy, ClaudeError, ModelUnknown
from integrations.claude_events import Finished

SOON_DAYS, VERY_SOON_DAYS = 90, 30  # before a model retires
CALL_SECONDS = 15.0  # for one answer


async def examine(
    claude: Claude, policy: Policy, now: float, *, books: SecretStr | None
) -> list[Finding]:
    """Whether it answers, and for how long each model can be used.

    Args:
        claude: with our key.
        policy: which models may be called.
        now: seconds since the epoch.
        books: the database where a call of one token is booked; None makes none, which costs nothing.
    """
    quick = policy.rules("").quick_model
    try:
        if books is None:
            await claude.model(quick)
        else:
            await _book(books, policy, await _one_token(claude, quick), now)
        first = Finding("Claude", "green", f"{quick} answers" if books else "accepts our key")
    except (Busy, ModelUnknown) as error:
        first = _no_claude("Claude", error)
    except ClaudeError as error:
        return [_no_claude("Claude", error)]  # the models cannot be asked about either
    models = sorted(policy.models())
    return [first, *await asyncio.gather(*(_model(claude, name, now) for name in models))]


async def keys(admin: ClaudeAdmin, secret: str, now: float) -> list[Finding]:
    """Whether the Admin key works, and for how long our own key does.

    Args:
        admin: with the Admin key.
        secret: our own key.
        now: seconds since the epoch.
    """
    name = "Claude Admin key"
    try:
        ours = next((key for key in await admin.keys() if key.is_hinted_at(secret)), None)
    except AdminProblem as problem:
        says, _, mend = str(problem).rstrip(".").partition("; ")
        refused = isinstance(problem, AdminRefused)
        return [Finding(name, "red" if refused else "yellow", says, mend, passing=not refused)]
    if ours is None:
        says = "works, and none of its organization's keys looks like ANTHROPIC_API_KEY"
        return [Finding(name, "yellow", says, "set the Admin key of the same organization")]
    found = [Finding(name, "green", "reads the usage and cost reports")]
    if ours.expires is not None:
        colour, when = ending(ours.expires, now)
        mend = "make a new key in the Console and rotate it" if colour != "green" else ""
        found.append(Finding("Claude key", colour, f"ends {when}", mend))
    return found


async def _one_token(claude: Claude, model: str) -> Finished:
    request = {
        "model": model,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    }
    events = claude.stream(request, silence_seconds=CALL_SECONDS)
    return [event async for event in events if isinstance(event, Finished)][-1]


async def _book(url: SecretStr, policy: Policy, finished: Finished, now: float) -> None:
    """Book the call, as every other; without a database there are no books yet."""
    rows = settled(Response.of(finished), Cause(purpose="answer", prompt_version=""), at=now)
    with suppress(StoreDown):  # which is a finding of its own
        async with beside(url) as store:
            ledger, tx = Ledger(store, zone=policy.workspace.zone, now=lambda: now), Transaction()
            for row in rows:
                ledger.book(tx, row)
            await store.commit(tx)


def _no_claude(name: str, error: ClaudeError) -> Finding:
    """An error's own sentence: what happened before the semicolon, what to do behind it."""
    sentence = str(error.__doc__)
    says, _, mend = sentence.rstrip(".").partition("; ")
    colour: Colour = "yellow" if isinstance(error, Busy) else "red"
    passing = isinstance(error, Busy | Broken)
    return Finding(name, colour, f"{says}{str(error).removeprefix(sentence)}", mend, passing)


async def _model(claude: Claude, name: str, now: float) -> Finding:
    """Whether a model can be used, for how long, and whether its price is known."""
    try:
        facts = await claude.model(name)
    except ClaudeError as error:
        return _no_claude(f"Model {name}", error)
    colour, says = _life(facts, now)
    mend = "" if colour == "green" else "name its successor in purser.toml"
    if price(Usage(input_tokens=1), model=name, at=now) is not None:
        return Finding(f"Model {name}", colour, f"{says}, price known", mend)
    mend = "; ".join(part for part in (mend, "install a newer genai-prices") if part)
    says += ", price unknown: its cost is missing in the books"
    return Finding(f"Model {name}", "red" if colour == "red" else "yellow", says, mend)


def _life(facts: ModelFacts, now: float) -> tuple[Colour, str]:
    if facts.lifecycle == "retired":
        return "red", "is retired"
    if facts.retires_at is None:
        return ("green" if facts.lifecycle == "active" else "yellow"), f"is {facts.lifecycle}"
    colour, when = ending(facts.retires_at, now, soon=SOON_DAYS, very_soon=VERY_SOON_DAYS)
    if colour == "green" and facts.lifecycle != "active":
        colour = "yellow"
    return colour, f"is {facts.lifecycle}, retires {when}"
