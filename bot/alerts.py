"""What admins have to know: an ask of Purser's own for each of them, so that it is told once, whatever happens.

tell -> inbox (one key for each alert and admin) -> worker -> a direct message
"""

from collections.abc import Callable, Sequence

from bot.ask import Ask
from bot.inbox import Arrival, Inbox


class AdminAlerts:
    """Tells the admins named in the policy.

    Args:
        inbox: where alerts become asks.
        admins: the Slack user ids of those there are now.
        team: ours.
        new_id: makes the id of an ask.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        admins: Callable[[], Sequence[str]],
        team: str,
        new_id: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._inbox, self._admins, self._team = inbox, admins, team
        self._new_id, self._now = new_id, now

    async def tell(self, key: str, sentence: str) -> None:
        """Put a message to each admin into the inbox; a key that was told is not told again.

        Raises:
            StoreDown: it could not be written down.
        """
        for admin in self._admins():
            own = f"alert:{key}:{admin}"
            ask = Ask(
                id=self._new_id(),
                key=own,
                team=self._team,
                channel="",
                user=admin,
                feature="purser",
                origin="own",
                text=sentence,
                at=self._now(),
                channel_kind="im",
            )
            await self._inbox.put(Arrival((own,), ask))
