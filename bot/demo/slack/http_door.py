"""The other way to the app: signed HTTP requests, as Slack sends them to a request URL."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.demo.slack.events import Carried, Envelope
from bot.demo.slack.watch import Watch, WireLine

ANSWER_BYTES = 256 * 1024  # bytes of an answer that are read


class HttpDoor:
    """POSTs envelopes to the app, signed with the signing secret (v0)."""

    def __init__(
        self,
        watch: Watch,
        session: aiohttp.ClientSession,
        url: str,
        *,
        secret: str,
        now: Callable[[], float],
    ) -> None:
        self.url = url
        self._watch = watch
        self._session = session
        self._secret = secret
        self._now = now

    async def carry(self, envelope: Envelope, timeout: float) -> Carried:
        """Send once; any 2xx within `timeout` seconds is an acknowledgement."""
        kind, body = written(envelope)
        headers = {"Content-Type": kind, **self.sign(body)}
        if envelope.attempt:
            headers |= {
                "X-Slack-Retry-Num": str(envelope.attempt),
                "X-Slack-Retry-Reason": envelope.reason,
            }
        line = WireLine(self._now(), "out", envelope.kind, envelope.payload)
        self._watch.wrote(line)
        limit = aiohttp.ClientTimeout(total=timeout)
        try:
            async with self._session.post(
                self.url, data=body.encode(), headers=headers, timeout=limit, allow_redirects=False
            ) as answer:
                said = (await answer.content.read(ANSWER_BYTES)).decode("utf-8", "replace")
                line.status, line.seconds = answer.status, self._now() - line.at
                no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
        except TimeoutError:
            return Carried(False, reason="http_timeout")
        except aiohttp.ClientError:
            return Carried(False, reason="connection_failed")
        if not 200 <= line.status < 300:
            return Carried(False, reason="http_error", no_retry=no_retry)
        line.answer = _payload(said)
        self._watch.wake()
        return Carried(True, line.answer)

    def sign(self, body: str, *, at: int | None = None) -> dict[str, str]:
        """The two headers that prove a body is Slack's, made `at` (default now)."""
        stamp = str(int(self._now()) if at is None else at)
        digest = hmac.new(self._secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
        return {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest.hexdigest()}",
        }

    async def verify(self, challenge: str) -> str:
        """Ask the app to prove that the URL is its own, as the app's settings page does; what it answered."""
        body = json.dumps({"type": "url_verification", "token": "t", "challenge": challenge})
        headers = {"Content-Type": "application/json", **self.sign(body)}
        async with self._session.post(self.url, data=body.encode(), headers=headers) as answer:
            said = await answer.text()
        payload = _payload(said)
        return str(payload.get("challenge", said))


def written(envelope: Envelope) -> tuple[str, str]:
    """Content type and body: JSON for events, a form for commands, `payload=` for clicks."""
    if envelope.kind == "events_api":
        return "application/json", json.dumps(envelope.payload)
    form = "application/x-www-form-urlencoded"
    if envelope.kind == "slash_commands":
        return form, urlencode(envelope.payload)
    return form, urlencode({"payload": json.dumps(envelope.payload)})


def _payload(said: str) -> dict[str, Any]:
    try:
        value: Any = json.loads(said) if said else {}
    except ValueError:
        return {"text": said}
    return value if isinstance(value, dict) else {"text": said}
