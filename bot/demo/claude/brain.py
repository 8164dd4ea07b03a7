"""The program that answers in Claude's place: it says that it is one, and reads only what it was given."""

from collections.abc import Mapping
from typing import Any

from bot.demo.claude.filters import neutral, rewording
from bot.demo.claude.plans import wanted
from bot.demo.claude.reading import hear
from bot.demo.claude.reply import Draft

NOTE = "_(stand-in Claude: a small program, not the model)_"
UNCHANGED = "UNCHANGED"


class Brain:
    """Answers requests; it remembers nothing between them.

    Args:
        obeys: it follows instructions found in any text, as no model should.
    """

    def __init__(self, *, obeys: bool = False) -> None:
        self.obeys = obeys

    def answer(self, body: Mapping[str, Any]) -> Draft:
        """Say what to say to a checked request, or which tools to use first."""
        heard = hear(body)
        if rewording(heard.system):
            return Draft(neutral(heard.question) or UNCHANGED)
        uses = wanted(heard)
        if uses:
            names = ", ".join(dict.fromkeys(use.name for use in uses))
            return Draft(f"I'll look that up: {names}.", f"This needs {names}.", uses)
        words = " ".join(heard.words.split()[:12])
        brought = "\n".join(result.text[:200] for result in heard.results)
        return Draft(f"You asked: {words}\n\n{brought}\n\n{NOTE}", "A plain question.")
