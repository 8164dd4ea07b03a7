"""How much of what is sent an ask needs.

It needs tools and system prompt, its own message, its own rounds of tools, and of earlier asks in its thread what
people wrote and Claude answered. What tools gave for those, and what Claude thought meanwhile, it does not need; but
where that lies in cache, leaving it out costs more than sending it, since all behind it would be written anew.
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.day.asked import Request, system_end


def spare(request: Request, read: int) -> tuple[int, int]:
    """Tokens of a request that its ask does not need: all of them, and those that were read from cache.

    Args:
        request: in the form in which it was sent.
        read: tokens at its beginning that were read from cache.
    """
    found = cheap = 0
    pieces = request.prompt.pieces
    place = system_end(request.prompt)
    for message in request.conversation.remembered:
        blocks: list[Mapping[str, Any]] = message["content"]
        for block in blocks:
            before, place = pieces[place].tokens, place + 1
            if block["type"] != "text":
                found += pieces[place].tokens - before
                cheap += pieces[place].tokens - before if pieces[place].tokens <= read else 0
    return found, cheap
