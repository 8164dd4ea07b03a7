"""Reading the web over real sockets: pages come as text, troubles have a name, private places stay unread."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from ipaddress import IPv4Address

import pytest
import pytest_asyncio
from aiohttp import web as server
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.demo.web import Page, WebStandIn
from integrations.extractor import Extractor
from integrations.web import CHARS_PER_PAGE, Web
from integrations.web_errors import (
    BadUrl,
    HttpStatus,
    NoSuchPage,
    NotAllowed,
    NotText,
    TooLarge,
    TooManyRedirects,
    TooSlow,
    Unreachable,
    Unreadable,
    WebProblem,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 15.0  # far more than any page here needs
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - data
    "192.0.0.192",
    "198.18.0.1",
    "227.1.1.1",
    "255.255.255.255",
    "192.88.99.1",
]
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")


class Names(AbstractResolver):
    """A DNS that its enemies own: it understands every number, and sends the rest to loopback."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses as the tests ordered them."""
        self.asked.append(host)
        inner = host.removesuffix(".").removesuffix(".rebind.test")
        try:
            found = [socket.inet_ntoa(socket.inet_aton(inner))]
        except OSError:
            found = self.answers.get(host, ["127.0.0.1"])
        if not found:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Nothing to let go."""


class Sockets:
    """Counts the internet sockets this process makes, accepted ones included, while it watches."""

    def __init__(self) -> None:
        self.families: list[object] = []
        self.watching = False
        sys.addaudithook(self._hear)  # stays for good, and is deaf unless watching

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.watching or event != "socket.__new__":
            return
        if arguments[1] in {-1, socket.AF_INET, socket.AF_INET6}:
            self.families.append(arguments[1])

    @property
    def made(self) -> int:
        """How many."""
        return len(self.families)


SOCKETS = Sockets()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    """The count, from zero."""
    SOCKETS.families, SOCKETS.watching = [], True
    yield SOCKETS
    SOCKETS.watching = False


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small_web() -> AsyncIterator[WebStandIn]:
    """The small web; what is slow there never ends."""
    stand_in = WebStandIn(slow_seconds=None, drip_seconds=0.01)
    await stand_in.start()
    yield stand_in
    await stand_in.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web() -> AsyncIterator[Web]:
    """A reader with warm processes."""
    made = Web()
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def names() -> Names:
    """A hostile DNS."""
    return Names()


@pytest_asyncio.fixture(loop_scope="module")
async def lured(names: Names) -> AsyncIterator[Web]:
    """A reader that asks the hostile DNS; its processes start only when a page is read."""
    made = Web(resolver=names, extractor=Extractor(processes=1))
    yield made
    await made.close()


async def _read(web: Web, small_web: WebStandIn, page: str, *, number: int = 1) -> str:
    found = await web.fetch(
        small_web.address(page),
        page=number,
        deadline=SECONDS,
        private_origins=(small_web.url,),
    )
    return found.text


# Pages


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page.ARTICLE, "1,204 retries in October"),
        (Page.DOCS, "async for attempt in retrying(Backoff(first=0.2, factor=2.0, limit=4)):"),
        (Page.JSON, '"p95_ms": 1140'),
        (Page.TEXT, "Disallow: /wiki/"),
        (Page.PDF, "switches PAY_ROUTE"),
        (Page.PDF, "phone numbers are in the safe"),
        (Page.REDIRECT, "1,204 retries in October"),
        (Page.REDIRECT_CHAIN, "1,204 retries in October"),
        (Page.NO_TYPE, "No type was said."),
        (Page.LOGIN, "You need an account to see this page."),
        (Page.LATIN, "Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Preis: 12,50 £."),
        (Page.LATIN_META, "über den großen"),
        (Page.UTF16, "über den großen"),
        (Page.CYRILLIC, "Съешь же ещё этих мягких французских булок"),
        (Page.LYING, "über den großen"),
        (Page.UNKNOWN_CHARSET, "über den großen"),
        (Page.SCRIPT_ONLY, "enable JavaScript"),
        (Page.COOKIE, "Have a cookie."),
    ],
)
async def test_pages_are_read(web: Web, small_web: WebStandIn, page: Page, words: str) -> None:
    """Articles, documentation, data, PDF and every charset come out as the text they are."""
    assert words in await _read(web, small_web, page)


async def test_a_page_says_what_it_is(web: Web, small_web: WebStandIn) -> None:
    """The address after redirects, the title and the type are told; menus and banners are not."""
    url = small_web.address(Page.REDIRECT)
    found = await web.fetch(url, deadline=SECONDS, private_origins=(small_web.url,))

    assert found.url == url
    assert found.final_url == small_web.address(Page.ARTICLE)
    assert (found.title, found.content_type) == ("One key for one payment", "text/html")
    assert (found.page, found.pages) == (1, 1)
    assert "Accept all" not in found.text
    assert "boilerplate-script" not in found.text


async def test_a_long_text_is_read_in_pages(web: Web, small_web: WebStandIn) -> None:
    """The pages of a long text join to the whole, and a page beyond the last says how many there are."""
    url, ours = small_web.address(Page.LONG), (small_web.url,)
    first = await web.fetch(url, deadline=SECONDS, private_origins=ours)
    rest = [await _read(web, small_web, Page.LONG, number=n) for n in range(2, first.pages + 1)]

    assert len(first.text) == CHARS_PER_PAGE
    whole = "".join([first.text, *rest])
    assert all(f"Paragraph {n} of" in whole for n in range(1, 3001))
    assert whole.endswith("The end.")
    for number in (0, -1, first.pages + 1):
        with pytest.raises(NoSuchPage, match=f"has {first.pages} pages"):
            await _read(web, small_web, Page.LONG, number=number)


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (Page.EMPTY, Unreadable),
        (Page.REDIRECT_LONG, TooManyRedirects),
        (Page.REDIRECT_LOOP, TooManyRedirects),
        (Page.REDIRECT_PRIVATE, NotAllowed),
        (Page.REDIRECT_METADATA, NotAllowed),
        (Page.REDIRECT_NAME, NotAllowed),
        (Page.REDIRECT_ELSEWHERE, NotAllowed),
        (Page.REDIRECT_SCHEME, BadUrl),
        (Page.REDIRECT_NOWHERE, HttpStatus),
        (Page.ENDLESS, TooLarge),
        (Page.BOMB, TooLarge),
        (Page.DEFLATE_BOMB, TooLarge),
        (Page.BROKEN_GZIP, Unreadable),
        (Page.CUT, Unreadable),
        (Page.WRONG_TYPE, NotText),
        (Page.BINARY, NotText),
        (Page.PICTURE, NotText),
        (Page.MISSING, HttpStatus),
        (Page.BROKEN, HttpStatus),
        (Page.BUSY, HttpStatus),
        (Page.FORBIDDEN, HttpStatus),
    ],
)
async def test_what_is_no_page_is_named(
    web: Web, small_web: WebStandIn, page: Page, problem: type[WebProblem]
) -> None:
    """Each kind of trouble is one error with one sentence, which repeats nothing of the page."""
    with pytest.raises(problem) as caught:
        await _read(web, small_web, page)

    assert caught.type is problem
    said = str(caught.value)
    assert said.endswith(".")
    for secret in ("Traceback", "robot", "127.0.0.1", "169.254", "10.0.0.1", "Errno"):
        assert secret not in said


@pytest.mark.parametrize("page", [Page.SLOW, Page.SLOW_BODY, Page.DRIP])
async def test_a_page_that_never_ends_is_left_at_the_deadline(
    web: Web, small_web: WebStandIn, page: Page
) -> None:
    """A silent server, a silent body and a dripping body all end with the one deadline."""
    began = time.monotonic()
    with pytest.raises(TooSlow):
        await web.fetch(small_web.address(page), deadline=0.2, private_origins=(small_web.url,))
    assert time.monotonic() - began < 2


async def test_a_hostile_page_ends_at_the_deadline_and_the_next_is_read(
    small_web: WebStandIn,
) -> None:
    """A page that takes half a minute to parse costs its reader the deadline, and nobody else."""
    extractor = Extractor(processes=1)
    web = Web(extractor=extractor)
    try:
        assert "1,204" in await _read(web, small_web, Page.ARTICLE)
        before = extractor.pids
        with pytest.raises(TooSlow):
            await web.fetch(
                small_web.address(Page.ATTRIBUTES),
                deadline=0.8,
                private_origins=(small_web.url,),
            )
        assert extractor.pids == []
        assert "1,204" in await _read(web, small_web, Page.ARTICLE)
        assert extractor.pids != before
    finally:
        await web.close()


async def test_many_readers_wait_for_their_turn(web: Web, small_web: WebStandIn) -> None:
    """More fetches than places are all read, and waiting counts against the deadline."""
    texts = await asyncio.gather(*[_read(web, small_web, Page.ARTICLE) for _ in range(30)])
    assert all("1,204" in text for text in texts)

    ours = (small_web.url,)
    slow = [
        asyncio.create_task(
            web.fetch(small_web.address(Page.SLOW), deadline=0.4, private_origins=ours)
        )
        for _ in range(8)
    ]
    await asyncio.sleep(0.05)
    with pytest.raises(TooSlow):
        await web.fetch(small_web.address(Page.ARTICLE), deadline=0.1, private_origins=ours)
    assert all(isinstance(e, TooSlow) for e in await asyncio.gather(*slow, return_exceptions=True))


async def test_no_cookie_is_kept_and_no_credential_sent(web: Web, small_web: WebStandIn) -> None:
    """A second visit looks like the first."""
    await _read(web, small_web, Page.COOKIE)
    await _read(web, small_web, Page.COOKIE)

    assert small_web.cookies == []
    assert {heard.method for heard in small_web.log} == {"GET"}


async def test_a_reader_that_is_closed_reads_nothing(small_web: WebStandIn) -> None:
    """After close there is no fetch, and closing twice is harmless."""
    web = Web()
    await web.close()
    await web.close()
    with pytest.raises(Unreachable):
        await _read(web, small_web, Page.ARTICLE)


# Private places


def _spellings(dotted: str) -> Iterator[str]:
    """Hosts that some parser or resolver takes for this address."""
    a, b, c, d = (int(part) for part in dotted.split("."))
    number = int(IPv4Address(dotted))
    hexed = f"{a:02x}{b:02x}:{c:02x}{d:02x}"
    yield from (
        dotted,
        f"{dotted}.",
        f"{dotted}..",
        f"{dotted}.rebind.test",
        f"{dotted}.rebind.test.",
    )
    yield from (str(number), hex(number), hex(number).upper(), f"0{number:o}", str(number + 2**32))
    yield from (f"{a}.{b}.{c * 256 + d}", f"{a}.{b * 65536 + c * 256 + d}", f"{a}.{d}")
    yield from (
        ".".join(f"0x{n:x}" for n in (a, b, c, d)),
        ".".join(f"0{n:o}" for n in (a, b, c, d)),
    )
    yield from (".".join(f"0000{n:o}" for n in (a, b, c, d)), f"0x{a:x}.{b}.0{c:o}.{d}")
    yield from (f"{a + 256}.{b}.{c}.{d}", f"0{a}.{b}.{c}.{d}", f"{dotted}%00", f"{dotted}%2e")
    yield from (dotted.translate(FULL_WIDTH), dotted.translate(CIRCLED), dotted.replace(".", "。"))
    yield from (dotted.replace(".", "．"), dotted.replace(".", "｡"), dotted.replace(".", "%2e"))
    yield "".join(f"%{ord(letter):02x}" for letter in dotted)
    yield from (f"[::ffff:{dotted}]", f"[::ffff:{hexed}]", f"[0:0:0:0:0:ffff:{hexed}]")
    yield from (f"[::{dotted}]", f"[::{hexed}]", f"[64:ff9b::{hexed}]", f"[64:ff9b::{dotted}]")
    yield from (f"[64:ff9b:1::{hexed}]", f"[2002:{hexed}::1]", f"[2606:4700::5efe:{hexed}]")
    yield from (
        f"[2001:0:{hexed}::1]",
        f"[::ffff:0:{hexed}]",
        f"[::ffff:{dotted}%25lo]",
        f"[{dotted}]",
    )
    yield from (f"example.test@{dotted}", f"example.test:80@{dotted}", f"{dotted}@example.test")
    yield from (
        f"example.test\\@{dotted}",
        f"{dotted}\\.example.test",
        f"{dotted}\t",
        f"\n{dotted}",
    )


ODD_HOSTS = [
    "localhost",
    "LOCALHOST.",
    "localhost.localdomain",
    "ⓛocalhost",
    "loopback.test",
    "ip6-localhost",
    "metadata",
    "metadata.google.internal",
    "instance-data.ec2.internal",
    "kubernetes.default.svc.cluster.local",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::1%25lo]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[::]:80@example.test",
    "0",
    "0x0",
    "00",
    "127.0.0.1.nip.test",
    "example.test#@127.0.0.1",
    "example.test",
]


def _urls(port: int) -> list[str]:
    hosts = [host for dotted in PRIVATE for host in _spellings(dotted)] + ODD_HOSTS
    return [f"http://{host}:{port}/" for host in hosts]


@pytest_asyncio.fixture(loop_scope="module")
async def trap() -> AsyncIterator[tuple[int, list[str]]]:
    """A port on loopback that nobody may come to, and who came."""
    came: list[str] = []

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(writer.get_extra_info("peername")))
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nsecret"
        )
        writer.close()

    listening = await asyncio.start_server(meet, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1], came
    listening.close()
    await listening.wait_closed()


async def test_no_spelling_of_a_private_address_is_connected_to(
    lured: Web, trap: tuple[int, list[str]], sockets: Sockets
) -> None:
    """Hundreds of spellings, with a DNS on the attacker's side: not one socket is even made."""
    port, came = trap
    urls = _urls(port)
    assert len(urls) > 500
    for url in urls:
        with pytest.raises(WebProblem) as caught:
            await lured.fetch(url, deadline=SECONDS)
        assert caught.type in {BadUrl, NotAllowed, Unreachable}, url

    assert came == []
    assert sockets.made == 0


