"""What goes wrong with GitHub becomes one of our errors with a sentence, and no token leaves its host."""

import gzip
import http
import inspect
import re
from collections.abc import AsyncIterator

import aiohttp
import gidgethub
import pytest
from aiohttp import web

from bot.demo.github import GitHubStandIn
from bot.demo.loopback import Loopback, Troubles
from integrations.github import (
    Change,
    GitHub,
    GitHubBadAddress,
    GitHubBusy,
    GitHubDown,
    GitHubNotFound,
    GitHubProblem,
    GitHubSlow,
    GitHubTooLarge,
)
from integrations.github_errors import GitHubRefused, GitHubRejected, named
from integrations.github_wire import ANSWER_BYTES
from tests.integrations.github_worlds import NOW, SECONDS, client, pull_url, standing_in


@pytest.fixture
async def stand_in() -> AsyncIterator[GitHubStandIn]:
    """GitHub with its three pull requests."""
    async with standing_in() as made:
        yield made


@pytest.fixture
async def github(stand_in: GitHubStandIn) -> AsyncIterator[GitHub]:
    """Our client for it, with a token."""
    async with client(stand_in.url, stand_in.token) as made:
        yield made


async def read(github: GitHub, url: str, *, as_us: bool = False, within: float = SECONDS) -> Change:
    """A change by its address."""
    return await github.change(github.address(url), as_us=as_us, deadline=within)


class Odd(Loopback):
    """A server at GitHub's address that says what it is told, and remembers who came with which token."""

    def __init__(self) -> None:
        super().__init__(now=lambda: NOW)
        self.answer = web.Response()
        self.tokens: list[str] = []

    def routes(self) -> list[web.RouteDef]:
        """Every path."""

        async def say(request: web.Request) -> web.StreamResponse:
            self.tokens.append(request.headers.get("Authorization", ""))
            told = self.answer
            return web.Response(status=told.status, body=told.body, headers=told.headers)

        return [web.get("/{path:.*}", say)]


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    """It."""
    made = Odd()
    await made.start()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("status", "as_us", "kind", "words"),
    [
        (401, True, GitHubRefused, "GITHUB_TOKEN"),
        (401, False, GitHubRefused, "without a token"),
        (403, True, GitHubRefused, "GITHUB_TOKEN"),
        (404, True, GitHubNotFound, "private"),
        (406, True, GitHubTooLarge, "larger"),
        (409, True, GitHubRejected, "empty"),
        (422, True, GitHubRejected, "in common"),
        (451, True, GitHubNotFound, "legal"),
        (500, True, GitHubDown, "500"),
        (503, True, GitHubDown, "503"),
    ],
)
async def test_each_status_has_its_sentence(
    stand_in: GitHubStandIn,
    github: GitHub,
    status: int,
    as_us: bool,
    kind: type[GitHubProblem],
    words: str,
) -> None:
    """What GitHub answers is told in a sentence that says what to do."""
    stand_in.troubles = Troubles(status=status)

    with pytest.raises(kind, match=words):
        await read(github, pull_url(stand_in), as_us=as_us)


async def test_single_sign_on_is_told(odd: Odd) -> None:
    """A token that an organisation did not authorise is told as such."""
    odd.answer = web.json_response(
        {"message": "Resource protected by organization SAML enforcement."},
        status=403,
        headers={"X-GitHub-SSO": "required; url=https://github.com/orgs/shop/sso"},
    )
    async with client(odd.url, "token") as github:
        with pytest.raises(GitHubRefused, match="single sign-on"):
            await read(github, f"{odd.url}/shop/checkout/pull/7", as_us=True)


async def test_the_hour_is_used_up(stand_in: GitHubStandIn) -> None:
    """The primary limit says for how many seconds, and until then nobody asks again with that right."""
    stand_in.remaining[""] = 0
    words = r"used up \(without a token they are few\).* 3000 s"
    async with client(stand_in.url, stand_in.token, NOW + 600) as github:
        with pytest.raises(GitHubBusy, match=words) as raised:
            await read(github, pull_url(stand_in))
        assert raised.value.seconds == 3000
        asked = len(stand_in.log)
        with pytest.raises(GitHubBusy):
            await read(github, pull_url(stand_in))
        assert len(stand_in.log) == asked

        assert (await read(github, pull_url(stand_in), as_us=True)).number == "7"


@pytest.mark.parametrize(("told", "seconds"), [("17", 17), (None, 60)])
async def test_we_are_slowed_down(
    stand_in: GitHubStandIn, github: GitHub, told: str | None, seconds: int
) -> None:
    """The secondary limit waits as long as it says, a minute where it says nothing."""
    stand_in.troubles = Troubles(limited="secondary", retry_after=told, times=1)

    with pytest.raises(GitHubBusy, match=f"again in {seconds} s"):
        await read(github, pull_url(stand_in), as_us=True)


async def test_a_limit_ends(stand_in: GitHubStandIn) -> None:
    """After its seconds GitHub is asked again."""
    moment = [NOW]
    async with aiohttp.ClientSession() as session:
        github = GitHub(session, api_url=stand_in.url, token="", now=lambda: moment[0])
        stand_in.troubles = Troubles(limited="secondary", retry_after="17", times=1)
        with pytest.raises(GitHubBusy):
            await read(github, pull_url(stand_in))
        moment[0] += 17

        assert (await read(github, pull_url(stand_in))).number == "7"


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Troubles(refuse=True), GitHubDown),
        (Troubles(reset=True), GitHubDown),
        (Troubles(cut=True), GitHubDown),
        (Troubles(status=502, html=True), GitHubDown),
        (Troubles(hang=30), GitHubSlow),
        (Troubles(drip=1.0), GitHubSlow),
    ],
)
async def test_a_broken_line_is_a_sentence(
    stand_in: GitHubStandIn, github: GitHub, trouble: Troubles, kind: type[GitHubProblem]
) -> None:
    """Refused, cut, hanging or dripping: one deadline for everything, and a sentence."""
    stand_in.troubles = trouble

    with pytest.raises(kind):
        await read(github, pull_url(stand_in), within=0.3)


