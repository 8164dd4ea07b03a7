"""A stand-in for Claude on the real wire: the rules of the API kept, the answers from a small program."""

from bot.demo.claude.limits import UNLIMITED, Tier
from bot.demo.claude.server import ClaudeStandIn
from bot.demo.claude.troubles import Trouble

__all__ = ["UNLIMITED", "ClaudeStandIn", "Tier", "Trouble"]
