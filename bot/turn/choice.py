"""Who is asked where a request is so long that its model costs more for all of it: whoever costs least.

Such a price holds for the whole request, cached tokens too, so that another model, or one that has the thread in its
cache, can be cheaper. Where none is, it stays as it was.
"""

from collections.abc import Mapping, Sequence

from bot.caching import Left
from bot.journal import Told
from bot.prices import cliff
from bot.rules import Rules
from bot.turn import estimate
from bot.turn.brief import Brief, Rooms
from bot.turn.call import Calls
from bot.turn.request import LIKELY_PART, Order

NOTE = "{asked} costs more for a request of this length, so {chosen} was asked instead."


def cheapest(
    model: str,
    others: Sequence[str],
    *,
    prompt: int,
    output: int,
    cached: Mapping[str, int],
    at: float,
) -> str:
    """The model to ask: the given one, unless the request passes its price cliff and another is cheaper.

    Args:
        model: who would be asked.
        others: whom the policy names beside.
        prompt: tokens of the request, cached ones too.
        output: tokens that are likely to be written.
        cached: tokens of it in each model's cache.
        at: epoch seconds: prices are dated.
    """
    edge = cliff(model, at)
    if edge is None or prompt <= edge:
        return model

    def cost(name: str) -> int:
        of = estimate.of(name, prompt=prompt, output=output, cached=cached.get(name, 0), at=at)
        return of.picos

    return min((model, *others), key=cost)  # the first of equals


def others(model: str, rules: Rules) -> tuple[str, ...]:
    """The models that a policy names beside this one, each once."""
    named = (rules.model, rules.deep_model, rules.quick_model, rules.fallback_model)
    return tuple(dict.fromkeys(name for name in named if name and name != model))


async def chosen(
    rooms: Rooms,
    brief: Brief,
    told: Told,
    calls: Calls,
    order: Order,
    previous: str | None,
    left: Left | None,
) -> str:
    """Who is asked; Claude's count, and what the books say of its cache, are asked for only near a cliff.

    Args:
        rooms: what every turn works with.
        brief: what is to be done.
        told: what the journal knows from before a restart: who was asked then is asked again.
        calls: count.
        order: the first request.
        previous: Claude's last message in the thread.
        left: what its ask left in cache.

    Raises:
        StoreDown: the books cannot be read.
    """
    at, model = rooms.now(), order.model
    edge = cliff(model, at)
    if edge is None or order.input_tokens <= edge:
        return model
    if began := next((one.model for one in told.attempts if one.purpose == "answer"), None):
        return began
    tokens = await calls.count(order) or round(order.input_tokens * LIKELY_PART)
    beside = others(model, brief.rules)
    version = rooms.prompts.version
    cached = {
        name: (
            await rooms.estimates.warmth(
                model=name,
                prompt_version=version,
                message_id=previous,
                until=left.until(name) if left else 0.0,
            )
        ).cached
        for name in (model, *beside)
    }
    output = estimate.output_of(brief.feature, brief.effort)
    return cheapest(model, beside, prompt=tokens, output=output, cached=cached, at=at)
