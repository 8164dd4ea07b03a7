"""What the page offers besides the workspace: who is a stand-in, what to try, the app's commands and shortcuts."""

from dataclasses import dataclass
from typing import Literal

from bot.demo.scenes import BLUNT, NIGHTLY, SNIPPET


@dataclass(frozen=True, slots=True)
class StandIn:
    """One of the strangers the bot speaks to, as the page's header names it.

    Attributes:
        name: "Claude", "Jira".
        is_real: Whether the bot speaks to the real one.
        how: One sentence: how it becomes real.
    """

    name: str
    is_real: bool
    how: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to try: a click fills it into the composer.

    Attributes:
        title: What it shows, in a few words.
        text: As typed; a slash command, or words with @purser and fences.
        group: Which of the bot's uses it shows.
    """

    title: str
    text: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command as the composer completes it."""

    name: str
    description: str
    usage: str = ""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut of the app: "message" ones stand in a message's menu, "global" ones among the commands."""

    name: str
    callback_id: str
    kind: Literal["message", "global"] = "message"


COMMANDS = (
    Command(
        "/summarize",
        "Summarise Jira tickets in this channel",
        "KEY [KEY…] | Jira address | JQL | sprint PROJECT [nightly at 7:00]",
    ),
    Command(
        "/cost",
        "What Claude cost here, shown to you alone",
        "[today | 7d | this month | last month] [by user|model|feature|day|feedback] [csv]",
    ),
    Command(
        "/purser",
        "Help, this channel's policy and budget",
        "help | policy | why | budget [usd] | model | reset | digests | pause | resume | summarize … | cost …",
    ),
)

SHORTCUTS = (
    Shortcut("Summarise this thread", "summarise_thread"),
    Shortcut("Open a ticket from this", "open_ticket"),
)

STAND_INS = (
    StandIn(
        "Slack",
        False,
        "Create an app from `purser manifest`, put SLACK_BOT_TOKEN and SLACK_APP_TOKEN into .env, run `purser serve`.",
    ),
    StandIn("Claude", False, "Start the demo with ANTHROPIC_API_KEY in the environment."),
    StandIn(
        "Jira",
        False,
        "Start the demo with JIRA_URL, JIRA_EMAIL and JIRA_API_TOKEN in the environment.",
    ),
    StandIn(
        "GitHub",
        False,
        "`purser serve` reads public pull requests; GITHUB_TOKEN opens private ones.",
    ),
)


def suggestions(github_url: str = "") -> tuple[Suggestion, ...]:
    """What to try, for each of the bot's uses, with material that the stand-ins have.

    Args:
        github_url: Where pull requests lie; "" leaves that suggestion out.
    """
    pull = f"{github_url.rstrip('/')}/shop/checkout/pull/7"
    review = "Code review"
    reviews = [
        Suggestion(
            "Find two planted bugs", f"@purser review this:\n```python\n{SNIPPET}```", review
        )
    ]
    reviews.append(
        Suggestion(
            "A dear one: go, smaller or cancel?",
            f"@purser review this, and think hard:\n```python\n{SNIPPET}```",
            review,
        )
    )
    if github_url:
        reviews.append(
            Suggestion(
                "Review a pull request; then, in its thread: “post it to the PR”",
                f"@purser please review {pull}",
                review,
            )
        )
    return (
        *reviews,
        Suggestion("Where does SHOP-12 stand?", "/summarize SHOP-12", "Tickets"),
        Suggestion("Two long tickets at once", "/summarize SHOP-12 SHOP-14", "Tickets"),
        Suggestion("The whole sprint", "/summarize sprint SHOP", "Tickets"),
        Suggestion(
            "A digest every morning: then move the clock on top “to 7:00”",
            f"/summarize {NIGHTLY}",
            "Tickets",
        ),
        Suggestion("Which digests come here?", "/purser digests", "Tickets"),
        Suggestion(
            "Change a ticket, by your click", "@purser move SHOP-11 to In Review", "Tickets"
        ),
        Suggestion("A harmless question that a filter refuses", f"@purser {BLUNT}", "Refusals"),
        Suggestion(
            "One that stays refused: take it over in #leads, as Maya",
            "@purser What is gain-of-function research?",
            "Refusals",
        ),
        Suggestion("What happened to my last questions?", "/purser why", "Refusals"),
        Suggestion("What did it cost?", "/cost this month", "Books"),
        Suggestion("Cost by model", "/cost this month by model", "Books"),
        Suggestion("What may it do here?", "/purser policy", "Books"),
    )
