"""Jira's side: the account, and its rights in every project that the policy opens."""

import re
from collections.abc import Sequence

from bot.doctor import Finding
from bot.policy import Policy
from integrations.jira import Jira, JiraBroken, JiraBusy, JiraProblem, JiraSlow

CALL_SECONDS = 15.0  # for one answer
BROWSE, ADMINISTER = "BROWSE_PROJECTS", "ADMINISTER"
WRITES = {
    "ADD_COMMENTS": "Add Comments",
    "EDIT_ISSUES": "Edit Issues",
    "TRANSITION_ISSUES": "Transition Issues",
    "CREATE_ISSUES": "Create Issues",
}
"""What a click may write, by Jira's own names."""


async def examine(jira: Jira, policy: Policy) -> list[Finding]:
    """Who we are there, what we may, and whether that is more than needed."""
    try:
        me = await jira.myself(deadline=CALL_SECONDS)
        says = f"reads as {me.name}; when its token ends Jira does not tell (after a year at most)"
        found = [Finding("Jira", "green", says), *await _too_much(jira, me.name)]
        projects = sorted(policy.projects())
        if not projects:
            mend = 'jira_projects = ["KEY"] under [defaults] or [channels.…] in purser.toml'
            found.append(Finding("Jira projects", "yellow", "no channel may read any", mend))
        written = {
            key for r in policy.everywhere() if r.jira_writes != "off" for key in r.jira_projects
        }
        for key in projects:
            if key != "*":
                found += await _project(jira, key, me.name, writes=bool({key, "*"} & written))
        return found
    except JiraProblem as error:
        says, *mend = re.split(r"; |\. ", str(error).rstrip("."), maxsplit=1)
        passing = isinstance(error, JiraBroken | JiraBusy | JiraSlow)
        words = mend[0] if mend else "check JIRA_URL and JIRA_API_URL"
        if isinstance(error, JiraBroken):
            words = f"check JIRA_URL, JIRA_API_URL and HTTPS_PROXY, or {words}"
        return [Finding("Jira", "red", says, words, passing)]


async def _too_much(jira: Jira, name: str) -> Sequence[Finding]:
    if not await jira.rights([ADMINISTER], deadline=CALL_SECONDS):
        return ()
    says = f"{name} administers Jira, which is more than the bot needs"
    mend = "use an account that is in no group of administrators"
    return [Finding("Jira administrator", "yellow", says, mend)]


async def _project(jira: Jira, key: str, name: str, *, writes: bool) -> Sequence[Finding]:
    held = await jira.rights([BROWSE, *WRITES], project=key, deadline=CALL_SECONDS)
    if BROWSE not in held:
        says = f"{name} may not browse it, or there is no such project"
        mend = "grant Browse Projects in Jira, or take it out of purser.toml"
        return [Finding(f"Jira project {key}", "red", says, mend)]
    missing = [words for right, words in WRITES.items() if right not in held]
    if not missing or not writes:
        return ()
    says = f"{name} has no right to {', '.join(missing)}: what is confirmed there may fail"
    mend = 'grant it in Jira, or set jira_writes = "off"'
    return [Finding(f"Jira project {key}", "yellow", says, mend)]
