"""The page: the Slack stand-in's workspace in a browser, over a small HTTP and WebSocket face of its own.

    browser window  --POST /page/do/ACT-->  acts, files  -->  what people do (speech, gestures)
         ^                                                              |
         |                                                              v
      window  <--told--  telling  <--numbered--  steps  <--Change--   world

A window is told the whole workspace once, as the person who sits at it sees it, and then what changed since: each
step has a number, and what is told is always how a thing stands *now*. So a slow window catches up in one leap, and
a window that lost its connection goes on from the last number it has. `gate` lets in only browsers on this machine
that were shown the page itself. The bot knows nothing of any of it.
"""

from bot.demo.page.offers import (
    COMMANDS,
    STAND_INS,
    Command,
    Shortcut,
    StandIn,
    Suggestion,
    suggestions,
)
from bot.demo.page.page import Page

__all__ = [
    "COMMANDS",
    "STAND_INS",
    "Command",
    "Page",
    "Shortcut",
    "StandIn",
    "Suggestion",
    "suggestions",
]
