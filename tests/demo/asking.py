"""Asking a stand-in for Jira something, as whoever has an account there."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.demo.jira import JiraStandIn

NOW = 1_795_500_000.0  # 2026-11-24, a Tuesday
API = "/rest/api/3"


@dataclass(frozen=True)
class Told:
    """An answer: status, headers and the JSON in it (None without)."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Asker:
    """Speaks to one stand-in over one session."""

    jira: JiraStandIn
    session: aiohttp.ClientSession

    async def __call__(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        email: str | None = "purser@shop.example",
        token: str | None = None,
        gateway: bool = False,
        params: Mapping[str, str] | None = None,
        **more: str,
    ) -> Told:
        """One request; `email=None` asks anonymously."""
        headers: dict[str, str] = {}
        if email is not None:
            pair = f"{email}:{token or self.jira.token}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        base = self.jira.gateway_url if gateway else self.jira.url
        async with self.session.request(
            method, base + path, params={**(params or {}), **more}, json=body, headers=headers
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            found: dict[str, str] = {k.lower(): v for k, v in response.headers.items()}
            return Told(response.status, found, json.loads(text) if is_json else text)


def document(text: str) -> dict[str, Any]:
    """A one-paragraph ADF document."""
    words = {"type": "text", "text": text}
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [words]}]}
