"""Some nine hundred spellings of addresses, in the manner of the public collections, and the Web's own rules beside ours."""

import ipaddress
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.addresses import check_public, is_public, opened
from integrations.web_errors import BadUrl, NotAllowed

SPELLINGS = json.loads(Path(__file__).with_name("spellings.json").read_text(encoding="utf-8"))
CLOSED: dict[str, list[str]] = SPELLINGS["closed"]  # by what is odd about them
OPEN: dict[str, list[str]] = SPELLINGS["open"]  # by the host that they name

PARTS = st.one_of(
    st.integers(0, 2**33).map(str),
    st.integers(0, 2**33).map(hex),
    st.integers(0, 2**33).map(lambda n: f"0{n:o}"),
    st.integers(0, 300).map(str),
    st.sampled_from(
        ["", "0x", "08", "0xg", "a", "example", "com", "１", "0X7F", "00", "-1", "1e1"]
    ),
)
NUMBERS = st.tuples(st.lists(PARTS, min_size=1, max_size=5).map(".".join), st.sampled_from(["", "."]))  # fmt: skip
SIGNS = st.sampled_from([
    "example.com", "127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "8.8.8.8", "localhost", "bücher", "xn--", ":", "@", "/", "\\", "?", "#", "%", "%2f",
    "%40", ".", "。", "．", "-", "_", "1", "0x7f", "0177", "80", "443", " ", "\t", "\n", "\x00", "\u00ad", "\u200b", "ｌ", "①", "ß", "İ", "／", "＠", "℀",
    "[", "]", "http:", "//", ";", "&", "=", "|", "^", "<",
])  # fmt: skip


def admitted(url: str) -> str | None:
    """The host that would be asked; None where it is not."""
    try:
        found = opened(url)
        check_public(found, None)
    except (BadUrl, NotAllowed):
        return None
    return found.raw_host


def number_of(part: str) -> int | None:
    """A part of an IPv4 address as the URL Standard reads it: decimal, 0x or 0, an empty one after the prefix is 0."""
    for prefix, base, digits in ((r"0[xX]", 16, "[0-9a-fA-F]*"), ("0", 8, "[0-7]+"), ("", 10, "[0-9]+")):  # fmt: skip
        if found := re.fullmatch(f"{prefix}({digits})", part):
            return int(found[1] or "0", base)
    return None


def address_of(host: str) -> ipaddress.IPv4Address | None:
    """The IPv4 address that the URL Standard sees in a host; None where it sees a name or fails."""
    parts = host.removesuffix(".").split(".")
    numbers = [number for part in parts if (number := number_of(part)) is not None]
    if len(numbers) != len(parts) or len(parts) > 4 or any(n > 255 for n in numbers[:-1]):
        return None
    *upper, last = numbers
    if last >= 256 ** (5 - len(parts)):
        return None
    return ipaddress.IPv4Address(last + sum(n * 256 ** (3 - k) for k, n in enumerate(upper)))


@pytest.mark.parametrize("oddity", CLOSED)
def test_the_door_is_closed_to(oddity: str) -> None:
    """No spelling of an address inside, and none that two parsers read differently, is asked for."""
    assert {url: host for url in CLOSED[oddity] if (host := admitted(url)) is not None} == {}


@pytest.mark.parametrize("host", OPEN)
def test_the_door_is_open_to(host: str) -> None:
    """An odd spelling that means one public host alone is read as that host."""
    assert {url: admitted(url) for url in OPEN[host]} == dict.fromkeys(OPEN[host], host)


def test_there_are_several_hundred() -> None:
    """The list stays as long as it is."""
    assert sum(map(len, CLOSED.values())) > 850
    assert sum(map(len, OPEN.values())) > 40


@given(NUMBERS)
@example(("0x7f.1", ""))
@example(("8.8.8.8", ""))
def test_a_number_is_never_taken_for_another(parts: tuple[str, str]) -> None:
    """Where a browser sees an IPv4 address, we ask that public address, spelled plainly, or none."""
    seen = address_of(host := "".join(parts))
    asked = admitted(f"http://{host}/")

    assert seen is None or asked is None or (asked == str(seen) and is_public(seen))


@given(st.lists(SIGNS, max_size=9).map("".join), st.sampled_from(["http://", "https://", ""]))
@example("example.com:+80", "http://")
@example("example.com:８０", "http://")
def test_two_parsers_see_one_host(rest: str, scheme: str) -> None:
    """Whatever is put together, what we would ask for names the same host and port to another parser."""
    try:
        url = opened(scheme + rest)
    except BadUrl:
        return
    other, written = urlsplit(str(url)), urlsplit(scheme + rest)

    assert (other.hostname, other.port or url.port) == (url.raw_host, url.port)
    assert (written.port or url.port, written.username) == (url.port, None)
