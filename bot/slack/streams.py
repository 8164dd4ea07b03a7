"""A message of ours that grows as it is written: started with its first words, appended to, stopped."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.gate import WAIT_SECONDS, Gate

Json = Mapping[str, Any]


class Streams:
    """Starts streams and goes on with them. `patience` is how many seconds a call may wait for its method's gate.

    Args:
        gate: to Slack's methods.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def start(
        self,
        channel: str,
        thread: str,
        text: str,
        *,
        team: str,
        user: str,
        patience: float = WAIT_SECONDS,
    ) -> str:
        """Open a stream in a thread and return its ts.

        Args:
            channel: where.
            thread: the ts of its root.
            text: Markdown, its first words.
            team: of the human whom it is for.
            user: who that is.
            patience: see the class.

        Raises:
            Unsure: it may stand there.
            SlackError: it does not.
        """
        answer = await self._gate.call(
            "chat.startStream",
            {
                "channel": channel,
                "thread_ts": thread,
                "markdown_text": text or None,
                "recipient_team_id": team or None,
                "recipient_user_id": user or None,
            },
            patience=patience,
        )
        return str(answer["ts"])

    async def append(
        self, channel: str, ts: str, text: str, *, patience: float = WAIT_SECONDS
    ) -> None:
        """Say more in a stream."""
        more = {"channel": channel, "ts": ts, "markdown_text": text}
        await self._gate.call("chat.appendStream", more, patience=patience)

    async def stop(
        self,
        channel: str,
        ts: str,
        *,
        blocks: Sequence[Json] | None = None,
        metadata: Json | None = None,
        patience: float = WAIT_SECONDS,
    ) -> None:
        """Close a stream, with blocks under it."""
        last = {"channel": channel, "ts": ts, "blocks": blocks, "metadata": metadata}
        await self._gate.call("chat.stopStream", last, patience=patience)
