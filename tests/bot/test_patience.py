"""A database that is away at the start is waited for; what waiting does not mend is told at once."""

import asyncio

import aiohttp
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.app.patience import opened
from bot.errors import StoreAway, StoreDown
from bot.store.postgres.address import Address
from bot.store.postgres.failures import failure, refusal
from bot.store.postgres.knock import refused
from tests.postgres import Postgres


async def status(port: int, path: str) -> int:
    """The HTTP status of one of our paths."""
    address = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status


async def test_a_server_that_is_away_is_waited_for(postgres: Postgres) -> None:
    """We live and are not ready, say so once, and have the store as soon as the server lets us in."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    url = SecretStr(postgres.clean())
    with capture_logs() as logs:
        with postgres.away():
            waiting = asyncio.create_task(
                opened(
                    url,
                    host="127.0.0.1",
                    port=0,
                    stopping=asyncio.Event(),
                    waiting=port.set_result,
                    pause=0.01,
                )
            )
            at = await asyncio.wait_for(port, 10)
            seen = [await status(at, path) for path in ("/healthz", "/readyz")]
        store = await asyncio.wait_for(waiting, 10)
    assert store is not None
    await store.close()

    assert seen == [200, 503]
    assert [line["event"] for line in logs] == ["waiting for the database"]
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(at, "/healthz")


async def test_told_to_stop_it_waits_no_longer(postgres: Postgres) -> None:
    """A signal ends the waiting; there is no store then."""
    stopping = asyncio.Event()
    url = SecretStr(postgres.clean())
    with postgres.away():
        store = await opened(
            url, host="127.0.0.1", port=0, stopping=stopping, waiting=lambda _: stopping.set()
        )

    assert store is None


async def test_patience_ends(postgres: Postgres) -> None:
    """A server that stays away is told to whoever started us, and in the log not with each attempt."""
    url = SecretStr(postgres.clean())
    with (
        capture_logs() as logs,
        postgres.away(),
        pytest.raises(StoreAway, match="does not answer"),
    ):
        await opened(
            url, host="127.0.0.1", port=0, stopping=asyncio.Event(), pause=0.005, patience=0.3
        )

    assert len(logs) == 1


@pytest.mark.parametrize(
    ("state", "passes"),
    [
        *((state, True) for state in ("", "08006", "57P01", "57P03", "53300")),
        *((state, False) for state in ("08P01", "28P01", "3D000", "42P01", "53100", "XX001")),
    ],
)
def test_what_passes_by_itself_is_known(state: str, passes: bool) -> None:
    """A server that is away, starts, stops or is crowded is waited for; rights, names, disks and damage are not."""
    assert isinstance(failure(state), StoreAway) == passes


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("FATAL:  the database system is starting up", True),
        ("FATAL:  sorry, too many clients already", True),
        ("Connection refused", True),
        ("fe_sendauth: no password supplied", False),
        ("FATAL:  unsupported startup parameter in options: purser.audit_key", False),
        ('FATAL:  password authentication failed for user "purser"', False),
    ],
)
def test_a_refusal_is_known_by_its_words(said: str, passes: bool) -> None:
    """The driver gives no code for who was not let in, so the server's words tell whether waiting helps."""
    assert isinstance(refusal(psycopg.OperationalError(said)), StoreAway) == passes


@pytest.mark.parametrize(
    ("state", "sentence", "passes"),
    [
        ("28P01", "refuses this user or password", False),
        ("3D000", "no database of this name", False),
        ("57P03", "is stopping or starting", True),
        ("53300", "takes no more connections", True),
        ("08P01", "does not answer", True),  # a pooler's word for nearly everything
        ("55000", "does not answer", True),
    ],
)
async def test_a_refusal_is_known_in_any_language(state: str, sentence: str, passes: bool) -> None:
    """The server's own code tells whether waiting helps, and what to do, where its words are not English."""
    words = {"S": "ВАЖНО", "V": "FATAL", "C": state, "M": "вход запрещён"}
    fields = b"".join(f"{kind}{text}\0".encode() for kind, text in words.items()) + b"\0"
    knocks: list[bytes] = []

    async def refuse(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        knocks.append(await here.readexactly(int.from_bytes(await here.readexactly(4)) - 4))
        back.write(b"E" + (4 + len(fields)).to_bytes(4) + fields)
        await back.drain()
        back.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = Address(f"postgresql://purser:topsecret@127.0.0.1:{port}/purser?sslmode=disable")
        ends: list[StoreDown] = []
        while len(ends) < 3:
            with pytest.raises(StoreDown, match=sentence) as caught:
                await asyncio.to_thread(address.connect)
            ends.append(caught.value)
            address._not_before = 0.0

    assert [isinstance(end, StoreAway) for end in ends] == [passes] * 3
    assert "topsecret" not in str(ends)
    assert len(knocks) == 4  # the same words are looked into once


def test_a_real_servers_code_is_heard(postgres: Postgres) -> None:
    """PostgreSQL itself tells why it lets nobody in, through libpq; who is let in, or meets nobody, hears nothing."""
    url = postgres.clean()
    name = str(conninfo_to_dict(url)["dbname"])
    urls = [
        url.replace("postgres:@", "nobody:topsecret@"),
        url.replace(f"/{name}", "/nothing"),
        url,
        "postgresql://127.0.0.1:1/nowhere",
    ]

    assert [refused(one) for one in urls] == ["28000", "3D000", "", ""]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [("user", "refuses this user"), ("name", "no database of this name"), ("schema", "migrate")],
)
async def test_what_waiting_does_not_mend_is_told_at_once(
    postgres: Postgres, wrong: str, sentence: str
) -> None:
    """A wrong user, a wrong name and a schema that is not there end the start; nothing is waited for."""
    url = postgres.clean()
    name = str(conninfo_to_dict(url)["dbname"])
    urls = {
        "user": lambda: url.replace("postgres:@", "nobody:topsecret@"),
        "name": lambda: url.replace(f"/{name}", "/nothing"),
        "schema": postgres.empty,
    }
    ports: list[int] = []
    with pytest.raises(StoreDown, match=sentence):
        await opened(
            SecretStr(urls[wrong]()),
            host="127.0.0.1",
            port=0,
            stopping=asyncio.Event(),
            waiting=ports.append,
        )

    assert ports == []
