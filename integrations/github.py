"""Reads changes and files from GitHub, as ourselves where that is permitted and as nobody where it is not; posts reviews.

    GitHub.address -> Address -> GitHub.change, GitHub.file -> github_wire (gidgethub, bounded)
                                                            -> github_reading -> Change, File, Folder
    ReviewDraft -> GitHub.post, GitHub.posted -> github_writing -> Posted

Whoever calls says each time whether our token is used: a private repository is never read by accident.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Any, cast

import aiohttp
import gidgethub
from gidgethub.sansio import accept_format

from integrations import github_address, github_reading, github_writing
from integrations.github_address import PUBLIC_API, Address, lines_of, web_of
from integrations.github_errors import (
    NOT_GITHUB,
    GitHubBadAddress,
    GitHubBusy,
    GitHubDown,
    GitHubMoved,
    GitHubNotFound,
    GitHubProblem,
    GitHubRefused,
    GitHubRejected,
    GitHubSlow,
    GitHubTooLarge,
    GitHubUnknown,
    named,
)
from integrations.github_reading import Change, File, Folder
from integrations.github_standing import Standing, standing
from integrations.github_wire import Wire
from integrations.github_writing import Posted, Remark, ReviewDraft

DIFF = accept_format(media="diff", json=False)
RAW = accept_format(media="raw", json=False)
PER_PAGE = 100
FILES = 3_000  # of one change, as many as GitHub lists
READS = 2  # of a pull request that is pushed to meanwhile
ONLY_READS = (
    "The bot has no token for this GitHub, so it cannot post there; an operator sets GITHUB_TOKEN."
)


class _Site:
    """One GitHub: what people look at, and the two ways to ask it."""

    def __init__(
        self, session: aiohttp.ClientSession, api_url: str, token: str, proxy: str | None
    ) -> None:
        self.web = web_of(api_url)
        self._wire = partial(Wire, session, api_url=api_url, proxy=proxy)
        self.nobody = self._wire(token="")
        self.limited_until = {True: 0.0, False: 0.0}  # by whether our token is used
        self.rekey(token)

    def rekey(self, token: str) -> None:
        self.has_token = bool(token)
        self.ourselves = self._wire(token=token)
        self.limited_until[True] = 0.0


class GitHub:
    """Reads from one GitHub with our token, and from the public one without; posts reviews with it alone.

    Args:
        session: makes the connections; closed by whoever made it.
        api_url: of the GitHub that the token is for.
        token: "" where there is none.
        proxy: for https, or None.
        now: epoch seconds.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_url: str,
        token: str,
        proxy: str | None = None,
        now: Callable[[], float],
    ) -> None:
        api_url = api_url.rstrip("/")
        self._now = now
        self._sites = [_Site(session, api_url, token, proxy)]
        if api_url != PUBLIC_API:
            self._sites.append(_Site(session, PUBLIC_API, "", proxy))

    def rekey(self, token: str) -> None:
        """Use another token ("" for none) from the next request on; those on their way end with the one they have."""
        self._sites[0].rekey(token)

    def __repr__(self) -> str:
        return f"GitHub({self._sites[0].web.host!r})"

    def address(self, url: str) -> Address:
        """What a web address names.

        Raises:
            GitHubBadAddress: nothing that can be read here.
        """
        for site in self._sites:
            found = github_address.address(url, site.web)
            if found is not None:
                return found
        hosts = " and ".join(github_address.host_of(site.web) for site in self._sites)
        raise GitHubBadAddress(f"{GitHubBadAddress.sentence} Addresses of {hosts} are read.")

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts whose addresses are read, with their ports where those are unusual."""
        return frozenset(github_address.host_of(site.web) for site in self._sites)

    def has_token(self, address: Address) -> bool:
        """Whether we have a token for the host of an address."""
        return self._site(address).has_token

    def link(self, address: Address, sha: str) -> str:
        """The beginning of links to files at a commit; a path and `#L12` follow."""
        return f"{self._site(address).web}/{address.repository}/blob/{sha}/"

    async def standing(self, *, deadline: float) -> Standing:
        """How we stand with the GitHub that our token is for; costs none of its requests.

        Args:
            deadline: seconds.

        Raises:
            GitHubProblem: our token is not accepted, or GitHub does not answer.
        """
        async with self._asking_of(self._sites[0], as_us=True, deadline=deadline) as wire:
            return await standing(wire)

    async def change(self, address: Address, *, as_us: bool, deadline: float) -> Change:
        """Read a pull request, a commit or a comparison with its diff.

        Args:
            address: of one of them.
            as_us: whether our token may be used.
            deadline: seconds for everything.

        Raises:
            GitHubProblem: it was not read; the message is a sentence for the reader.
        """
        readers = {"pull": self._pull, "commit": self._commit, "compare": self._compare}
        if address.kind not in readers:
            raise GitHubBadAddress(
                "This is the address of a repository or a file, not of a change; a pull request, "
                "a commit or a comparison has a diff."
            )
        async with self._asking(address, as_us=as_us, deadline=deadline) as wire:
            return await readers[address.kind](wire, address)

    async def file(
        self, address: Address, path: str, ref: str, *, as_us: bool, deadline: float
    ) -> File | Folder:
        """Read a text file, or the names in a folder, as they are at a branch, tag or commit.

        Args:
            address: of its repository, or of anything in it.
            path: from the repository's top.
            ref: "" is what the address names: a pull request's head, a commit, or the default branch.
            as_us: whether our token may be used.
            deadline: seconds for everything.

        Raises:
            GitHubProblem: it was not read; the message is a sentence for the reader.
        """
        quoted = github_address.path_in_path(path)
        async with self._asking(address, as_us=as_us, deadline=deadline) as wire:
            at = ref or await self._ref(wire, address)
            query = f"?ref={github_address.ref_in_path(at)}" if at else ""
            here = f"repos/{address.repository}/contents/{quoted}{query}"
            raw: Any = await wire.getitem(here, accept=RAW)
        if raw is None:
            return File(address.repository, path, at, "")
        if isinstance(raw, str):
            return File(address.repository, path, at, raw)
        names = github_reading.names(raw)
        if names is None:
            raise GitHubNotFound(f"{path} is neither a file nor a folder; it may be a submodule.")
        return Folder(address.repository, path.strip("/"), at, names)

    async def post(self, draft: ReviewDraft, *, mark: str, deadline: float) -> Posted:
        """Post a review, once and never again by itself.

        Args:
            draft: what to post; nobody but a person says that it is posted.
            mark: the proposal's id, left in the review where `posted` finds it.
            deadline: seconds for each of two requests.

        Raises:
            GitHubUnknown: the answer was lost; ask `posted`.
            GitHubProblem: nothing was posted; the message is a sentence for people.
        """
        address, path = self._target(draft)
        async with self._asking(address, as_us=True, deadline=deadline) as wire:
            now = await github_writing.standing(wire, path)
        try:
            async with self._asking(address, as_us=True, deadline=deadline) as wire:
                return await github_writing.post(wire, path, draft, mark, now)
        except GitHubSlow as slow:
            raise GitHubUnknown from slow

    async def posted(self, draft: ReviewDraft, *, mark: str, deadline: float) -> Posted | None:
        """Whether a review stands on GitHub after all; None where it is not found.

        Args:
            draft: that was to be posted.
            mark: as it was given to `post`.
            deadline: seconds for everything.

        Raises:
            GitHubProblem: nobody can tell.
        """
        address, path = self._target(draft)
        async with self._asking(address, as_us=True, deadline=deadline) as wire:
            return await github_writing.posted(wire, path, mark)

    def _target(self, draft: ReviewDraft) -> tuple[Address, str]:
        address = self.address(draft.url)
        if address.kind != "pull":
            raise GitHubBadAddress
        if not self.has_token(address):
            raise GitHubRefused(ONLY_READS)
        return address, _pull_path(address)

    def _asking(
        self, address: Address, *, as_us: bool, deadline: float
    ) -> AbstractAsyncContextManager[Wire]:
        return self._asking_of(self._site(address), as_us=as_us, deadline=deadline)

    @asynccontextmanager
    async def _asking_of(
        self, site: _Site, *, as_us: bool, deadline: float
    ) -> AsyncGenerator[Wire]:
        """The wire to ask, within the deadline; what goes wrong is one of our errors."""
        with_token = as_us and site.has_token
        wait = site.limited_until[with_token] - self._now()
        if wait > 0:  # who goes on asking while limited may be shut out altogether
            raise GitHubBusy(wait, primary=False, as_us=with_token)
        try:
            async with asyncio.timeout(deadline):
                yield site.ourselves if with_token else site.nobody
        except TimeoutError:
            raise GitHubSlow from None
        except (
            *(gidgethub.GitHubException, aiohttp.ClientError),
            *(OSError, ValueError, LookupError, RecursionError, GitHubProblem),
        ) as error:
            problem = named(error, as_us=with_token, now=self._now())
            if isinstance(problem, GitHubBusy):
                site.limited_until[with_token] = self._now() + problem.seconds
            if problem is error:
                raise
            raise problem from error

    def _site(self, address: Address) -> _Site:
        return next(
            site for site in self._sites if github_address.host_of(site.web) == address.host
        )

    async def _ref(self, wire: Wire, address: Address) -> str:
        """Where a file is read when nothing is said: at what the address names."""
        if address.kind == "pull":
            raw = await _mapping(wire, _pull_path(address))
            return github_reading.pull(raw, "", (), moving=False).head_sha
        return address.ref.rpartition("...")[2]

    async def _pull(self, wire: Wire, address: Address) -> Change:
        """A pull request; its head is looked at again behind the diff, which costs nothing if it is the same."""
        path = _pull_path(address)
        raw = await _mapping(wire, path)
        diff, without, moving = "", (), True
        for _ in range(READS):
            diff, without = await _diff(wire, path, f"{path}/files")
            before, raw = raw, await _mapping(wire, path)
            moving = _sha(before) != _sha(raw)
            if not moving:
                break
        return github_reading.pull(raw, diff, without, moving=moving)

    async def _commit(self, wire: Wire, address: Address) -> Change:
        path = f"repos/{address.repository}/commits/{github_address.ref_in_path(address.ref)}"
        raw = await _mapping(wire, f"{path}?per_page=1")  # its files come with the diff
        diff, without = await _diff(wire, path, path)
        return github_reading.commit(raw, address.repository, diff, without)

    async def _compare(self, wire: Wire, address: Address) -> Change:
        base, _, head = address.ref.partition("...")
        ends = [_end(base), _end(head)]
        path = f"repos/{address.repository}/compare/{'...'.join(ends)}"
        raw = await _mapping(wire, path)
        diff, without = await _diff(wire, path, path)
        return github_reading.comparison(raw, address.repository, address.ref, diff, without)


async def _mapping(wire: Wire, path: str) -> dict[str, Any]:
    raw: Any = await wire.getitem(path)
    if not isinstance(raw, dict):
        raise GitHubDown(NOT_GITHUB)
    return cast("dict[str, Any]", raw)


async def _diff(wire: Wire, path: str, files: str) -> tuple[str, tuple[str, ...]]:
    """A change's diff; where GitHub finds it too large to print, what its list of files has of it."""
    try:
        text: Any = await wire.getitem(path, accept=DIFF)
    except gidgethub.HTTPException as error:
        if error.status_code != 406:
            raise
    else:
        if text is not None and not isinstance(text, str):
            raise GitHubDown(NOT_GITHUB)
        return text or "", ()
    listed: list[Any] = []
    pages = wire.getiter(f"{files}?per_page={PER_PAGE}", iterable_key="files")
    async with aclosing(pages):
        async for file in pages:
            listed.append(file)
            if len(listed) >= FILES:
                break
    return github_reading.assembled(listed)


def _pull_path(address: Address) -> str:
    return f"repos/{address.repository}/pulls/{address.ref}"


def _end(text: str) -> str:
    """One end of a comparison: a ref, or one of a fork (`owner:branch`, `owner:name:branch`)."""
    *fork, ref = text.split(":")
    return ":".join([*map(github_address.ref_in_path, fork), github_address.ref_in_path(ref)])


def _sha(raw: dict[str, Any]) -> str:
    return github_reading.pull(raw, "", (), moving=False).head_sha


__all__ = [
    "ONLY_READS",
    "Address",
    "Change",
    "File",
    "Folder",
    "GitHub",
    "GitHubBadAddress",
    "GitHubBusy",
    "GitHubDown",
    "GitHubMoved",
    "GitHubNotFound",
    "GitHubProblem",
    "GitHubRefused",
    "GitHubRejected",
    "GitHubSlow",
    "GitHubTooLarge",
    "GitHubUnknown",
    "Posted",
    "Remark",
    "ReviewDraft",
    "Standing",
    "lines_of",
    "web_of",
]
