"""What a web address on a code host names, and that no spelling leads out of the repository."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from integrations.github_address import (
    Address,
    address,
    lines_of,
    path_in_path,
    ref_in_path,
    web_of,
)
from integrations.github_errors import GitHubBadAddress

PUBLIC = URL("https://github.com")


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.shop.ghe.com", "https://shop.ghe.com"),
        ("https://git.shop.example/api/v3", "https://git.shop.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_pages_are_where_the_interface_is(api: str, web: str) -> None:
    """Each form of the interface's address has its web address: public, of one's own region, Enterprise, a stand-in."""
    assert web_of(api) == URL(web)


@pytest.mark.parametrize(
    ("path", "kind", "ref", "file"),
    [
        ("pull/7", "pull", "7", ""),
        ("pull/7/files", "pull", "7", ""),
        ("pull/7.diff", "pull", "7", ""),
        ("pull/7/files?w=1#diff-0a1b", "pull", "7", ""),
        ("pull/7/commits/0123abc", "commit", "0123abc", ""),
        ("commit/0123abc.patch", "commit", "0123abc", ""),
        ("compare/main...feature/a", "compare", "main...feature/a", ""),
        ("compare/main...ana:topic", "compare", "main...ana:topic", ""),
        ("blob/main/src/app.py", "file", "main", "src/app.py"),
        ("tree/feature/a", "repository", "feature/a", ""),
        ("", "repository", "", ""),
    ],
)
def test_an_address_says_what_it_names(path: str, kind: str, ref: str, file: str) -> None:
    """Every page that people copy from a browser is understood."""
    found = address(f"https://github.com/shop/checkout/{path}", PUBLIC)

    assert found == Address("github.com", "shop/checkout", kind, ref, file)  # pyright: ignore[reportArgumentType] - the table is plain text


def test_lines_of_a_file() -> None:
    """A line or a range behind `#` is kept, in its order."""
    found = address("https://github.com/shop/checkout/blob/main/a.py#L12-L20", PUBLIC)

    assert found is not None
    assert found.lines == (12, 20)
    assert [lines_of(text) for text in ("L3", "L9-L3", "readme")] == [(3, 3), (9, 9), (0, 0)]


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.com/shop/checkout/pull/7",
        "https://github.com.evil.example/shop/checkout/pull/7",
        "https://ana@github.com/shop/checkout/pull/7",
        "https://github.com:8443/shop/checkout/pull/7",
        "ftp://github.com/shop/checkout/pull/7",
        "not an address",
    ],
)
def test_another_host_is_another_host(url: str) -> None:
    """Only the very host is ours: neither a longer name, another port, nor a name with a password before it."""
    assert address(url, PUBLIC) is None


@pytest.mark.parametrize(
    "path",
    [
        "shop",
        "shop/checkout/pull/seven",
        "shop/checkout/issues/7",
        "shop/checkout/compare/main..topic",
        "shop/checkout/compare/main",
        "sh%2Fop/checkout/pull/7",
        "shop/%2e%2e%2fuser/pull/7",
    ],
)
def test_what_names_nothing_is_told_so(path: str) -> None:
    """An address of this host that is no change, file or repository is a sentence."""
    with pytest.raises(GitHubBadAddress):
        address(f"https://github.com/{path}", PUBLIC)


@pytest.mark.parametrize("path", ["../../../user", "a/../../user", "a/./b", "a\\b", "\0"])
def test_a_path_stays_inside(path: str) -> None:
    """No path of a file leads out of its repository."""
    with pytest.raises(GitHubBadAddress):
        path_in_path(path)


@given(st.text(max_size=60))
def test_any_text_as_path_or_ref_stays_in_its_place(text: str) -> None:
    """Whatever is given, it is refused or stays behind the place where it was put."""
    for quote in (path_in_path, ref_in_path):
        try:
            quoted = quote(text)
        except GitHubBadAddress:
            continue
        made = URL(f"https://api.github.com/repos/o/r/contents/{quoted}", encoded=True)
        assert str(made).startswith("https://api.github.com/repos/o/r/contents/")
        assert not {".", ".."} & set(URL(str(made)).raw_path.split("/"))
        assert URL(str(made)).path.startswith("/repos/o/r/contents/")
        assert not made.query_string
        assert not made.fragment


@given(st.text(max_size=80))
def test_any_text_as_address_is_an_address_or_a_sentence(text: str) -> None:
    """Nothing that a person pastes breaks the reading of addresses."""
    for url in (text, f"https://github.com/{text}", f"https://github.com/shop/checkout/{text}"):
        try:
            found = address(url, PUBLIC)
        except GitHubBadAddress:
            continue
        assert found is None or found.host == "github.com"
