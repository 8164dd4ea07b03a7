"""What the tests of our Jira client share: the stand-in, a client for it, and a server that says what it is told."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from bot.demo.jira import JiraStandIn
from bot.demo.jira.world import Comment
from integrations.jira import Jira

NOW = 1_795_500_000.0  # 2026-11-24, a Tuesday
SITE = "https://shop.example"
SECONDS = 10.0  # far beyond what a healthy call takes
SHORT = 0.3  # of a call that is to run out of time

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def standing_in() -> AsyncGenerator[JiraStandIn]:
    """The seeded company at a fixed moment."""
    jira = JiraStandIn(now=lambda: NOW)
    await jira.start()
    try:
        yield jira
    finally:
        await jira.stop()


def client(jira: JiraStandIn, **more: Any) -> Jira:
    """Our client for the stand-in."""
    told: dict[str, Any] = {
        "site_url": SITE,
        "api_url": jira.url,
        "email": jira.email,
        "token": jira.token,
        "in_flight": 4,
        **more,
    }
    return Jira(**told)


def elsewhere(url: str, **more: Any) -> Jira:
    """Our client for some other server."""
    told: dict[str, Any] = {
        "site_url": SITE,
        "api_url": url,
        "email": "purser@shop.example",
        "token": "a-secret-token",
        "in_flight": 4,
        **more,
    }
    return Jira(**told)


@asynccontextmanager
async def serving(serve: Answer) -> AsyncGenerator[int]:
    """A server on loopback; its port. Its connections are closed at the end."""
    writers: list[asyncio.StreamWriter] = []

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):  # whoever asked has left
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def saying(answer: Answer) -> AsyncGenerator[str]:
    """A server that reads the head of each request and then does as told; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await answer(reader, writer)
            await writer.drain()

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}"


async def happened(predicate: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether something comes true in time."""
    try:
        async with asyncio.timeout(seconds):
            while not predicate():  # noqa: ASYNC110 - a thread tells nobody that it ends
                await asyncio.sleep(0.005)
    except TimeoutError:
        return False
    return True


def threads() -> int:
    """How many threads our client has at this moment."""
    return sum(thread.name.startswith("jira") for thread in threading.enumerate())


def paragraph(text: str) -> dict[str, Any]:
    """A document of one paragraph."""
    words = {"type": "text", "text": text}
    return {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [words]}]}


def talk(jira: JiraStandIn, key: str, count: int, **more: Any) -> None:
    """Add comments to an issue, the newest of all so far."""
    issue = jira.world.issues[key]
    for number in range(count):
        at = NOW + len(issue.comments)
        issue.comments.append(
            Comment(
                id=str(90_000 + len(issue.comments)),
                author="712020:ana",
                body=paragraph(f"Remark {number}"),
                created=at,
                updated=at,
                **more,
            )
        )