async def test_no_redirect_leads_to_a_private_address(
    lured: Web, trap: tuple[int, list[str]], sockets: Sockets
) -> None:
    """The same spellings as targets of redirects: no socket but that to the page that redirects."""
    port, came = trap
    targets = [url for url in _urls(port) if url.isprintable()]

    async def away(request: server.Request) -> server.Response:
        return server.Response(status=302, headers={"Location": targets[int(request.query["n"])]})

    app = server.Application()
    app.add_routes([server.get("/", away)])
    runner = server.AppRunner(app, access_log=None)
    await runner.setup()
    await server.TCPSite(runner, "127.0.0.1", 0).start()
    home = f"http://127.0.0.1:{runner.addresses[0][1]}"
    sockets.families.clear()
    try:
        for n in range(len(targets)):
            with pytest.raises(WebProblem) as caught:
                await lured.fetch(f"{home}/?n={n}", deadline=SECONDS, private_origins=(home,))
            assert caught.type in {BadUrl, NotAllowed, Unreachable}, targets[n]
    finally:
        await runner.cleanup()

    assert came == []
    assert sockets.made == 2 * len(targets)  # ours to the page that redirects, and its end of it


async def test_the_trap_would_have_caught_it(
    lured: Web, trap: tuple[int, list[str]], sockets: Sockets
) -> None:
    """The same trap answers when its origin is listed: the silence above is the guard's."""
    port, came = trap
    origin = f"http://127.0.0.1:{port}"
    found = await lured.fetch(f"{origin}/", deadline=SECONDS, private_origins=(origin,))

    assert found.text == "secret"
    assert len(came) == 1
    assert sockets.made == 2
    for other in (f"http://localhost:{port}", f"https://127.0.0.1:{port}", "http://127.0.0.1"):
        with pytest.raises(NotAllowed):
            await lured.fetch(f"{origin}/", deadline=SECONDS, private_origins=(other,))


