"""A stand-in for GitHub's REST interface on loopback: two repositories and three pull requests.

```
seed/*.json, *.txt -> repositories.py -> server.py <- whoever asks
```
"""

from bot.demo.github.server import GitHubStandIn

__all__ = ["GitHubStandIn"]
