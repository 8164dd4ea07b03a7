"""What goes wrong with Jira: each way has a name, and a sentence fit for Claude and for a person.

    JiraProblem
    ├── JiraRejected    Jira does not take the request; its own words are in the sentence
    ├── JiraNotFound    not there, or hidden from the bot's account: Jira does not say which
    ├── JiraRefused     credentials expired or wrong, or a right is missing
    ├── JiraBusy        rate limited, with the seconds to wait where Jira names them
    ├── JiraSlow        no whole answer within the deadline
    └── JiraBroken      unreachable, cut off, or an answer that is none of Jira's

No sentence holds an address, a header or a credential.
"""


class JiraProblem(Exception):
    """Jira gave nothing. The message is whole sentences: what happened and what to do."""

    sentence = "Jira could not be asked."

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class JiraRejected(JiraProblem):
    """Jira does not take the request as it was put."""

    sentence = "Jira does not take this request as it was put."


class JiraNotFound(JiraProblem):
    """What was asked for does not exist, or the bot's account may not see it."""

    sentence = (
        "Jira has no such thing, or the bot's account may not see it. Check the key and whether "
        "its project is open to the bot."
    )


class JiraRefused(JiraProblem):
    """Jira refused the bot's credentials or a right is missing."""

    sentence = "Jira does not permit this to the bot's account; a Jira admin has to grant it."


class JiraBusy(JiraProblem):
    """Jira limits our requests.

    Attributes:
        seconds: after which it may be asked again; None when Jira does not say.
    """

    def __init__(self, seconds: float | None = None) -> None:
        when = "in a minute" if seconds is None else f"in {max(1, round(seconds))} s"
        super().__init__(f"Jira limits how often it may be asked; try again {when}.")
        self.seconds = seconds


class JiraSlow(JiraProblem):
    """Jira did not answer in time."""

    sentence = "Jira did not answer in time; try again in a few minutes."


class JiraBroken(JiraProblem):
    """Jira is unreachable or answers with something that is none of its answers."""

    sentence = "Jira cannot be reached or is out of order; try again in a few minutes."
