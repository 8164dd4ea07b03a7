"""Below which no plan can cost a day, whatever it marks, and wherever: each token by itself, at the least it can cost.

A token that is sent again is read from cache, or written once more, or sent afresh; between two requests it is kept for
nothing within the life of what was written, or by one call that reads it. What a real plan has to pay beside that is
left out: marks stand at the ends of blocks, four of them; what lies in cache has a beginning that is read with it; and
nothing can be read before the answer that wrote it has begun. So the best plan there is lies between this and the best
one found. What came before an ask is as short as it may be remembered.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from benchmarks.day.after import threads
from benchmarks.day.asked import Request, after, system_end
from bot.caching import Rates
from bot.conversation import NONE_WHOLE
from bot.demo.claude.cache import SECONDS
from bot.prices import price
from bot.usage import Usage

SAMPLE = 10_000  # tokens, of which prices are taken


def bound(requests: Sequence[Request]) -> int:
    """The least that a day can cost, in pico-dollars."""
    return round(sum(_thread(asks) for asks in threads(requests)))


def _thread(asks: Mapping[int, Sequence[Request]]) -> float:
    sent = [request for ask in asks.values() for request in ask]
    model, at = sent[0].model, sent[0].at
    rates = Rates.of(model, at)
    times = tuple(request.at for request in sent)
    shared = sum(one.prompt.pieces[system_end(one.prompt)].tokens for one in sent) * rates.read
    own = sum(
        tokens * _token(times[first:end], rates) for tokens, first, end in _parts(asks, len(sent))
    )
    output = sum(request.output_tokens for request in sent)
    return (shared + own) * _per_token(model, at) + _output(model, at, output)


def _parts(asks: Mapping[int, Sequence[Request]], requests: int) -> Iterator[tuple[int, int, int]]:
    """Tokens that are sent together, in the requests from one up to another, that one excluded."""
    first, lighter = 0, 0
    for ask in asks.values():
        end = first + len(ask)
        new = ask[0].prompt.tokens - lighter if lighter else _own(ask[0])
        yield new, first, requests
        sent = ask[0].prompt.tokens
        remembered = after(ask[-1], NONE_WHOLE).tokens
        answer = max(0, min(remembered - sent, _answer(ask[-1])))
        stays = remembered - sent - answer  # of what tools gave
        for n in range(len(ask) - 1, 0, -1):
            round_ = ask[n].prompt.tokens - ask[n - 1].prompt.tokens
            kept = min(max(0, stays), round_)
            stays -= kept
            yield kept, first + n, requests
            yield round_ - kept, first + n, end
        yield answer, end, requests
        first, lighter = end, remembered


def _own(request: Request) -> int:
    return request.prompt.tokens - request.prompt.pieces[system_end(request.prompt)].tokens


def _answer(request: Request) -> int:
    """Tokens of the answer as it is remembered."""
    whole, light = after(request, tuple(range(1000))), after(request, NONE_WHOLE)
    blocks = len(request.end.messages[-1]["content"]) if request.end else 0
    return (
        min(one.tokens - one.pieces[-blocks - 1].tokens for one in (whole, light)) if blocks else 0
    )


@lru_cache(100_000)
def _token(times: tuple[float, ...], rates: Rates) -> float:
    """The least that a token costs which is sent at these times, in fresh ones."""
    if not times:
        return 0.0
    lost, short, long = 1.0, rates.write_5m, rates.write_1h
    for before, now in pairwise(times):
        gap, again = now - before, min(lost, short, long)
        of_short = short + (0.0 if gap <= SECONDS["5m"] else rates.read)
        of_long = long + (0.0 if gap <= SECONDS["1h"] else rates.read)
        kept = min(of_short, of_long) + rates.read
        lost = min(again + 1.0, kept)
        short, long = min(again + rates.write_5m, kept), min(again + rates.write_1h, kept)
    return min(lost, short, long)


def _per_token(model: str, at: float) -> float:
    cost = price(Usage(input_tokens=SAMPLE), model=model, at=at)
    assert cost is not None, model
    return cost.picos / SAMPLE


def _output(model: str, at: float, tokens: int) -> int:
    cost = price(Usage(output_tokens=tokens), model=model, at=at)
    assert cost is not None, model
    return cost.picos