async def test_a_private_name_is_connected_to_only_as_a_listed_origin(
    lured: Web, names: Names, trap: tuple[int, list[str]]
) -> None:
    """A wiki that DNS places on a private address is read when it is listed, and only then."""
    port, came = trap
    names.answers["wiki.test"] = ["127.0.0.1"]
    origin = f"http://wiki.test:{port}"
    with pytest.raises(Unreachable):
        await lured.fetch(f"{origin}/a", deadline=SECONDS)
    assert came == []

    found = await lured.fetch(f"{origin}/a", deadline=SECONDS, private_origins=(origin,))
    assert found.text == "secret"


async def test_a_private_page_does_not_lead_to_another_private_origin(
    web: Web, small_web: WebStandIn
) -> None:
    """Listing two origins does not let one of them send the reader to the other."""
    with pytest.raises(NotAllowed):
        await web.fetch(
            small_web.address(Page.REDIRECT_ELSEWHERE),
            deadline=SECONDS,
            private_origins=(small_web.url, small_web.other_url),
        )


async def test_dns_that_changes_its_mind_wins_nothing(
    lured: Web, names: Names, trap: tuple[int, list[str]], sockets: Sockets
) -> None:
    """Of a public and a private answer only the public one gets a socket; so does a later answer."""
    port, came = trap
    url = f"http://rebinding.test:{port}/"
    names.answers["rebinding.test"] = ["127.0.0.1", "93.184.216.34", "::1", "::ffff:7f00:1"]
    with pytest.raises(Unreachable):
        await lured.fetch(url, deadline=SECONDS)
    assert set(sockets.families) == {socket.AF_INET}  # to the public one; ::1 had none
    assert came == []

    sockets.families.clear()
    names.answers["rebinding.test"] = ["127.0.0.1"]
    with pytest.raises(Unreachable):
        await lured.fetch(url, deadline=SECONDS)
    assert (came, sockets.made) == ([], 0)
    assert names.asked == ["rebinding.test"] * 2


