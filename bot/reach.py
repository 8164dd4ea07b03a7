"""Which addresses tools may open: those that people wrote in the conversation, and some that stand in what was read.

    a person's own words                    wherever it leads
    links of a page that a person named     on that page's own host
    links in other content                  on hosts that are allowed anyway, such as the code host
    links in anything else that was read    where a person lets it, by a click

Pure, and read from the messages of the request themselves, so that a turn that is resumed has the same. Claude only
chooses: what is opened is the spelling that was found, never the one that Claude wrote, so that nothing can be carried
out in an address. Of people's messages, code, quotations and forwarded messages are content and not their words; what
Purser said, and what stands for the oldest part of a long thread, counts for nothing, since Claude wrote it.
"""

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

from bot.labels import unbounded

RULE = "reach"  # as the audit names what is refused for this
URL_CHARS = 4096  # of an address, at most
LINKS = 1_000  # of one text, the first ones
ENDS = 4  # signs at the end of an address that may be its own, or the sentence's
READERS = ("web_fetch", "pull_request_diff", "repository_file")  # whose `url` is an address
REPEATING = "jira_propose_"  # begins the names of tools that give back what Claude wrote

_LABELLED = re.compile(
    r"<purser:(?P<tag>ask|said|file|read)(?P<about>[^>]*)>\n(?P<text>.*?)\n</purser:(?P=tag)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_CODE = re.compile(r"(`{3,}).*?(?:\1|\Z)", re.DOTALL)
_NOT_TYPED = re.compile(r"\s*(?:>|\[attached: |Forwarded(?: from .*)?:$)")  # see `slack/words`
_URL = re.compile(r"[hH][tT][tT][pP][sS]?://[^\s<>\[\]\"`|\\^{}]+")
_PARTS = re.compile(r"(https?)://([^/?#]+)([^?#]*)([^#]*)(#.*)?", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_ENDS = ".,;:!?*_~)'"
_KEY = re.compile(r"\b[a-z][a-z0-9_]+-[1-9]\d*\b", re.IGNORECASE)
_PART = re.compile(r"#part-\d+$")  # which part of a long diff, our own addition


@dataclass(frozen=True, slots=True)
class Link:
    """An address that may be opened, as it was spelled where it stood; `typed` by a person."""

    url: str
    typed: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the tools of a turn may reach; by itself nowhere.

    Attributes:
        typed: what people wrote, by its normal form.
        own: links of pages that people named, on the page's own host.
        content: links in whatever else may be followed to a host that is allowed.
        seen: links in all that was read, wherever they lead; without a person's click none of them is opened.
    """

    typed: Mapping[str, str] = field(default_factory=dict[str, str])
    own: Mapping[str, str] = field(default_factory=dict[str, str])
    content: Mapping[str, str] = field(default_factory=dict[str, str])
    seen: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, messages: Iterable[Mapping[str, Any]]) -> "Reach":
        """Read the messages of a request, what tools gave so far among them."""
        labelled, results = _given(messages)
        words = [typed for tag, about, text in labelled if (typed := _typed(tag, about, text))]
        others = [
            text for tag, about, text in labelled if tag != "read" and about.get("from") != OURS
        ]
        typed = {normal: url for one in words for normal, url in _links(one)}
        keys = {key.upper() for one in words for key in _KEY.findall(one)}
        own: dict[str, str] = {}
        content = {normal: url for one in others for normal, url in _links(one)}
        seen = dict(content)
        for result in results:
            links = _found(result)
            seen |= links
            if _is_named(result, typed, keys):
                host = _host(*result)
                content |= links
                own |= {n: url for n, url in links.items() if host and host_of(n) == host}
        return cls(typed, own, content, seen)

    @classmethod
    def words(cls, *texts: str) -> "Reach":
        """What these words of a person alone let be opened."""
        typed = {normal: url for text in texts for normal, url in _links(typed_in(text))}
        return cls(typed, seen={normal: url for text in texts for normal, url in _links(text)})

    def find(self, url: str, allowed: Callable[[str], bool]) -> Link | None:
        """The address that a spelling names letter for letter; None where it may not be opened.

        Args:
            url: as Claude wrote it.
            allowed: whether a host (`host` or `host:port`, lower case) is one to which links in content may be followed.
        """
        wanted = normal_form(url)
        if found := self.typed.get(wanted):
            return Link(found, typed=True)
        if found := self.own.get(wanted):
            return Link(found, typed=False)
        found = self.content.get(wanted)
        return Link(found, typed=False) if found and allowed(host_of(wanted)) else None

    def standing(self, url: str) -> str | None:
        """The address that a spelling names letter for letter, as it stands in anything read; None of one put together."""
        return self.seen.get(normal_form(url))

    def links(self, allowed: Callable[[str], bool]) -> Iterator[Link]:
        """Every address that may be opened."""
        yield from (Link(url, typed=True) for url in self.typed.values())
        yield from (Link(url, typed=False) for url in self.own.values())
        yield from (
            Link(url, False) for form, url in self.content.items() if allowed(host_of(form))
        )


OURS = "Purser"  # the author of our own messages, as labels name it


def normal_form(url: str) -> str:
    """What makes two spellings one address: scheme and host in lower case, "/" where there is no path.

    All else counts to the letter: port, path, query, fragment, percent signs, a dot behind the host. "" for what two
    readers could read differently: user names, blanks, backslashes, percent signs in the host, other schemes.
    """
    found = _PARTS.fullmatch(url) if len(url) <= URL_CHARS else None
    if not found or _UNSEEN.search(url) or "\\" in url:
        return ""
    scheme, authority, path, query, fragment = found.groups(default="")
    if "@" in authority or "%" in authority:
        return ""
    host = authority.lower() if authority.isascii() else authority
    return f"{scheme.lower()}://{host}{path or '/'}{query}{fragment}"


def host_of(normal: str) -> str:
    """The host of a normal form, with its port where one is written."""
    found = _PARTS.fullmatch(normal)
    return found[2] if found else ""


def typed_in(text: str) -> str:
    """What somebody typed in a message: without code, quotations, forwarded messages and names of files."""
    lines = [line for line in text.split("\n") if not _NOT_TYPED.match(line)]
    return _CODE.sub("\n", "\n".join(lines))


def _typed(tag: str, about: Mapping[str, str], text: str) -> str:
    """The words of a person in a labelled text, "" where it is none's."""
    said = tag == "said" and "kind" not in about and about.get("from") != OURS
    return typed_in(text) if said or tag == "ask" else ""


def _links(text: str) -> Iterator[tuple[str, str]]:
    """The addresses of a text by their normal form: as far as they can reach, and without punctuation behind them."""
    for run in islice(_URL.finditer(text), LINKS):
        ends = [run[0].rstrip(_ENDS)]  # nobody can say whose sign the last one is
        while len(ends[-1]) < len(run[0]) and len(ends) <= ENDS:
            ends.append(run[0][: len(ends[-1]) + 1])
        for url in ends:
            bare = url.partition("#")[0]
            yield from ((form, one) for one in {url, bare} if (form := normal_form(one)))


Labelled = tuple[str, Mapping[str, str], str]
Result = tuple[str, Mapping[str, Any], str]


def _given(messages: Iterable[Mapping[str, Any]]) -> tuple[list[Labelled], list[Result]]:
    """The labelled texts of a request, and what tools gave: tool, arguments, text."""
    labelled: list[Labelled] = []
    results: list[Result] = []
    uses: dict[str, Mapping[str, Any]] = {}
    for message in messages:
        for block in _blocks(message):
            if block["type"] == "tool_use":
                uses[str(block["id"])] = block
            elif block["type"] == "tool_result" and not block.get("is_error"):
                use = uses.get(str(block["tool_use_id"]))
                if use is not None:
                    results.append((str(use["name"]), use["input"], _text(block)))
            elif block["type"] == "text" and message["role"] == "user":
                for found in _LABELLED.finditer(str(block["text"])):
                    about = {k: html.unescape(v) for k, v in _ATTRIBUTE.findall(found["about"])}
                    labelled.append((found["tag"], about, found["text"]))
    results += [_read(about, text) for tag, about, text in labelled if tag == "read"]
    return labelled, results


def _blocks(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return cast("Sequence[Mapping[str, Any]]", content)


def _text(block: Mapping[str, Any]) -> str:
    content = block.get("content", "")
    if isinstance(content, str):
        return unbounded(content)
    parts = cast("Sequence[Mapping[str, Any]]", content)
    texts = [str(part["text"]) for part in parts if part.get("type") == "text"]
    return unbounded("\n".join(texts))


def _read(about: Mapping[str, str], text: str) -> Result:
    try:
        given: Any = json.loads(about.get("input", "{}"))
    except ValueError:
        given = {}
    return about.get("tool", ""), given if isinstance(given, dict) else {}, text


def _found(result: Result) -> dict[str, str]:
    """The links that a tool found, without those that Claude gave it: a result may repeat them."""
    tool, given, text = result
    if tool.startswith(REPEATING):
        return {}
    theirs = {_bare(url) for value in given.values() for _, url in _links(str(value))}
    return {form: url for form, url in _links(text) if _bare(url) not in theirs}


def _bare(url: str) -> str:
    """The normal form of an address without what may be punctuation: a result may put some behind what it repeats."""
    return normal_form(url.rstrip(_ENDS))


def _is_named(result: Result, typed: Mapping[str, str], keys: set[str]) -> bool:
    """Whether a person named what was read."""
    tool, given, _ = result
    if tool in READERS:
        return normal_form(_PART.sub("", str(given.get("url", "")).strip())) in typed
    return tool == "jira_get_issue" and str(given.get("key", "")).strip().upper() in keys


def _host(tool: str, given: Mapping[str, Any], text: str) -> str:
    """The host that a page was read from: redirects end there, and its own links lead there; "" for anything else."""
    if tool != "web_fetch":
        return ""
    second = next(iter(text.split("\n")[1:2]), "").partition(" ")[0]
    return host_of(normal_form(second) or normal_form(str(given.get("url", ""))))
