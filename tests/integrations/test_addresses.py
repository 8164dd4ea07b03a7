"""The door of web addresses: odd spellings stay out, and an address is judged by what it carries."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ssrfguard import BlockedAddressError, Policy

from integrations.addresses import (
    allowed,
    check_public,
    is_private_origin,
    is_public,
    opened,
    origin,
)
from integrations.web_errors import BadUrl, NotAllowed

PREFIXES = [
    "::",
    "::ffff:0:0",
    "64:ff9b::",
    "64:ff9b:1::",
    "2002::",
    "2001::",
    "2001:db8::",
    "2606:4700::",
    "3fff::",
    "5f00::",
    "fc00::",
    "fe80::",
    "fec0::",
    "ff00::",
]
PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "192.0.1.1",
    "172.32.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
PRIVATE = [
    "0.0.0.0",  # noqa: S104 - data
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "227.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "2606:4700::5efe:a00:1",
    "2606:4700::200:5efe:7f00:1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "2606:4700::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


def _oracle_blocks(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        Policy().check_address(number)
    except BlockedAddressError:
        return True
    return False


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_connected_to(text: str) -> None:
    """What belongs to the public internet is allowed, embedded or not."""
    assert allowed((text, 443))


@pytest.mark.parametrize("text", PRIVATE)
def test_everything_else_may_not(text: str) -> None:
    """Private, special, multicast and translated addresses are refused in every form."""
    assert not allowed((text, 443))


@pytest.mark.parametrize("sockaddr", [(), ("",), ("localhost", 80), ("127.1", 80), (b"\x7f", 80)])
def test_what_is_no_address_is_refused(sockaddr: tuple[object, ...]) -> None:
    """Only a numeric address can be judged."""
    assert not allowed(sockaddr)


@given(st.ip_addresses(v=4))
def test_no_ipv4_passes_that_an_independent_guard_refuses(number: ipaddress.IPv4Address) -> None:
    """Every IPv4 address we call public, ssrfguard does too."""
    assert not (is_public(number) and _oracle_blocks(number))


@given(st.sampled_from(PREFIXES), st.integers(0, 2**80 - 1), st.sampled_from([0, 48, 80]))
def test_no_ipv6_passes_that_an_independent_guard_refuses(
    prefix: str, rest: int, shift: int
) -> None:
    """Every IPv6 address we call public, ssrfguard does too, whatever lies inside its prefix."""
    number = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | (rest >> shift))

    assert not (is_public(number) and _oracle_blocks(number))


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_as_public_as_itself(number: ipaddress.IPv4Address) -> None:
    """Mapped, translated and tunnelled forms are never more public than what they carry."""
    inside = int(number)
    mapped = ipaddress.IPv6Address(0xFFFF << 32 | inside)
    nat64 = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | inside)
    sixtofour = ipaddress.IPv6Address(0x2002 << 112 | inside << 80 | 1)

    assert {is_public(mapped), is_public(nat64), is_public(sixtofour)} == {is_public(number)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "//example.com/",
        "/etc/passwd",
        "http:",
        "http:///path",
        "http:example.com",
        "http://",
        "http://?q",
        "http://.",
        "http://..",
        "http://.example.com",
        "http://a..example.com",
        "http://-example.com",
        "http://example-.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "file://example.com/etc",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/html,hi",
        "ws://example.com/",
        "http+unix://example.com/",
        "jar:http://example.com/",
        "http://user@example.com/",
        "http://user:word@example.com/",
        "http://:word@example.com/",
        "http://@example.com/",
        "http://exa%6dple.com/",
        "http://example.com%2f@10.0.0.1/",
        "http://example.com%00.intern/",
        "http://exa mple.com/",
        "http://example.com/a b",
        " http://example.com/",
        "http://example.com/\r\nHost: intern",
        "http://example.com/\x00",
        "http://example.com\\@10.0.0.1/",
        "http://example.com/\\10.0.0.1",
        "http:\\\\example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:x/",
        "http://example.com:80:80/",
        "http://[::1/",
        "http://::1/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.fe80]/",
        "http://[example.com]/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://127.0.0.1./",
        "http://1.2.3.4.5/",
        "http://256.256.256.256/",
        "http://example.0x10/",
        "http://example.123/",
        "http://exa\u00admple.c\ud800m/",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 130 + "com/",
        "http://example.com/" + "a" * 4096,
        "http://xn--/",
        "http://exam!ple.com/",
        "http://*.example.com/",
        "http://$(id).example.com/",
    ],
)
def test_the_door_is_closed_to_odd_addresses(text: str) -> None:
    """What is no plain http or https address is a BadUrl, and nothing worse."""
    with pytest.raises(BadUrl):
        opened(text)


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: f"http://{text}"))
def test_any_text_is_opened_or_refused(text: str) -> None:
    """No text makes the door fail in another way, and what it opens is opened again alike."""
    try:
        url = opened(text)
    except BadUrl:
        return
    assert opened(str(url)) == url


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("http://example.com", "http://example.com"),
        ("HTTPS://Example.COM:443/a?b#c", "https://example.com/a?b#c"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4"),
        ("http://example.com./", "http://example.com./"),
        ("http://a_b.example.com/", "http://a_b.example.com/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1]:8080/", "http://[2606:4700::1]:8080/"),
        (
            "https://example.com/wiki/A_(b)?q=1%202&r=@x",
            "https://example.com/wiki/A_(b)?q=1%202&r=@x",
        ),
    ],
)
def test_the_door_opens_to_plain_addresses(text: str, canonical: str) -> None:
    """Ordinary addresses pass, ports, umlauts and queries included."""
    assert str(opened(text)) == canonical
    check_public(opened(text), None)


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost/",
        "http://localhost./",
        "http://LOCALHOST/",
        "http://intranet/",
        "http://10.0.0.1/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://example.com:22/",
        "http://example.com:25/",
        "http://example.com:1/",
    ],
)
def test_what_an_address_shows_is_refused_without_asking_dns(text: str) -> None:
    """Private numbers, single names and the ports of other services are not allowed."""
    with pytest.raises(NotAllowed):
        check_public(opened(text), None)


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        ("example.com", True),
        ("EXAMPLE.com.", True),
        ("docs.example.com", True),
        ("bexample.com", False),
        ("example.com.evil.test", False),
        ("example.org", False),
        ("wild.example.net", True),
        ("8.8.8.8", False),
    ],
)
def test_only_listed_hosts_are_read(host: str, passes: bool) -> None:
    """A list of hosts admits these and their subdomains, and nothing that looks like them."""
    url = opened(f"https://{host}/")
    listed = ("Example.com", "*.example.net", "", ".")
    if passes:
        check_public(url, listed)
    else:
        with pytest.raises(NotAllowed):
            check_public(url, listed)
    with pytest.raises(NotAllowed):
        check_public(url, ())


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("http://wiki.intern:8080/a?b", True),
        ("http://WIKI.intern:8080", True),
        ("http://wiki.intern/", False),
        ("http://wiki.intern:8081/", False),
        ("https://wiki.intern:8080/", False),
        ("http://a.wiki.intern:8080/", False),
        ("http://127.0.0.1/", True),
        ("http://127.0.0.2/", False),
        ("http://[::1]:9000/x", True),
    ],
)
def test_a_private_origin_is_exact(text: str, private: bool) -> None:
    """Scheme, host and port must be those that were listed; a broken entry counts for nothing."""
    listed = ("http://wiki.intern:8080/", "wiki", "http://127.0.0.1", "http://[::1]:9000")

    assert is_private_origin(opened(text), listed) is private


def test_an_origin_always_names_its_port() -> None:
    """The default port is written, so that two spellings of an origin compare equal."""
    assert origin(opened("https://example.com/")) == origin(opened("https://EXAMPLE.com:443/x"))
    assert origin(opened("http://[2606:4700:0::1]/")) == "http://[2606:4700::1]:80"
