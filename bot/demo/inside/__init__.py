"""The live look inside the bot: one page beside the workspace, drawn from what others keep anyway.

The bot knows nothing of it. What is shown comes from the stand-ins' own records, the bot's log lines and its
SQLite file, read only:

    Slack, Claude, Jira, web, GitHub --records--> wire     -+
    the bot's stderr ------------------ lines --> wire      +--> links --> story --> feed --JSON--> the page
    purser.db ------------------------- rows ---> botfile  -+    (whose?)  (steps)    ^
                                                             switches, tickets, pages +
"""

from bot.demo.inside.app import Inside
from bot.demo.inside.botfile import at_work
from bot.demo.inside.sources import Sources

__all__ = ["Inside", "Sources", "at_work"]