async def test_a_host_that_is_down(stand_in: GitHubStandIn, github: GitHub) -> None:
    """Where nobody listens, it is said."""
    url = pull_url(stand_in)
    await stand_in.stop()

    with pytest.raises(GitHubDown):
        await read(github, url)


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(text="<html>Sign in</html>", content_type="text/html"),
        web.Response(text="{", content_type="application/json"),
        web.Response(text="[]", content_type="application/json"),
        web.Response(text="[" * 200_000, content_type="application/json"),
        web.Response(text="{}", content_type="application/json", headers={"X-RateLimit-Limit": "a", "X-RateLimit-Remaining": "b", "X-RateLimit-Reset": "c"}),
        web.Response(body=b"\xff", headers={"Content-Type": "application/json; charset=klingon"}),
        web.Response(status=599, text="?"),
        web.Response(status=422, text="{}", content_type="application/json"),
        web.Response(),
    ],
)  # fmt: skip
async def test_nonsense_is_a_sentence(odd: Odd, answer: web.Response) -> None:
    """Whatever else answers there is told as what it is; nothing of it is repeated."""
    odd.answer = answer
    async with client(odd.url) as github:
        with pytest.raises(GitHubProblem) as raised:
            await read(github, f"{odd.url}/shop/checkout/pull/7")

    assert not re.search("Sign in|klingon|Error", str(raised.value))


async def test_too_many_bytes_are_not_read(odd: Odd) -> None:
    """An answer beyond the limit ends the reading, also where its length is not announced."""
    odd.answer = web.Response(body=b"x" * (ANSWER_BYTES + 1))
    async with client(odd.url) as github:
        with pytest.raises(GitHubTooLarge):
            await read(github, f"{odd.url}/shop/checkout/pull/7")


async def test_what_is_packed_counts_unpacked(odd: Odd) -> None:
    """A small answer that unpacks to a large one is too large."""
    packed = gzip.compress(b" " * (ANSWER_BYTES + 1))
    odd.answer = web.Response(
        body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
    )
    async with client(odd.url) as github:
        with pytest.raises(GitHubTooLarge):
            await read(github, f"{odd.url}/shop/checkout/pull/7")


@pytest.mark.parametrize("status", [301, 302, 307])
async def test_the_token_stays_with_its_host(odd: Odd, status: int) -> None:
    """A redirect to another host is not followed."""
    other = Odd()
    await other.start()
    odd.answer = web.Response(status=status, headers={"Location": f"{other.url}/steal"})
    async with client(odd.url, "a-secret") as github:
        with pytest.raises(GitHubProblem):
            await read(github, f"{odd.url}/shop/checkout/pull/7", as_us=True)
    await other.stop()

    assert odd.tokens == ["token a-secret"]
    assert other.tokens == []


async def test_a_page_of_another_host_is_not_asked_for(odd: Odd) -> None:
    """A list whose next page lies elsewhere is not read on, so that no token goes there."""
    other = Odd()
    await other.start()
    odd.answer = web.json_response([], headers={"Link": f'<{other.url}/next>; rel="next"'})
    async with client(odd.url, "a-secret") as github:
        wire = github._sites[0].ourselves
        with pytest.raises(GitHubDown, match="another host"):
            [item async for item in wire.getiter("repos/shop/checkout/pulls/7/files")]
    await other.stop()

    assert other.tokens == []


async def test_addresses_of_others_are_told_so(stand_in: GitHubStandIn, github: GitHub) -> None:
    """What is of another host is said to be, with the hosts that are read; nobody is asked."""
    with pytest.raises(GitHubBadAddress, match=r"127\.0\.0\.1:\d+ and github\.com are read"):
        github.address("https://gitlab.com/shop/checkout/pull/7")
    assert stand_in.log == []


async def test_the_token_is_not_shown(stand_in: GitHubStandIn, github: GitHub) -> None:
    """No repr of ours has the token in it."""
    site = github._sites[0]

    assert stand_in.token not in f"{github!r} {site!r} {site.ourselves!r}"


def made(kind: type[Exception]) -> Exception:
    """One of a library's errors, whatever it wants to be made of."""
    if issubclass(kind, gidgethub.GraphQLAuthorizationFailure | gidgethub.QueryError):
        return kind({"message": "x", "errors": [{"message": "x"}]})
    values = {"status_code": http.HTTPStatus.NOT_FOUND, "response": {"message": "x"}, "headers": {}}
    wanted = [
        parameter
        for parameter in inspect.signature(kind.__init__).parameters.values()
        if parameter.name not in {"self", "kwargs"}
        and parameter.kind is not inspect.Parameter.VAR_POSITIONAL
        and parameter.default is inspect.Parameter.empty
    ]
    return kind(*(values.get(p.name, "x") for p in wanted))


@pytest.mark.parametrize(
    "kind",
    [
        value
        for value in vars(gidgethub).values()
        if isinstance(value, type) and issubclass(value, gidgethub.GitHubException)
    ],
)
def test_every_error_of_the_library_has_a_name(kind: type[Exception]) -> None:
    """Whatever gidgethub raises becomes one of our errors, and its own words are not repeated."""
    problem = named(made(kind), as_us=True, now=NOW)

    assert isinstance(problem, GitHubProblem)
    assert str(problem).endswith(".")