async def test_the_answers_are_no_map_of_the_network(
    lured: Web, names: Names, trap: tuple[int, list[str]]
) -> None:
    """An open port, a closed one and a name that does not exist are told in the same words."""
    port, _ = trap
    names.answers.update({"open.test": ["127.0.0.1"], "closed.test": ["10.1.2.3"], "none.test": []})
    said: dict[str, set[str]] = {"names": set(), "numbers": set()}
    for host, kind in (
        ("open.test", "names"),
        ("closed.test", "names"),
        ("none.test", "names"),
        ("127.0.0.1", "numbers"),
        ("10.1.2.3", "numbers"),
        ("localhost", "numbers"),
    ):
        with pytest.raises(WebProblem) as caught:
            await lured.fetch(f"http://{host}:{port}/", deadline=SECONDS)
        said[kind].add(str(caught.value))

    assert {kind: len(sentences) for kind, sentences in said.items()} == {"names": 1, "numbers": 1}


async def test_only_listed_hosts_are_asked(lured: Web, names: Names, sockets: Sockets) -> None:
    """A host that is not listed is refused before DNS hears of it."""
    with pytest.raises(NotAllowed):
        await lured.fetch("https://example.test/", deadline=SECONDS, allowed_hosts=("other.test",))

    assert names.asked == []
    assert sockets.made == 0
