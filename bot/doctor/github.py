"""GitHub's side: whether it is reached, what our token may, and until when."""

from bot.doctor import Finding, ending
from integrations.github import GitHub, GitHubProblem, GitHubRefused
from integrations.github_errors import GitHubDown

CALL_SECONDS = 15.0  # for one answer
NEEDED = frozenset({"repo", "public_repo"})  # of a classic token; either reads and posts reviews
NOBODY = "no token is set, so public repositories alone are read"


async def examine(github: GitHub, now: float) -> list[Finding]:
    """What GitHub tells of whom we are there."""
    try:
        standing = await github.standing(deadline=CALL_SECONDS)
    except GitHubProblem as problem:
        refused = isinstance(problem, GitHubRefused)
        says, _, mend = str(problem).rstrip(".").partition("; ")
        mend = mend or "see its status page"
        if isinstance(problem, GitHubDown):
            mend = f"check GITHUB_API_URL and HTTPS_PROXY, or {mend}"
        return [Finding("GitHub", "red" if refused else "yellow", says, mend, not refused)]
    if not standing.as_us:
        return [Finding("GitHub", "green", NOBODY)]
    found = [Finding("GitHub", "green", "accepts our token")]
    if standing.expires is not None:
        colour, when = ending(standing.expires, now)
        mend = "make a new one and rotate GITHUB_TOKEN" if colour != "green" else ""
        found.append(Finding("GitHub token", colour, f"ends {when}", mend))
    if more := sorted(standing.scopes - NEEDED):
        says = f"may more than the bot needs: {', '.join(more)}"
        mend = "use a fine-grained token for these repositories alone"
        found.append(Finding("GitHub rights", "yellow", says, mend))
    return found
