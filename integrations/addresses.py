"""Which web addresses may be opened: the door a URL passes, and the last check before a connect.

A URL is parsed once, by the parser of the library that connects. What counts in the end is
the numeric address a socket is about to be connected to: names, spellings and redirects are only
ways to get there. Nothing here touches the network.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator

from yarl import URL

from integrations.web_errors import BadUrl, NotAllowed

URL_CHARS = 4096  # of an address, at most
HOST_CHARS = 253  # of a host name, as in DNS
WEB_PORTS = frozenset({80, 443})
FIRST_FREE_PORT = 1024  # below it only the web's own ports: other services could be made to misread

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address

# `is_global` of Python 3.11 lets these through, or did in some release.
_DENIED4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",  # Azure's platform address, reachable from inside its machines only
        "192.0.0.0/24",  # 192.0.0.192 answers as Oracle's metadata
        "192.88.99.0/24",  # relays to 6to4
        "198.18.0.0/15",
        "240.0.0.0/4",
    )
)
_PUBLIC6 = ipaddress.IPv6Network("2000::/3")  # global unicast; all the rest is special
_DENIED6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "3fff::/20",  # documentation
    )
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIXTOFOUR = ipaddress.IPv6Network("2002::/16")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})  # the upper half of such an interface identifier
_LOW32 = 0xFFFFFFFF

_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
_AUTHORITY = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
# Parsers differ on signs and on digits of other scripts.
_ODD_PORT = re.compile(r":(?![0-9]{0,5}$)[^:\]]*$")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def opened(text: str) -> URL:
    """Let a web address through the door.

    Args:
        text: an absolute http or https address without user name or password.

    Raises:
        BadUrl: it is none, or is spelled in a way that two parsers could read differently.
    """
    if len(text) > URL_CHARS or _SPACE_OR_CONTROL.search(text) or "\\" in text:
        raise BadUrl
    authority = _AUTHORITY.match(text)
    if authority is None or not authority[1] or "@" in authority[1] or "%" in authority[1]:
        raise BadUrl
    if _ODD_PORT.search(authority[1]):
        raise BadUrl
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        raise BadUrl from None
    if url.scheme not in {"http", "https"} or not port or url.raw_user or url.raw_password:
        raise BadUrl
    _check_host(url.raw_host or "", bracketed="[" in authority[1])
    return url


def _check_host(host: str, *, bracketed: bool) -> None:
    number = literal(host)
    if bracketed != isinstance(number, IPv6):
        raise BadUrl
    if number is not None:
        return
    name = host.removesuffix(".")
    if len(name) > HOST_CHARS or not _NAME.fullmatch(name):
        raise BadUrl
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise BadUrl  # an IPv4 address in a spelling that some resolvers understand: 127.1, 0x7f.1


def literal(host: str) -> IPv4 | IPv6 | None:
    """The address that a host is, when it is one and no name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def origin(url: URL) -> str:
    """Scheme, host and port: `http://127.0.0.1:8080`, the port always written."""
    host = (url.raw_host or "").removesuffix(".")
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{url.port}"


def is_private_origin(url: URL, private_origins: tuple[str, ...]) -> bool:
    """Whether an address lies at one of the origins that are permitted although private.

    Args:
        url: an address that passed the door.
        private_origins: such as `http://wiki.intern:8080`; one that is no address counts for nothing.
    """
    wanted = origin(url)
    for text in private_origins:
        try:
            if origin(opened(text)) == wanted:
                return True
        except BadUrl:
            continue
    return False


def check_public(url: URL, allowed_hosts: tuple[str, ...] | None) -> None:
    """Check what an address shows without asking DNS.

    Args:
        url: an address that passed the door.
        allowed_hosts: hosts that may be read, their subdomains included; None = every host.

    Raises:
        NotAllowed: a private address, a port of no web server, or a host that is not listed.
    """
    host = (url.raw_host or "").removesuffix(".").lower()
    number = literal(host)
    if number is not None and not is_public(number):
        raise NotAllowed
    if number is None and "." not in host:
        raise NotAllowed  # localhost, and names that only a private network's DNS completes
    if url.port is not None and url.port < FIRST_FREE_PORT and url.port not in WEB_PORTS:
        raise NotAllowed
    if allowed_hosts is not None and not within(host, allowed_hosts):
        raise NotAllowed


def within(host: str, listed: Iterable[str]) -> bool:
    """Whether a host is one of these, or lies below one; both in lower case, `*.example.com` is `example.com`."""
    return any(_within(host, entry) for entry in listed)


def _within(host: str, entry: str) -> bool:
    allowed = entry.strip().strip(".").lower().removeprefix("*.")
    if not allowed:
        return False
    if literal(allowed) is not None or literal(host) is not None:
        return host == allowed
    return host == allowed or host.endswith(f".{allowed}")


def allowed(sockaddr: tuple[object, ...]) -> bool:
    """Whether a socket may be connected to this address: `(host, port, ...)`, the host numeric."""
    number = literal(str(sockaddr[0])) if sockaddr else None
    return number is not None and is_public(number)


def is_public(number: IPv4 | IPv6) -> bool:
    """Whether an address belongs to the public internet, and so does every address inside it."""
    if isinstance(number, IPv4):
        return (
            number.is_global
            and not number.is_multicast
            and not number.is_reserved
            and not any(number in net for net in _DENIED4)
        )
    if number.scope_id is not None:
        return False
    if number in _MAPPED or number in _NAT64:
        return is_public(IPv4(int(number) & _LOW32))
    return (
        number in _PUBLIC6
        and (number.is_global or number in _SIXTOFOUR)
        and not number.is_multicast
        and not any(number in net for net in _DENIED6)
        and all(is_public(inner) for inner in _inside(number))
    )


def _inside(number: IPv6) -> Iterator[IPv4]:
    """The IPv4 addresses that a global IPv6 address carries to a tunnel."""
    if number in _SIXTOFOUR:
        yield IPv4(int(number) >> 80 & _LOW32)
    if int(number) >> 32 & _LOW32 in _ISATAP:
        yield IPv4(int(number) & _LOW32)
