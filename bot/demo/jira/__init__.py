"""A stand-in for Jira Cloud on loopback, and the small company whose tickets it keeps.

```
seed/*.json, *.md -> seed.py -> world.py <- server.py <- whoever asks
                     (adf.py)   (search.py <- dates.py, jql.py)   (issues, writes, values, searches, directory, meta, agile)
```
"""

from bot.demo.jira.server import JiraStandIn
from bot.demo.jira.world import World

__all__ = ["JiraStandIn", "World"]
